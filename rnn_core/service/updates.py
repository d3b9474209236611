"""Receives updates and saved files of running jobs, and ends jobs. Everything here runs in the dispatcher's thread."""

from __future__ import annotations

import math
import pickle
import time
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial

from rnn_core.service.connection import Connection
from rnn_core.service.job import Job
from rnn_core.service.job_store import JobStore
from rnn_core.service.problems import exception_of, is_connection_error
from rnn_core.service.queue import JobQueue
from rnn_core.service.worker import Update, fetch_file, release
from rnn_core.store.saved import SavedFile


class UpdateReceiver:
    """Applies updates from running jobs to the store and the live state, and marks jobs that have ended.

    Args:
        queue: the jobs.
        job_store: writes them to the run store.
        connection: calls their workers.
        schedule: calls a function in the dispatcher's thread.
        requeue: called with a job whose updates have a gap.
        on_memory: called with the address of a worker that ended a job, and a future of the bytes of memory that it uses.
    """

    def __init__(
        self,
        queue: JobQueue,
        job_store: JobStore,
        connection: Connection,
        schedule: Callable[[Callable[[], None]], None],
        requeue: Callable[[Job], None],
        on_memory: Callable[[str, Future[int]], None],
    ) -> None:
        self.queue, self.job_store, self.connection = queue, job_store, connection
        self._schedule, self._requeue, self._on_memory = schedule, requeue, on_memory

    def receive(self, message: bytes) -> None:
        """Apply one pickled update: to the store first, then to the live state, so that every step shown is stored."""
        update: Update = pickle.loads(message)  # from our own worker
        job = self.queue.jobs.get(update.job)
        if job is None or update.attempt != job.attempt or job.ended or update.number < job.updates_received:  # a duplicate
            return
        if update.number > job.updates_received:  # updates before it were lost
            self._requeue(job)
            return
        job.updates_received += 1
        if job.kind == "train":
            self.job_store.add_update(job, update)
        with self.queue.lock:
            job.apply(update)
        if job.on_value is not None:
            for value in update.values:
                job.on_value(value)
        job.files_announced = update.files
        self._fetch(job)
        if update.status not in ("running", "paused"):
            job.last_update = update
            self.end_if_complete(job)

    def task_done(self, job: Job, attempt: int, done: Future[None]) -> None:
        """Called when the job's Dask task ends. The final update says how, unless the task could not run at all."""
        problem = exception_of(done)
        if attempt != job.attempt or job.ended or job.last_update is not None:
            return
        if problem is None or is_connection_error(problem):  # the final update, or the loss of the worker, should follow
            job.task_ended = time.monotonic()
        else:
            self.end(job, "failed", not_started(problem))

    def end_if_complete(self, job: Job) -> None:
        """End a job whose final update was received, if all its files were received too; else fetch the next file."""
        update = job.last_update
        assert update is not None
        if job.files_received < update.files:
            self._fetch(job)
            return
        memory, worker = self.connection.run(job.worker, release, job.id), job.worker
        memory.add_done_callback(lambda done: self._schedule(partial(self._on_memory, worker, done)))
        if job.snapshot is not None:
            self.queue.add_duration(job.snapshot.seconds)
            if not math.isnan(job.snapshot.test_metric):
                self.job_store.set_test_metric(job, job.snapshot.test_metric)
        self.end(job, "failed" if job.store_error else update.status, job.store_error or update.message or job.idle_message)

    def end(self, job: Job, status: str, message: str) -> None:
        """Set the status and message with which a job ended, in the live state and in the store."""
        with self.queue.lock:
            job.status, job.message, job.worker, job.pending_command = status, message, "", None
            job.arguments = {"experiment": job.arguments.get("experiment")}
            job.revision += 1
        if job.kind == "train":
            self.job_store.set_status(job.id, status, message)

    def _fetch(self, job: Job) -> None:
        """Ask the worker for the next file: one at a time, so that each arrives within the connection's timeout on a slow network."""
        if job.fetching or not job.worker or job.files_received >= job.files_announced:
            return
        job.fetching, attempt = True, job.attempt
        file = self.connection.run(job.worker, fetch_file, job.id, attempt, job.files_received)
        file.add_done_callback(lambda done: self._schedule(partial(self._receive_file, job, attempt, done)))

    def _receive_file(self, job: Job, attempt: int, done: Future[SavedFile | None]) -> None:
        if attempt != job.attempt:
            return
        job.fetching = False
        if exception_of(done) is not None or (file := done.result()) is None:
            return  # a lost worker's job is requeued; otherwise the next update or periodic check asks again
        self.job_store.keep(job, file)
        job.files_received += 1
        if job.last_update is not None:
            self.end_if_complete(job)
        else:
            self._fetch(job)


def not_started(problem: BaseException) -> str:
    """One sentence for a job that could not be sent to a worker. What fails in the worker is reported by its final update."""
    root = problem
    while (deeper := root.__cause__ or root.__context__) is not None:
        root = deeper
    return f"This could not be sent to a worker, so it did not start ({' '.join(str(root).split())[:200]})."
