"""A sweep over several workers: one trial at a time on each, so that other users wait for a worker no longer than one trial.

Every slot queues jobs under a viewer name of its own and submits its next trial only when the last has ended. Between two
trials the queue serves jobs that came in the meantime.
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

ENDED = ("finished", "stopped", "failed", "interrupted")
TRIES = 3  # starts of one trial whose worker is lost


@dataclass(frozen=True)
class Progress:
    """Progress of a sweep."""

    done: int  # trials with an outcome
    total: int  # all trials
    running: tuple[Lap, ...]  # the newest lap of every running trial
    waiting: int  # slots that wait for a worker
    over: bool
    message: str  # why it ended early, as a sentence; else ""


class Sweep:
    """Runs trials through a service and saves their outcomes. Methods do not block, and may be called from any thread.

    Args:
        service: a `service.Service`.
        trials: what to run, in this order.
        path: CSV file to which outcomes are appended as they arrive.
        viewer: owner of the sweep.
        slots: number of trials at a time; default: one per training worker.
    """

    def __init__(self, service: Any, trials: Iterable[Trial], path: Path, viewer: str, slots: int | None = None) -> None:
        self.service, self.path, self.viewer = service, path, viewer
        self._remaining, self._lock = deque(trials), threading.RLock()
        self._total, self._done, self._tries = len(self._remaining), 0, dict[Trial, int]()
        self._jobs: dict[int, tuple[str, Trial]] = {}  # slot → its job
        self._stopped, self._message, self._last_viewed = False, "", time.monotonic()
        for slot in range(min(slots or service.trainers, self._total)):
            self._next(slot)

    def progress(self) -> Progress:
        """The progress so far. Counts as viewing: a sweep not viewed for the service's idle timeout ends after its running trials."""
        self._last_viewed = time.monotonic()
        with self._lock:
            for slot in list(self._jobs):
                self._check(slot)
            states = [self.service.streamed(job) for job, _ in self._jobs.values()]
            laps = tuple(state.values[-1] for state in states if state and state.values and isinstance(state.values[-1], Lap))
            waiting = sum(state is not None and state.status == "waiting" for state in states)
            over = not self._jobs and (self._stopped or not self._remaining)
            return Progress(self._done, self._total, laps, waiting, over, self._message)

    def stop(self, message: str = "") -> None:
        """Starts no more trials and stops the running ones, which then have no outcome."""
        with self._lock:
            self._stopped, self._message = True, message
            for job, _ in self._jobs.values():
                self.service.control(job, "stop")

    def _next(self, slot: int) -> None:
        """Submits the next trial of a slot."""
        with self._lock:
            self._jobs.pop(slot, None)
            if self._stopped or not self._remaining:
                return
            trial = self._remaining.popleft()
            self._tries[trial] = self._tries.get(trial, 0) + 1
            receive = partial(self._receive, slot, trial)
            job = self.service.stream(sweep.run, [trial], viewer=f"{self.viewer}, slot {slot + 1}", on_value=receive)
            self._jobs[slot] = (job, trial)

    def _receive(self, slot: int, trial: Trial, value: Lap | Outcome) -> None:
        """Receives a lap, or the outcome that ends the trial; called in the app's process, in order."""
        if not isinstance(value, Outcome):
            return
        with self._lock:
            sweep.append(self.path, value)
            self._done += 1
            if time.monotonic() - self._last_viewed > self.service.idle_timeout:
                self._stopped, self._message = True, "Stopped because nobody watched; everything up to here is kept."
            self._next(slot)

    def _check(self, slot: int) -> None:
        """Handles a job that ended without an outcome: stopped, failed, or its worker was lost."""
        job, trial = self._jobs[slot]
        state = self.service.streamed(job)
        if state is not None and state.status == "interrupted" and not self._stopped and self._tries[trial] < TRIES:
            self._remaining.appendleft(trial)
            self._next(slot)
        elif state is None or state.status in ENDED:
            if state is not None and state.status != "finished" and not self._stopped:
                self.stop(state.message)
            self._jobs.pop(slot, None)
        else:
            self.service.viewed(job)
