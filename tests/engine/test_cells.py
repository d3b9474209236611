"""One step of each cell against stock Keras cells, forward and backward, and wrong conventions that must fail."""

import dataclasses

import numpy as np
import pytest

from tests.referee import SIZE, UNITS, VARIANTS, cell_of, close, layer_of


def one_step(name, cell=None):
    """(our state, saved, previous, recurrent kernel; Keras's state and its gradient in input and previous state)."""
    import tensorflow as tf

    rng = np.random.default_rng(1)
    layer, cell = layer_of(name), cell or cell_of(name)
    x = tf.constant(rng.normal(size=(4, SIZE)))
    previous = [tf.constant(rng.normal(size=(4, UNITS))) for _ in range(cell.parts)]
    upstream = [tf.constant(rng.normal(size=(4, UNITS))) for _ in range(cell.parts)]
    with tf.GradientTape() as tape:
        tape.watch([x, *previous])
        _, expected = layer.cell(x, previous)
        expected = list(expected) if isinstance(expected, (list, tuple)) else [expected]
        value = sum(tf.reduce_sum(a * b) for a, b in zip(expected, upstream, strict=True))
    gradients = tape.gradient(value, [x, *previous])
    weights = [tf.constant(weight) for weight in layer.get_weights()]
    outer = inner = None
    if len(weights) == 3:
        outer, inner = (weights[2][0], weights[2][1]) if weights[2].shape.rank == 2 else (weights[2], None)
    projected = x @ weights[0] + (0 if outer is None else outer)
    state, saved = cell.step(projected, tuple(previous), weights[1], inner)
    local = cell.local_derivatives(saved, state, tuple(previous))
    delta, earlier = cell.backward_step(tuple(upstream), local, tf.transpose(weights[1]))
    return state, expected, [delta @ tf.transpose(weights[0]), *earlier], gradients, dict(zip(cell.gates, saved, strict=False))


@pytest.mark.parametrize("name", VARIANTS)
def test_a_step_forward_and_backward_agrees_with_keras(name):
    state, expected, ours, theirs, gates = one_step(name)
    for found, wanted in zip([*state, *ours], [*expected, *theirs], strict=True):
        close(found, wanted, 1e-12)
    assert list(gates) == list(cell_of(name).gates)
    assert all(gate.shape == (4, UNITS) for gate in gates.values())


@pytest.mark.parametrize(("name", "reset_after"), [("gru_before", True), ("gru_no_bias", False)])
def test_the_reset_gate_on_the_wrong_side_gives_other_results(name, reset_after):
    state, expected, ours, theirs, _ = one_step(name, dataclasses.replace(cell_of(name), reset_after=reset_after))
    assert np.abs(state[0] - expected[0]).max() > 1e-3
    assert np.abs(ours[1] - theirs[1]).max() > 1e-3


@pytest.mark.parametrize(("name", "first", "second"), [("gru", 0, 1), ("lstm", 0, 1), ("lstm", 2, 3)])
def test_gates_in_another_order_give_other_results(name, first, second):
    """z and r swapped; i and f swapped; cell and output swapped (PyTorch's and other papers' packing)."""
    import tensorflow as tf

    layer, cell = layer_of(name), cell_of(name)
    rng = np.random.default_rng(2)
    x, h = rng.normal(size=(4, SIZE)), rng.normal(size=(4, UNITS))
    order = list(range(len(cell.columns)))
    order[first], order[second] = order[second], order[first]
    columns = np.concatenate([np.arange(block * UNITS, (block + 1) * UNITS) for block in order])
    kernel, recurrent, bias = layer.get_weights()
    _, expected = layer.cell(x, [h] * cell.parts)
    outer, inner = (bias[0], tf.constant(bias[1][columns])) if bias.ndim == 2 else (bias, None)
    state, _ = cell.step(
        tf.constant((x @ kernel + outer)[:, columns]), (tf.constant(h),) * cell.parts, tf.constant(recurrent[:, columns]), inner
    )
    assert np.abs(state[0] - (expected[0] if isinstance(expected, list) else expected)).max() > 1e-3


def test_z_keeps_the_old_state():
    """With z = 1 the state stays, with z = 0 it is replaced: Keras's convention, the opposite of Chung et al. 2014."""
    import tensorflow as tf

    cell = cell_of("gru_no_bias", 1)
    for logit, expected in ((50.0, 0.7), (-50.0, np.tanh(0.3))):
        state, _ = cell.step(
            tf.constant([[logit, 0.0, 0.3]], tf.float64), (tf.constant([[0.7]], tf.float64),), tf.zeros((1, 3), tf.float64), None
        )
        assert float(state[0][0, 0]) == pytest.approx(expected, abs=1e-12)
