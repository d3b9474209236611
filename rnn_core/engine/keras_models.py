"""To and from stock Keras layers: a new network, its initial weights, and the description of an existing one. Loads Keras."""

from __future__ import annotations

import functools
import random
import threading
from typing import Any

import numpy as np

from rnn_core.engine.cells import cell_of
from rnn_core.spec.experiment import ModelSpec
from rnn_core.spec.interface import Interface

KERAS_CELLS = ("simple_rnn", "lstm", "gru")  # that have a layer in Keras
HEADS = {"binary": "sigmoid", "categorical": "softmax", "squared": "linear"}  # loss → activation of the last layer


def new_keras_model(spec: ModelSpec, interface: Interface, mask: bool, dtype: str = "float32") -> Any:
    """A stock `keras.Sequential` with newly drawn weights: [Embedding,] recurrent layers, Dense.

    Args:
        mask: token 0 is padding and skipped (tokens only).
    """
    from keras import Input, Sequential, layers

    tokens = interface.inputs == "tokens"
    model = Sequential([Input((None,) if tokens else (None, interface.input_size), dtype="int32" if tokens else dtype)])
    if tokens:
        model.add(layers.Embedding(interface.input_size, spec.embedding, mask_zero=mask, dtype=dtype))
    for n in range(spec.layers):
        name = f"{spec.cell}_{n + 1}"
        layer = _recurrent_layer(spec, name, interface.per_step or n < spec.layers - 1, dtype)
        model.add(layers.Bidirectional(layer, name=f"bidirectional_{n + 1}", dtype=dtype) if spec.bidirectional else layer)
    model.add(layers.Dense(interface.outputs, HEADS[interface.loss], dtype=dtype))
    return model


def _recurrent_layer(spec: ModelSpec, name: str, sequences: bool, dtype: str) -> Any:
    from keras import layers

    known = {"simple_rnn": layers.SimpleRNN, "lstm": layers.LSTM, "gru": layers.GRU}
    if spec.cell not in known:
        raise ValueError(f"Keras has no layer for the cell {spec.cell!r}, so there is no Keras model of this network")
    options: dict[str, Any] = {"name": name, "activation": spec.activation, "use_bias": spec.use_bias, "dropout": spec.dropout}
    options |= {"recurrent_initializer": spec.initialiser, "return_sequences": sequences, "dtype": dtype}
    if spec.cell == "gru":
        options["reset_after"] = spec.reset_after
    return known[spec.cell](spec.units, **options)


@functools.lru_cache(maxsize=32)
def initial_weights(spec: ModelSpec, interface: Interface, mask: bool, seed: int) -> tuple[np.ndarray, ...]:
    """The weights that Keras's initialisers draw for `seed`. Cached, so that another gain or gate bias builds no layers again.

    Keras takes the seeds of its initialisers from the module `random`, from which other threads may draw at the same time.
    It is therefore given `_seeds`, which has a generator for this thread alone.
    """
    from keras.src.random import seed_generator

    seed_generator.python_random = _seeds
    _seeds.generator = random.Random(seed)
    try:
        if spec.cell in KERAS_CELLS:
            return tuple(weight.copy() for weight in new_keras_model(spec, interface, mask).get_weights())
        return _drawn_weights(spec, interface)
    finally:
        del _seeds.generator


def _drawn_weights(spec: ModelSpec, interface: Interface) -> tuple[np.ndarray, ...]:
    """The weights of a network that Keras has no layers for, drawn by Keras's initialisers in the order of such layers."""
    from keras import initializers

    cell, size, drawn = cell_of(spec), interface.input_size, []
    columns = len(cell.columns) * spec.units
    if interface.inputs == "tokens":
        drawn.append(initializers.RandomUniform()((size, spec.embedding)))
        size = spec.embedding
    for _ in range(spec.layers):
        for _ in range(1 + spec.bidirectional):
            drawn += [initializers.GlorotUniform()((size, columns)), initializers.get(spec.initialiser)((spec.units, columns))]
            if spec.use_bias:
                drawn.append(np.zeros((2, columns) if cell.recurrent_bias else (columns,)))
        size = spec.units * (1 + spec.bidirectional)
    drawn += [initializers.GlorotUniform()((size, interface.outputs)), np.zeros(interface.outputs)]
    return tuple(np.array(weight, np.float32) for weight in drawn)


class _Seeds(threading.local):
    """Replaces the module `random` in Keras: a thread that sets `generator` draws from it, other threads from `random`."""

    generator: random.Random

    def randint(self, low: int, high: int) -> int:
        return getattr(self, "generator", random).randint(low, high)


_seeds = _Seeds()


def read_keras_model(network: Any) -> tuple[ModelSpec, Interface, bool, tuple[np.ndarray, ...]]:
    """Spec, interface, mask and weights of a Keras model of [Embedding,] equal recurrent layers and a Dense head.

    Layers that do nothing when the model answers (dropout, noise) are left out. Where a bidirectional layer adds its halves up or
    takes their mean, the next kernel is written twice, once for each half.

    Raises: ValueError for any other network, and for one that a network of this description answers otherwise than; probes accept
    those as Keras models.
    """
    from keras import activations, layers

    idle = (layers.InputLayer, layers.Dropout, layers.SpatialDropout1D, layers.GaussianNoise, layers.GaussianDropout)
    if not network.built or any(len(getattr(network, ends, None) or []) != 1 for ends in ("inputs", "outputs")):
        raise ValueError(
            "expected a Sequential or a functional model with one input and one output, that was built; its layers cannot be followed"
        )
    stack = [layer for layer in network.layers if not isinstance(layer, idle)]
    if not stack:
        raise ValueError("expected [Embedding,] recurrent layers and Dense, got no layers")
    embeddings = [layer for layer in stack[:1] if isinstance(layer, layers.Embedding)]
    middle, head = stack[len(embeddings) : -1], stack[-1]
    halves = [getattr(layer, "forward_layer", layer) for layer in middle]
    kinds = {layers.SimpleRNN: "simple_rnn", layers.LSTM: "lstm", layers.GRU: "gru"}
    for layer in [*halves, head] if isinstance(head, layers.Dense) else [head]:
        if type(layer) not in (*kinds, layers.Dense):
            raise ValueError(f"expected [Embedding,] recurrent layers and Dense, got a {type(layer).__name__} ({layer.name})")
        if getattr(layer, "stateful", False):
            raise ValueError(f"expected layers that start at zero, got the stateful layer {layer.name!r}")
    specs = [_spec(kinds, layer, half, len(halves), embeddings) for layer, half in zip(middle, halves, strict=True)]
    if not specs or any(spec != specs[0] for spec in specs):
        raise ValueError(
            f"expected recurrent layers that are all alike, got {', '.join(layer.name for layer in middle) or 'none'}"
        )
    losses = {value: key for key, value in HEADS.items()}
    loss = losses.get(activations.serialize(head.activation))
    if loss is None or not head.use_bias:
        raise ValueError("expected a Dense head with bias that ends in sigmoid, softmax or nothing")
    size = embeddings[0].input_dim if embeddings else network.input_shape[-1]
    interface = Interface("tokens" if embeddings else "floats", size, head.units, loss, len(network.output_shape) == 3)
    mask = bool(embeddings and embeddings[0].mask_zero)
    weights = _weights(embeddings, middle, head)
    _check_copy(network, specs[0], interface, mask, weights)
    return specs[0], interface, mask, weights


def _weights(embeddings: list[Any], middle: list[Any], head: Any) -> tuple[np.ndarray, ...]:
    """All weights in the order of the layers, as for halves that stand side by side."""
    found = [weight.copy() for layer in embeddings for weight in layer.get_weights()]
    share = 0.0  # of each half in what the layer before gives out; 0: they stand side by side, or there is one
    for layer in (*middle, head):
        own = [weight.copy() for weight in layer.get_weights()]
        for kernel in (0, len(own) // 2) if hasattr(layer, "forward_layer") else (0,):
            if share:
                own[kernel] = np.concatenate([share * own[kernel]] * 2)
        found += own
        mode = getattr(layer, "merge_mode", "concat")
        if mode not in ("concat", "sum", "ave"):
            raise ValueError(
                f"expected a bidirectional layer with the merge mode concat, sum or ave, got {mode!r} ({layer.name})"
            )
        share = {"sum": 1.0, "ave": 0.5}.get(mode, 0.0)
    return tuple(found)


def _check_copy(network: Any, spec: ModelSpec, interface: Interface, mask: bool, weights: tuple[np.ndarray, ...]) -> None:
    """Raises ValueError unless a network of this description with these weights answers random inputs as `network` does."""
    copy, rng = new_keras_model(spec, interface, mask), np.random.default_rng(0)
    shapes = [tuple(weight.shape) for weight in copy.weights]
    if shapes != [weight.shape for weight in weights]:
        raise ValueError(f"expected weights of shapes {shapes} for such a network, got {[weight.shape for weight in weights]}")
    copy.set_weights(weights)
    fixed = (getattr(network, "input_shape", None) or (None, None))[1]
    seeds = [(variable, variable.numpy()) for variable in network.non_trainable_variables]  # of dropout, which draws even now
    for steps in (fixed,) if fixed else (7, 12):
        words = rng.integers(0, interface.input_size, (4, steps)).astype(np.int32)
        words[2, steps // 2 :] = words[3, : steps // 2] = 0  # padding behind and in front
        numbers = rng.normal(size=(4, steps, interface.input_size)).astype(np.float32)
        inputs = words if interface.inputs == "tokens" else numbers
        answers = [np.asarray(each(inputs, training=False), np.float64) for each in (network, copy)]
        size = max(1.0, float(np.abs(answers[0]).max()))
        if answers[0].shape != answers[1].shape or np.abs(answers[0] - answers[1]).max() > 1e-4 * size:
            raise ValueError(
                "expected a network whose answer follows from its layers' order, sizes and activations alone; this one answers "
                "otherwise (go_backwards, an activation of the gates or of one's own, an operation between the layers)"
            )
    for variable, value in seeds:
        variable.assign(value)


def _spec(kinds: dict[Any, str], layer: Any, half: Any, depth: int, embeddings: list[Any]) -> ModelSpec:
    """The ModelSpec of one stock layer in a network of `depth` such layers; `half` is its forward layer."""
    from keras import activations

    return ModelSpec(
        cell=kinds[type(half)],
        units=half.units,
        layers=depth,
        bidirectional=half is not layer,
        activation=activations.serialize(half.activation),
        embedding=embeddings[0].output_dim if embeddings else ModelSpec().embedding,
        reset_after=getattr(half, "reset_after", True),
        use_bias=half.use_bias,
        dropout=half.dropout,
    )
