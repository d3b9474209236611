"""One moment of a run: as it trains here, as it rests in the store, or as it was at a kept step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from pages.shared import run_picker
from rnn_core.spec.experiment import Experiment
from rnn_core.store.run import ACTIVE


@dataclass(frozen=True, eq=False)
class Moment:
    """One moment of a run. Shapes: T time steps, S state, H units."""

    run_id: str
    name: str  # for people
    experiment: Experiment
    status: str  # one of runs.STATUSES
    message: str  # one sentence, or ""
    revision: str  # equal revisions look the same
    step: int  # batches trained; 0 is the untrained model
    kept: dict[int, int]  # step → epoch of the snapshots that can be looked at
    history: dict[str, np.ndarray]  # columns of history.COLUMNS
    norm_history: tuple[np.ndarray, np.ndarray]  # steps, and norms aligned at the last time step
    state_norms: np.ndarray | None  # (T,) gradient norms of the newest batch; None before the first
    probe_states: np.ndarray | None  # (T', S) states on the fixed sequence
    eigenvalues: np.ndarray | None  # (H,) of the recurrent kernel
    best: float  # best validation metric; nan before the first
    test: float  # metric on the test part, measured once at the end; nan before
    builtin: bool  # a starter model, read only
    readable: bool  # whether weights were kept that can be read
    snapshot: Any = None  # rnn_core.training.loop.Snapshot while it trains here
    position: int = 0  # place in the queue
    estimate: float = float("nan")  # seconds until it starts
    rewound: bool = False  # a look at the past

    @property
    def active(self) -> bool:
        return self.status in ACTIVE

    @property
    def begins(self) -> bool:
        """Whether its first step is still to come."""
        return self.status in ("waiting", "running") and self.step == 0 and not self.rewound

    @property
    def epoch(self) -> int:
        """Finished passes over the training data."""
        return int(self.history["epoch"][-1]) if len(self.history["epoch"]) else 0

    @property
    def when(self) -> str:
        return "before training" if self.step == 0 else f"after {self.step:,} step{'s' if self.step > 1 else ''}"


def moment(run_id: str, at: int | None = None) -> Moment:
    """The run as it is now, or as it was at the kept step `at`; without states where the file of its weights is damaged.

    Raises KeyError for a run that is gone, ValueError for one of another version.
    """
    record = run_picker.store().open(run_id)
    known = run_picker.under_way(run_id)
    shot = known.snapshot if known else None
    kept = {item.step: item.epoch for item in record.snapshots}
    status = known.status if known else record.status
    message = known.message if known else record.info.message
    if known is not None and shot is not None and at is None:
        return Moment(
            run_id, record.name, record.experiment, status, message, str(known.revision), shot.step, kept, shot.run.history,
            shot.run.norm_history, shot.state_norms if shot.step else None, shot.probe_states, shot.eigenvalues, record.info.metric, record.info.test_metric, record.info.builtin, bool(kept), shot,
            known.position, known.estimate,
        )  # fmt: skip
    arrays: dict[str, np.ndarray] = {}
    try:
        arrays = record.snapshot(at) if kept else {}
    except (ValueError, OSError) as problem:  # damaged weights: the curves are in the index, and whole
        message = f"{message} {problem}".strip()
    step = at if at is not None else max(record.info.step, 0)
    return Moment(
        run_id, record.name, record.experiment, status, message, f"{status}-{record.info.step}-{record.info.test_metric}-{at}", step, kept, record.history,
        record.norm_history, arrays.get("state_norms") if step else None, arrays.get("probe_states"), arrays.get("eigenvalues"), record.info.metric, record.info.test_metric, record.info.builtin, bool(arrays),
        position=known.position if known else 0, estimate=known.estimate if known else float("nan"), rewound=at is not None,
    )  # fmt: skip
