"""The recurrence through time against stock Keras layers: states, weight gradients, the gradient of every state, masks."""

import numpy as np
import pytest

from rnn_core.engine import blocks
from rnn_core.engine.cells import CELLS
from rnn_core.engine.input_projections import Projected
from tests.referee import SIZE, UNITS, VARIANTS, cell_of, close, layer_of, unrolled

LENGTH = 6
MASKS = {
    "none": None,
    "pre": np.array([[0, 0, 1, 1, 1, 1], [1] * 6, [0, 0, 0, 0, 0, 1]], bool),
    "post": np.array([[1, 1, 1, 1, 0, 0], [1] * 6, [1, 0, 0, 0, 0, 0]], bool),
    "holes": np.array([[0, 1, 0, 1, 1, 0], [1, 0, 1, 1, 1, 1], [0] * 6], bool),
}


def inputs(seed=0):
    return np.random.default_rng(seed).normal(size=(3, LENGTH, SIZE))


def ours(name, layer, x, mask, weight, dtype="float64"):
    """Our layer's h (B, T, H) and the gradients of sum(weight · h_T) in weights and in every state."""
    import tensorflow as tf

    cell = cell_of(name)
    weights = [tf.constant(value, dtype) for value in layer.get_weights()]
    timed = tf.constant(np.swapaxes(x, 0, 1), dtype)
    real = None if mask is None else tf.constant(mask.T[..., None])
    with tf.GradientTape() as tape:
        tape.watch([timed, *weights])
        h, perturbation = blocks.layer(cell, timed, weights, real, tape.watch)
        value = tf.reduce_sum(h[-1] * weight)
    found = tape.gradient(value, [timed, weights, perturbation])
    return np.swapaxes(h, 0, 1), np.swapaxes(found[0], 0, 1), found[1], [np.swapaxes(part, 0, 1) for part in found[2]]


@pytest.mark.parametrize("side", MASKS)
@pytest.mark.parametrize("name", VARIANTS)
def test_states_and_all_gradients_agree_with_keras(name, side):
    import tensorflow as tf

    layer, x, mask = layer_of(name), inputs(), MASKS[side]
    weight = np.random.default_rng(5).normal(size=(UNITS,))
    h, inputs_gradient, weights, states = ours(name, layer, x, mask, weight)
    timed = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(timed)
        expected = layer(timed, mask=None if mask is None else tf.constant(mask))
        value = tf.reduce_sum(expected[:, -1] * weight)
    wanted = tape.gradient(value, [timed, *layer.trainable_variables])
    close(h, expected, 1e-12)
    close(inputs_gradient, wanted[0], 1e-12)
    for found, gradient in zip(weights, wanted[1:], strict=True):
        close(found, gradient, 1e-12)
    if mask is not None:
        assert np.all(inputs_gradient[~mask] == 0)  # a masked input has no gradient
    tape, every, _ = unrolled(layer, x, mask)
    with tape:
        value = tf.reduce_sum(every[-1][0] * weight)
    for t in range(LENGTH):
        for part, found in enumerate(states):
            gradient = tape.gradient(value, every[t][part])
            close(found[:, t], np.zeros((3, UNITS)) if gradient is None else gradient, 1e-12)


@pytest.mark.parametrize("name", VARIANTS)
def test_float32_agrees_to_single_precision(name):
    layer, x = layer_of(name), inputs()
    weight = np.ones(UNITS)
    exact, single = ours(name, layer, x, None, weight), ours(name, layer, x, None, weight.astype("float32"), "float32")
    close(single[0], exact[0], 1e-5)
    for found, wanted in zip([*single[2], *single[3]], [*exact[2], *exact[3]], strict=True):
        close(found, wanted, 1e-5)


@pytest.mark.parametrize("name", VARIANTS)
def test_state_gradients_agree_with_finite_differences(name):
    """A change of size ε in one state after step 2, carried to the end by stock Keras cells in float64."""
    layer, x = layer_of(name), inputs()[:1]
    weight = np.random.default_rng(6).normal(size=(UNITS,))
    *_, states = ours(name, layer, x, None, weight)
    _, every, _ = unrolled(layer, x)

    def value(part, unit, size):
        state = [np.array(value) for value in every[2]]
        state[part][0, unit] += size
        for t in range(3, LENGTH):
            _, state = layer.cell(x[:, t], state)
            state = list(state) if isinstance(state, (list, tuple)) else [state]
        return float(np.sum(np.asarray(state[0]) * weight))

    for part, found in enumerate(states):
        slopes = [(value(part, unit, 1e-5) - value(part, unit, -1e-5)) / 2e-5 for unit in range(UNITS)]
        assert np.allclose(found[0, 2], slopes, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("name", ["rnn_tanh", "lstm", "gru", "gru_before"])
def test_a_late_start_gives_the_results_of_the_shorter_sequence(name):
    import tensorflow as tf

    cell, rng = cell_of(name), np.random.default_rng(3)
    x = tf.constant(rng.normal(size=(LENGTH, 3, len(cell.columns) * UNITS)))
    kernel = tf.constant(rng.normal(size=(UNITS, len(cell.columns) * UNITS)))
    initial = blocks.zeros(cell, 3, tf.float64)
    late = blocks.forward(cell, Projected(x), kernel, None, initial, None, start=2)
    short = blocks.forward(cell, Projected(x[2:]), kernel, None, initial, None)
    last = tuple(tf.constant(rng.normal(size=(3, UNITS))) for _ in range(cell.parts))
    transposed = tf.transpose(kernel)
    back = blocks.backward(cell, None, late, transposed, None, last, start=2)
    alone = blocks.backward(cell, None, short, transposed, None, last)
    for found, expected in zip(late, short, strict=True):
        close(found[2:], expected, 1e-15)
    close(back[0][2:], alone[0], 1e-14)
    assert np.all(np.asarray(back[0][:2]) == 0)
    assert np.all(np.asarray(back[1][0][:2]) == 0)


@pytest.mark.parametrize("cell", ["simple_rnn", "lstm", "gru"])
@pytest.mark.parametrize("start", [0, 50, 63, 99])
def test_the_last_state_alone_equals_that_of_the_record(cell, start):
    """100 steps are two blocks; a start may fall into either, or leave one step."""
    import tensorflow as tf

    cell, rng = CELLS[cell](UNITS), np.random.default_rng(5)
    x = tf.constant(rng.normal(size=(100, 3, len(cell.columns) * UNITS)))
    kernel = tf.constant(rng.normal(size=(UNITS, len(cell.columns) * UNITS)))
    initial = blocks.zeros(cell, 3, tf.float64)
    last = blocks.forward(cell, Projected(x), kernel, None, initial, None, start=start, last_only=True)
    short = blocks.forward(cell, Projected(x[start:]), kernel, None, initial, None)
    for found, expected in zip(last, short, strict=False):
        close(found, expected[-1], 1e-14)


def test_a_sequence_of_one_step_agrees_with_keras():
    layer, x = layer_of("lstm"), inputs()[:, :1]
    h, *_ = ours("lstm", layer, x, None, np.ones(UNITS))
    close(h, layer(x), 1e-12)
