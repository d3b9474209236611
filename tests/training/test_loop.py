"""The training loop: repeatable, resumable, and it ends for a reason."""

from __future__ import annotations

import dataclasses
import itertools
import threading
import time

import numpy as np
import pytest

from rnn_core import data
from rnn_core.spec.experiment import Experiment
from rnn_core.training.control import Control
from rnn_core.training.loop import Snapshot, reseed, row_of, train

SMALL = Experiment().replace(
    task="first_token", length=8, samples=256, epochs=3, batch=32, units=8, cell="gru", optimiser="adam", learning_rate=0.01
)
CELLS = ("simple_rnn", "lstm", "gru")


def _last(experiment: Experiment, **options: object) -> Snapshot:
    return list(train(experiment, **options))[-1]  # type: ignore[arg-type]


def _same(one: np.ndarray, other: np.ndarray) -> bool:
    return np.array_equal(one, other, equal_nan=True)


def _differences(one: Snapshot, other: Snapshot) -> dict[str, np.ndarray]:
    """Columns of the history that differ, with the steps where; clock times apart."""
    first, second = one.run.history, other.run.history
    assert first["step"].tolist() == second["step"].tolist()
    found = {name: ~((first[name] == second[name]) | (np.isnan(first[name]) & np.isnan(second[name]))) for name in first}
    return {name: first["step"][where] for name, where in found.items() if where.any() and name != "seconds"}


@pytest.mark.parametrize("cell", CELLS)
def test_snapshots_have_their_shapes_and_steps(cell: str):
    experiment = SMALL.replace(cell=cell)
    snapshots = list(train(experiment))
    steps = snapshots[0].steps_per_epoch
    assert [snapshot.step for snapshot in snapshots] == list(range(3 * steps + 1))
    middle, last = snapshots[2], snapshots[-1]
    assert middle.state_norms.shape == (8,)
    assert middle.state_norms.dtype == np.float64
    assert (middle.state_norms > 0).all()
    assert middle.gradient_norm > 0
    assert middle.clipped_norm == middle.gradient_norm
    assert middle.probe_states.shape == (8, 16 if cell == "lstm" else 8)
    assert middle.eigenvalues.shape == (8,)
    assert np.isnan(middle.validation_loss)
    assert [snapshot.step for snapshot in snapshots if not np.isnan(snapshot.validation_metric)] == [steps, 2 * steps, 3 * steps]
    assert last.reason == "finished"
    assert last.seconds_left == 0
    assert last.epoch == last.epochs == 3
    assert last.model is not None
    assert last.checkpoint is not None
    assert [snapshot.step for snapshot in snapshots if snapshot.model is not None] == [
        0,
        max(1, steps // 4),
        steps,
        2 * steps,
        3 * steps,
    ]
    assert row_of(last)[0] == last.step


def test_snapshots_are_frozen():
    snapshot = next(train(SMALL))
    with pytest.raises(dataclasses.FrozenInstanceError):
        snapshot.step = 3  # type: ignore[misc]


def test_an_lstm_learns_the_first_token():
    last = _last(SMALL.replace(epochs=30, length=4, cell="lstm"))
    assert last.validation_metric > 0.9


@pytest.mark.parametrize("cell", CELLS)
def test_the_same_seed_gives_the_same_bits(cell: str):
    one, other = (_last(SMALL.replace(cell=cell, dropout=0.2)) for _ in range(2))
    assert not _differences(one, other)
    assert all(_same(*pair) for pair in zip(one.run.model.weights, other.run.model.weights, strict=True))
    assert all(_same(*pair) for pair in zip(one.run.norm_history, other.run.norm_history, strict=True))


def test_another_seed_gives_other_weights():
    first, second = next(train(SMALL)), next(train(reseed(SMALL)))
    assert not _same(first.model.weights[0], second.model.weights[0])
    assert _same(first.model.weights[0], next(train(SMALL)).model.weights[0])


@pytest.mark.parametrize(("task", "optimiser"), [("first_token", "adam"), ("toy_reviews", "rmsprop"), ("first_token", "sgd")])
def test_a_resumed_run_equals_an_uninterrupted_one(task: str, optimiser: str):
    experiment = SMALL.replace(task=task, samples=300, dropout=0.3, optimiser=optimiser, vocabulary=500)
    whole = list(train(experiment, control=_changing(experiment)))
    middle = whole[0].steps_per_epoch + 2  # in the second epoch
    checkpoint = _stopped_at(experiment, middle)
    assert checkpoint.step == middle
    resumed = _last(experiment, resume=checkpoint, history=whole[middle].run.history)
    assert not _differences(whole[-1], resumed)
    assert all(_same(*pair) for pair in zip(whole[-1].run.model.weights, resumed.run.model.weights, strict=True))


def _changing(experiment: Experiment) -> Control:
    control = Control()
    control.send("learning_rate", 0.02)  # differs from the experiment's: a resumed run must keep it
    return control


def _stopped_at(experiment: Experiment, step: int):
    control = _changing(experiment)
    for snapshot in train(experiment, control=control):
        if snapshot.step == step:
            control.send("stop")
    return snapshot.checkpoint


def test_training_ends_at_the_target():
    last = _last(SMALL.replace(epochs=100, target=0.3))
    assert last.reason == "target"
    assert last.validation_metric >= 0.3
    assert last.epoch < 100


def test_a_target_for_an_error_is_an_upper_bound():
    last = _last(
        Experiment().replace(task="sine", samples=200, length=10, epochs=50, units=8, target=0.9, batch=32, learning_rate=0.01)
    )
    assert last.reason == "target"
    assert last.validation_metric <= 0.9


def test_training_ends_at_the_time_limit():
    last = _last(SMALL.replace(epochs=1000, samples=5000, minutes=0.05))
    assert last.reason == "time"
    assert 3 <= last.seconds < 8
    assert "time limit" in last.advice
    assert last.model is not None


def test_training_ends_at_nan_with_advice_and_keeps_its_history():
    experiment = SMALL.replace(
        cell="simple_rnn", activation="relu", optimiser="sgd", learning_rate=10.0, gain=5.0, length=40, epochs=20
    )
    snapshots = list(train(experiment))
    last = snapshots[-1]
    assert last.reason == "diverged"
    assert f"at step {last.step}" in last.advice
    assert "learning rate below" in last.advice
    assert "clip the gradient at 1" in last.advice
    assert last.model is None, "weights that are NaN are not kept"
    history = last.run.history
    assert history["step"].tolist() == list(range(1, last.step + 1))
    assert np.isfinite(history["loss"][:-1]).all()
    assert all(np.isfinite(weight).all() for kept in snapshots if kept.model for weight in kept.model.weights)


def test_snapshots_have_the_norms_before_and_after_clipping():
    snapshots = list(train(SMALL.replace(clip=0.01, epochs=1)))[1:]
    assert all(snapshot.clipped_norm == pytest.approx(0.01) for snapshot in snapshots if snapshot.gradient_norm > 0.01)
    assert any(snapshot.gradient_norm > 0.01 for snapshot in snapshots)


def test_pause_step_and_stop_take_effect_within_a_batch():
    statuses: list[str] = []
    control, snapshots = Control(statuses.append), []
    experiment = SMALL.replace(epochs=1000, samples=1000)
    thread = threading.Thread(target=lambda: snapshots.extend(train(experiment, control=control)))
    control.send("step")
    thread.start()
    _until(lambda: statuses == ["paused"])
    for _ in range(2):
        statuses.clear()
        control.send("step")
        _until(lambda: "paused" in statuses)
    began = time.perf_counter()
    control.send("stop")
    thread.join(5)
    assert time.perf_counter() - began < 1.0
    last = snapshots[-1]
    assert last.step == 3
    assert last.reason == "stopped"
    assert last.checkpoint is not None
    assert last.checkpoint.step == 3


def test_the_learning_rate_can_change_during_a_run():
    control = Control()
    for snapshot in train(SMALL, control=control):
        if snapshot.step == 3:
            control.send("learning_rate", 0.5)
    rates = snapshot.run.history["learning_rate"]
    assert rates[:3] == pytest.approx(0.01)
    assert rates[3:] == pytest.approx(0.5)


def test_seconds_do_not_include_pauses():
    control = Control()
    snapshots = train(SMALL, control=control)
    before = list(itertools.islice(snapshots, 3))[-1]
    control.send("pause")
    threading.Timer(1.0, control.send, ["resume"]).start()
    after = next(snapshots)
    assert after.seconds - before.seconds < 0.8


def test_validation_pads_as_training_does_where_padding_is_not_masked(monkeypatch: pytest.MonkeyPatch):
    """Otherwise the validation of the textbook program would hide the effect of post-padding."""
    from rnn_core.training.step import TrainingStep

    widths = []
    true_evaluate = TrainingStep.evaluate

    def recorded(self: TrainingStep, sequences: data.Sequences, batch: int = 256, capacity: int = 0) -> tuple[float, float]:
        widths.extend(np.unique(sequences.lengths).tolist())
        return true_evaluate(self, sequences, batch, capacity)

    monkeypatch.setattr(TrainingStep, "evaluate", recorded)
    experiment = SMALL.replace(task="toy_reviews", samples=100, length=50, padding="post", mask=False, epochs=1, vocabulary=500)
    _last(experiment)
    assert set(widths) == {50}


def _until(condition, seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "the condition did not become true in time"
        time.sleep(0.005)


@pytest.mark.parametrize("changes", [{"difference": 3}, {"log": True, "difference": 2, "horizon": 3}, {"log": True}])
def test_metrics_are_in_the_unit_of_the_data_not_of_what_is_learned(changes):
    """The metrics of a run equal the errors of its network's forecasts in the data's own units."""
    from rnn_core.data.series import table_file, windows

    rng = np.random.default_rng(0)
    content = ("v\n" + "\n".join(f"{value:.4f}" for value in np.exp(rng.normal(0, 0.3, 300)) + np.arange(300) % 7)).encode()
    uploads = {table_file.key(content): content}
    experiment = Experiment().replace(task="csv", source=table_file.key(content), length=6, units=3, epochs=1, **changes)
    *_, last = train(experiment, uploads=uploads)
    series, network = data.build(experiment, uploads).series, last.run.model.to_keras()
    for part, metric in {"validation": last.run.history["validation_metric"][-1], "test": last.test_metric}.items():
        steps = series.steps(part)
        outputs = network.predict(series.contexts(steps), verbose=0)
        wanted = np.sqrt(
            np.mean(((series.restored(outputs, steps) - series.truth(steps)) / series.values[: series.ends[0]].std(0)) ** 2)
        )
        assert metric == pytest.approx(wanted, rel=1e-4)
    assert windows.baselines(series)["last value"] > 0
