"""A sweep over several workers: one trial at a time on each, so that nobody waits longer for one than a trial takes.

Every lane queues under a name of its own and asks for its next trial only when the last has ended. Between two trials the
queue serves whoever came in the meantime.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from rnn_core.studies import sweep
from rnn_core.studies.contest import Lap
from rnn_core.studies.sweep import Outcome, Trial

OVER = ("finished", "stopped", "failed", "interrupted")
TRIES = 3  # times that one trial is started when workers go away under it


@dataclass(frozen=True)
class Progress:
    """How far a sweep has come."""

    done: int  # trials that have an outcome
    total: int  # trials asked for
    running: tuple[Lap, ...]  # the newest lap of every trial that runs now
    waiting: int  # lanes that wait for a worker
    over: bool
    message: str  # why it ended early, in a sentence; else ""


class Sweep:
    """Runs trials through a service and keeps their outcomes. Every method returns at once and may be called from any thread.

    Args:
        service: a `service.Service`.
        trials: what to run, in this order.
        path: CSV file that outcomes are appended to as they come, though nobody watches.
        viewer: whose sweep it is.
        lanes: trials at a time; default: one for every worker that trains.
    """

    def __init__(self, service: Any, trials: Iterable[Trial], path: Path, viewer: str, lanes: int | None = None) -> None:
        self.service, self.path, self.viewer = service, path, viewer
        self._left, self._lock = deque(trials), threading.RLock()
        self._total, self._done, self._tries = len(self._left), 0, dict[Trial, int]()
        self._jobs: dict[int, tuple[str, Trial]] = {}  # lane → its job
        self._stopped, self._message, self._seen = False, "", time.monotonic()
        for lane in range(min(lanes or service.trainers, self._total)):
            self._next(lane)

    def progress(self) -> Progress:
        """How far it has come. Whoever asks watches: unwatched for the service's patience, a sweep ends after its present trials."""
        self._seen = time.monotonic()
        with self._lock:
            for lane in list(self._jobs):
                self._look_after(lane)
            states = [self.service.streamed(job) for job, _ in self._jobs.values()]
            laps = tuple(state.values[-1] for state in states if state and state.values and isinstance(state.values[-1], Lap))
            waiting = sum(state is not None and state.status == "waiting" for state in states)
            over = not self._jobs and (self._stopped or not self._left)
            return Progress(self._done, self._total, laps, waiting, over, self._message)

    def stop(self, message: str = "") -> None:
        """No more trials, and those that run end without an outcome."""
        with self._lock:
            self._stopped, self._message = True, message
            for job, _ in self._jobs.values():
                self.service.control(job, "stop")

    def _next(self, lane: int) -> None:
        """Queue the lane's next trial."""
        with self._lock:
            self._jobs.pop(lane, None)
            if self._stopped or not self._left:
                return
            trial = self._left.popleft()
            self._tries[trial] = self._tries.get(trial, 0) + 1
            came = partial(self._came, lane, trial)
            job = self.service.stream(sweep.run, [trial], viewer=f"{self.viewer}, lane {lane + 1}", on_value=came)
            self._jobs[lane] = (job, trial)

    def _came(self, lane: int, trial: Trial, value: Lap | Outcome) -> None:
        """A lap, or the outcome that ends the trial. Called in the app's process, in the order in which they came."""
        if not isinstance(value, Outcome):
            return
        with self._lock:
            sweep.append(self.path, value)
            self._done += 1
            if time.monotonic() - self._seen > self.service.idle_timeout:
                self._stopped, self._message = True, "Stopped because nobody watched; everything up to here is kept."
            self._next(lane)

    def _look_after(self, lane: int) -> None:
        """A job that ended without an outcome: stopped, failed, or its worker went away."""
        job, trial = self._jobs[lane]
        state = self.service.streamed(job)
        if state is not None and state.status == "interrupted" and not self._stopped and self._tries[trial] < TRIES:
            self._left.appendleft(trial)
            self._next(lane)
        elif state is None or state.status in OVER:
            if state is not None and state.status != "finished" and not self._stopped:
                self.stop(state.message)
            self._jobs.pop(lane, None)
        else:
            self.service.viewed(job)
