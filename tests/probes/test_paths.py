"""Portraits of many sequences: real steps only, a frozen basis, saturation by its definition, and what each network learned."""

import numpy as np
import pytest

from rnn_core import Experiment, data
from rnn_core.engine import model as models
from rnn_core.probes.states import paths, principal_components, samples
from rnn_core.probes.states.activations import activations


def network(task: str, cell: str, **changes: object) -> tuple[Experiment, models.Model]:
    experiment = Experiment().replace(task=task, cell=cell, units=8, samples=300, **changes)
    return experiment, models.build(experiment, data.interface(experiment))


@pytest.mark.parametrize("cell", ["simple_rnn", "lstm", "gru"])
@pytest.mark.parametrize(("task", "length"), [("toy_reviews", 40), ("sine", 20), ("adding", 15), ("copying", 30)])
def test_a_portrait_of_every_kind_of_task(task: str, length: int, cell: str) -> None:
    experiment, model = network(task, cell, length=length)
    seen = paths.state_paths(experiment, model, 12, step=7)
    count, steps = seen.mask.shape
    assert count == 12
    assert seen.states.shape == (12, steps, 16 if cell == "lstm" else 8)
    assert seen.units == 8
    assert seen.coordinates.shape == (12, steps, 3)
    assert seen.predictions.shape == (12, steps)
    assert seen.targets.shape == (12,)
    assert np.isnan(seen.targets).all() == (task == "copying")
    assert seen.step == 7
    assert (
        set(seen.activations.open)
        == {"simple_rnn": set(), "lstm": {"input", "forget", "output"}, "gru": {"update", "reset"}}[cell]
    )
    np.testing.assert_allclose(seen.activations.shares.sum(axis=1), 1)
    np.testing.assert_allclose(seen.explained, seen.basis.explained, rtol=1e-3)


def test_padding_moves_neither_basis_nor_distribution() -> None:
    """The textbook program reads its padding; the portrait must not count it."""
    experiment, model = network("toy_reviews", "gru", length=60, padding="pre", mask=False)
    seen = paths.state_paths(experiment, model, 20)
    assert not model.mask
    assert seen.mask.shape == (20, 60)
    assert not seen.mask.all()
    train = data.build(experiment).train
    tokens = int(np.minimum(train.lengths[: paths.FITTED_ON], 60).sum())
    assert seen.basis.count == tokens


def test_the_basis_stays_when_another_moment_is_looked_at() -> None:
    experiment, model = network("adding", "gru", length=20)
    last = paths.state_paths(experiment, model, 5)
    other = model.with_weights([weight * 1.5 for weight in model.weights])
    seen = paths.state_paths(experiment, other, 5, basis=last.basis)
    assert seen.basis is last.basis
    np.testing.assert_allclose(seen.coordinates, last.basis.project(seen.states))
    assert seen.explained.sum() <= 1 + 1e-6
    assert seen.explained.sum() < paths.state_paths(experiment, other, 5).explained.sum()  # its own axes show more of it


def test_every_layer_of_a_stack_that_reads_both_ways() -> None:
    """The half that reads backwards is shown as it reads: its first step is the sequence's last."""
    from rnn_core.probes import layers
    from rnn_core.probes.states.traces import trace

    experiment, model = network("adding", "gru", length=12, layers=2, bidirectional=True)
    parts = layers.named_layers(experiment.model)
    assert [part.name for part in parts] == ["layer 1 forwards", "layer 1 backwards", "layer 2 forwards", "layer 2 backwards"]
    sequences = data.build(experiment).validation.pad(np.arange(4))
    for part in parts:
        seen = paths.state_paths(experiment, model, 4, layer=part.index)
        expected = trace(model, sequences.inputs, layer=part.index).states
        np.testing.assert_allclose(seen.states, expected[:, ::-1] if part.backwards else expected, atol=1e-6)
        np.testing.assert_array_equal(seen.inputs[:, 0], sequences.inputs[:, -1 if part.backwards else 0])
    default = paths.state_paths(experiment, model, 4)
    np.testing.assert_array_equal(default.states, paths.state_paths(experiment, model, 4, layer=2).states)


def test_a_lower_layer_is_shown_with_the_networks_running_answer() -> None:
    experiment, model = network("adding", "lstm", length=12, layers=2)
    lower, upper = (paths.state_paths(experiment, model, 4, layer=layer) for layer in (0, 1))
    assert np.abs(lower.states - upper.states).max() > 0.01
    np.testing.assert_array_equal(lower.predictions, upper.predictions)
    assert np.ptp(lower.predictions[0]) > 0  # it runs


def test_growth_uses_one_basis_and_one_set_of_sequences() -> None:
    experiment, model = network("adding", "simple_rnn", length=20)
    later = model.with_weights([weight * 0.5 for weight in model.weights])
    grown = paths.paths_over_training(experiment, (0, 50), model, later, count=6)
    assert grown.steps == (0, 50)
    last = paths.state_paths(experiment, later, 6)
    np.testing.assert_allclose(grown.coordinates[1], last.coordinates, atol=1e-6)
    first = paths.state_paths(experiment, model, 6, basis=last.basis)
    np.testing.assert_allclose(grown.coordinates[0], first.coordinates, atol=1e-6)
    np.testing.assert_allclose(grown.explained[:, :2], np.stack([first.explained, last.explained])[:, :2], rtol=1e-5)


@pytest.mark.parametrize(("bias", "opened", "shut"), [(10.0, 1.0, 0.0), (-10.0, 0.0, 1.0), (0.0, 0.0, 0.0)])
def test_gates_with_a_constant_bias_stand_in_the_corners(bias: float, opened: float, shut: float) -> None:
    """Karpathy's triangle: bias +10 is always open, -10 always shut, 0 neither."""
    experiment, model = network("adding", "gru", length=10, gate_bias=bias)
    kernel, recurrent, *others = model.weights
    quiet = model.with_weights([kernel * 0, recurrent * 0, *others])
    found = paths.state_paths(experiment, quiet, 5).activations
    np.testing.assert_array_equal(found.open["update"], opened)
    np.testing.assert_array_equal(found.shut["update"], shut)


def test_saturation_and_correlation_by_hand() -> None:
    outputs = np.zeros((4, 3, 2), np.float32)
    outputs[:, 2, 0] = [1.0, -1.0, 1.0, -1.0]  # unit 0: the label's sign at the last step
    outputs[:, :, 1] = 0.5
    mask = np.ones((4, 3), bool)
    mask[:, 0] = False
    found = activations(outputs, {}, mask, np.array([1.0, 0.0, 1.0, 0.0]))
    np.testing.assert_allclose(found.saturated, [0.5, 0.0])  # of two real steps, one
    np.testing.assert_allclose(found.correlation, [1.0, 0.0])
    np.testing.assert_allclose(found.spread, [np.sqrt(0.5), 0.0], atol=1e-7)
    assert np.isnan(activations(outputs, {}, mask, np.full(4, np.nan)).correlation).all()


def test_post_padding_takes_the_last_real_step() -> None:
    outputs = np.array([[[0.2], [0.9], [0.0]], [[0.1], [0.3], [0.7]]], np.float32)
    mask = np.array([[True, True, False], [True, True, True]])
    found = activations(outputs, {}, mask, np.array([1.0, 0.0]))
    assert found.correlation[0] == pytest.approx(1.0)  # 0.9 against 0.7, not 0.0 against 0.7


def test_missing_reviews_are_replaced_by_toy_reviews_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    build = data.build

    def unavailable(experiment: Experiment, uploads: object = None) -> data.Dataset:
        if experiment.data.task == "imdb":
            raise FileNotFoundError("no IMDB here")
        return build(experiment)

    monkeypatch.setattr(data, "build", unavailable)
    samples._kept.cache_clear()
    experiment, model = network("imdb", "gru", length=50)
    assert paths.state_paths(experiment, model, 5).task == "toy_reviews"
    samples._kept.cache_clear()


def test_a_diverged_network_is_said_to_have_diverged() -> None:
    experiment, model = network("adding", "gru", length=10)
    broken = model.with_weights([weight * np.nan for weight in model.weights])
    with pytest.raises(ValueError, match="diverged"):
        paths.state_paths(experiment, broken, 5)


def trained(task: str, cell: str, epochs: int, **changes: object) -> tuple[Experiment, models.Model]:
    """A small network after a short training."""
    from rnn_core.training.step import Stepper

    experiment = Experiment().replace(
        task=task, cell=cell, units=16, samples=640, batch=64, learning_rate=0.01, clip=1.0, **changes
    )
    dataset = data.build(experiment)
    stepper = Stepper(models.build(experiment, dataset.interface), experiment.training)
    for epoch in range(epochs):
        for batch in data.batches(dataset.train, 64, np.random.default_rng(epoch)):
            stepper.step(batch)
    return experiment, stepper.model


@pytest.mark.parametrize("cell", ["gru", "simple_rnn"])
def test_a_network_that_forecasts_a_sine_turns_in_a_circle(cell: str) -> None:
    """After training the states of a sine form a closed curve: they come back after one period, and not after half of it."""
    experiment, model = trained("sine", cell, 6, length=75)
    seen = paths.state_paths(experiment, model, 10)
    settled = seen.coordinates[:, 25:, :2]  # after one period of 25 steps
    size = np.abs(settled).max()
    assert seen.explained[:2].sum() > 0.8
    assert np.abs(settled[:, 25:] - settled[:, :-25]).max() < 0.15 * size  # back where it was
    assert np.median(np.linalg.norm(settled[:, 12:] - settled[:, :-12], axis=-1)) > 0.8 * size  # and far away half-way
    assert principal_components.fit(seen.states[:, 25:]).dimension < 4


def test_a_network_that_forecasts_lorenz_shows_both_wings() -> None:
    """One long reading: the wing (the sign of x) is a side of the plane, and the path changes sides many times."""
    experiment, model = trained("lorenz", "gru", 6, length=50)
    seen = paths.state_paths(experiment, model, long=True)
    assert len(seen.states) == 1
    settled = seen.coordinates[0, 50:]
    series = data.build(experiment).series
    wing = np.sign(series.values[series.ends[0] + 50 :, 0][: len(settled)])
    design = np.column_stack([settled, np.ones(len(settled))])
    guess = np.sign(design @ np.linalg.lstsq(design, wing, rcond=None)[0])
    assert (guess == wing).mean() > 0.95
    assert (np.diff(wing) != 0).sum() >= 2
    assert seen.explained[:3].sum() > 0.8
