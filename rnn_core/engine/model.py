"""An experiment's network as NumPy arrays.

A `Model` holds weights in the order and shapes of `to_keras().get_weights()` and can be pickled. TensorFlow is loaded only
where weights are drawn or Keras layers are built: `engine/keras_models.py`.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnn_core.engine import keras_models
from rnn_core.engine.cells import cell_of
from rnn_core.spec.experiment import Experiment, ModelSpec
from rnn_core.spec.interface import Interface


@dataclass(frozen=True, eq=False)
class Model:
    """The network of one experiment with its weights."""

    spec: ModelSpec  # cell, units, layers …
    interface: Interface  # shapes of inputs and outputs, loss
    mask: bool  # token 0 is padding and skipped (tokens only)
    weights: tuple[np.ndarray, ...]  # float32, as `to_keras().get_weights()`

    def to_keras(self, dtype: str = "float32") -> Any:
        """A stock `keras.Sequential` with these weights; its head has the activation of the loss: sigmoid, softmax or none."""
        model = keras_models.new_keras_model(self.spec, self.interface, self.mask, dtype)
        model.set_weights([np.asarray(weight, dtype) for weight in self.weights])
        return model

    def with_weights(self, weights: Any) -> Model:
        """The same network with other weights. Raises ValueError where their number or shapes differ."""
        found = tuple(np.asarray(weight, np.float32) for weight in weights)
        expected = [weight.shape for weight in self.weights]
        if [weight.shape for weight in found] != expected:
            raise ValueError(f"expected weights of shapes {expected}, got {[weight.shape for weight in found]}")
        return dataclasses.replace(self, weights=found)

    @property
    def parameters(self) -> int:
        """Number of trainable parameters."""
        return sum(weight.size for weight in self.weights)

    @property
    def embedding(self) -> np.ndarray | None:
        """(V, E) the vector of each token; None for floats."""
        return self.weights[0] if self.interface.inputs == "tokens" else None

    @property
    def recurrent(self) -> tuple[tuple[np.ndarray, ...], ...]:
        """(kernel, recurrent kernel[, bias]) of every recurrent layer, lowest first; two for a bidirectional one, forward first."""
        each = 3 if self.spec.use_bias else 2
        layers = self.weights[self.interface.inputs == "tokens" : -2]
        return tuple(layers[start : start + each] for start in range(0, len(layers), each))

    @property
    def head(self) -> tuple[np.ndarray, np.ndarray]:
        """(kernel (H or 2H, K), bias (K,)) of the dense layer that gives the logits."""
        return self.weights[-2], self.weights[-1]


def build(experiment: Experiment, interface: Interface) -> Model:
    """The untrained network: weights as Keras's initialisers draw them after `keras.utils.set_random_seed(experiment.seed)`.

    The initial gain multiplies every recurrent kernel; `gate_bias` replaces the forget (LSTM) or update (GRU) bias.
    """
    mask = experiment.data.mask and interface.inputs == "tokens"
    plain = dataclasses.replace(experiment.model, gain=1.0, gate_bias=None)
    drawn = keras_models.initial_weights(plain, interface, mask, experiment.seed)
    model = Model(experiment.model, interface, mask, tuple(weight.copy() for weight in drawn))
    for weights in model.recurrent:
        _apply_gain_and_gate_bias(experiment.model, weights)
    return model


def _apply_gain_and_gate_bias(spec: ModelSpec, weights: tuple[np.ndarray, ...]) -> None:
    """Changes one layer's weights in place."""
    weights[1][...] *= np.float32(spec.gain)
    cell = cell_of(spec)
    if spec.gate_bias is not None and spec.use_bias and cell.keep:
        row = weights[2] if weights[2].ndim == 1 else weights[2][0]
        np.split(row, len(cell.columns))[cell.columns.index(cell.keep)][:] = spec.gate_bias


def from_keras(network: Any) -> Model:
    """A Keras Sequential of [Embedding,] equal recurrent layers and a Dense head, as a `Model`.

    Raises: ValueError for any other network; probes accept that as a Keras model.
    """
    return Model(*keras_models.read_keras_model(network))
