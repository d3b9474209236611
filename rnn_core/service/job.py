"""A training or a stream under way, as the service keeps it and as pages see it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from typing import Any

from rnn_core.service.worker import Beat
from rnn_core.store.store import ACTIVE
from rnn_core.training.loop import Run, Snapshot


@dataclass(frozen=True, eq=False)
class Live:
    """What is known of a run that waits or trains here (or did, since this process started)."""

    run_id: str
    status: str  # one of runs.STATUSES
    snapshot: Snapshot | None  # the newest; .run.history and .run.norm_history hold everything so far; .model is None
    position: int  # place in the queue, 1 = next; 0 when not waiting
    estimate: float  # seconds until it starts (waiting) or ends (running); nan when unknown
    message: str  # one sentence, or ""
    revision: int  # grows with every change but of the place in the queue: equal revisions mean nothing new to draw


@dataclass(frozen=True, eq=False)
class Stream:
    """What a streaming job gave so far."""

    job_id: str
    status: str  # "waiting", "running", "paused", "finished", "stopped", "interrupted", "failed"
    values: tuple[Any, ...]  # everything yielded so far, in order
    position: int  # place in the queue, 1 = next; 0 when not waiting
    estimate: float  # seconds until it starts; nan when unknown
    message: str  # one sentence, or ""


@dataclass(eq=False)
class Job:
    """Changed by the clerk alone, under its lock."""

    id: str
    kind: str  # "train" or "stream"
    viewer: str
    number: int  # order of submission
    arguments: dict[str, Any]  # for jobs.run
    run: Run | None = None  # what a training made so far
    status: str = "waiting"
    message: str = ""
    stored: str = "waiting"  # the status that the store knows
    snapshot: Snapshot | None = None
    values: list[Any] = field(default_factory=list)
    each: Callable[[Any], None] | None = None  # told every value of a stream
    revision: int = 0
    seen: float = field(default_factory=time.monotonic)
    commands: list[tuple[str, float | None]] = field(default_factory=list)  # to be told when it starts
    wish: tuple[str, float | None] | None = None  # paused, and waits for a free worker to go on with this
    worker: str = ""  # address; "" while it is nowhere
    task: Future[None] | None = None  # of the present attempt
    attempt: int = 0
    deaths: int = 0  # workers that died under it since it last got anywhere
    progress: int = -1  # step at the last death
    beats: int = 0  # heard from the worker
    announced: int = 0  # parcels that beats spoke of: a checkpoint must not come before the rows of its steps
    parcels: int = 0  # fetched from the worker
    fetching: bool = False
    ending: Beat | None = None  # its last beat, when it has ended but parcels are on their way
    silent: float = math.inf  # time.monotonic() at which its task ended, when its last beat had not come by then
    stopping: bool = False  # a viewer asked for its end
    unwatched: str = ""  # a sentence, when it was stopped because nobody watched
    broken: str = ""  # a sentence, when the store failed it or it was deleted

    @property
    def ended(self) -> bool:
        return self.status not in ACTIVE

    @property
    def waits(self) -> bool:
        return self.status == "waiting"

    @property
    def seconds_left(self) -> float:
        return self.snapshot.seconds_left if self.snapshot else math.nan

    def restart(self) -> None:
        """Nowhere again: whatever the last attempt still says does not count."""
        self.worker, self.attempt, self.silent = "", self.attempt + 1, math.inf
        self.beats, self.announced, self.parcels, self.fetching, self.ending = 0, 0, 0, False, None
        if self.task is not None:
            self.task.cancel()  # or the cluster would start it again when a worker of that address comes back

    def show(self, beat: Beat) -> None:
        """Take over what a beat brings."""
        self.values.extend(beat.values)
        if self.run is not None:
            for row in beat.rows:
                self.run._history.append(row)
        if beat.snapshot is not None:
            self.snapshot = self._merged(beat.snapshot)
        if beat.status in ACTIVE and not (self.wish and beat.status == "paused"):
            self.status, self.message = beat.status, self.broken or self.unwatched
        self.revision += 1

    def _merged(self, fresh: Snapshot) -> Snapshot:
        """A light snapshot, with the probe arrays of the one before where it brings none, and the run as known here."""
        assert self.run is not None
        old = self.snapshot
        if not fresh.eigenvalues.size and old is not None and old.probe_step == fresh.probe_step:
            fresh = replace(fresh, probe_inputs=old.probe_inputs, probe_states=old.probe_states, eigenvalues=old.eigenvalues)
        return replace(fresh, run=self.run)
