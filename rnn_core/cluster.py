"""Training and probing in worker processes, for a web process that never loads TensorFlow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from rnn_core.experiment import Experiment
from rnn_core.runs import Store
from rnn_core.training import Snapshot


@dataclass(frozen=True, eq=False)
class Live:
    """What is known of a run that waits or trains here (or did, since this process started)."""

    run_id: str
    status: str  # one of runs.STATUSES
    snapshot: Snapshot | None  # the newest; .run.history and .run.norm_history hold everything so far; .model is None
    position: int  # place in the queue, 1 = next; 0 when not waiting
    estimate: float  # seconds until it starts (waiting) or ends (running); nan when unknown
    message: str  # one sentence, or ""
    revision: int  # grows with every change: equal revisions mean nothing new to draw


class Service:
    """One per web process. Every method returns at once and may be called from any thread."""

    store: Store
    state: str  # "starting", "ready" or "failed"
    message: str  # one sentence about the state

    def submit(
        self, experiment: Experiment, *, viewer: str, uploads: Mapping[str, bytes] | None = None, resume: str | None = None
    ) -> str:
        """Queue a training and return its run id. `resume` continues that interrupted or stopped run under its own id."""
        raise NotImplementedError

    def reset(self, run_id: str, *, viewer: str, fresh: bool) -> str:
        """Stop a run and start it again as a new run: with the same initial weights, or (`fresh`) another seed. Returns the new id."""
        raise NotImplementedError

    def control(self, run_id: str, command: str, value: float | None = None) -> None:
        """pause, resume, step, epoch, stop, or learning_rate with its value; reaches the job within a batch or 0.3 s."""
        raise NotImplementedError

    def live(self, run_id: str) -> Live | None:
        """None when this process knows nothing of the run (see `store.open`)."""
        raise NotImplementedError

    def seen(self, run_id: str) -> None:
        """Somebody watches this run: call on every tick. Unwatched for 10 minutes, it is stopped and kept."""
        raise NotImplementedError

    def queue(self) -> list[Live]:
        """Every run that trains, is paused or waits, in the order in which they are served."""
        raise NotImplementedError

    def call(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Future[Any]:
        """Run any module-level rnn_core function on the probe worker. Same arguments, same (cached) result."""
        raise NotImplementedError


def service() -> Service:
    """The process's one Service; the first call starts the workers in the background."""
    raise NotImplementedError
