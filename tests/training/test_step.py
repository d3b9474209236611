"""A training step against stock Keras: loss, gradients, updates; the norms it reports; clipping; exact resumption."""

import numpy as np
import pytest

from rnn_core import state_gradients
from rnn_core.data.sequences import Batch, Sequences
from rnn_core.engine.model import build
from rnn_core.spec.experiment import Experiment
from rnn_core.spec.interface import Interface
from rnn_core.training.step import TrainingStep

TASKS = {
    "binary": Interface("tokens", 40, 1, "binary"),
    "classes": Interface("tokens", 40, 3, "categorical"),
    "forecast": Interface("floats", 2, 3, "squared"),
    "per_step": Interface("floats", 2, 4, "categorical", per_step=True),
}
SPECS = {
    "rnn": {"cell": "simple_rnn", "layers": 2},
    "lstm": {"cell": "lstm", "bidirectional": True},
    "gru": {"cell": "gru", "use_bias": False},
    "gru_before": {"cell": "gru", "reset_after": False, "layers": 2, "bidirectional": True},
}


def experiment(**changes):
    return Experiment().replace(**{"units": 5, "embedding": 4, "batch": 6, **changes})


def batch_of(interface, length=9, count=6, masked=False, seed=0):
    rng = np.random.default_rng(seed)
    shape = (count, length)
    inputs = (
        rng.integers(1, 40, shape).astype(np.int32)
        if interface.inputs == "tokens"
        else rng.normal(size=(*shape, 2)).astype(np.float32)
    )
    mask = np.arange(length) >= rng.integers(0, length - 1, count)[:, None] if masked else None
    if masked and interface.inputs == "tokens":
        inputs[~mask] = 0
    if interface.loss == "categorical":
        targets = rng.integers(0, interface.outputs, shape if interface.per_step else (count,)).astype(np.int32)
    else:
        targets = (rng.random((count, interface.outputs)) > 0.5).astype(np.float32)
    return Batch(inputs, mask, targets)


def keras_gradients(model, batch):
    """(loss, gradients) of stock layers."""
    import keras
    import tensorflow as tf

    network = model.to_keras("float64")
    loss = {
        "binary": keras.losses.BinaryCrossentropy,
        "categorical": keras.losses.SparseCategoricalCrossentropy,
        "squared": keras.losses.MeanSquaredError,
    }
    with tf.GradientTape() as tape:
        value = loss[model.interface.loss]()(batch.targets, network(batch.inputs))
    return float(value), [tf.convert_to_tensor(gradient) for gradient in tape.gradient(value, network.trainable_variables)]


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("spec", SPECS)
def test_gradients_agree_with_keras(spec, task):
    model = build(experiment(**SPECS[spec]), TASKS[task])
    batch = batch_of(TASKS[task], masked=TASKS[task].inputs == "tokens")
    expected_loss, expected = keras_gradients(model, batch)
    training_step = TrainingStep(model, experiment().training)
    for found, wanted in zip(training_step.gradients(batch), expected, strict=True):
        np.testing.assert_allclose(found, wanted, atol=1e-5)
    result = training_step.step(batch)  # the compiled path: batch of full size, in a capacity of 32 steps
    assert result.loss == pytest.approx(expected_loss, abs=1e-5)
    assert result.gradient_norm == pytest.approx(np.sqrt(sum(float(np.sum(np.square(g))) for g in expected)), rel=1e-5)
    assert result.state_norms.shape == (9,)


@pytest.mark.parametrize("cell", ["simple_rnn", "lstm", "gru"])
@pytest.mark.parametrize("masked", [False, True])
def test_the_compiled_step_and_the_general_graph_agree(cell, masked):
    """Also the norms at every state, which the probe computes separately."""
    model = build(experiment(cell=cell), TASKS["binary"])
    batch = batch_of(TASKS["binary"], masked=masked)
    compiled = TrainingStep(model, experiment().training)
    general = TrainingStep(model, experiment(batch=7).training)
    first, second = compiled.step(batch), general.step(batch)
    np.testing.assert_allclose(first.state_norms, second.state_norms, rtol=1e-4, atol=1e-9)
    flow = state_gradients(model, batch.inputs, batch.targets, of="loss")
    np.testing.assert_allclose(first.state_norms, flow.norms.mean(0), rtol=1e-4, atol=1e-9)
    for a, b in zip(compiled.model.weights[1:], general.model.weights[1:], strict=True):
        np.testing.assert_allclose(a, b, atol=1e-4)


@pytest.mark.parametrize("task", ["binary", "per_step"])
@pytest.mark.parametrize("spec", SPECS)
def test_gradients_over_several_blocks_agree_with_the_general_graph(spec, task):
    """130 steps in a capacity of 200: of four blocks one is skipped and one starts late. Plain descent at rate 1."""
    chosen = experiment(**SPECS[spec], optimiser="sgd", learning_rate=1.0)
    batch = batch_of(TASKS[task], length=130, masked=TASKS[task].inputs == "tokens")
    training_step = TrainingStep(build(chosen, TASKS[task]), chosen.training)
    expected = training_step.gradients(batch)
    before = [weight.numpy() for weight in training_step.weights]
    norms = training_step.step(batch).state_norms
    for old, new, wanted in zip(before, training_step.weights, expected, strict=True):
        np.testing.assert_allclose(old - new.numpy(), wanted, rtol=1e-5, atol=5e-6)
    assert norms.shape == (130,)
    assert np.all(norms > 0)


@pytest.mark.parametrize("optimiser", ["adam", "rmsprop", "sgd"])
def test_updates_agree_with_keras(optimiser):
    import keras

    interface, chosen = TASKS["forecast"], experiment(cell="lstm", optimiser=optimiser, learning_rate=0.01)
    model, batch = build(chosen, interface), batch_of(interface)
    training_step, network = TrainingStep(model, chosen.training), model.to_keras()
    network.compile(keras.optimizers.get({"class_name": optimiser, "config": {"learning_rate": 0.01}}), "mean_squared_error")
    for _ in range(5):
        training_step.step(batch)
        network.train_on_batch(batch.inputs, batch.targets)
    for found, wanted in zip(training_step.model.weights, network.get_weights(), strict=True):
        np.testing.assert_allclose(found, wanted, atol=2e-5)


def test_a_frequent_token_is_updated_as_in_adams_paper():
    """Adam's first step has size lr whatever the gradient; Keras 3.15 squares before it sums over a repeated token."""
    model = build(experiment(cell="gru"), TASKS["binary"])
    inputs = np.full((6, 9), 7, np.int32)
    training_step = TrainingStep(model, experiment(learning_rate=0.01).training)
    training_step.step(Batch(inputs, None, np.ones((6, 1), np.float32)))
    moved = training_step.model.weights[0] - model.weights[0]
    np.testing.assert_allclose(np.abs(moved[7]), 0.01, rtol=1e-2)
    assert np.all(np.delete(moved, 7, axis=0) == 0)


@pytest.mark.parametrize("limit", [0.01, 0.05, 1000.0])
def test_clipping_keeps_the_direction(limit):
    """‖g'‖ = min(c, ‖g‖), g' ∥ g, measured by plain gradient descent at rate 1."""
    chosen = experiment(cell="gru", optimiser="sgd", learning_rate=1.0, clip=limit)
    model, batch = build(chosen, TASKS["forecast"]), batch_of(TASKS["forecast"])
    training_step = TrainingStep(model, chosen.training)
    gradient = np.concatenate([part.ravel() for part in training_step.gradients(batch)])
    result = training_step.step(batch)
    moved = np.concatenate([(old - new).ravel() for old, new in zip(model.weights, training_step.model.weights, strict=True)])
    expected = min(limit, float(np.linalg.norm(gradient)))
    assert result.clipped_norm == pytest.approx(expected, rel=1e-5)
    assert np.linalg.norm(moved) == pytest.approx(expected, rel=1e-3)
    assert moved @ gradient / np.linalg.norm(moved) / np.linalg.norm(gradient) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("optimiser", ["adam", "rmsprop"])
def test_a_resumed_run_repeats_every_bit(optimiser):
    """With batches of other lengths before, a last batch that is not full, dropout, and a changed learning rate."""
    chosen = experiment(cell="lstm", optimiser=optimiser, dropout=0.3)
    lengths = [(9, 6), (40, 6), (9, 4), (33, 6), (9, 6)]
    series = [batch_of(TASKS["binary"], length, count, seed=n) for n, (length, count) in enumerate(lengths)]
    model = build(chosen, TASKS["binary"])
    through = TrainingStep(model, chosen.training, seed=5)
    for batch in series[:2]:
        through.step(batch)
    through.learning_rate = 0.02
    kept = through.state()
    expected = [through.step(batch).loss for batch in series[2:]]
    resumed = TrainingStep(model, chosen.training, seed=5)
    resumed.restore(kept)
    assert [resumed.step(batch).loss for batch in series[2:]] == expected
    for a, b in zip(resumed.model.weights, through.model.weights, strict=True):
        np.testing.assert_array_equal(a, b)
    assert resumed.learning_rate == pytest.approx(0.02)


def test_evaluation_counts_every_sequence_once():
    interface = TASKS["classes"]
    model = build(experiment(), interface)
    training_step, rng = TrainingStep(model, experiment().training), np.random.default_rng(0)
    lengths = rng.integers(1, 12, 25)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    sequences = Sequences(rng.integers(1, 40, offsets[-1]).astype(np.int32), offsets, rng.integers(0, 3, 25).astype(np.int32))
    loss, accuracy = training_step.evaluate(sequences, batch=4)
    outputs = np.concatenate([training_step.predict(sequences[n][None]) for n in range(25)])
    assert accuracy == pytest.approx(np.mean(outputs.argmax(1) == sequences.targets))
    assert loss == pytest.approx(-np.mean(np.log(outputs[np.arange(25), sequences.targets])), rel=1e-5)
    assert training_step.evaluate(sequences, 4, capacity=20) == pytest.approx((loss, accuracy), rel=1e-5)


def test_a_vanilla_rnn_learns_the_sign_of_the_first_of_five_numbers():
    chosen = experiment(cell="simple_rnn", units=8, batch=64, learning_rate=0.02)
    interface = Interface("floats", 1, 1, "binary")
    rng, training_step = np.random.default_rng(0), TrainingStep(build(chosen, interface), chosen.training)
    for _ in range(150):
        inputs = rng.normal(size=(64, 5, 1)).astype(np.float32)
        result = training_step.step(Batch(inputs, None, (inputs[:, 0] > 0).astype(np.float32)))
    assert result.metric > 0.9


def test_an_empty_batch_is_refused():
    training_step = TrainingStep(build(experiment(), TASKS["binary"]), experiment().training)
    with pytest.raises(ValueError, match="at least one sequence"):
        training_step.step(Batch(np.zeros((0, 4), np.int32), None, np.zeros((0, 1), np.float32)))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda batch: Batch(batch.inputs * 100, None, batch.targets), "token ids must be between 0 and 39"),
        (lambda batch: Batch(batch.inputs[:, :0], None, batch.targets), "at least one sequence of one step"),
        (lambda batch: Batch(batch.inputs, None, batch.targets[:2]), "targets must have the shape"),
        (lambda batch: Batch(batch.inputs, None, batch.targets * np.nan), "finite"),
        (lambda batch: Batch(batch.inputs, np.ones((2, 2), bool), batch.targets), "the mask must have the shape"),
    ],
)
def test_a_step_refuses_a_batch_that_does_not_fit(spoil, message):
    training_step = TrainingStep(build(experiment(), TASKS["binary"]), experiment().training)
    before = training_step.state()
    with pytest.raises(ValueError, match=message):
        training_step.step(spoil(batch_of(TASKS["binary"])))
    for name, value in training_step.state().items():
        np.testing.assert_array_equal(value, before[name])
