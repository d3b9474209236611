"""A training or a stream: its state in the service, and the read-only views that pages get."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from typing import Any

from rnn_core.service.worker import Update
from rnn_core.store.store import ACTIVE
from rnn_core.training.loop import Run, Snapshot


@dataclass(frozen=True, eq=False)
class Live:
    """The present state of a run that this process has queued or trained."""

    run_id: str
    status: str  # one of runs.STATUSES
    snapshot: Snapshot | None  # the newest; .run.history and .run.norm_history hold everything so far; .model is None
    position: int  # place in the queue, 1 = next; 0 when not waiting
    estimate: float  # seconds until it starts (waiting) or ends (running); nan when unknown
    message: str  # one sentence, or ""
    revision: int  # grows with every change except of `position` and `estimate`: equal revisions have nothing new to draw


@dataclass(frozen=True, eq=False)
class Stream:
    """The present state of a streaming job and its values so far."""

    job_id: str
    status: str  # "waiting", "running", "paused", "finished", "stopped", "interrupted", "failed"
    values: tuple[Any, ...]  # everything yielded so far, in order
    position: int  # place in the queue, 1 = next; 0 when not waiting
    estimate: float  # seconds until it starts; nan when unknown
    message: str  # one sentence, or ""


@dataclass(eq=False)
class Job:
    """Mutable state of one job. Read and changed only with `JobQueue.lock` held, or in the dispatcher's thread."""

    id: str
    kind: str  # "train" or "stream"
    viewer: str
    number: int  # order of submission
    arguments: dict[str, Any]  # for `worker.run`
    run: Run | None = None  # history and norms of a training so far
    status: str = "waiting"
    message: str = ""
    stored_status: str = "waiting"  # the status last written to the store
    snapshot: Snapshot | None = None
    values: list[Any] = field(default_factory=list)
    on_value: Callable[[Any], None] | None = None  # called with every value of a stream
    revision: int = 0
    last_viewed: float = field(default_factory=time.monotonic)
    commands: list[tuple[str, float | None]] = field(default_factory=list)  # sent with the next start
    pending_command: tuple[str, float | None] | None = None  # paused; this command is sent when its worker is free
    worker: str = ""  # address; "" while on no worker
    task: Future[None] | None = None  # of the present attempt
    attempt: int = 0
    worker_deaths: int = 0  # workers lost under it since it last made progress
    step_at_death: int = -1  # largest step at which a worker was lost
    updates_received: int = 0  # of the present attempt
    files_announced: int = 0  # by the updates received: a checkpoint must not be stored before the rows of its steps
    files_received: int = 0  # files fetched from the worker
    fetching: bool = False  # a file was asked for and has not come
    last_update: Update | None = None  # its final update, while files are still missing
    task_ended: float = math.inf  # time.monotonic() at which its task ended without the final update; inf until then
    stopping: bool = False  # a viewer asked to stop it
    idle_message: str = ""  # one sentence, when it was stopped because nobody watched
    store_error: str = ""  # one sentence, when the store could not be written or the run was deleted

    @property
    def ended(self) -> bool:
        return self.status not in ACTIVE

    @property
    def waiting(self) -> bool:
        return self.status == "waiting"

    @property
    def seconds_left(self) -> float:
        return self.snapshot.seconds_left if self.snapshot else math.nan

    def leave_worker(self) -> None:
        """Detach from the worker; later updates of this attempt are ignored."""
        self.worker, self.attempt, self.task_ended = "", self.attempt + 1, math.inf
        self.updates_received, self.files_announced, self.files_received = 0, 0, 0
        self.fetching, self.last_update = False, None
        if self.task is not None:
            self.task.cancel()  # or the cluster would start it again when a worker of that address comes back

    def apply(self, update: Update) -> None:
        """Add an update's rows and values, and take its snapshot and status."""
        self.values.extend(update.values)
        if self.run is not None:
            for row in update.rows:
                self.run._history.append(row)
        if update.snapshot is not None:
            self.snapshot = self._completed(update.snapshot)
        if update.status in ACTIVE and not (self.pending_command and update.status == "paused"):
            self.status, self.message = update.status, self.store_error or self.idle_message
        self.revision += 1

    def _completed(self, light: Snapshot) -> Snapshot:
        """An update's snapshot with what was left out: the unchanged probe arrays of the snapshot before, and this process's run."""
        assert self.run is not None
        old = self.snapshot
        if not light.eigenvalues.size and old is not None and old.probe_step == light.probe_step:
            light = replace(light, probe_inputs=old.probe_inputs, probe_states=old.probe_states, eigenvalues=old.eigenvalues)
        return replace(light, run=self.run)
