"""A store and a `.run` file that an earlier version wrote (tests/store/fixtures) open unchanged: names, history, weights, uploads."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import numpy as np
import pytest

from rnn_core import data
from rnn_core.engine.model import Model
from rnn_core.store.store import Store

FIXTURES = Path(__file__).parent / "fixtures"
LSTM, CSV = "20261128-d1d22e0541", "20261128-98d5d7d44d"  # run ids
LSTM_WEIGHTS = "4abfaceed21dcf5dc6fa834ccc8a6bc8396b6f5e935b69e0a4cab56d75a34553"  # SHA-256 of all of them, end to end
CSV_WEIGHTS = "084561c8dbd5c4964db544b265c0608c6ff0964eb8485f24063be9e80de1b699"


@pytest.fixture
def store(tmp_path: Path):
    """A copy of the store, since opening one writes to it."""
    shutil.copytree(FIXTURES / "store", tmp_path / "store")
    store = Store(tmp_path / "store")
    yield store
    store.close()


def digest(model: Model) -> str:
    return hashlib.sha256(b"".join(weight.tobytes() for weight in model.weights)).hexdigest()


def test_the_list_of_an_earlier_store(store: Store):
    mine = [info for info in store.list() if not info.builtin]
    assert [(info.id, info.name, info.status, info.step) for info in mine] == [
        (CSV, "Pressure, from a file", "finished", 6),
        (LSTM, "An LSTM of the first token", "finished", 8),
    ]
    assert mine[1].metric == pytest.approx(8 / 13)
    assert mine[1].test_metric == pytest.approx(0.48828125)


def test_a_run_of_an_earlier_store(store: Store):
    record = store.open(LSTM)
    assert (record.experiment.data.task, record.experiment.model.cell, record.experiment.model.units) == (
        "first_token",
        "lstm",
        4,
    )
    assert record.history["step"].tolist() == list(range(1, 9))
    assert record.history["loss"][-1] == pytest.approx(0.6902114152908325)
    assert [(kept.step, kept.epoch) for kept in record.snapshots] == [(0, 0), (1, 0), (4, 1), (8, 2)]
    steps, norms = record.norm_history
    assert steps.tolist() == list(range(1, 9))
    assert norms.shape == (8, 8)
    assert np.isfinite(norms).all()
    assert digest(record.model()) == LSTM_WEIGHTS
    assert store.checkpoint(LSTM) is not None


def test_a_run_on_an_uploaded_file_of_an_earlier_store(store: Store):
    record = store.open(CSV)
    assert digest(record.model()) == CSV_WEIGHTS
    assert [hashlib.sha256(content).hexdigest() for content in record.uploads.values()] == [record.experiment.data.source]
    dataset = data.build(record.experiment, record.uploads)
    assert dataset.interface == record.model().interface
    assert len(dataset.train) > 0


def test_a_run_file_of_an_earlier_version(store: Store):
    record = store.open(store.import_(FIXTURES / "first_token.run"))
    original = store.open(LSTM)
    assert record.id != LSTM
    assert (record.name, record.status, record.experiment) == (original.name, original.status, original.experiment)
    assert all(np.array_equal(record.history[name], original.history[name], equal_nan=True) for name in original.history)
    assert record.snapshots == original.snapshots
    assert [digest(record.model(kept.step)) for kept in record.snapshots][-1] == LSTM_WEIGHTS
