"""State gradients of whole models against eager stock cells, tapes and finite differences; sums of components; no underflow."""

import numpy as np
import pytest

from rnn_core import build, state_gradients
from rnn_core.spec.experiment import Experiment
from rnn_core.spec.interface import Interface
from tests.referee import SIZE, UNITS, VARIANTS, close, layer_of, model_of, unrolled

X = np.random.default_rng(0).normal(size=(3, 7, SIZE))
MASK = np.array([[0, 0, 1, 1, 1, 1, 1], [1] * 7, [1, 1, 1, 0, 0, 0, 0]], bool)
Y = np.array([[1.0], [0.0], [1.0]])


def logit(model, h):
    kernel, bias = model.layers[-1].get_weights()
    return h @ kernel + bias


@pytest.mark.parametrize("mask", [None, MASK], ids=["all", "masked"])
@pytest.mark.parametrize("name", VARIANTS)
def test_every_state_gradient_equals_that_of_an_eager_stock_cell(name, mask):
    import tensorflow as tf

    layer = layer_of(name, return_sequences=False)
    model = model_of([layer])
    flow = state_gradients(model, X, mask=mask)
    tape, states, _ = unrolled(layer, X, mask)
    with tape:
        value = tf.reduce_sum(logit(model, states[-1][0]))
    assert flow.quantity == "logit"
    close(flow.value, np.asarray(logit(model, states[-1][0]))[:, 0], 1e-12)
    for t in range(7):
        parts = [tape.gradient(value, part) for part in states[t]]
        expected = np.concatenate([np.zeros((3, UNITS)) if part is None else part for part in parts], -1)
        close(flow.signed[:, t], expected, 1e-12)
        close(flow.norms[:, t], np.linalg.norm(expected, axis=-1), 1e-12)
        close(flow.hidden[:, t], np.linalg.norm(expected[:, :UNITS], axis=-1), 1e-12)
    if flow.cell is not None:
        close(np.hypot(flow.hidden, flow.cell), flow.norms, 1e-12)
    if mask is not None:
        assert np.all(flow.inputs[~mask] == 0)
        close(flow.norms[2, 3:], np.repeat(flow.norms[2, -1:], 4), 1e-12)  # constant across masked steps
        assert all(np.all(component[~mask] == 0) for component in flow.components.values())


@pytest.mark.parametrize("name", VARIANTS)
def test_temporal_components_sum_to_the_gradient_of_the_tape(name):
    import keras
    import tensorflow as tf

    layer = layer_of(name, return_sequences=False)
    model, x = model_of([layer]), tf.constant(X)
    flow = state_gradients(model, X, Y, of="loss")
    with tf.GradientTape() as tape:
        tape.watch(x)
        losses = keras.losses.binary_crossentropy(Y, model(x))
    *expected, inputs = tape.gradient(losses, [*layer.trainable_variables, x])
    assert flow.quantity == "loss"
    close(flow.value, losses, 1e-6)
    close(flow.inputs, np.linalg.norm(inputs, axis=-1), 1e-6)
    for (weight, total), wanted in zip(flow.totals.items(), expected, strict=True):
        close(total, wanted, 1e-6)
        assert flow.components[weight].shape == (3, 7)
        assert flow.components[weight].sum() >= np.linalg.norm(total) - 1e-9  # the norm of a sum is no more than the sum of norms


def test_the_component_of_a_single_step_is_the_whole_gradient():
    """With a single step the whole gradient arises there."""
    for name in ("lstm", "gru", "gru_before"):
        model = model_of([layer_of(name, return_sequences=False)])
        flow = state_gradients(model, X[:1, :1])
        for weight, total in flow.totals.items():
            assert flow.components[weight][0, 0] == pytest.approx(np.linalg.norm(total), rel=1e-12)


@pytest.mark.parametrize("name", ["rnn_tanh", "lstm", "gru", "gru_before"])
def test_input_gradients_equal_finite_differences(name):
    layer = layer_of(name, return_sequences=False)
    model = model_of([layer])
    flow = state_gradients(model, X[:1])
    slopes = []
    for unit in range(SIZE):
        change = np.zeros_like(X[:1])
        change[0, 2, unit] = 1e-5
        slopes.append(float(logit(model, layer(X[:1] + change))[0, 0] - logit(model, layer(X[:1] - change))[0, 0]) / 2e-5)
    assert flow.inputs[0, 2] == pytest.approx(np.linalg.norm(slopes), rel=1e-6)


def test_gradients_of_lower_and_bidirectional_layers():
    """The gradient of the lower layer's last state arrives through the upper layer: checked against its input gradient."""
    import keras
    import tensorflow as tf

    low, high = layer_of("gru"), keras.layers.Bidirectional(layer_of("lstm", size=UNITS, return_sequences=False), dtype="float64")
    model = model_of([low, high])
    middle = tf.constant(low(X))
    with tf.GradientTape() as tape:
        tape.watch(middle)
        value = logit(model, high(middle))
    expected = tape.gradient(value, middle)
    flow = state_gradients(model, X, layer=0)
    close(flow.norms[:, -1], np.linalg.norm(expected[:, -1], axis=-1), 1e-10)
    forward, backward = (state_gradients(model, X, layer=n) for n in (1, 2))
    assert forward.norms[0, -1] > forward.norms[0, 0]  # the forward half ends at the last step,
    assert backward.norms[0, 0] > backward.norms[0, -1]  # the backward half at the first
    close(state_gradients(model, X).norms, forward.norms, 0)


def test_small_gradients_do_not_underflow():
    """0.25 per step over 300 steps is 1e-181; float32 has nothing below 1e-45."""
    layer = layer_of("rnn_linear", return_sequences=False)
    layer.set_weights([np.ones((SIZE, UNITS)), 0.25 * np.eye(UNITS), np.zeros(UNITS)])
    model = model_of([layer])
    flow = state_gradients(model, np.zeros((1, 300, SIZE)))
    steps = np.arange(300)[::-1]
    np.testing.assert_allclose(flow.norms[0] / flow.norms[0, -1], 0.25**steps, rtol=1e-12)


def test_our_models_are_probed_in_float64():
    model = build(Experiment().replace(cell="gru", units=8, embedding=4), Interface("tokens", 50, 1, "binary"))
    inputs = np.random.default_rng(0).integers(1, 50, (2, 250))
    flow = state_gradients(model, inputs)
    assert np.all(flow.norms > 0)
    assert flow.norms[:, 0].max() < 1e-40
    single = state_gradients(model.to_keras(), inputs)
    np.testing.assert_allclose(single.norms[:, -5:], flow.norms[:, -5:], rtol=1e-4)


def test_every_kind_of_output_and_loss_has_gradients():
    inputs = X.astype("float32")
    steps = build(Experiment().replace(units=4), Interface("floats", SIZE, 3, "categorical", per_step=True))
    flow = state_gradients(steps, inputs, np.zeros((3, 7), int), of="loss")
    assert flow.norms.shape == (3, 7)
    forecast = build(Experiment().replace(units=4), Interface("floats", SIZE, 2, "squared"))
    first, second = (state_gradients(forecast, inputs, output=n) for n in (0, 1))
    assert first.quantity == "output"
    close(state_gradients(forecast, inputs).value, np.maximum(first.value, second.value), 1e-12)
    assert np.all(state_gradients(forecast, inputs, np.zeros((3, 2)), of="loss").norms[:, -1] > 0)


def test_a_single_step_and_a_fully_masked_sequence():
    model = model_of([layer_of("lstm", return_sequences=False)])
    assert state_gradients(model, X[:, :1]).norms.shape == (3, 1)
    flow = state_gradients(model, X, mask=np.zeros((3, 7), bool))
    assert np.all(flow.norms == 0)  # Keras gives zeros, whatever the state
    assert np.all(flow.inputs == 0)


def test_bad_arguments_are_refused():
    model = model_of([layer_of("gru", return_sequences=False)])
    for options, words in (
        ({"of": "magic"}, '"output" or "loss"'),
        ({"of": "loss"}, "needs targets"),
        ({"of": "loss", "targets": np.ones((3, 2))}, r"targets must have the shape \(3, 1\), got \(3, 2\)"),
        ({"of": "loss", "targets": np.full((3, 1), np.nan)}, "targets must be finite"),
        ({"output": 1}, "between 0 and 0"),
        ({"layer": "unknown"}, "unknown"),
    ):
        with pytest.raises(ValueError, match=words):
            state_gradients(model, X, **options)
