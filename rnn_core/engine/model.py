"""An experiment's network as plain numbers, and to and from stock Keras layers.

A `Model` holds weights in the order and shapes of `to_keras().get_weights()` and can be pickled; TensorFlow is loaded only
by the functions that build Keras layers.
"""

from __future__ import annotations

import dataclasses
import functools
import random
import threading
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnn_core.spec.experiment import Experiment, ModelSpec
from rnn_core.spec.interface import Interface

HEADS = {"binary": "sigmoid", "categorical": "softmax", "squared": "linear"}  # loss → activation of the last layer


@dataclass(frozen=True, eq=False)
class Model:
    """The network of one experiment with its weights."""

    spec: ModelSpec  # cell, units, layers …
    interface: Interface  # what goes in and what comes out
    mask: bool  # token 0 is padding and skipped (tokens only)
    weights: tuple[np.ndarray, ...]  # float32, as `to_keras().get_weights()`

    def to_keras(self, dtype: str = "float32") -> Any:
        """A stock `keras.Sequential` with these weights; its head ends in sigmoid, softmax or nothing, as the task asks."""
        model = skeleton(self.spec, self.interface, self.mask, dtype)
        model.set_weights([np.asarray(weight, dtype) for weight in self.weights])
        return model

    def with_weights(self, weights: Any) -> Model:
        """The same network with other weights, checked for count and shape."""
        found = tuple(np.asarray(weight, np.float32) for weight in weights)
        expected = [weight.shape for weight in self.weights]
        if [weight.shape for weight in found] != expected:
            raise ValueError(f"expected weights of shapes {expected}, got {[weight.shape for weight in found]}")
        return dataclasses.replace(self, weights=found)

    @property
    def parameters(self) -> int:
        """How many numbers training can change."""
        return sum(weight.size for weight in self.weights)

    @property
    def embedding(self) -> np.ndarray | None:
        """(V, E) vector of each token, or None when the inputs are floats."""
        return self.weights[0] if self.interface.inputs == "tokens" else None

    @property
    def recurrent(self) -> tuple[tuple[np.ndarray, ...], ...]:
        """(kernel, recurrent kernel[, bias]) of every recurrent layer, from the input up; a bidirectional one gives two."""
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
    drawn = _drawn(dataclasses.replace(experiment.model, gain=1.0, gate_bias=None), interface, mask, experiment.seed)
    model = Model(experiment.model, interface, mask, tuple(weight.copy() for weight in drawn))
    for weights in model.recurrent:
        _start(experiment.model, weights)
    return model


@functools.lru_cache(maxsize=32)
def _drawn(spec: ModelSpec, interface: Interface, mask: bool, seed: int) -> tuple[np.ndarray, ...]:
    """What Keras's initialisers draw; kept, so that a slider for gain or bias does not build layers again.

    Keras takes their seeds from Python's own generator, from which any thread of the process may draw in between. So Keras
    gets another source: the thread that draws a network has a generator to itself, all others find Python's.
    """
    from keras.src.random import seed_generator

    seed_generator.python_random = _seeds
    _seeds.generator = random.Random(seed)
    try:
        return tuple(weight.copy() for weight in skeleton(spec, interface, mask).get_weights())
    finally:
        del _seeds.generator


class _Seeds(threading.local):
    """The part of the module `random` that Keras uses, with a `generator` that each thread may have for itself."""

    generator: random.Random

    def randint(self, low: int, high: int) -> int:
        return getattr(self, "generator", random).randint(low, high)


_seeds = _Seeds()


def _start(spec: ModelSpec, weights: tuple[np.ndarray, ...]) -> None:
    """Recurrent gain and gate bias, in place, on freshly drawn weights of one layer."""
    weights[1][...] *= np.float32(spec.gain)
    if spec.gate_bias is not None and spec.use_bias and spec.cell != "simple_rnn":
        bias, units = weights[2], spec.units
        row = bias if bias.ndim == 1 else bias[0]
        row[slice(units, 2 * units) if spec.cell == "lstm" else slice(0, units)] = spec.gate_bias


def skeleton(spec: ModelSpec, interface: Interface, mask: bool, dtype: str = "float32") -> Any:
    """Freshly initialised stock layers: [Embedding,] recurrent layers, Dense."""
    from keras import Input, Sequential, layers

    tokens = interface.inputs == "tokens"
    model = Sequential([Input((None,) if tokens else (None, interface.input_size), dtype="int32" if tokens else dtype)])
    if tokens:
        model.add(layers.Embedding(interface.input_size, spec.embedding, mask_zero=mask, dtype=dtype))
    for n in range(spec.layers):
        name = f"{spec.cell}_{n + 1}"
        layer = _recurrent(spec, name, interface.per_step or n < spec.layers - 1, dtype)
        model.add(layers.Bidirectional(layer, name=f"bidirectional_{n + 1}", dtype=dtype) if spec.bidirectional else layer)
    model.add(layers.Dense(interface.outputs, HEADS[interface.loss], dtype=dtype))
    return model


def _recurrent(spec: ModelSpec, name: str, sequences: bool, dtype: str) -> Any:
    from keras import layers

    options: dict[str, Any] = {"name": name, "activation": spec.activation, "use_bias": spec.use_bias, "dropout": spec.dropout}
    options |= {"recurrent_initializer": spec.initialiser, "return_sequences": sequences, "dtype": dtype}
    if spec.cell == "gru":
        options["reset_after"] = spec.reset_after
    return {"simple_rnn": layers.SimpleRNN, "lstm": layers.LSTM, "gru": layers.GRU}[spec.cell](spec.units, **options)


def from_keras(network: Any) -> Model:
    """A Keras Sequential of [Embedding,] like recurrent layers and a Dense head, as a `Model`.

    Raises: ValueError where the network is of another make; it can still be probed as it is.
    """
    from keras import activations, layers

    stack = [layer for layer in network.layers if not isinstance(layer, layers.InputLayer)]
    tables = [layer for layer in stack[:1] if isinstance(layer, layers.Embedding)]
    middle, head = stack[len(tables) : -1], stack[-1]
    halves = [getattr(layer, "forward_layer", layer) for layer in middle]
    kinds = {layers.SimpleRNN: "simple_rnn", layers.LSTM: "lstm", layers.GRU: "gru"}
    for layer in [*halves, head] if isinstance(head, layers.Dense) else [head]:
        if type(layer) not in (*kinds, layers.Dense):
            raise ValueError(f"expected [Embedding,] recurrent layers and Dense, got a {type(layer).__name__} ({layer.name})")
    specs = [_spec(kinds, layer, half, len(halves), tables) for layer, half in zip(middle, halves, strict=True)]
    if not specs or any(spec != specs[0] for spec in specs):
        raise ValueError(
            f"expected recurrent layers that are all alike, got {', '.join(layer.name for layer in middle) or 'none'}"
        )
    losses = {value: key for key, value in HEADS.items()}
    loss = losses.get(activations.serialize(head.activation))
    if loss is None or not head.use_bias:
        raise ValueError("expected a Dense head with bias that ends in sigmoid, softmax or nothing")
    size = tables[0].input_dim if tables else network.input_shape[-1]
    interface = Interface("tokens" if tables else "floats", size, head.units, loss, halves[-1].return_sequences)
    weights = tuple(weight.copy() for weight in network.get_weights())
    return Model(specs[0], interface, bool(tables and tables[0].mask_zero), weights)


def _spec(kinds: dict[Any, str], layer: Any, half: Any, depth: int, tables: list[Any]) -> ModelSpec:
    """The part of a ModelSpec that one stock layer tells."""
    from keras import activations

    return ModelSpec(
        cell=kinds[type(half)],
        units=half.units,
        layers=depth,
        bidirectional=half is not layer,
        activation=activations.serialize(half.activation),
        embedding=tables[0].output_dim if tables else ModelSpec().embedding,
        reset_after=getattr(half, "reset_after", True),
        use_bias=half.use_bias,
        dropout=half.dropout,
    )
