"""Every nonlinearity and its slope, taken from its own output, against Keras's function and the tape, in both libraries."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from rnn_core.engine.arrays import ACTIVATIONS, FURTHER, activate, slope

X = np.concatenate([np.linspace(-7, 7, 281), [-700.0, -40.0, 40.0]])  # 0 and both kinks of hard_sigmoid among them


@pytest.mark.parametrize("name", [*ACTIVATIONS, *FURTHER])
@pytest.mark.parametrize("of", [np.asarray, tf.constant], ids=["numpy", "tensorflow"])
def test_a_nonlinearity_and_its_slope_equal_those_of_keras(name: str, of: type) -> None:
    x = tf.constant(X)
    with tf.GradientTape() as tape:
        tape.watch(x)
        wanted = getattr(keras.activations, name)(x)
    found = activate(name, of(X))
    np.testing.assert_allclose(np.asarray(found), wanted.numpy(), rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(np.asarray(slope(name, found)), tape.gradient(wanted, x).numpy(), rtol=1e-12, atol=1e-14)


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(ValueError, match="no nonlinearity is called 'gelu'"):
        activate("gelu", X)
