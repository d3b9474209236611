"""Where what jobs say comes in: their events, the parcels made on the way, and their last word. All in the clerk's thread."""

from __future__ import annotations

import math
import pickle
import time
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial

from rnn_core.service import worker as jobs
from rnn_core.service.connection import Link, failure, lost
from rnn_core.service.job import Job
from rnn_core.service.job_store import Ledger
from rnn_core.service.queue import Roster
from rnn_core.store.saved import Parcel


class Reception:
    """Takes in what jobs say, and ends those that have said all.

    Args:
        roster: the jobs.
        ledger: the store's side of them.
        link: the way to their workers.
        later: does something in the clerk's thread.
        again: gets a job of whose words some were lost.
        weigh: gets a worker that ended a job, and the future of the bytes that it takes.
    """

    def __init__(
        self,
        roster: Roster,
        ledger: Ledger,
        link: Link,
        later: Callable[[Callable[[], None]], None],
        again: Callable[[Job], None],
        weigh: Callable[[str, Future[int]], None],
    ) -> None:
        self.roster, self.ledger, self.link = roster, ledger, link
        self._later, self._again, self._weigh = later, again, weigh

    def beat(self, message: bytes) -> None:
        """An event of a job: first on disk, then on screen, so that what was seen is never lost."""
        beat: jobs.Beat = pickle.loads(message)  # from our own worker
        job = self.roster.jobs.get(beat.job)
        if job is None or beat.attempt != job.attempt or job.ended or beat.number < job.beats:  # the last: heard twice
            return
        if beat.number > job.beats:  # some were lost
            self._again(job)
            return
        job.beats += 1
        if job.kind == "train":
            self.ledger.beat(job, beat)
        with self.roster.lock:
            job.show(beat)
        if job.each is not None:
            for value in beat.values:
                job.each(value)
        job.announced = beat.parcels
        self._fetch(job)
        if beat.status not in ("running", "paused"):
            job.ending = beat
            self.finish(job)

    def returned(self, job: Job, attempt: int, done: Future[None]) -> None:
        """The task itself came to an end. Its last beat tells how, unless something went wrong outside of it."""
        problem = failure(done)
        if attempt != job.attempt or job.ended or job.ending is not None:
            return
        if problem is None or lost(problem):  # the last beat, or word of a lost worker, should be on its way
            job.silent = time.monotonic()
        else:
            self.end(job, "failed", unstarted(problem))

    def finish(self, job: Job) -> None:
        """End a job whose last beat came, when all its parcels have come too."""
        beat = job.ending
        assert beat is not None
        if job.parcels < beat.parcels:
            self._fetch(job)
            return
        forgotten, worker = self.link.run(job.worker, jobs.forget, job.id), job.worker
        forgotten.add_done_callback(lambda done: self._later(partial(self._weigh, worker, done)))
        if job.snapshot is not None:
            self.roster.took(job.snapshot.seconds)
            if not math.isnan(job.snapshot.test_metric):
                self.ledger.tested(job, job.snapshot.test_metric)
        self.end(job, "failed" if job.broken else beat.status, job.broken or beat.message or job.unwatched)

    def end(self, job: Job, status: str, message: str) -> None:
        """Whatever came of it: said on screen and in the store."""
        with self.roster.lock:
            job.status, job.message, job.worker, job.wish = status, message, "", None
            job.arguments = {"experiment": job.arguments.get("experiment")}
            job.revision += 1
        if job.kind == "train":
            self.ledger.say(job.id, status, message)

    def _fetch(self, job: Job) -> None:
        """Ask the worker for the next parcel: one at a time, that a slow line brings it within the link's patience."""
        if job.fetching or not job.worker or job.parcels >= job.announced:
            return
        job.fetching, attempt = True, job.attempt
        asked = self.link.run(job.worker, jobs.fetch, job.id, attempt, job.parcels)
        asked.add_done_callback(lambda done: self._later(partial(self._arrived, job, attempt, done)))

    def _arrived(self, job: Job, attempt: int, done: Future[Parcel | None]) -> None:
        if attempt != job.attempt:
            return
        job.fetching = False
        if failure(done) is not None or (parcel := done.result()) is None:
            return  # the worker is going, and the job back to the queue; else the next beat or sweep asks again
        self.ledger.keep(job, parcel)
        job.parcels += 1
        if job.ending is not None:
            self.finish(job)
        else:
            self._fetch(job)


def unstarted(problem: BaseException) -> str:
    """Why a job could not be brought to a worker. Once there it reports by itself, so that this is never what it computed."""
    root = problem
    while (deeper := root.__cause__ or root.__context__) is not None:
        root = deeper
    return f"This could not be sent to a worker, so it did not start ({' '.join(str(root).split())[:200]})."
