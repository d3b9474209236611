"""Recurrences in closed form, against published numbers and stock Keras."""

from __future__ import annotations

import numpy as np
import pytest

from rnn_core.probes.jacobians.closed_forms import counterexample, jordan_block
from tests.referee import gate_memory


def test_a_jordan_block_grows_before_it_vanishes() -> None:
    result = jordan_block()
    expected = {1: 1.529563, 5: 3.383551, 10: 3.905336, 20: 2.707163, 50: 0.286414}
    for n, norm in expected.items():
        assert result.norm[n] == pytest.approx(norm, abs=5e-7)
    assert result.spectral_radius == pytest.approx(0.9)
    assert result.norm.max() > 3.9 > 1 > result.norm[-1]


def test_the_spectral_radius_does_not_bound_a_tanh_network() -> None:
    result = counterexample()
    assert result.spectral_radius == 0
    n = np.arange(1, len(result.steps))
    np.testing.assert_allclose(result.norm[1:], 2.0 ** (n - 1) * np.sqrt(200), rtol=1e-12)
    assert (result.norm[1:] > result.by_radius[1:]).all()
    assert (result.norm <= result.by_singular * (1 + 1e-12)).all()


def test_the_counterexample_equals_keras() -> None:
    """The same fixed point and Jacobian through a stock SimpleRNNCell and the tape, float64."""
    import keras
    import tensorflow as tf

    result, point = counterexample(), np.array([[0.0, 0.5]])
    cell = keras.layers.SimpleRNNCell(2, dtype="float64")
    cell.build((None, 1))
    bias = np.arctanh(point[0]) - result.matrix @ point[0]
    cell.set_weights([np.zeros((1, 2)), result.matrix.T, bias])
    state = start = tf.constant(point)
    with tf.GradientTape() as tape:
        tape.watch(start)
        for _ in range(6):
            state = cell(tf.zeros((1, 1), tf.float64), [state])[0]
    jacobian = tape.jacobian(state, start)[0, :, 0].numpy()
    assert np.linalg.norm(jacobian, 2) == pytest.approx(result.norm[6], rel=1e-9)


def test_gate_memory_equals_the_published_table() -> None:
    table = {0: 8.9e-16, 1: 1.58e-7, 2: 1.75e-3, 3: 0.0881, 4: 0.404, 5: 0.715, 6: 0.884}
    for bias, kept in table.items():
        assert gate_memory(bias, np.array([50]))[0] == pytest.approx(kept, rel=5e-3)
