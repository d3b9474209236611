"""Runs with made-up numbers, for tests that need no training."""

from __future__ import annotations

import numpy as np

from rnn_core import data
from rnn_core.engine.model import Model
from rnn_core.spec.experiment import Experiment
from rnn_core.store.saved import SavedFile, checkpoint_file, kept_step_file, weight_shapes
from rnn_core.store.store import RunRecord, Store
from rnn_core.training.history import NormHistory, logarithms
from rnn_core.training.loop import Checkpoint, Run, Snapshot

EXPERIMENT = Experiment().replace(task="first_token", length=20, units=8, cell="gru")


def healthy(store: Store) -> bool:
    """Whether the store's index passes SQLite's integrity check."""
    return store._index.execute("PRAGMA integrity_check")[0][0] == "ok"


def problems(record: RunRecord) -> tuple[str, ...]:
    """One sentence per kept step that cannot be read. Reads every file once."""
    return tuple(found for found in (record._problem(kept.step) for kept in record.snapshots) if found)


def model(experiment: Experiment = EXPERIMENT, seed: int = 0) -> Model:
    interface = data.interface(experiment)
    rng = np.random.default_rng(seed)
    weights = tuple(rng.normal(size=shape).astype(np.float32) for shape in weight_shapes(experiment.model, interface))
    return Model(experiment.model, interface, experiment.data.mask, weights)


def rows(first: int, last: int) -> list[tuple[float, ...]]:
    return [
        (n, n // 100, 1 / n, 0.5, np.nan, n / 1e5 if n % 100 == 0 else np.nan, 1.0, 1.0, 1e-3, n / 10)
        for n in range(first, last + 1)
    ]


def snapshot(step: int, experiment: Experiment = EXPERIMENT) -> Snapshot:
    return Snapshot(
        Run(experiment), step, step // 100, 10, 100, 0.5, 0.5, np.nan, np.nan, np.ones(20), 1.0, 1.0, np.zeros((20, 3), np.float32),
        np.ones((20, 8), np.float32), np.ones(8, np.complex128), step, 1e-3, 10.0, 1.0, 1.0, model=model(experiment, step),
    )  # fmt: skip


def checkpoint_at(step: int) -> SavedFile:
    return checkpoint_file(Checkpoint(step, {"weight.0": np.arange(3.0), "count": np.int64(step)}, step / 10), step // 100)


def fill(store: Store, steps: int = 300, experiment: Experiment = EXPERIMENT, time_steps: int = 20, **changes: object) -> str:
    """Write a run with metrics, thinned norms, weights kept every 100 steps and a checkpoint; returns its id."""
    run_id = store.create(experiment, status="running")
    norms = NormHistory()
    for step in range(1, steps + 1):
        norms.add(step, logarithms(np.geomspace(1e-9, 1, time_steps)))
    store.record(run_id, rows(1, steps), norms.rows.items(), norms.stride)
    for step in range(0, min(steps, 1000) + 1, 100):
        store.keep(run_id, kept_step_file(snapshot(step, experiment)))
    store.keep(run_id, checkpoint_at(steps))
    store.record(run_id, **({"status": "finished"} | changes))
    return run_id
