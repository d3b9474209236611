"""The one thread that moves jobs: from the queue to a worker until they end, and back into the queue when the worker is lost."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial

from rnn_core.service.connection import STARTING, Connection, Worker
from rnn_core.service.job import Job
from rnn_core.service.job_store import JobStore
from rnn_core.service.probe_cache import ProbeCache
from rnn_core.service.problems import exception_of
from rnn_core.service.queue import JobQueue
from rnn_core.service.updates import UpdateReceiver, not_started
from rnn_core.service.worker import run as run_job
from rnn_core.service.worker import send_command
from rnn_core.store.store import Store

MAX_WORKER_DEATHS = 3  # workers lost under one run without progress in between, after which the run fails
# Resident memory after a job, above which an embedded worker is restarted: TensorFlow keeps some 40 MB of every network compiled.
MAX_WORKER_BYTES = 2 * 2**30
CHECK_SECONDS = 0.5  # between two periodic checks of all jobs
LAST_UPDATE_TIMEOUT = 10.0  # seconds after the end of a task, after which its final update counts as lost
log = logging.getLogger(__name__)


class Dispatcher:
    """Starts queued jobs on workers, and handles everything that happens to them, one action after another in its own thread.

    Args:
        store: where runs are kept.
        scheduler: address of an existing cluster; "" starts an embedded one.
        trainers: training workers of an embedded cluster.
        idle_timeout: seconds without a viewer until a job is stopped.
    """

    def __init__(self, store: Store, scheduler: str, trainers: int, idle_timeout: float) -> None:
        self.idle_timeout = idle_timeout
        self.state, self.message = "starting", STARTING
        self.queue = JobQueue()
        self.probes = ProbeCache()
        self.job_store = JobStore(store, self._on_store_error)
        self._to_restart: set[str] = set()  # addresses of workers to restart once they hold no job
        self._actions: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self.connection = Connection(
            scheduler,
            trainers,
            store.home / "workers.log",
            on_event=lambda message: self.schedule(partial(self.receiver.receive, message)),
            on_workers=lambda workers: self.schedule(partial(self._on_workers, workers)),
            on_worker_lost=lambda address: self.schedule(partial(self._on_worker_lost, address)),
            on_state=self._on_state,
        )
        self.receiver = UpdateReceiver(
            self.queue, self.job_store, self.connection, self.schedule, self._requeue, self._check_memory
        )
        self._thread = threading.Thread(target=self._run, name="unrolled-dispatcher", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._actions.put(None)
        self._thread.join(10)
        self.connection.close()
        self.probes.close()

    def schedule(self, action: Callable[[], None] = lambda: None) -> None:
        """Call a function in the dispatcher's thread, then start the jobs that can start."""
        self._actions.put(action)

    def send_command(self, job: Job, command: str, value: float | None = None) -> None:
        """Send a command to the job's worker; returns at once."""
        self.connection.run(job.worker, send_command, job.id, job.attempt, command, value)

    def _run(self) -> None:
        checked = 0.0
        while True:
            try:
                action = self._actions.get(timeout=CHECK_SECONDS)
            except queue.Empty:
                action = self._start_jobs
            if action is None:
                return
            try:
                action()
                if time.monotonic() - checked > CHECK_SECONDS:
                    checked = time.monotonic()
                    self._check_jobs()
                self._restart_workers()
                self._start_jobs()
            except Exception:  # the thread must go on; the log has the traceback
                log.exception("an action of the dispatcher failed")

    # ---------------------------------------------------------------- workers join and leave

    def _on_state(self, state: str, message: str) -> None:
        self.state, self.message = state, message
        if state == "failed":
            self.probes.close(message)

    def _on_workers(self, workers: tuple[Worker, ...]) -> None:
        """Take the new set of workers, and requeue the jobs of those that left."""
        addresses = {worker.address for worker in workers}
        with self.queue.lock:
            self.queue.workers = workers
            lost = [job for job in self.queue.jobs.values() if job.worker and job.worker not in addresses and not job.ended]
        self.probes.use(self.connection, self.queue.roles()[0])
        for job in lost:
            self._requeue(job)

    def _on_worker_lost(self, address: str) -> None:
        """Called when the scheduler reports that it has lost a worker."""
        self._on_workers(tuple(worker for worker in self.queue.workers if worker.address != address))

    def _requeue(self, job: Job) -> None:
        """Put a job whose worker or updates were lost back into the queue, from its last checkpoint; or end it if it cannot go on."""
        step = job.snapshot.step if job.snapshot else 0
        self.send_command(job, "stop")  # in case the worker still runs
        with self.queue.lock:
            job.worker_deaths = 1 if step > job.step_at_death else job.worker_deaths + 1
            job.step_at_death = max(job.step_at_death, step)
            job.leave_worker()
        if job.store_error or job.kind == "stream":
            message = job.store_error or "The worker stopped: start again."
            self.receiver.end(job, "failed" if job.store_error else "interrupted", message)
        elif job.stopping or job.idle_message:
            self.receiver.end(job, "stopped", job.idle_message)
        elif job.worker_deaths >= MAX_WORKER_DEATHS:
            message = f"The worker died under this run {MAX_WORKER_DEATHS} times, perhaps because memory ran out: try fewer units or shorter sequences."
            self.receiver.end(job, "failed", message)
        elif self.job_store.rewind(job):
            with self.queue.lock:
                job.commands = [("pause", None)] if job.status == "paused" else []
                job.status, job.pending_command = "waiting", None
                job.message = "The worker stopped; the run goes on from its last checkpoint."
                job.revision += 1

    def _check_memory(self, worker: str, done: Future[int]) -> None:
        """Mark an embedded worker for restart when its resident memory after a job exceeds MAX_WORKER_BYTES."""
        if not self.connection.scheduler and exception_of(done) is None and done.result() > MAX_WORKER_BYTES:
            self._to_restart.add(worker)

    def _restart_workers(self) -> None:
        """Restart the marked workers that hold no job, running or paused."""
        for worker in self._to_restart - {job.worker for job in self.queue.jobs.values()}:
            self._to_restart.discard(worker)
            self._on_worker_lost(worker)  # so that no job starts there from now on
            self.connection.restart(worker)

    # ---------------------------------------------------------------- jobs start and are stopped

    def _start_jobs(self) -> None:
        """Start every waiting job for which there is a free worker, and whose viewer has none running."""
        with self.queue.lock:
            for job in self.queue.startable():
                if job.worker and job.pending_command:
                    self._send_pending_command(job)
                elif worker := self.queue.free_worker():
                    self._start(job, worker)

    def _send_pending_command(self, job: Job) -> None:
        """Let a paused job continue if its worker is free."""
        if job.pending_command and not self.queue.busy(job.worker):
            (command, value), job.pending_command = job.pending_command, None
            job.status = "running"
            self.send_command(job, command, value)

    def _start(self, job: Job, worker: str) -> None:
        job.worker, job.status, job.message, job.attempt = worker, "running", "", job.attempt + 1
        job.revision += 1
        commands, job.commands = job.commands, []
        if any(command == "pause" for command, _ in commands):
            job.status = "paused"
        arguments, attempt = (job.kind, job.id, job.attempt, self.connection.topic, commands), job.attempt
        try:
            job.task = self.connection.submit(worker, False, run_job, *arguments, **job.arguments)
        except Exception as problem:
            self.receiver.end(job, "failed", not_started(problem))
            return
        job.task.add_done_callback(lambda done: self.schedule(partial(self.receiver.task_done, job, attempt, done)))

    def _on_store_error(self, job: Job) -> None:
        """Stop a job that the store can no longer record."""
        with self.queue.lock:
            job.message = job.store_error
        if job.worker:
            self.send_command(job, "stop")

    def _check_jobs(self) -> None:
        """Stop jobs without a viewer, requeue those whose final update was lost, and retry fetches and writes that failed."""
        now = time.monotonic()
        for job in list(self.queue.jobs.values()):
            if not job.ended and now - job.last_viewed > self.idle_timeout:
                job.last_viewed = now
                self._stop_idle(job)
            elif job.last_update is not None and not job.ended:
                self.receiver.end_if_complete(job)
            elif not job.ended and now - job.task_ended > LAST_UPDATE_TIMEOUT:
                self._requeue(job)
        self.job_store.retry()

    def _stop_idle(self, job: Job) -> None:
        minutes = f"{self.idle_timeout / 60:.3g}"
        job.idle_message = f"Stopped because nobody watched for {minutes} minutes; everything up to here is kept."
        if job.worker:
            self.send_command(job, "stop")
        else:
            self.receiver.end(job, "stopped", job.idle_message)
