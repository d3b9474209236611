"""State paths: real steps only, a fixed basis, saturation by its definition, and the states of trained networks."""

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
def test_every_kind_of_task_has_state_paths(task: str, length: int, cell: str) -> None:
    experiment, model = network(task, cell, length=length)
    shown = paths.state_paths(experiment, model, 12, step=7)
    count, steps = shown.mask.shape
    assert count == 12
    assert shown.states.shape == (12, steps, 16 if cell == "lstm" else 8)
    assert shown.units == 8
    assert shown.coordinates.shape == (12, steps, 3)
    assert shown.predictions.shape == (12, steps)
    assert shown.targets.shape == (12,)
    assert np.isnan(shown.targets).all() == (task == "copying")
    assert shown.step == 7
    assert (
        set(shown.activations.open)
        == {"simple_rnn": set(), "lstm": {"input", "forget", "output"}, "gru": {"update", "reset"}}[cell]
    )
    np.testing.assert_allclose(shown.activations.shares.sum(axis=1), 1)
    np.testing.assert_allclose(shown.explained, shown.basis.explained, rtol=1e-3)


def test_padding_changes_neither_basis_nor_distribution() -> None:
    """The textbook program does not mask its padding; the basis must not include it."""
    experiment, model = network("toy_reviews", "gru", length=60, padding="pre", mask=False)
    shown = paths.state_paths(experiment, model, 20)
    assert not model.mask
    assert shown.mask.shape == (20, 60)
    assert not shown.mask.all()
    train = data.build(experiment).train
    tokens = int(np.minimum(train.lengths[: paths.FITTED_ON], 60).sum())
    assert shown.basis.count == tokens


def test_a_given_basis_is_used_for_another_kept_step() -> None:
    experiment, model = network("adding", "gru", length=20)
    last = paths.state_paths(experiment, model, 5)
    other = model.with_weights([weight * 1.5 for weight in model.weights])
    shown = paths.state_paths(experiment, other, 5, basis=last.basis)
    assert shown.basis is last.basis
    np.testing.assert_allclose(shown.coordinates, last.basis.project(shown.states))
    assert shown.explained.sum() <= 1 + 1e-6
    assert shown.explained.sum() < paths.state_paths(experiment, other, 5).explained.sum()  # its own axes explain more


def test_every_layer_of_a_bidirectional_stack_has_state_paths() -> None:
    """A backward half is in its order of processing: its first step is the last of the sequence."""
    from rnn_core.probes import layers
    from rnn_core.probes.states.traces import trace

    experiment, model = network("adding", "gru", length=12, layers=2, bidirectional=True)
    parts = layers.named_layers(experiment.model)
    assert [part.name for part in parts] == ["layer 1 forwards", "layer 1 backwards", "layer 2 forwards", "layer 2 backwards"]
    sequences = data.build(experiment).validation.pad(np.arange(4))
    for part in parts:
        shown = paths.state_paths(experiment, model, 4, layer=part.index)
        expected = trace(model, sequences.inputs, layer=part.index).states
        np.testing.assert_allclose(shown.states, expected[:, ::-1] if part.backwards else expected, atol=1e-6)
        np.testing.assert_array_equal(shown.inputs[:, 0], sequences.inputs[:, -1 if part.backwards else 0])
    default = paths.state_paths(experiment, model, 4)
    np.testing.assert_array_equal(default.states, paths.state_paths(experiment, model, 4, layer=2).states)


def test_a_lower_layer_has_the_running_output_of_the_network() -> None:
    experiment, model = network("adding", "lstm", length=12, layers=2)
    lower, upper = (paths.state_paths(experiment, model, 4, layer=layer) for layer in (0, 1))
    assert np.abs(lower.states - upper.states).max() > 0.01
    np.testing.assert_array_equal(lower.predictions, upper.predictions)
    assert np.ptp(lower.predictions[0]) > 0  # it changes from step to step


def test_paths_over_training_use_one_basis_and_one_set_of_sequences() -> None:
    experiment, model = network("adding", "simple_rnn", length=20)
    later = model.with_weights([weight * 0.5 for weight in model.weights])
    found = paths.paths_over_training(experiment, (0, 50), model, later, count=6)
    assert found.steps == (0, 50)
    last = paths.state_paths(experiment, later, 6)
    np.testing.assert_allclose(found.coordinates[1], last.coordinates, atol=1e-6)
    first = paths.state_paths(experiment, model, 6, basis=last.basis)
    np.testing.assert_allclose(found.coordinates[0], first.coordinates, atol=1e-6)
    np.testing.assert_allclose(found.explained[:, :2], np.stack([first.explained, last.explained])[:, :2], rtol=1e-5)


@pytest.mark.parametrize(("bias", "opened", "shut"), [(10.0, 1.0, 0.0), (-10.0, 0.0, 1.0), (0.0, 0.0, 0.0)])
def test_gates_with_a_large_constant_bias_are_always_open_or_shut(bias: float, opened: float, shut: float) -> None:
    """Bias +10 is always open, -10 always shut, 0 neither."""
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
    samples._cached.cache_clear()
    experiment, model = network("imdb", "gru", length=50)
    assert paths.state_paths(experiment, model, 5).task == "toy_reviews"
    samples._cached.cache_clear()


def test_a_diverged_network_is_said_to_have_diverged() -> None:
    experiment, model = network("adding", "gru", length=10)
    broken = model.with_weights([weight * np.nan for weight in model.weights])
    with pytest.raises(ValueError, match="diverged"):
        paths.state_paths(experiment, broken, 5)


def trained(task: str, cell: str, epochs: int, **changes: object) -> tuple[Experiment, models.Model]:
    """A small network after a short training."""
    from rnn_core.training.step import TrainingStep

    experiment = Experiment().replace(
        task=task, cell=cell, units=16, samples=640, batch=64, learning_rate=0.01, clip=1.0, **changes
    )
    dataset = data.build(experiment)
    training_step = TrainingStep(models.build(experiment, dataset.interface), experiment.training)
    for epoch in range(epochs):
        for batch in data.batches(dataset.train, 64, np.random.default_rng(epoch)):
            training_step.step(batch)
    return experiment, training_step.model


@pytest.mark.parametrize("cell", ["gru", "simple_rnn"])
def test_states_of_a_sine_forecaster_form_a_closed_curve(cell: str) -> None:
    """After training the states of a sine form a closed curve: they come back after one period, and not after half of it."""
    experiment, model = trained("sine", cell, 6, length=75)
    shown = paths.state_paths(experiment, model, 10)
    settled = shown.coordinates[:, 25:, :2]  # after one period of 25 steps
    size = np.abs(settled).max()
    assert shown.explained[:2].sum() > 0.8
    assert np.abs(settled[:, 25:] - settled[:, :-25]).max() < 0.15 * size  # the same point one period later
    assert (
        np.median(np.linalg.norm(settled[:, 12:] - settled[:, :-12], axis=-1)) > 0.8 * size
    )  # another point half a period later
    assert principal_components.fit(shown.states[:, 25:]).dimension < 4


def test_states_of_a_lorenz_forecaster_separate_both_wings() -> None:
    """One long sequence: a plane separates the wings (the sign of x), and the path changes sides."""
    experiment, model = trained("lorenz", "gru", 6, length=50)
    shown = paths.state_paths(experiment, model, long=True)
    assert len(shown.states) == 1
    settled = shown.coordinates[0, 50:]
    series = data.build(experiment).series
    wing = np.sign(series.values[series.ends[0] + 50 :, 0][: len(settled)])
    design = np.column_stack([settled, np.ones(len(settled))])
    guess = np.sign(design @ np.linalg.lstsq(design, wing, rcond=None)[0])
    assert (guess == wing).mean() > 0.95
    assert (np.diff(wing) != 0).sum() >= 2
    assert shown.explained[:3].sum() > 0.8
