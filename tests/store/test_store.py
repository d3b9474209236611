"""The run store: what is written is read back, listed, renamed, rewound and deleted."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from rnn_core.spec.experiment import Experiment
from rnn_core.store.saved import read_checkpoint, weight_shapes
from rnn_core.store.store import Store, clean
from rnn_core.training.history import COLUMNS
from tests import made_up


@pytest.fixture
def store(tmp_path: Path):
    store = Store(tmp_path)
    yield store
    store.close()


def test_what_is_written_is_read_back(store: Store):
    run_id = made_up.fill(store)
    record = store.open(run_id)
    assert list(record.history) == list(COLUMNS)
    assert record.history["step"].tolist() == list(range(1, 301))
    assert record.history["loss"][1] == 0.5
    assert np.isnan(record.history["validation_loss"]).all()
    assert [kept.step for kept in record.snapshots] == [0, 100, 200, 300]
    steps, norms = record.norm_history
    assert steps.tolist() == list(range(1, 301))
    assert norms[0] == pytest.approx(np.geomspace(1e-9, 1, 20), rel=1e-5)
    expected = made_up.model(seed=200)
    found = record.model(200)
    assert found.spec == expected.spec
    assert found.interface == expected.interface
    assert all(np.array_equal(*pair) for pair in zip(found.weights, expected.weights, strict=True))
    assert record.model().weights[0][0, 0] == made_up.model(seed=300).weights[0][0, 0]
    assert record.snapshot(100)["eigenvalues"].dtype == np.complex128
    assert made_up.problems(record) == ()
    checkpoint = read_checkpoint(store.checkpoint(run_id))
    assert checkpoint.step == 300
    assert checkpoint.state["count"] == 300


def test_the_list_is_newest_first_with_the_best_metric(store: Store):
    first, second = made_up.fill(store, 100), made_up.fill(store, 300)
    mine = [info for info in store.list() if not info.builtin]
    assert [info.id for info in mine] == [second, first]
    assert mine[0].metric == pytest.approx(0.003)
    assert mine[0].step == 300
    assert mine[0].status == "finished"


def test_the_best_error_is_the_smallest(store: Store):
    run_id = made_up.fill(store, 300, Experiment().replace(task="sine", length=20, units=8))
    assert store.open(run_id).info.metric == pytest.approx(0.001)


def test_a_row_of_the_same_step_is_replaced(store: Store):
    run_id = store.create(made_up.EXPERIMENT)
    store.record(run_id, made_up.rows(1, 10))
    store.record(run_id, made_up.rows(5, 15))
    assert store.open(run_id).history["step"].tolist() == list(range(1, 16))


def test_rewinding_deletes_everything_after_the_step(store: Store):
    run_id = made_up.fill(store)
    store.rewind(run_id, 150)
    record = store.open(run_id)
    assert record.history["step"][-1] == 150
    assert [kept.step for kept in record.snapshots] == [0, 100]
    assert record.norm_history[0][-1] == 150
    assert record.info.metric == pytest.approx(0.001)
    assert store.checkpoint(run_id) is None
    store.rewind(run_id, -1)
    assert len(store.open(run_id).history["step"]) == 0


def test_names_are_cleaned_and_stored(store: Store):
    run_id = made_up.fill(store, 10)
    store.rename(run_id, "  <b>My\nrun</b>\x00 \u202e  ")
    assert store.open(run_id).name == "<b>My run</b>"
    assert len(clean("x" * 10_000)) == 80
    with pytest.raises(ValueError, match="needs a name"):
        store.rename(run_id, " \n ")
    with pytest.raises(KeyError, match="no run"):
        store.rename("nothing", "x")


@pytest.mark.parametrize(
    "run_id", ["nothing", "../../etc/passwd", "", "starter-nothing", "starter-../x", "'; DROP TABLE runs; --"]
)
def test_an_unknown_run_raises_a_sentence(store: Store, run_id: str):
    with pytest.raises(KeyError, match="there is no"):
        store.open(run_id)


def test_deleting_removes_everything(store: Store):
    run_id = made_up.fill(store)
    store.delete(run_id)
    with pytest.raises(KeyError):
        store.open(run_id)
    assert not (store.home / "runs" / run_id).exists()
    assert store._index.execute("SELECT count(*) FROM metrics")[0][0] == 0
    with pytest.raises(KeyError):
        store.keep(run_id, made_up.checkpoint_at(3))
    assert not (store.home / "runs" / run_id).exists()


def test_starters_cannot_be_deleted_or_renamed(store: Store):
    for action in (lambda: store.delete("starter-lstm"), lambda: store.rename("starter-lstm", "x")):
        with pytest.raises(ValueError, match="starter models"):
            action()


def test_pruning_deletes_the_oldest_ended_runs(store: Store):
    ids = [made_up.fill(store, 2000) for _ in range(4)]
    running = made_up.fill(store, 2000, status="running")
    before = store.size()
    removed = store.prune(before / 2**20 * 0.75)
    assert removed == ids[: len(removed)]
    assert 1 <= len(removed) < 4
    assert store.size() < before
    assert store.prune(0) == ids[len(removed) :]
    assert [info.id for info in store.list() if not info.builtin] == [running]


def test_ten_thousand_steps_take_little_space_and_open_fast(store: Store):
    run_id = made_up.fill(store, 10_000, time_steps=500)
    weights = sum(path.stat().st_size for path in (store.home / "runs").rglob("*.npz"))
    assert store.size() - weights < 20 * 2**20
    took = []
    for _ in range(3):
        began = time.process_time()
        record = store.open(run_id)
        took.append(time.process_time() - began)
    assert len(record.history["step"]) == 10_000
    assert record.norm_history[1].shape[1] == 500
    assert min(took) < 0.2


def test_weight_shapes_are_those_of_the_built_model():
    from rnn_core.engine import model
    from rnn_core.spec.interface import Interface

    base = Experiment().replace(units=5, embedding=4, layers=2)
    tokens, floats = Interface("tokens", 30, 1, "binary"), Interface("floats", 3, 4, "categorical", True)
    for cell in ("simple_rnn", "lstm", "gru"):
        cases = [(tokens, {"bidirectional": True}), (floats, {"use_bias": False}), (floats, {"reset_after": False, "layers": 1})]
        for interface, changes in cases:
            built = model.build(base.replace(cell=cell, **changes), interface)
            assert [weight.shape for weight in built.weights] == weight_shapes(built.spec, interface)
