"""What there is to see of a run now, whether it trains here, rests in the store, or is looked at in the past; and its drawings.

Thirty students watching one run share one drawing: the bytes are made once per revision of the run.
"""

from __future__ import annotations

import logging
import threading
from concurrent.futures import Future
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from pages.shared import live, runs
from rnn_core import data
from rnn_core.experiment import Experiment
from rnn_core.figures import live as figures
from rnn_core.probes import glances

ACTIVE = ("waiting", "running", "paused")
log = logging.getLogger("unrolled")
_drawing = threading.Lock()


@dataclass(frozen=True, eq=False)
class Moment:
    """One moment of a run. Shapes: T time steps, S state, H units."""

    run_id: str
    experiment: Experiment
    status: str  # one of runs.STATUSES
    message: str  # one sentence, or ""
    revision: str  # equal revisions look the same
    step: int  # batches trained; 0 is the untrained model
    epoch: int  # finished passes
    history: dict[str, np.ndarray]  # columns of history.COLUMNS
    norm_history: tuple[np.ndarray, np.ndarray]  # steps, and norms aligned at the last time step
    state_norms: np.ndarray | None  # (T,) gradient norms of the newest batch; None before the first
    probe_states: np.ndarray | None  # (T', S) states on the fixed sequence
    eigenvalues: np.ndarray | None  # (H,) of the recurrent kernel
    snapshot: Any = None  # rnn_core.training.Snapshot while it trains here
    position: int = 0  # place in the queue
    estimate: float = float("nan")  # seconds until it starts
    rewound: bool = False  # a look at the past

    @property
    def active(self) -> bool:
        return self.status in ACTIVE

    @property
    def when(self) -> str:
        return "at init" if self.step == 0 else f"after {self.step:,} step{'s' if self.step > 1 else ''}"


def moment(run_id: str, at: int | None = None) -> Moment:
    """The run as it is now, or as it was at the kept step `at`. Raises KeyError for a run that is gone."""
    known = service.live(run_id) if (service := runs.running_service()) else None
    if known is None or at is not None:
        return _from_store(run_id, at, known.status if known else None)
    shot = known.snapshot
    if shot is None:
        record = runs.store().open(run_id)
        return Moment(
            run_id, record.experiment, known.status, known.message, f"{known.status}{known.revision}", 0, 0, record.history, record.norm_history,
            None, None, None, position=known.position, estimate=known.estimate,
        )  # fmt: skip
    return Moment(
        run_id, shot.run.experiment, known.status, known.message, f"{known.status}{known.revision}", shot.step, shot.epoch, shot.run.history,
        shot.run.norm_history, shot.state_norms if shot.step else None, shot.probe_states, shot.eigenvalues, shot, known.position, known.estimate,
    )  # fmt: skip


def _from_store(run_id: str, at: int | None, status: str | None) -> Moment:
    record = runs.store().open(run_id)
    arrays = record.snapshot(at) if record.snapshots else {}
    step = at if at is not None else int(record.history["step"][-1]) if len(record.history["step"]) else 0
    epoch = next((kept.epoch for kept in reversed(record.snapshots) if kept.step <= step), 0)
    return Moment(
        run_id, record.experiment, status or record.status, record.info.message, f"{record.status}-{record.info.step}-{at}", step, epoch, record.history,
        record.norm_history, arrays.get("state_norms") if step else None, arrays.get("probe_states"), arrays.get("eigenvalues"), rewound=at is not None,
    )  # fmt: skip


def drawings(now: Moment) -> dict[str, bytes]:
    """Name → the bytes of each drawing of a moment."""
    with _drawing:  # one student's request draws, the others find it done
        return _drawings(_Keyed(now), _baselines(now.run_id))


class _Keyed:
    """A moment that is equal to another of the same run and revision."""

    def __init__(self, now: Moment) -> None:
        self.now, self.key = now, (now.run_id, now.revision)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Keyed) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)


@lru_cache(maxsize=64)
def _drawings(keyed: _Keyed, known: glances.Baselines) -> dict[str, bytes]:
    now = keyed.now
    task, cell = data.task(now.experiment.data.task), now.experiment.model.cell
    drawn = {
        "loss": (
            figures.loss(now.history, dict(known.loss)),
            "Loss of training batches and of the validation part, over training steps.",
        ),
        "metric": (
            figures.metric(now.history, task.metric, dict(known.metric)),
            f"The {task.metric} over training steps, with naive baselines as lines.",
        ),
        "norm_map": (
            figures.norm_map(*now.norm_history),
            "Gradient norm at each time step of each training step, as colours on a log scale.",
        ),
    }
    if now.state_norms is not None and len(now.state_norms):
        drawn["norms"] = (
            figures.norms(now.state_norms, now.when),
            f"Gradient norm at each time step, {now.when}, on a log scale.",
        )
    if now.probe_states is not None and len(now.probe_states):
        drawn["states"] = (
            figures.states(now.probe_states, cell, now.when),
            f"Hidden state of one fixed sequence, units over time, {now.when}.",
        )
    if now.eigenvalues is not None and len(now.eigenvalues):
        drawn["eigenvalues"] = (
            figures.eigenvalues(now.eigenvalues, now.when),
            f"Eigenvalues of the recurrent kernel against the unit circle, {now.when}.",
        )
    if now.rewound:
        for name in ("loss", "metric", "norm_map"):
            drawn[name][0].add_vline(x=now.step, line={"color": "#808080", "width": 2, "dash": "dot"})
    return {name: live.payload(figure, rev=now.run_id, alt=alt, name=name) for name, (figure, alt) in drawn.items()}


_asked: dict[tuple[Any, ...], Future[Any]] = {}


def ask(key: tuple[Any, ...], function: Any, *args: Any, **kwargs: Any) -> Any:
    """The answer of a probe, or None until it is there: never waits. The same key is asked once for all sessions."""
    if key not in _asked:
        if not (service := runs.running_service()) or service.state != "ready":
            return None
        while len(_asked) > 200:
            _asked.pop(next(iter(_asked)))
        _asked[key] = service.call(function, *args, **kwargs)
    future = _asked[key]
    if not future.done():
        return None
    if error := future.exception():
        log.info("a glance at a run failed: %s", error)
        return None
    return future.result()


def _baselines(run_id: str) -> glances.Baselines:
    record = runs.store().open(run_id)
    found = ask(
        ("baselines", record.experiment.data, record.experiment.seed), glances.baselines, record.experiment, record.uploads
    )
    return found or glances.Baselines()
