"""Records what the recurrent layers of a Keras model do in one call, while Keras runs its own loop.

The inner loop of every recurrent layer is Keras's generic one with Keras's own cell, told to give out its whole state; nothing of
the model is rebuilt or replaced. What it told is then checked: every recorded step must follow from the one before by the engine's
equations, or the layer is refused. Gates, local derivatives and the way back are computed from the record, in float64.

Shapes: B batch, T steps of the layer, D inputs, H units. Keras has the batch first, a `LayerPass` time first.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np

from rnn_core.engine.arrays import ACTIVATIONS, FURTHER
from rnn_core.engine.cells import CELLS, Cell, State
from rnn_core.engine.numpy_network import LayerPass, layer_of
from rnn_core.engine.recurrence import Record

ADVICE = "probe a model of stock SimpleRNN, LSTM or GRU layers"
# Largest gap between a recorded step and our equations, of the state's size. Measured: single steps agree to 6e-7 in float32.
TOLERANCES = {"float64": 1e-9, "float32": 2e-5, "float16": 2e-2, "bfloat16": 1e-1}
LOCK = threading.RLock()  # one recording at a time


class RefusedError(ValueError):
    """The model cannot be probed so; the message says why."""


Forced = list[np.ndarray | None]  # for every call of a recurrent layer, in order: the mask (B, T) that takes the place of its own
Fed = tuple[tuple[int, ...], Any]  # some calls of recurrent layers, and the tensor (B, T, D) that they receive


class ElsewhereError(Exception):
    """A layer ran inside a graph that is not ours, where its record cannot be reached."""


@dataclass(eq=False)
class Ran:
    """One call of one recurrent layer, as TensorFlow's tensors."""

    layer: Any  # the Keras layer
    name: str
    refusal: str  # a sentence that says why it was not recorded, or ""
    steps: int = 0  # T
    inputs: Any = None  # (B, T, D)
    mask: Any = None  # (B, T) bool or None
    initial: tuple[Any, ...] = ()  # (B, H) each
    told: Any = None  # (B, T, parts · H) the whole state after each step, in processing order; at a masked step an output
    out: tuple[Any, ...] = ()  # what the rest of the model receives: last output, outputs, final states

    @property
    def tensors(self) -> tuple[Any, ...]:
        """Everything that a graph must give out."""
        return self.inputs, self.mask, self.initial, self.told, self.out


@contextmanager
def recording(
    network: Any, tape: Any, mask: np.ndarray | None = None, forced: Forced | None = None, fed: Fed | None = None
) -> Iterator[list[Ran]]:
    """Inside, calls of the network by this thread append to the list. The tape watches what each layer gives out.

    Args:
        mask: (B, T) bool that replaces the masks of recurrent layers of T steps that have one.
        forced: replaces the mask of every layer.
        fed: replaces the inputs of some calls.
    """
    ran: list[Ran] = []
    layers, thread = recurrent_layers(network), threading.get_ident()
    try:
        for layer, name in layers:
            layer.__dict__["inner_loop"] = _hook(layer, name, ran, tape, mask, forced, fed, thread)
        yield ran
    finally:
        for layer, _ in layers:
            layer.__dict__.pop("inner_loop", None)


def recurrent_layers(network: Any) -> list[tuple[Any, str]]:
    """Every recurrent layer and its name; a half of a bidirectional one is "name/forward" or "name/backward"."""
    from keras import layers

    found: dict[int, tuple[Any, str]] = {}
    for layer in network._flatten_layers(include_self=False):
        if isinstance(layer, layers.Bidirectional):
            for half, inner in (("forward", layer.forward_layer), ("backward", layer.backward_layer)):
                found[id(inner)] = inner, f"{layer.name}/{half}"
        elif isinstance(layer, layers.RNN):
            found.setdefault(id(layer), (layer, layer.name))
    return list(found.values())


def repeated(network: Any, ran: list[Ran]) -> dict[int, str]:
    """Recurrent layer (its id) → a sentence, of each that a TimeDistributed layer ran once for each of its steps."""
    from keras import layers

    wrappers = [each for each in network._flatten_layers() if isinstance(each, layers.TimeDistributed)]
    inside = {id(layer) for each in wrappers for layer in each.layer._flatten_layers()}
    found = {}
    for one in ran:
        times = sum(other.layer is one.layer for other in ran)
        if id(one.layer) in inside and times > 1:
            found[id(one.layer)] = (
                f"layer {one.name.partition('#')[0]!r} ran {times} times in one call of the model, once for each step of a "
                f"TimeDistributed layer, so that it has no steps of its own: {ADVICE} beside it"
            )
    return found


def _hook(
    layer: Any, name: str, ran: list[Ran], tape: Any, chosen: Any, forced: Forced | None, fed: Fed | None, thread: int
) -> Any:
    """The function that takes the place of the layer's `inner_loop`: same arguments and results."""
    import tensorflow as tf
    from keras import layers

    refusal = _refusal(layer, name)
    graph = None if tf.executing_eagerly() else tf.compat.v1.get_default_graph()

    def inner_loop(sequences: Any, initial_state: Any, mask: Any = None, training: bool = False) -> Any:
        original = type(layer).inner_loop
        if threading.get_ident() != thread:
            return original(layer, sequences, initial_state, mask, training)
        initial = initial_state if isinstance(initial_state, (list, tuple)) else [initial_state]
        mask = mask[0] if isinstance(mask, (list, tuple)) else mask
        if mask is not None and chosen is not None and chosen.shape[1] == mask.shape[1]:
            mask = chosen
        if forced is not None:
            if len(ran) >= len(forced):
                raise RefusedError("the model runs more recurrent layers for other vectors than for its own")
            mask = forced[len(ran)]
        if fed is not None and len(ran) in fed[0]:
            sequences = fed[1]
        name_now = name if (before := sum(one.layer is layer for one in ran)) == 0 else f"{name}#{before + 1}"
        why = refusal or _cannot_now(layer, name, sequences, training, mask is not None)
        if why:
            seen = mask if mask is None or getattr(mask, "graph", graph) is graph else None
            ran.append(Ran(layer, name_now, why, sequences.shape[1], mask=seen))
            return original(layer, sequences, initial_state, mask, training)
        if getattr(sequences, "graph", None) is not graph:
            raise ElsewhereError

        def cell(x: Any, states: Any) -> Any:
            _, new = layer.cell(x, states, training=training)
            new = list(new) if isinstance(new, (list, tuple)) else [new]
            return tf.concat(new, -1), new

        loop = SimpleNamespace(
            cell=cell,
            return_sequences=True,
            **{each: getattr(layer, each) for each in ("stateful", "unroll", "go_backwards", "zero_output_for_mask")},
        )
        initial = [tf.identity(tf.convert_to_tensor(part)) for part in initial]
        last, told, states = layers.RNN.inner_loop(loop, sequences, initial, mask)
        units = layer.cell.units
        # Copies: the last output and the final state may be one tensor, whose gradient would count twice.
        out = tuple(tf.identity(value) for value in (last[:, :units], told[..., :units], *states))
        if tape is not None:
            tape.watch(out)
        ran.append(Ran(layer, name_now, "", sequences.shape[1], sequences, mask, tuple(initial), told, out))
        return out[0], out[1], list(out[2:])

    return inner_loop


def _refusal(layer: Any, name: str) -> str:
    """Why a layer cannot be recorded, as a sentence; "" when it can."""
    from keras import layers

    cell: Any = getattr(layer, "cell", None)
    if type(cell) not in (layers.SimpleRNNCell, layers.LSTMCell, layers.GRUCell):
        return f"layer {name!r} runs a {type(cell).__name__}, whose equations are not known here: {ADVICE}"
    for function in (cell.activation, getattr(cell, "recurrent_activation", cell.activation)):
        if not _activation(function):
            title = getattr(function, "__name__", type(function).__name__)
            known = ", ".join((*ACTIVATIONS, *FURTHER))
            return f"layer {name!r} uses the activation {title!r}; derivatives are known for {known}: {ADVICE} with one of these"
    return ""


def _activation(function: Any) -> str:
    """The engine's name of a function of Keras, "" of any other. By object: a function of somebody's own may be called tanh, too."""
    from keras import activations

    return next((name for name in (*ACTIVATIONS, *FURTHER) if getattr(activations, name) is function), "")


def _cannot_now(layer: Any, name: str, sequences: Any, training: Any, masked: bool) -> str:
    """Why this call cannot be recorded, as a sentence; "" when it can."""
    if masked and layer.unroll and layer.go_backwards and layer.zero_output_for_mask:
        return f"layer {name!r} puts zeros at the wrong steps: so Keras does with unroll, go_backwards and zero_output_for_mask"
    if training and (layer.cell.dropout or layer.cell.recurrent_dropout):
        return f"layer {name!r} runs with dropout even when it answers, so no two answers are alike: {ADVICE}"
    if "loop_body" in getattr(getattr(sequences, "graph", None), "name", ""):
        return f"layer {name!r} ran many times in one call of the model, in a loop or inside a TimeDistributed layer: {ADVICE} beside it"
    return ""


def cell_of(layer: Any) -> Cell:
    """The engine's cell of a stock Keras layer."""
    from keras import layers

    cell = layer.cell
    kind = {layers.SimpleRNNCell: "simple_rnn", layers.LSTMCell: "lstm", layers.GRUCell: "gru"}[type(cell)]
    gate = _activation(getattr(cell, "recurrent_activation", cell.activation))
    return CELLS[kind](cell.units, _activation(cell.activation), gate, reset_after=getattr(cell, "reset_after", True))


def layer_pass(ran: Ran) -> LayerPass:
    """The record as NumPy arrays. Raises ValueError where a step does not follow from the one before by our equations."""
    if ran.refusal:
        raise ValueError(ran.refusal)
    keras_layer, cell = ran.layer, cell_of(ran.layer)
    dtype = str(keras_layer.cell.compute_dtype)
    names = ("kernel", "recurrent_kernel", *(["bias"] if keras_layer.cell.use_bias else []))
    weights = [_array(getattr(keras_layer.cell, each), dtype) for each in names]
    layer = layer_of(ran.name, cell, weights, "float64", bool(keras_layer.go_backwards))
    x, told = (np.swapaxes(_array(value), 0, 1) for value in (ran.inputs, ran.told))
    mask = None if ran.mask is None else np.asarray(ran.mask).astype(bool).T
    if layer.backwards:
        x, mask = x[::-1], None if mask is None else mask[::-1]
    initial = tuple(_array(part) for part in ran.initial)
    states = _kept(tuple(np.split(told, cell.parts, axis=-1)), initial, mask)
    record = Record(initial, states, ())
    ours, saved = cell.step(layer.project(x), record.previous, layer.recurrent, layer.recurrent_bias)
    _verify(ran.name, dtype, states, ours, mask)
    outputs = np.swapaxes(_array(ran.out[1]), 0, 1)
    return LayerPass(layer, x, mask, Record(initial, states, saved), outputs)


def _array(value: Any, dtype: str = "") -> np.ndarray:
    """float64 of a tensor or variable, rounded to `dtype` before."""
    import tensorflow as tf

    value = tf.convert_to_tensor(value)
    return np.asarray(tf.cast(tf.cast(value, dtype) if dtype else value, tf.float64))


def _kept(told: State, initial: State, mask: np.ndarray | None) -> State:
    """(T, B, H) the states: at a masked step the last real one before it, where Keras tells its output instead."""
    if mask is None:
        return told
    last = np.maximum.accumulate(np.where(mask, np.arange(len(mask))[:, None], -1), axis=0)  # (T, B)
    columns = np.arange(mask.shape[1])
    return tuple(
        np.where(last[..., None] < 0, start, part[np.maximum(last, 0), columns])
        for part, start in zip(told, initial, strict=True)
    )


def _verify(name: str, dtype: str, states: State, ours: State, mask: np.ndarray | None) -> None:
    real = slice(None) if mask is None else mask
    for state, step in zip(states, ours, strict=True):
        recorded, expected = state[real], step[real]
        if not np.isfinite(recorded).all():
            at = int(np.flatnonzero(~np.isfinite(state).all((1, 2)))[0])
            raise ValueError(f"the state of layer {name!r} is no longer finite at step {at + 1}")
        gap = float(np.abs(recorded - expected).max(initial=0)) / max(1.0, float(np.abs(recorded).max(initial=0)))
        if not gap <= TOLERANCES.get(dtype, 0):
            raise ValueError(
                f"the state of layer {name!r} is not what its equations give (they differ by {gap:.1g} of its size), so nothing "
                f"can be said of its gradients: {ADVICE}"
            )


def upstream(ran: Ran, taken: LayerPass, gradients: tuple[Any, ...], scale: float) -> State:
    """(T, B, H) each: the gradient of every state from outside the layer, in processing order.

    Args:
        gradients: of `ran.out`, None where the number does not depend on it; `scale` times too large.
    """
    last, told, *finals = (None if value is None else _array(value) / scale for value in gradients)
    found = [np.zeros_like(state) for state in taken.record.states]
    if told is not None:
        found[0] += np.swapaxes(told, 0, 1)
    if last is not None:
        found[0][-1] += last
    if taken.mask is not None:  # Keras gives zeros before the first real step, or at every masked one
        started = taken.mask if ran.layer.zero_output_for_mask else np.logical_or.accumulate(taken.mask, axis=0)
        found[0] *= started[..., None]
    for part, final in zip(found, finals, strict=True):
        if final is not None:
            part[-1] += final
    return tuple(found)
