"""The one thread that moves jobs: from the queue to a worker, from events to store and screen, and back when a worker dies."""

from __future__ import annotations

import logging
import math
import os
import pickle
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any

import numpy as np

from rnn_core import jobs
from rnn_core.job import Job
from rnn_core.ledger import Ledger
from rnn_core.link import Link, Worker, failure, lost
from rnn_core.parcels import Parcel
from rnn_core.probe_cache import ProbeCache
from rnn_core.queueing import GUESS, Ticket, estimates, order
from rnn_core.runs import Store

DEATHS = 3  # workers that may die under one run without any progress in between
ENDED_KEPT = 60  # jobs remembered after their end
GROWN = (
    2 * 2**30
)  # bytes that a worker may take before it starts afresh: TensorFlow keeps some 40 MB of every network it compiled
log = logging.getLogger(__name__)


class Clerk:
    """Jobs and workers. Whoever reads or changes a job from another thread holds `lock`."""

    def __init__(self, store: Store, scheduler: str, trainers: int, patience: float) -> None:
        self.store, self.patience = store, patience
        self.state, self.message = "starting", "The workers are starting."
        self.lock = threading.RLock()
        self.jobs: dict[str, Job] = {}
        self.workers: tuple[Worker, ...] = ()
        self._grown: set[str] = set()  # workers to start afresh when nobody is on them
        self.probes = ProbeCache()
        self.ledger = Ledger(store, self._give_up)
        self._inbox: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._number = 0
        self._lengths: list[float] = []  # seconds that ended trainings took
        self.link = Link(
            scheduler,
            trainers,
            store.home / "workers.log",
            on_event=lambda message: self.later(partial(self.on_beat, message)),
            on_workers=lambda workers: self.later(partial(self._on_workers, workers)),
            on_gone=lambda address: self.later(partial(self._on_gone, address)),
            on_state=self._on_state,
        )
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

    def enrol(self, job_id: str, kind: str, viewer: str, arguments: dict[str, Any]) -> Job:
        """A new job, not yet in the queue."""
        with self.lock:
            self._number += 1
            for old in [job.id for job in self.jobs.values() if job.ended][:-ENDED_KEPT]:
                del self.jobs[old]
            return Job(job_id or f"stream-{self._number}-{os.urandom(4).hex()}", kind, viewer, self._number, arguments)

    def _work(self) -> None:
        swept = 0.0
        while True:
            try:
                item = self._inbox.get(timeout=0.5)
            except queue.Empty:
                item = self._dispatch
            if item is None:
                return
            try:
                item()
                if time.monotonic() - swept > 0.5:
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
        with self.lock:
            self.workers = workers
            orphans = [job for job in self.jobs.values() if job.worker and job.worker not in there and not job.ended]
        self.probes.use(self.link, self._roles()[0])
        for job in orphans:
            self._orphan(job)

    def _on_gone(self, address: str) -> None:
        """A worker died just now, says the scheduler."""
        self._on_workers(tuple(worker for worker in self.workers if worker.address != address))

    def _orphan(self, job: Job) -> None:
        """The job's worker is gone: back to the queue, from the last checkpoint."""
        step = job.snapshot.step if job.snapshot else 0
        with self.lock:
            job.deaths = 1 if step > job.progress else job.deaths + 1
            job.progress = max(job.progress, step)
            job.restart()
        if job.broken or job.kind == "stream":
            self._end(job, "failed" if job.broken else "interrupted", job.broken or "The worker stopped: start again.")
        elif job.deaths >= DEATHS:
            self._end(job, "failed", "The worker died under this run three times, perhaps for lack of memory: try a smaller one.")
        elif self.ledger.rewind(job):
            with self.lock:
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
        for worker in self._grown - {job.worker for job in self.jobs.values()}:
            self._grown.discard(worker)
            self._on_gone(worker)  # nothing starts there from now on
            self.link.restart(worker)

    # ---------------------------------------------------------------- what jobs say

    def on_beat(self, message: bytes) -> None:
        """An event of a job: first on disk, then on screen, so that what was seen is never lost."""
        beat: jobs.Beat = pickle.loads(message)  # from our own worker
        job = self.jobs.get(beat.job)
        if job is None or beat.attempt != job.attempt or job.ended:
            return
        if job.kind == "train":
            self.ledger.beat(job, beat)
        with self.lock:
            job.show(beat)
        if job.each is not None:
            for value in beat.values:
                job.each(value)
        if beat.parcels > job.parcels:
            self._fetch(job)
        if beat.status not in ("running", "paused"):
            job.ending = beat
            self._finish(job)

    def _fetch(self, job: Job) -> None:
        """Ask the worker for the parcels made since the last time."""
        if job.fetching or not job.worker:
            return
        job.fetching, attempt = True, job.attempt
        asked = self.link.run(job.worker, jobs.fetch, job.id, attempt, job.parcels)
        asked.add_done_callback(lambda done: self.later(partial(self._on_parcels, job, attempt, done)))

    def _on_parcels(self, job: Job, attempt: int, done: Future[list[Parcel]]) -> None:
        if attempt != job.attempt:
            return
        job.fetching = False
        if failure(done) is not None:
            return  # the worker is going, and the job back to the queue; else the next beat or sweep asks again
        for parcel in done.result():
            self.ledger.keep(job, parcel)
            job.parcels += 1
        if job.ending is not None:
            self._finish(job)

    def _finish(self, job: Job) -> None:
        """End a job whose last beat came, when all its parcels have come too."""
        beat = job.ending
        assert beat is not None
        if job.parcels < beat.parcels:
            self._fetch(job)
            return
        forgotten, worker = self.link.run(job.worker, jobs.forget, job.id), job.worker
        forgotten.add_done_callback(lambda done: self.later(partial(self._weigh, worker, done)))
        if job.snapshot is not None:
            self._lengths = [*self._lengths[-20:], job.snapshot.seconds]
            if not math.isnan(job.snapshot.test_metric):
                self.ledger.tested(job, job.snapshot.test_metric)
        self._end(job, "failed" if job.broken else beat.status, job.broken or beat.message or job.unwatched)

    def _on_return(self, job: Job, attempt: int, done: Future[None]) -> None:
        """The task itself came to an end. Its last beat tells how, unless something went wrong outside of it."""
        problem = failure(done)
        if attempt != job.attempt or job.ended or job.ending is not None or problem is None:
            return
        if not lost(problem):  # a lost worker or cluster is noticed by `_on_workers`
            self._end(job, "failed", _unstarted(problem))

    def _end(self, job: Job, status: str, message: str) -> None:
        with self.lock:
            job.status, job.message, job.worker, job.wish = status, message, "", None
            job.arguments = {"experiment": job.arguments.get("experiment")}
            job.revision += 1
        if job.kind == "train":
            self.ledger.say(job.id, status, message)

    def _give_up(self, job: Job) -> None:
        """The store cannot go on with this job."""
        with self.lock:
            job.message = job.broken
        if job.worker:
            self.tell(job, "stop")

    def _sweep(self) -> None:
        """Twice a second: stop what nobody watches, fetch and say what could not be fetched or said."""
        now = time.monotonic()
        for job in list(self.jobs.values()):
            if not job.ended and now - job.seen > self.patience:
                job.seen = now
                self._stop_unwatched(job)
            elif job.ending is not None and not job.ended:
                self._finish(job)
        self.ledger.retry()

    def _stop_unwatched(self, job: Job) -> None:
        job.unwatched = f"Stopped because nobody watched for {self.patience / 60:.3g} minutes; everything up to here is kept."
        if job.worker:
            self.tell(job, "stop")
        else:
            self._end(job, "stopped", job.unwatched)

    # ---------------------------------------------------------------- the queue

    def _roles(self) -> tuple[list[str], list[str]]:
        """Addresses that probe, and those that train. A worker called "probe…" never trains, so that probes never wait; where
        none is called so, the first probes and the others train, and a worker that is alone does both."""
        workers = sorted(self.workers, key=lambda worker: worker.name)
        every = [worker.address for worker in workers]
        probers = [worker.address for worker in workers if worker.name.startswith("probe")]
        if probers:
            return probers, [address for address in every if address not in probers]
        return every[:1], every[1:] or every

    def trainers(self) -> list[str]:
        """Addresses of the workers that train."""
        return self._roles()[1]

    def busy(self, worker: str) -> bool:
        """Whether something trains there now; what is paused does not count."""
        return any(job.worker == worker and job.status == "running" for job in self.jobs.values())

    def line(self) -> list[Ticket]:
        """Who waits, in the order of service."""
        waiting = [Ticket(job.id, job.viewer, job.number) for job in self.jobs.values() if job.waits]
        return order(waiting, [job.viewer for job in self.jobs.values() if job.status == "running"])

    def place(self, job: Job) -> tuple[int, float]:
        """Position in the queue (1 = next; 0 when not waiting), and seconds until the start (waiting) or the end (running)."""
        if not job.waits:
            return 0, job.seconds_left if job.status == "running" else math.nan
        line = [ticket.job for ticket in self.line()]
        left = [other.seconds_left for other in self.jobs.values() if other.status == "running"]
        guess = float(np.median(self._lengths)) if self._lengths else GUESS
        slots = len(self._roles()[1]) if self.workers else 0
        starts = estimates([GUESS if math.isnan(seconds) else seconds for seconds in left], slots, [guess] * len(line))
        return line.index(job.id) + 1, starts[line.index(job.id)]

    def _dispatch(self) -> None:
        """Start every waiting job for which there is a free worker, and whose viewer has none running."""
        with self.lock:
            trainers = self._roles()[1]
            for ticket in self.line():
                job = self.jobs[ticket.job]
                if any(other.viewer == job.viewer and other.status == "running" for other in self.jobs.values()):
                    continue
                free = [worker for worker in trainers if not self.busy(worker)]
                if job.worker and job.wish:
                    self._grant(job)
                elif free:
                    tenants = {worker: sum(other.worker == worker for other in self.jobs.values()) for worker in free}
                    self._start(job, min(free, key=tenants.__getitem__))

    def _grant(self, job: Job) -> None:
        """Let a paused job go on, when its worker is free."""
        if job.wish and not self.busy(job.worker):
            (command, value), job.wish = job.wish, None
            job.status = "running"
            self.tell(job, command, value)

    def _start(self, job: Job, worker: str) -> None:
        job.worker, job.status, job.attempt = worker, "running", job.attempt + 1
        job.parcels, job.fetching, job.message = 0, False, ""
        job.revision += 1
        commands, job.commands = job.commands, []
        if any(command == "pause" for command, _ in commands):
            job.status = "paused"
        arguments, attempt = (job.kind, job.id, job.attempt, self.link.topic, commands), job.attempt
        try:
            job.task = self.link.submit(worker, False, jobs.run, *arguments, **job.arguments)
        except Exception as problem:
            self._end(job, "failed", _unstarted(problem))
            return
        job.task.add_done_callback(lambda done: self.later(partial(self._on_return, job, attempt, done)))

    def tell(self, job: Job, command: str, value: float | None = None) -> None:
        """Pass a wish on to the worker; returns at once."""
        self.link.run(job.worker, jobs.send, job.id, job.attempt, command, value)


def _unstarted(problem: BaseException) -> str:
    """Why a job could not be brought to a worker. Once there it reports by itself, so that this is never what it computed."""
    root = problem
    while (deeper := root.__cause__ or root.__context__) is not None:
        root = deeper
    return f"This could not be sent to a worker, so it did not start ({' '.join(str(root).split())[:200]})."
