"""The recurrent layers of any Keras model: found, chosen by name or index, with the engine's equations for each.

In: a Keras model, or our `Model`, of which a float64 Keras copy is probed. Out: `RecordedLayer`s, which `recording.recording` fills.
Also what every probe needs of the model around them: checked inputs and masks, and the output before a final sigmoid or softmax.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np

from rnn_core.engine.keras_models import new_keras_model
from rnn_core.engine.model import Model
from rnn_core.probes.recording import RecordedLayer


def keras_model(model: Any) -> Any:
    """The Keras model to probe: `model` itself, or of our `Model` a float64 copy (built once per architecture)."""
    if isinstance(model, Model):
        return _float64_copy(model)
    from keras import Model as KerasModel

    if not isinstance(model, KerasModel):
        raise ValueError(f"expected a Keras model or an rnn_core Model, got {type(model).__name__}")
    return model


def _float64_copy(model: Model) -> Any:
    plain = replace(model.spec, initialiser="orthogonal", gain=1.0, gate_bias=None, dropout=0.0)  # fields that only training uses
    copy = _float64_network(plain, model.interface, model.mask)
    if copy.__dict__.get("_weights_of") is not model.weights:
        copy.set_weights([weight.astype(np.float64) for weight in model.weights])
        copy.__dict__["_weights_of"] = model.weights  # in __dict__: Keras's attribute tracking would copy it
    return copy


@functools.lru_cache(maxsize=32)
def _float64_network(spec: Any, interface: Any, mask: bool) -> Any:
    return new_keras_model(spec, interface, mask, "float64")


def recurrent_layers(model: Any) -> list[RecordedLayer]:
    """All recurrent layers of a Keras model, in the order of the model; raises ValueError where there are none."""
    from keras import layers

    found: list[RecordedLayer] = []
    wrapped: set[int] = set()
    for layer in model._flatten_layers(include_self=False):
        if isinstance(layer, layers.Bidirectional):
            halves = {"forward": layer.forward_layer, "backward": layer.backward_layer}
            found += [RecordedLayer(f"{layer.name}/{half}", inner, None) for half, inner in halves.items()]
            wrapped |= {id(inner) for inner in halves.values()}
        elif isinstance(layer, layers.RNN) and hasattr(layer, "cell") and id(layer) not in wrapped:
            found.append(RecordedLayer(layer.name, layer, None))
    if not found:
        raise ValueError(
            f"the model has no recurrent layer: its layers are {', '.join(layer.name for layer in model.layers) or 'none'}"
        )
    for recorded in found:
        recorded.cell = _cell(recorded)
    return found


def choose(model: Any, layer: int | str | None) -> tuple[RecordedLayer, list[RecordedLayer]]:
    """The recurrent layer meant by `layer` (default: the last; of a bidirectional one its forward half), and all of them.

    Raises ValueError for an unknown layer, or one that cannot be recorded.
    """
    found = recurrent_layers(model)
    names = [recorded.name for recorded in found]
    if layer is None:
        last = names[-1].removesuffix("/backward")
        position = names.index(f"{last}/forward") if f"{last}/forward" in names else len(found) - 1
    elif isinstance(layer, str):
        position = next((n for n, name in enumerate(names) if layer in (name, name.removesuffix("/forward"))), -1)
        if position < 0:
            raise ValueError(f"no recurrent layer is called {layer!r}: the model has {', '.join(names)}")
    else:
        if not -len(found) <= layer < len(found):
            raise ValueError(f"layer must be between {-len(found)} and {len(found) - 1} (recurrent layers only), got {layer}")
        position = layer
    recorded = found[position]
    if isinstance(recorded.cell, str):
        raise ValueError(recorded.cell)
    return recorded, found


def _cell(recorded: RecordedLayer) -> Any:
    """The engine's equations for a Keras layer, or a sentence that says why there are none."""
    from keras import activations, layers

    from rnn_core.engine.cells import ACTIVATIONS, CELLS

    layer, cell = recorded.layer, recorded.layer.cell
    kinds = {layers.SimpleRNNCell: "simple_rnn", layers.LSTMCell: "lstm", layers.GRUCell: "gru"}
    advice = "probe a model of stock SimpleRNN, LSTM or GRU layers"
    if type(cell) not in kinds:
        return f"layer {recorded.name!r} runs a {type(cell).__name__}, whose equations are not known here: {advice}"
    if layer.stateful:
        return f"layer {recorded.name!r} is stateful, so probing it would change its next output: rebuild it with stateful=False"
    names = [
        activations.serialize(value) for value in (cell.activation, getattr(cell, "recurrent_activation", activations.sigmoid))
    ]
    for name in names:
        if name not in ACTIVATIONS:
            return f"layer {recorded.name!r} uses the activation {name!r}; derivatives are known for {', '.join(ACTIVATIONS)}: {advice} with one of these"
    return CELLS[kinds[type(cell)]](cell.units, names[0], names[1], reset_after=getattr(cell, "reset_after", True))


@contextmanager
def logits(model: Any) -> Iterator[str]:
    """Inside, a final sigmoid or softmax is left out. Yields the name of the model's output: "logit", or "output" if it has neither."""
    from keras import activations

    last = _last_layer(model)
    activation = getattr(last, "activation", None)
    if activation is None or activations.serialize(activation) not in ("sigmoid", "softmax"):
        yield "output"
        return
    try:
        last.activation = activations.linear
        yield "logit"
    finally:
        last.activation = activation


def final_activation(model: Any) -> str:
    """Name of the model's last activation; "linear" where there is none."""
    from keras import activations

    activation = getattr(_last_layer(model), "activation", None)
    return str(activations.serialize(activation)) if activation is not None else "linear"


def _last_layer(model: Any) -> Any:
    """The layer whose output is the model's."""
    from keras import Model as KerasModel

    outputs = getattr(model, "outputs", None)
    history = getattr(outputs[0], "_keras_history", None) if outputs else None
    last = history.operation if history is not None else (model.layers[-1] if model.layers else model)
    last = getattr(last, "layer", last)  # TimeDistributed(Dense)
    return _last_layer(last) if isinstance(last, KerasModel) else last


def check(model: Any, inputs: Any, mask: Any = None) -> tuple[np.ndarray, np.ndarray | None]:
    """Inputs and mask as arrays that fit the model. Raises ValueError: what was expected, and what came."""
    try:
        inputs = np.asarray(inputs)
    except ValueError as error:
        raise ValueError("inputs must be sequences of one length (pad and mask the shorter ones), got ragged ones") from error
    if inputs.dtype == object or inputs.dtype.kind not in "biuf":
        raise ValueError(f"inputs must be numbers in sequences of one length, got {inputs.dtype}")
    tokens, size = _expects(model)
    wanted = "(batch, time) token ids" if tokens else f"(batch, time, {size or 'inputs'}) numbers"
    if inputs.ndim != (2 if tokens else 3) or (not tokens and size and inputs.shape[2] != size):
        raise ValueError(f"inputs must have the shape {wanted}, got {inputs.shape}")
    if 0 in inputs.shape:
        raise ValueError(f"inputs need at least one sequence of at least one step, got the shape {inputs.shape}")
    if inputs.dtype.kind == "f" and not np.isfinite(inputs).all():
        raise ValueError("inputs must be finite, got NaN or infinity")
    if tokens:
        if not np.array_equal(inputs, inputs.astype(np.int64)):
            raise ValueError("token ids must be whole numbers")
        if size and (inputs.min() < 0 or inputs.max() >= size):
            raise ValueError(f"token ids must be between 0 and {size - 1}, got {inputs.min()} to {inputs.max()}")
        inputs = inputs.astype(np.int32)
    return inputs, _checked_mask(mask, inputs.shape)


def _checked_mask(mask: Any, shape: tuple[int, ...]) -> np.ndarray | None:
    if mask is None:
        return None
    mask = np.asarray(mask)
    if mask.shape != shape[:2]:
        raise ValueError(f"the mask must have the shape (batch, time) = {shape[:2]}, got {mask.shape}")
    return mask.astype(bool)


def _expects(model: Any) -> tuple[bool, int | None]:
    """(whether the model's inputs are token ids, the size of the vocabulary or of one input where known)."""
    if isinstance(model, Model):
        return model.interface.inputs == "tokens", model.interface.input_size
    from keras import layers

    shape = tuple(model.inputs[0].shape) if getattr(model, "inputs", None) else None
    tables = [layer for layer in model._flatten_layers(include_self=False) if isinstance(layer, layers.Embedding)]
    tokens = bool(tables) and (shape is None or len(shape) == 2)
    return tokens, tables[0].input_dim if tokens else (shape[-1] if shape is not None and len(shape) == 3 else None)
