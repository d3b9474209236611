"""The one thread that moves jobs: from the queue to a worker, from there to store and screen, and back when a worker dies."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial

from rnn_core.service import worker as jobs
from rnn_core.service.connection import Link, Worker, failure
from rnn_core.service.job import Job
from rnn_core.service.job_store import Ledger
from rnn_core.service.probe_cache import ProbeCache
from rnn_core.service.queue import Roster
from rnn_core.service.updates import Reception, unstarted
from rnn_core.store.store import Store

DEATHS = 3  # workers that may die under one run without any progress in between
# Bytes that a worker may take before it starts afresh: TensorFlow keeps some 40 MB of every network it compiled.
GROWN = 2 * 2**30
SWEEP = 0.5  # seconds between two looks at what nobody watches and what could not be fetched or said
SILENCE = 10.0  # seconds after which the last beat of a task that has ended counts as lost
log = logging.getLogger(__name__)


class Clerk:
    """Brings the jobs of the roster to the workers of the link."""

    def __init__(self, store: Store, scheduler: str, trainers: int, patience: float) -> None:
        self.patience = patience
        self.state, self.message = "starting", "The workers are starting."
        self.roster = Roster()
        self.probes = ProbeCache()
        self.ledger = Ledger(store, self._give_up)
        self._grown: set[str] = set()  # workers to start afresh when nobody is on them
        self._inbox: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self.link = Link(
            scheduler,
            trainers,
            store.home / "workers.log",
            on_event=lambda message: self.later(partial(self.reception.beat, message)),
            on_workers=lambda workers: self.later(partial(self._on_workers, workers)),
            on_gone=lambda address: self.later(partial(self._on_gone, address)),
            on_state=self._on_state,
        )
        self.reception = Reception(self.roster, self.ledger, self.link, self.later, self._orphan, self._weigh)
        self._thread = threading.Thread(target=self._work, name="unrolled-clerk", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._inbox.put(None)
        self._thread.join(10)
        self.link.close()
        self.probes.close()

    def later(self, action: Callable[[], None] = lambda: None) -> None:
        """Do something in the clerk's thread, then look whether a job can start."""
        self._inbox.put(action)

    def tell(self, job: Job, command: str, value: float | None = None) -> None:
        """Pass a wish on to the worker; returns at once."""
        self.link.run(job.worker, jobs.send, job.id, job.attempt, command, value)

    def _work(self) -> None:
        swept = 0.0
        while True:
            try:
                item = self._inbox.get(timeout=SWEEP)
            except queue.Empty:
                item = self._dispatch
            if item is None:
                return
            try:
                item()
                if time.monotonic() - swept > SWEEP:
                    swept = time.monotonic()
                    self._sweep()
                self._refresh()
                self._dispatch()
            except Exception:  # the clerk must live; what failed is in the log
                log.exception("the runs' clerk could not do something")

    # ---------------------------------------------------------------- workers come and go

    def _on_state(self, state: str, message: str) -> None:
        self.state, self.message = state, message
        if state == "failed":
            self.probes.close(message)

    def _on_workers(self, workers: tuple[Worker, ...]) -> None:
        """Somebody joined or left; jobs on those who left go back to the queue."""
        there = {worker.address for worker in workers}
        with self.roster.lock:
            self.roster.workers = workers
            orphans = [job for job in self.roster.jobs.values() if job.worker and job.worker not in there and not job.ended]
        self.probes.use(self.link, self.roster.roles()[0])
        for job in orphans:
            self._orphan(job)

    def _on_gone(self, address: str) -> None:
        """A worker died just now, says the scheduler."""
        self._on_workers(tuple(worker for worker in self.roster.workers if worker.address != address))

    def _orphan(self, job: Job) -> None:
        """The job's worker, or a part of what it said, is gone: back to the queue, from the last checkpoint."""
        step = job.snapshot.step if job.snapshot else 0
        self.tell(job, "stop")  # should the worker be there after all
        with self.roster.lock:
            job.deaths = 1 if step > job.progress else job.deaths + 1
            job.progress = max(job.progress, step)
            job.restart()
        if job.broken or job.kind == "stream":
            status, message = ("failed", job.broken) if job.broken else ("interrupted", "The worker stopped: start again.")
            self.reception.end(job, status, message)
        elif job.stopping or job.unwatched:
            self.reception.end(job, "stopped", job.unwatched)
        elif job.deaths >= DEATHS:
            words = "The worker died under this run three times, perhaps for lack of memory: try a smaller one."
            self.reception.end(job, "failed", words)
        elif self.ledger.rewind(job):
            with self.roster.lock:
                job.commands = [("pause", None)] if job.status == "paused" else []
                job.status, job.wish = "waiting", None
                job.message = "The worker stopped; the run goes on from its last checkpoint."
                job.revision += 1

    def _weigh(self, worker: str, done: Future[int]) -> None:
        """How large a worker is after a job. Those of a foreign cluster are their owner's business."""
        if not self.link.scheduler and failure(done) is None and done.result() > GROWN:
            self._grown.add(worker)

    def _refresh(self) -> None:
        """Start grown workers afresh; one that holds a job, be it paused, goes on until that has ended."""
        for worker in self._grown - {job.worker for job in self.roster.jobs.values()}:
            self._grown.discard(worker)
            self._on_gone(worker)  # nothing starts there from now on
            self.link.restart(worker)

    # ---------------------------------------------------------------- jobs start and are stopped

    def _dispatch(self) -> None:
        """Start every waiting job for which there is a free worker, and whose viewer has none running."""
        with self.roster.lock:
            for job in self.roster.next():
                if job.worker and job.wish:
                    self._grant(job)
                elif worker := self.roster.vacancy():
                    self._start(job, worker)

    def _grant(self, job: Job) -> None:
        """Let a paused job go on, when its worker is free."""
        if job.wish and not self.roster.busy(job.worker):
            (command, value), job.wish = job.wish, None
            job.status = "running"
            self.tell(job, command, value)

    def _start(self, job: Job, worker: str) -> None:
        job.worker, job.status, job.message, job.attempt = worker, "running", "", job.attempt + 1
        job.revision += 1
        commands, job.commands = job.commands, []
        if any(command == "pause" for command, _ in commands):
            job.status = "paused"
        arguments, attempt = (job.kind, job.id, job.attempt, self.link.topic, commands), job.attempt
        try:
            job.task = self.link.submit(worker, False, jobs.run, *arguments, **job.arguments)
        except Exception as problem:
            self.reception.end(job, "failed", unstarted(problem))
            return
        job.task.add_done_callback(lambda done: self.later(partial(self.reception.returned, job, attempt, done)))

    def _give_up(self, job: Job) -> None:
        """The store cannot go on with this job."""
        with self.roster.lock:
            job.message = job.broken
        if job.worker:
            self.tell(job, "stop")

    def _sweep(self) -> None:
        """Stop what nobody watches, fetch and say what could not be fetched or said."""
        now = time.monotonic()
        for job in list(self.roster.jobs.values()):
            if not job.ended and now - job.seen > self.patience:
                job.seen = now
                self._stop_unwatched(job)
            elif job.ending is not None and not job.ended:
                self.reception.finish(job)
            elif not job.ended and now - job.silent > SILENCE:
                self._orphan(job)
        self.ledger.retry()

    def _stop_unwatched(self, job: Job) -> None:
        job.unwatched = f"Stopped because nobody watched for {self.patience / 60:.3g} minutes; everything up to here is kept."
        if job.worker:
            self.tell(job, "stop")
        else:
            self.reception.end(job, "stopped", job.unwatched)
