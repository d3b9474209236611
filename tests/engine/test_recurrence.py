"""The plain loop against the loop in blocks that training runs, and the Jacobian of a step against its step back."""

from __future__ import annotations

import numpy as np
import pytest

from rnn_core.engine import blocks, recurrence
from rnn_core.engine.input_projections import Projected
from rnn_core.engine.numpy_network import layer_of as our_layer
from tests.engine.test_blocks import MASKS
from tests.referee import SIZE, UNITS, VARIANTS, cell_of, close, layer_of


@pytest.mark.parametrize("length", [1, 6, 100])  # 100 steps are two blocks
@pytest.mark.parametrize("side", MASKS)
@pytest.mark.parametrize("name", VARIANTS)
def test_the_plain_loop_equals_the_blocks(name: str, side: str, length: int) -> None:
    import tensorflow as tf

    cell, rng = cell_of(name), np.random.default_rng(1)
    layer = our_layer("", cell, layer_of(name).get_weights(), "float64")
    mask = None if MASKS[side] is None else np.resize(MASKS[side], (3, length)).T
    x, initial = layer.project(rng.normal(size=(length, 3, SIZE))), tuple(rng.normal(size=(3, UNITS)) for _ in range(cell.parts))
    outside = tuple(rng.normal(size=(length, 3, UNITS)) for _ in range(cell.parts))
    record = recurrence.forward(cell, x, layer.recurrent, layer.recurrent_bias, initial, mask)
    delta, totals, first = recurrence.backward(cell, record, outside, layer.recurrent, mask)

    perturbations = tuple(tf.zeros((length, 3, UNITS), tf.float64) for _ in outside)
    projected, start = tf.constant(x), tuple(map(tf.constant, initial))
    bias = None if layer.recurrent_bias is None else tf.constant(layer.recurrent_bias)
    real = None if mask is None else tf.constant(mask[..., None])
    with tf.GradientTape() as tape:
        tape.watch((projected, perturbations, start))
        states, saved = blocks.scan(cell, Projected(projected), tf.constant(layer.recurrent), bias, start, real, perturbations)
        value = tf.add_n([tf.reduce_sum(state * given) for state, given in zip(states, outside, strict=True)])
    wanted = tape.gradient(value, [projected, *perturbations, *start])
    for found, expected in zip((*record.states, delta, *totals, *first), (*states, *wanted), strict=True):
        close(found, expected, 1e-10)
    for found, expected in zip(record.saved, saved, strict=True):
        close(found, expected, 1e-10)


@pytest.mark.parametrize("name", VARIANTS)
def test_a_jacobian_is_the_step_back_from_every_unit_vector(name: str) -> None:
    import tensorflow as tf

    cell, rng = cell_of(name), np.random.default_rng(2)
    layer = our_layer("", cell, layer_of(name).get_weights(), "float64")
    previous = tuple(rng.normal(size=(4, UNITS)) for _ in range(cell.parts))
    state, saved = cell.step(layer.project(rng.normal(size=(4, SIZE))), previous, layer.recurrent, layer.recurrent_bias)
    local = cell.local_derivatives(saved, state, previous)
    found = cell.jacobian(local, layer.recurrent.T)
    size = cell.parts * UNITS
    assert found.shape == (4, size, size)
    for row in range(size):
        unit = np.tile(np.eye(size)[row], (4, 1))
        _, earlier = cell.backward_step(tuple(np.split(unit, cell.parts, axis=1)), local, layer.recurrent.T)
        close(found[:, row], np.concatenate(earlier, 1), 1e-13)
    close(cell.jacobian(tuple(map(tf.constant, local)), tf.constant(layer.recurrent.T)), found, 1e-14)
