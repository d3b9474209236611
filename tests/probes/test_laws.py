"""Closed forms from theory, with the tolerances of the project's science notes: cases A to P."""

import numpy as np
import pytest

from rnn_core import jacobians, state_gradients
from tests.referee import SIZE, close, layer_of, model_of

RNG = np.random.default_rng


def network(kind, kernel, recurrent, bias=None, **options):
    """A float64 model of one stock layer with the given weights; W of the papers is recurrentᵀ."""
    import keras

    size, units = kernel.shape[0], recurrent.shape[0]
    layer = getattr(keras.layers, kind)(units, dtype="float64", use_bias=bias is not None, **options)
    layer.build((None, None, size))
    layer.set_weights([kernel, recurrent, *([] if bias is None else [bias])])
    model = keras.Sequential([keras.Input((None, size), dtype="float64"), layer, keras.layers.Dense(1, dtype="float64")])
    return model


def orthogonal(size, seed=0):
    return np.linalg.qr(RNG(seed).normal(size=(size, size)))[0]


@pytest.mark.parametrize(("gain", "expected"), [(1.0, 1.0), (0.9, 5.153775e-3), (1.1, 117.390853)])
def test_a_scaled_orthogonal(gain, expected):
    model = network("SimpleRNN", RNG(1).normal(size=(2, 16)), gain * orthogonal(16), activation="linear")
    values = jacobians(model, RNG(2).normal(size=(51, 2))).singular_values([50])[0]
    np.testing.assert_allclose(values, gain**50, rtol=1e-12)
    np.testing.assert_allclose(values, expected, rtol=1e-6)


def test_b_jordan_block_grows_before_it_decays():
    block = np.array([[0.9, 1.0], [0.0, 0.9]])
    found = jacobians(network("SimpleRNN", np.zeros((1, 2)), block.T, activation="linear"), np.zeros((51, 1)))
    for n, norm in ((1, 1.529563), (5, 3.383551), (10, 3.905336), (20, 2.707163), (50, 0.286414)):
        np.testing.assert_allclose(found.product(50 - n), [[0.9**n, n * 0.9 ** (n - 1)], [0, 0.9**n]], rtol=1e-12, atol=1e-15)
        assert found.singular_values([n])[0, 0] == pytest.approx(norm, rel=2e-6)


def test_c_a_spectral_radius_of_zero_is_no_bound():
    matrix = np.array([[8.0, 8.0], [-8.0, -8.0]])
    point = np.array([0.0, 0.5])
    bias = np.arctanh(point) - matrix @ point
    model = network("SimpleRNN", np.zeros((1, 2)), matrix.T, bias)
    layer = model.layers[0]
    start = [np.array([point])]
    steps = [np.diag(1 - point**2) @ matrix]  # the closed form at the fixed point
    np.testing.assert_allclose(steps[0], [[8, 8], [-6, -6]])
    found = _from_state(layer, start, 15)
    product = np.eye(2)
    for n, jacobian in enumerate(found.steps, 1):  # from the fixed point, because the error doubles at every step
        product = jacobian @ product
        assert np.linalg.norm(product, 2) == pytest.approx(2 ** (n - 1) * np.sqrt(200), rel=1e-10)
    assert np.abs(np.linalg.eigvals(matrix)).max() < 1e-6


def _from_state(layer, start, length):
    """Jacobians of a layer with an initial state other than zero."""
    import keras

    inputs = keras.Input((None, layer.cell.kernel.shape[0]), dtype="float64")
    states = [keras.ops.convert_to_tensor(part) for part in start]
    model = keras.Model(inputs, keras.layers.Dense(1, dtype="float64")(layer(inputs, initial_state=states)))
    return jacobians(model, np.zeros((length, layer.cell.kernel.shape[0])))


def test_d_the_gradient_of_a_latched_bit_vanishes():
    layer = network("SimpleRNN", np.zeros((1, 1)), np.array([[2.0]])).layers[0]
    found = _from_state(layer, [np.array([[0.9575040240772688]])], 11)
    np.testing.assert_allclose(found.steps[:, 0, 0], 0.1663720877516743, rtol=1e-12)
    assert found.product(0)[0, 0] == pytest.approx(0.1663720877516743**10, rel=1e-11)  # ten factors of 1e-12 each
    assert found.product(0)[0, 0] == pytest.approx(1.6248178e-8, rel=1e-7)


def test_e_lstm_with_only_a_forget_bias():
    bias = np.concatenate([np.zeros(4), np.ones(4), np.zeros(8)])
    found = jacobians(network("LSTM", np.zeros((2, 16)), np.zeros((4, 16)), bias), np.ones((51, 2)))
    product = found.product(0)
    np.testing.assert_allclose(product[4:, 4:], 0.7310585786300049**50 * np.eye(4), rtol=1e-12)
    assert product[4, 4] == pytest.approx(1.5761911545634e-7, rel=1e-12)
    assert np.all(product[:, :4] == 0)  # a gradient with respect to h alone is blind
    np.testing.assert_allclose(found.gate_product[0], product[4, 4], rtol=1e-12)


def test_f_lstm_without_recurrent_weights_is_its_forget_gates():
    kernel, x = RNG(0).normal(size=(3, 16)), RNG(1).normal(size=(21, 3))
    model = network("LSTM", kernel, np.zeros((4, 16)), np.zeros(16))
    found, forget = jacobians(model, x), 1 / (1 + np.exp(-(x @ kernel[:, 4:8])))
    expected = np.prod(forget[1:], axis=0)
    product = found.product(0)
    np.testing.assert_allclose(product[4:, 4:], np.diag(expected), rtol=1e-12)
    c, o = found.states[-1, 4:], 1 / (1 + np.exp(-(x[-1] @ kernel[:, 12:])))
    np.testing.assert_allclose(product[:4, 4:], np.diag(o * (1 - np.tanh(c) ** 2) * expected), rtol=1e-12)


@pytest.mark.parametrize("reset_after", [True, False])
def test_g_gru_with_zero_weights(reset_after):
    model = network("GRU", np.zeros((2, 12)), np.zeros((4, 12)), reset_after=reset_after)
    np.testing.assert_allclose(jacobians(model, np.ones((21, 2))).product(0), 9.5367431640625e-7 * np.eye(4), rtol=1e-12)
    bias = np.concatenate([np.full(4, 3.0), np.zeros(8)])
    biased = network(
        "GRU", np.zeros((2, 12)), np.zeros((4, 12)), np.stack([bias, 0 * bias]) if reset_after else bias, reset_after=reset_after
    )
    np.testing.assert_allclose(
        jacobians(biased, np.ones((21, 2))).product(0), (1 / (1 + np.exp(-3.0))) ** 20 * np.eye(4), rtol=1e-12
    )


def test_g2_identity_relu_keeps_the_gradient():
    model = network("SimpleRNN", np.abs(RNG(0).normal(size=(2, 5))), np.eye(5), activation="relu")
    close(jacobians(model, np.abs(RNG(1).normal(size=(41, 2)))).product(0), np.eye(5), 0)


def sigma(x):
    return 1 / (1 + np.exp(-x))


def test_h_gru_one_step_in_closed_form():
    steps = {}
    for name in ("gru_no_bias", "gru_before"):
        layer = layer_of(name, return_sequences=False)
        kernel, recurrent, *bias = layer.get_weights()
        x = RNG(3).normal(size=(2, SIZE))
        found = jacobians(model_of([layer]), x)
        h, p = found.states[0], x[1] @ kernel + (bias[0] if bias else 0)
        (xz, xr, xh), (uz, ur, uh) = np.split(p, 3), np.split(recurrent, 3, axis=1)
        z, r = sigma(xz + h @ uz), sigma(xr + h @ ur)
        m = h @ uh
        c = np.tanh(xh + (r * m if name == "gru_no_bias" else (r * h) @ uh))
        if name == "gru_no_bias":
            inner = np.diag(1 - c**2) @ (np.diag(r) @ uh.T + np.diag(m * r * (1 - r)) @ ur.T)
        else:
            inner = np.diag(1 - c**2) @ uh.T @ (np.diag(r) + np.diag(h * r * (1 - r)) @ ur.T)
        expected = np.diag(z) + np.diag(1 - z) @ inner + np.diag((h - c) * z * (1 - z)) @ uz.T
        np.testing.assert_allclose(found.steps[1], expected, atol=1e-12)
        steps[name] = found.steps[1]
    assert np.abs(steps["gru_no_bias"] - steps["gru_before"]).max() > 1e-3


def test_i_lstm_one_step_in_closed_form():
    layer = layer_of("lstm", return_sequences=False)
    kernel, recurrent, bias = layer.get_weights()
    x = RNG(3).normal(size=(2, SIZE))
    found = jacobians(model_of([layer]), x)
    h, c = np.split(found.states[0], 2)
    pre = np.split(x[1] @ kernel + bias + h @ recurrent, 4)
    ui, uf, ug, uo = np.split(recurrent, 4, axis=1)
    i, f, g, o = sigma(pre[0]), sigma(pre[1]), np.tanh(pre[2]), sigma(pre[3])
    y = np.tanh(f * c + i * g)
    through = o * (1 - y**2)
    ch = np.diag(c * f * (1 - f)) @ uf.T + np.diag(g * i * (1 - i)) @ ui.T + np.diag(i * (1 - g**2)) @ ug.T
    expected = np.block([[np.diag(y * o * (1 - o)) @ uo.T + np.diag(through) @ ch, np.diag(through * f)], [ch, np.diag(f)]])
    np.testing.assert_allclose(found.steps[1], expected, atol=1e-12)


def test_j_lyapunov_exponents():
    linear = network("SimpleRNN", np.zeros((1, 16)), 0.9 * orthogonal(16), activation="linear")
    np.testing.assert_allclose(jacobians(linear, np.zeros((200, 1))).lyapunov(), -0.10536051565782628, rtol=1e-12)
    matrix = RNG(0).normal(size=(256, 256)) / 16
    calm = network("SimpleRNN", np.zeros((1, 256)), 0.8 * matrix)
    largest = np.log(np.abs(np.linalg.eigvals(0.8 * matrix)).max())  # of this matrix; log 0.8 in the limit of large ones
    assert jacobians(calm, np.zeros((200, 1))).lyapunov(skip=100)[0] == pytest.approx(largest, abs=0.005)
    wild = network("SimpleRNN", np.ones((1, 256)), 1.5 * matrix)
    x = np.zeros((300, 1))
    x[0] = 1
    assert jacobians(wild, x).lyapunov(skip=150)[0] > 0


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_k_jacobians_at_the_origin_with_keras_initialisers(seed):
    import keras

    keras.utils.set_random_seed(seed)
    found, kernels = {}, {}
    for kind in ("SimpleRNN", "LSTM", "GRU"):
        layer = getattr(keras.layers, kind)(32)
        model = keras.Sequential([keras.Input((None, 32)), layer, keras.layers.Dense(1)])
        found[kind], kernels[kind] = jacobians(model, np.zeros((1, 32))).steps[0], layer.get_weights()[1]
    assert np.linalg.norm(found["SimpleRNN"], 2) == pytest.approx(1, abs=1e-5)
    close(found["GRU"], 0.5 * np.eye(32) + 0.25 * kernels["GRU"][:, 64:].T, 1e-5)
    candidate, keep = kernels["LSTM"][:, 64:96].T, sigma(1) * np.eye(32)
    close(found["LSTM"], np.block([[0.25 * candidate, 0.5 * keep], [0.5 * candidate, keep]]), 1e-5)
    expected = np.sort_complex(np.linalg.eigvals(sigma(1) * np.eye(32) + 0.25 * kernels["LSTM"][:, 64:96].T))
    eigenvalues = np.linalg.eigvals(found["LSTM"])
    top = np.sort_complex(eigenvalues[np.argsort(-np.abs(eigenvalues))[:32]])
    assert np.abs(top).max() == pytest.approx(np.abs(expected).max(), abs=1e-5)
    assert 0.82 < np.abs(top).max() < 0.88
    assert 0.62 < np.abs(np.linalg.eigvals(found["GRU"])).max() < 0.66


def test_n_the_largest_singular_value_bounds_a_tanh_rnn():
    for seed in range(3):
        layer = layer_of("rnn_tanh", seed=seed, return_sequences=False)
        found = jacobians(model_of([layer]), RNG(seed).normal(size=(13, SIZE)))
        top = np.linalg.norm(layer.get_weights()[1], 2)
        slopes = (1 - found.states**2).max(1)
        for lag, value in enumerate(found.singular_values()[:, 0]):
            assert value <= top**lag + 1e-6
            assert value <= np.prod(slopes[13 - lag :]) * top**lag + 1e-6


def test_l_and_m_on_a_padded_batch():
    """Components sum to the tape's gradient under a mask too; the norm is constant across padding."""
    import tensorflow as tf

    layer = layer_of("gru", return_sequences=False)
    model = model_of([layer], tokens=20)
    words = np.array([[0, 0, 3, 4, 5, 6], [7, 8, 9, 1, 2, 3]])
    flow = state_gradients(model, words, np.ones((2, 1)), of="loss")
    with tf.GradientTape() as tape:
        value = -tf.reduce_sum(tf.math.log(model(words)))
    for total, wanted in zip(flow.totals.values(), tape.gradient(value, layer.trainable_variables), strict=True):
        close(total, wanted, 1e-6)
    assert np.all(flow.inputs[0, :2] == 0)
    np.testing.assert_allclose(flow.norms[0, :2], flow.norms[0, 1], rtol=1e-12)
    behind = state_gradients(model, np.array([[3, 4, 5, 6, 0, 0], [7, 8, 9, 1, 2, 3]]), np.ones((2, 1)), of="loss")
    np.testing.assert_allclose(behind.value, flow.value, atol=1e-6)
    bare = state_gradients(model, words[:1, 2:], np.ones((1, 1)), of="loss")  # without any padding
    np.testing.assert_allclose(flow.value[0], bare.value[0], atol=1e-6)
    np.testing.assert_allclose(flow.norms[:1, 2:], bare.norms, atol=1e-6)


def test_p_per_variable_clipping_changes_the_direction():
    """Global clipping keeps direction (tests/training/test_step.py); clipping each variable alone does not."""
    import keras

    gradients = [RNG(n).normal(size=(4, 4)) * scale for n, scale in enumerate((3, 10, 30))]
    flat = np.concatenate([part.ravel() for part in gradients])
    each = np.concatenate(
        [np.asarray(keras.optimizers.SGD(clipnorm=1.0)._clip_gradients([part])[0]).ravel() for part in gradients]
    )
    whole = np.concatenate(
        [np.asarray(part).ravel() for part in keras.optimizers.SGD(global_clipnorm=1.0)._clip_gradients(gradients)]
    )
    assert np.linalg.norm(whole) == pytest.approx(1, abs=1e-6)
    assert whole @ flat / np.linalg.norm(flat) == pytest.approx(1, abs=1e-6)
    assert np.linalg.norm(each) == pytest.approx(np.sqrt(3), abs=1e-6)
    assert each @ flat / np.linalg.norm(flat) / np.linalg.norm(each) < 0.99
