"""A wrong convention in the one place where the equations stand is seen by training, by the probes and by the Sentence page alike."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rnn_core.data.sequences import Batch
from rnn_core.engine.arrays import Array, activate
from rnn_core.engine.cells import CELLS, GRU, LSTM, Arrays, State
from rnn_core.engine.model import Model, build
from rnn_core.probes.sentence import arithmetic, reading
from rnn_core.probes.states.traces import trace
from rnn_core.spec.experiment import Experiment
from rnn_core.spec.interface import Interface
from rnn_core.training.step import TrainingStep
from tests.probes.test_arithmetic import small_profile

IDS = np.array([3, 4, 5, 6, 7], np.int32)


class SwappedUpdate(GRU):
    """z chooses the new content, as in Chung et al. 2014."""

    def step(self, projected: Array, previous: State, kernel: Array, bias: Array | None = None) -> tuple[State, Arrays]:
        (new,), saved = super().step(projected, previous, kernel, bias)
        return (previous[0] + saved[2] - new,), saved


class ResetBefore(GRU):
    """The reset gate before the product, whatever the model says."""

    def step(self, projected: Array, previous: State, kernel: Array, bias: Array | None = None) -> tuple[State, Arrays]:
        after, saved = GRU(self.units, self.activation, reset_after=False).step(projected, previous, kernel)
        return after, (*saved, previous[0] @ kernel[:, 2 * self.units :])


class SwappedForget(LSTM):
    """Forget and input gate exchanged."""

    def step(self, projected: Array, previous: State, kernel: Array, bias: Array | None = None) -> tuple[State, Arrays]:
        _, (i, f, g, o) = super().step(projected, previous, kernel)
        c = i * previous[1] + f * g
        return (o * activate(self.activation, c), c), (f, i, g, o)


def network(cell: str) -> Model:
    model = build(Experiment().replace(cell=cell, units=5, embedding=4, task="imdb"), Interface("tokens", 12, 1, "binary"))
    rng = np.random.default_rng(0)
    return model.with_weights([rng.normal(scale=0.7, size=weight.shape) for weight in model.weights])


def seen(model: Model) -> dict[str, np.ndarray]:
    """What each part of the project makes of a model."""
    batch = Batch(IDS[None], None, np.ones((1, 1), np.float32))
    return {
        "training": TrainingStep(model, Experiment().training).gradients(batch)[2],
        "probes": trace(model, IDS[None]).states,
        "sentence": reading.read(model, small_profile(model), IDS, "gradient_times_input").attribution,
        "arithmetic": arithmetic.step_of(model, IDS, 3).after,
    }


def by_keras(model: Model) -> dict[str, np.ndarray]:
    """The same from stock Keras: gradient of the recurrent kernel, states."""
    import keras
    import tensorflow as tf

    full = model.to_keras()
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(keras.losses.binary_crossentropy(np.ones((1, 1)), full(IDS[None])))
    layer = full.layers[1]
    layer.return_sequences = True
    return {
        "training": np.asarray(tape.gradient(loss, layer.trainable_variables[1])),
        "states": np.asarray(layer(full.layers[0](IDS[None]))),
    }


@pytest.mark.parametrize(("name", "wrong"), [("gru", SwappedUpdate), ("gru", ResetBefore), ("lstm", SwappedForget)])
def test_a_wrong_convention_is_seen_everywhere(name: str, wrong: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    model = network(name)
    right, keras_says = seen(model), by_keras(model)
    np.testing.assert_allclose(right["training"], keras_says["training"], atol=1e-5)
    np.testing.assert_allclose(right["probes"][..., :5], keras_says["states"], atol=1e-5)
    np.testing.assert_allclose(right["arithmetic"], keras_says["states"][0, 3], atol=1e-5)
    monkeypatch.setitem(CELLS, name, wrong)
    for part, values in seen(model).items():
        assert np.abs(values - right[part]).max() > 1e-3, part
