"""Jacobians against eager tapes and finite differences; products that neither overflow nor underflow; Lyapunov exponents."""

import itertools

import numpy as np
import pytest

from rnn_core import jacobians, state_gradients, trace
from tests.referee import SIZE, UNITS, VARIANTS, cell_of, close, layer_of, model_of

X = np.random.default_rng(0).normal(size=(7, SIZE))
MASK = np.array([0, 0, 1, 1, 0, 1, 1], bool)


def model(name, **options):
    return model_of([layer_of(name, return_sequences=False, **options)])


@pytest.mark.parametrize("name", VARIANTS)
def test_one_step_equals_the_tape_and_finite_differences(name):
    import tensorflow as tf

    network = model(name)
    cell, found = network.layers[0].cell, jacobians(network, X)
    parts, step = cell_of(name).parts, 3
    before = tf.constant(found.states[step - 1][None])

    def after(state):
        _, result = cell(X[step][None], list(tf.split(state, parts, axis=1)))
        return tf.concat(result, -1) if isinstance(result, (list, tuple)) else result

    with tf.GradientTape() as tape:
        tape.watch(before)
        value = after(before)
    exact = np.asarray(tape.jacobian(value, before))[0, :, 0, :]
    close(found.states[step], value[0], 1e-12)
    close(found.steps[step], exact, 1e-12)
    changes = 1e-5 * np.eye(parts * UNITS)
    slopes = [(np.asarray(after(before + change)) - np.asarray(after(before - change)))[0] / 2e-5 for change in changes]
    np.testing.assert_allclose(found.steps[step], np.stack(slopes, 1), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("name", VARIANTS)
def test_products_multiply_the_gradient_on_its_way_back(name):
    """∂y/∂s_t = ∂y/∂s_T · ∂s_T/∂s_t, also with a mask; the reverse order of factors fails."""
    network = model(name)
    for mask in (None, MASK):
        found, flow = jacobians(network, X, mask), state_gradients(network, X[None], mask=None if mask is None else mask[None])
        for t in range(7):
            close(flow.signed[0, -1] @ found.product(t), flow.signed[0, t], 1e-12)
    wrong = np.linalg.multi_dot(list(jacobians(network, X).steps[1:]))
    assert np.abs(flow.signed[0, -1] @ wrong - flow.signed[0, 0]).max() > 1e-6
    close(found.steps[0], np.eye(found.steps.shape[1]), 0)  # a masked step is the identity


def test_singular_values_equal_those_of_the_products():
    found = jacobians(model("lstm"), X)
    values = found.singular_values()
    assert values.shape == (7, 2 * UNITS)
    for lag in range(7):
        expected = np.linalg.svd(found.product(6 - lag), compute_uv=False)
        np.testing.assert_allclose(values[lag][expected > 1e-9], expected[expected > 1e-9], rtol=1e-6)
    np.testing.assert_allclose(found.singular_values([0, 3]), values[[0, 3]], rtol=1e-9)
    np.testing.assert_allclose(found.norms()[::-1], values[:, 0])


@pytest.mark.parametrize("gain", [0.3, 1.7])
def test_two_thousand_steps_neither_overflow_nor_underflow(gain):
    """Every singular value of n orthogonal steps scaled by g is gⁿ: 1e-1045 and 1e+460, outside float64."""
    layer = layer_of("rnn_linear", return_sequences=False)
    orthogonal, _ = np.linalg.qr(np.random.default_rng(1).normal(size=(UNITS, UNITS)))
    layer.set_weights([np.zeros((SIZE, UNITS)), gain * orthogonal, np.zeros(UNITS)])
    found = jacobians(model_of([layer]), np.zeros((2000, SIZE)))
    lags = [1, 50, 1000, 1999]
    np.testing.assert_allclose(
        found.log_singular_values(lags), np.log(gain) * np.array(lags)[:, None] * np.ones(UNITS), rtol=1e-12
    )
    np.testing.assert_allclose(found.lyapunov(), np.log(gain), rtol=1e-12)
    matrix, exponent = found.log_product(0)
    assert np.abs(matrix).max() == pytest.approx(1)
    assert exponent == pytest.approx(1999 * np.log(gain), abs=3)


def test_small_singular_values_are_not_lost_beside_large_ones():
    """diag(2, 1/2) between rotations: 2ⁿ and 2⁻ⁿ, 240 decades apart after 400 steps."""
    from rnn_core.probes.jacobians.jacobians import Jacobians

    rng, stretch = np.random.default_rng(0), np.diag([2.0, 1.0, 0.5])
    frames = [np.linalg.qr(rng.normal(size=(3, 3)))[0] for _ in range(402)]
    steps = np.stack([after @ stretch @ before.T for before, after in itertools.pairwise(frames)])
    found = Jacobians("made", "simple_rnn", steps, np.zeros((401, 3)), None, np.ones(401, bool))
    expected = np.log(2) * np.array([[1], [20], [400]]) * np.array([1, 0, -1])
    np.testing.assert_allclose(found.log_singular_values([1, 20, 400]), expected, atol=1e-6)


def test_gate_products_are_the_direct_path():
    sequence, network = X, model("lstm")
    gates = trace(network, sequence[None]).gates["forget"][0]
    found = jacobians(network, sequence)
    np.testing.assert_allclose(found.gate_product[2], np.prod(gates[3:], 0), rtol=1e-5)
    assert np.all(found.gate_product[-1] == 1)
    assert jacobians(model("rnn_tanh"), sequence).gate_product is None
    masked = jacobians(network, sequence, np.array([1, 1, 1, 0, 0, 0, 0], bool))
    assert np.all(masked.gate_product[2] == 1)  # a masked step has the factor 1


def test_a_sequence_of_one_step_has_the_identity_as_product():
    found = jacobians(model("gru"), X[:1])
    assert found.steps.shape == (1, UNITS, UNITS)
    close(found.product(0), np.eye(UNITS), 0)
    assert found.singular_values().tolist() == [[1.0] * UNITS]


def test_bad_arguments_are_refused():
    network = model("gru")
    found = jacobians(network, X)
    for call, words in (
        (lambda: jacobians(network, X[None]), r"\(batch, time"),
        (lambda: jacobians(network, X[:0]), "at least one step"),
        (lambda: jacobians(network, X * np.nan), "NaN"),
        (lambda: found.product(7), "0 to 6"),
        (lambda: found.product(3, 2), "before start"),
        (lambda: found.singular_values([7]), "between 0 and 6"),
        (lambda: found.lyapunov(skip=7), "between 0 and 6"),
    ):
        with pytest.raises(ValueError, match=words):
            call()
