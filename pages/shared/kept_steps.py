"""A run as a page draws it: its live state, its state in the store, or its state at a kept step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from pages.shared import run_picker
from rnn_core.spec.experiment import Experiment
from rnn_core.store.run import ACTIVE


@dataclass(frozen=True, eq=False)
class RunView:
    """A run as it is now or as it was at a kept step. Shapes: T time steps, S state, H units."""

    run_id: str
    name: str  # shown on screen
    experiment: Experiment
    status: str  # one of rnn_core.store.run.STATUSES
    message: str  # one sentence about the status, or ""
    revision: str  # equal revisions draw the same figures
    step: int  # batches trained; 0 is the untrained model
    kept_steps: dict[int, int]  # step → epoch of each kept step
    history: dict[str, np.ndarray]  # one array per column of history.COLUMNS
    norm_history: tuple[np.ndarray, np.ndarray]  # training steps; their gradient norms, aligned at the last time step
    state_norms: np.ndarray | None  # (T,) gradient norms of the latest batch; None before the first
    probe_states: np.ndarray | None  # (T', S) states on one fixed sequence
    eigenvalues: np.ndarray | None  # (H,) of the recurrent kernel
    best_metric: float  # best validation metric; nan before the first
    test_metric: float  # test metric, measured once at the end; nan before
    builtin: bool  # a starter model: read only
    has_weights: bool  # at least one kept step has weights that can be read
    snapshot: Any = None  # rnn_core.training.loop.Snapshot while it trains in this process's workers
    queue_position: int = 0  # place in the queue, from 1; 0 when it does not wait
    seconds_to_start: float = float("nan")  # seconds until it starts; nan when unknown
    is_past: bool = False  # shows a kept step instead of the newest state

    @property
    def active(self) -> bool:
        return self.status in ACTIVE

    @property
    def before_first_step(self) -> bool:
        """Whether it waits or runs and no training step has ended yet."""
        return self.status in ("waiting", "running") and self.step == 0 and not self.is_past

    @property
    def epoch(self) -> int:
        """Finished epochs."""
        return int(self.history["epoch"][-1]) if len(self.history["epoch"]) else 0

    @property
    def step_label(self) -> str:
        return "before training" if self.step == 0 else f"after {self.step:,} step{'s' if self.step > 1 else ''}"


def run_view(run_id: str, at: int | None = None) -> RunView:
    """The run as it is now, or as it was at the kept step `at`. Fields from a damaged weights file are None.

    Raises KeyError for a deleted run, ValueError for a run of another version of Unrolled.
    """
    record = run_picker.store().open(run_id)
    info, live = record.info, run_picker.live_run(run_id)
    snapshot = live.snapshot if live and at is None else None
    kept_steps = {item.step: item.epoch for item in record.snapshots}
    status, message = (live.status, live.message) if live else (record.status, info.message)
    arrays: dict[str, np.ndarray | None] = {}
    if live and snapshot:
        step, revision, source = snapshot.step, str(live.revision), snapshot.run
        arrays = {name: getattr(snapshot, name) for name in ("state_norms", "probe_states", "eigenvalues")}
    else:
        step, source = max(info.step, 0) if at is None else at, record
        revision = f"{status}-{info.step}-{info.test_metric}-{at}"
        try:
            arrays = record.snapshot(at) if kept_steps else {}
        except (ValueError, OSError) as problem:  # a damaged weights file; the curves come from the index
            message = f"{message} {problem}".strip()
    return RunView(
        run_id, record.name, record.experiment, status, message, revision, step, kept_steps, source.history, source.norm_history,
        arrays.get("state_norms") if step else None, arrays.get("probe_states"), arrays.get("eigenvalues"),
        info.metric, info.test_metric, info.builtin, has_weights=bool(kept_steps and arrays), snapshot=snapshot, is_past=at is not None,
        queue_position=live.position if live else 0, seconds_to_start=live.estimate if live else float("nan"),
    )  # fmt: skip
