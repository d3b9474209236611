"""Which jobs and which workers there are, and what follows from that: who probes, who trains, who is next and when."""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np

from rnn_core.service.connection import Worker
from rnn_core.service.job import Job
from rnn_core.service.turns import GUESS, Ticket, estimates, order

ENDED_KEPT = 60  # jobs remembered after their end
LENGTHS_KEPT = 20  # ended trainings whose length tells how long the next will take


class Roster:
    """Changed by the clerk. Whoever reads or changes a job from another thread holds `lock`."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.jobs: dict[str, Job] = {}
        self.workers: tuple[Worker, ...] = ()
        self._number = 0
        self._lengths: list[float] = []  # seconds that ended trainings took

    def enrol(self, job_id: str, kind: str, viewer: str, arguments: dict[str, Any]) -> Job:
        """A new job, not yet in the queue."""
        with self.lock:
            self._number += 1
            for old in [job.id for job in self.jobs.values() if job.ended][:-ENDED_KEPT]:
                del self.jobs[old]
            return Job(job_id or f"stream-{self._number}-{os.urandom(4).hex()}", kind, viewer, self._number, arguments)

    def took(self, seconds: float) -> None:
        """A training ended after so many seconds."""
        self._lengths = [*self._lengths[-LENGTHS_KEPT:], seconds]

    def roles(self) -> tuple[list[str], list[str]]:
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
        return self.roles()[1]

    def busy(self, worker: str) -> bool:
        """Whether something trains there now; what is paused does not count."""
        return any(job.worker == worker and job.status == "running" for job in self.jobs.values())

    def vacancy(self) -> str:
        """The free worker with the fewest paused jobs; "" when all are busy."""
        tenants = {worker: 0 for worker in self.trainers() if not self.busy(worker)}
        for job in self.jobs.values():
            if job.worker in tenants:
                tenants[job.worker] += 1
        return min(tenants, key=tenants.__getitem__, default="")

    def line(self) -> list[Ticket]:
        """Who waits, in the order of service."""
        waiting = [Ticket(job.id, job.viewer, job.number) for job in self.jobs.values() if job.waits]
        return order(waiting, [job.viewer for job in self.jobs.values() if job.status == "running"])

    def next(self) -> Iterator[Job]:
        """Jobs that wait, in the order of service, but for those whose viewer has one running (also since the last was given)."""
        for ticket in self.line():
            if not any(job.viewer == ticket.viewer and job.status == "running" for job in self.jobs.values()):
                yield self.jobs[ticket.job]

    def place(self, job: Job) -> tuple[int, float]:
        """Position in the queue (1 = next; 0 when not waiting), and seconds until the start (waiting) or the end (running)."""
        if not job.waits:
            return 0, job.seconds_left if job.status == "running" else math.nan
        line = [ticket.job for ticket in self.line()]
        left = [other.seconds_left for other in self.jobs.values() if other.status == "running"]
        guess = float(np.median(self._lengths)) if self._lengths else GUESS
        slots = len(self.trainers()) if self.workers else 0
        starts = estimates([GUESS if math.isnan(seconds) else seconds for seconds in left], slots, [guess] * len(line))
        return line.index(job.id) + 1, starts[line.index(job.id)]
