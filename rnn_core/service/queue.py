"""The jobs and the workers: which worker probes, which trains, whose job starts next, and how long the others wait."""

from __future__ import annotations

import heapq
import math
import os
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from rnn_core.service.connection import Worker
from rnn_core.service.job import Job

ENDED_KEPT = 60  # ended jobs that can still be looked up
DURATIONS_KEPT = 20  # ended trainings whose median duration estimates that of a waiting one
DEFAULT_SECONDS = 30.0  # estimated duration of a training before any has ended


def fair_order(waiting: Iterable[Job], running: Iterable[str] = ()) -> list[Job]:
    """The order in which jobs start: every viewer's first job before anybody's second; within such a round, the earlier number first.

    Args:
        waiting: the waiting jobs, in any order.
        running: the viewer of every running job; it counts as that viewer's first.
    """
    counts = Counter(running)
    rounds = []
    for job in sorted(waiting, key=lambda job: job.number):
        rounds.append((counts[job.viewer], job.number, job))
        counts[job.viewer] += 1
    return [job for _, _, job in sorted(rounds, key=lambda entry: entry[:2])]


def seconds_until_start(seconds_left: Sequence[float], workers: int, durations: Sequence[float]) -> list[float]:
    """Seconds until each waiting job starts, in the order in which they start.

    Args:
        seconds_left: of every running job.
        workers: jobs that can run at once; 0 gives nan for each.
        durations: expected seconds of every waiting job, in order.
    """
    if workers <= 0:
        return [math.nan] * len(durations)
    free_at = sorted(seconds_left)[-workers:] + [0.0] * max(0, workers - len(seconds_left))
    heapq.heapify(free_at)
    starts = []
    for duration in durations:
        start = heapq.heappop(free_at)
        starts.append(start)
        heapq.heappush(free_at, start + duration)
    return starts


class JobQueue:
    """All jobs, waiting, running or ended, and the present workers.

    Hold `lock` to read or change a job outside the dispatcher's thread.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.jobs: dict[str, Job] = {}
        self.workers: tuple[Worker, ...] = ()
        self._number = 0
        self._durations: list[float] = []  # seconds of the trainings that ended last

    def new_job(self, job_id: str, kind: str, viewer: str, arguments: dict[str, Any]) -> Job:
        """A new job with the next number, not yet in `jobs`; an empty `job_id` gets a generated one. Drops the oldest ended jobs."""
        with self.lock:
            self._number += 1
            for old in [job.id for job in self.jobs.values() if job.ended][:-ENDED_KEPT]:
                del self.jobs[old]
            return Job(job_id or f"stream-{self._number}-{os.urandom(4).hex()}", kind, viewer, self._number, arguments)

    def add_duration(self, seconds: float) -> None:
        """Record how long an ended training took, for the estimates."""
        self._durations = [*self._durations[-DURATIONS_KEPT:], seconds]

    def roles(self) -> tuple[list[str], list[str]]:
        """Addresses of the workers that probe, and of those that train.

        A worker named "probe…" never trains, so that probes never wait for a training. Without such a name, the first worker
        probes and the others train; a single worker does both.
        """
        workers = sorted(self.workers, key=lambda worker: worker.name)
        addresses = [worker.address for worker in workers]
        probers = [worker.address for worker in workers if worker.name.startswith("probe")]
        if probers:
            return probers, [address for address in addresses if address not in probers]
        return addresses[:1], addresses[1:] or addresses

    def trainers(self) -> list[str]:
        """Addresses of the workers that train."""
        return self.roles()[1]

    def busy(self, worker: str) -> bool:
        """Whether a job runs on the worker; paused jobs do not count."""
        return any(job.worker == worker for job in self.running())

    def free_worker(self) -> str:
        """Address of the training worker without a running job that has the fewest paused ones; "" when all are busy."""
        jobs_on = {worker: 0 for worker in self.trainers() if not self.busy(worker)}
        for job in self.jobs.values():
            if job.worker in jobs_on:
                jobs_on[job.worker] += 1
        return min(jobs_on, key=jobs_on.__getitem__, default="")

    def running(self) -> list[Job]:
        """The jobs that run; paused ones do not count."""
        return [job for job in self.jobs.values() if job.status == "running"]

    def waiting(self) -> list[Job]:
        """The waiting jobs, in the order in which they start."""
        return fair_order([job for job in self.jobs.values() if job.waiting], [job.viewer for job in self.running()])

    def startable(self) -> Iterator[Job]:
        """Waiting jobs whose viewer has none running, in order. Checked again for each, since the caller starts them one by one."""
        for job in self.waiting():
            if job.viewer not in {running.viewer for running in self.running()}:
                yield job

    def position_and_estimate(self, job: Job) -> tuple[int, float]:
        """Position in the queue (1 = next; 0 when not waiting), and seconds until the start (waiting) or the end (running)."""
        if not job.waiting:
            return 0, job.seconds_left if job.status == "running" else math.nan
        waiting, left = self.waiting(), [other.seconds_left for other in self.running()]
        left = [DEFAULT_SECONDS if math.isnan(seconds) else seconds for seconds in left]
        expected = float(np.median(self._durations)) if self._durations else DEFAULT_SECONDS
        starts = seconds_until_start(left, len(self.trainers()), [expected] * len(waiting))
        place = waiting.index(job)
        return place + 1, starts[place]
