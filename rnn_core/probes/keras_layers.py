"""The recurrent layers of any Keras model, run by our own recurrence so that every state and its gradient can be read.

Keras's recurrent layers keep their intermediate states to themselves. While a model is `tapped`, the inner loop of each stock
SimpleRNN, LSTM and GRU layer is replaced by `rnn_core.engine.blocks` in float64; the graph around it stays as it is, so
functional, subclassed, stacked, bidirectional and masked models all work. The model is put back afterwards.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import numpy as np

from rnn_core.engine.keras_models import new_keras_model
from rnn_core.engine.model import Model

Probe = TypeVar("Probe", bound=Callable[..., Any])
LOCK = threading.RLock()  # a tapped model is in a state that no other thread should meet


def alone(probe: Probe) -> Probe:
    """The probe, one at a time in this process."""

    @functools.wraps(probe)
    def run(*arguments: Any, **options: Any) -> Any:
        with LOCK:
            return probe(*arguments, **options)

    return run  # type: ignore[return-value]


@dataclass
class Tap:
    """One recurrent layer, and what its last pass left behind. Tensors are time-major float64."""

    name: str  # layer name as the user knows it
    layer: Any  # the Keras layer
    cell: Any  # rnn_core.engine.cells.Cell
    calls: int = 0
    inputs: Any = None  # (T, B, D) in the order in which the layer reads them
    projected: Any = None  # (T, B, G)
    initial: tuple[Any, ...] = ()  # (B, H) each
    states: tuple[Any, ...] = ()  # (T, B, H) each
    saved: tuple[Any, ...] = ()  # (T, B, H) each
    outputs: Any = None  # (T, B, H) as Keras reports them
    nudge: tuple[Any, ...] = ()  # zeros (T, B, H) each, whose gradient is that of the states
    mask: Any = None  # (T, B) bool or None
    kernels: tuple[Any, ...] = field(default=())  # kernel, recurrent kernel, recurrent bias or None

    def once(self) -> None:
        """Complains if the layer did not run exactly once: its states would not be one sequence."""
        if self.calls != 1:
            raise ValueError(
                f"layer {self.name!r} ran {self.calls} times in one pass of the model: probe a model that uses it once"
            )

    def timewise(self, value: Any) -> np.ndarray:
        """(T, B, ·) as (B, T, ·), every step where its input stands, whichever way the layer reads."""
        value = np.asarray(value)
        return np.swapaxes(value[::-1] if self.layer.go_backwards else value, 0, 1)


def keras_model(model: Any) -> Any:
    """The Keras model to probe: itself, or for our `Model` its float64 twin (built once per architecture)."""
    if isinstance(model, Model):
        return _twin(model)
    from keras import Model as KerasModel

    if not isinstance(model, KerasModel):
        raise ValueError(f"expected a Keras model or an rnn_core Model, got {type(model).__name__}")
    return model


def _twin(model: Model) -> Any:
    plain = replace(model.spec, initialiser="orthogonal", gain=1.0, gate_bias=None, dropout=0.0)  # what only training sees
    twin = _double(plain, model.interface, model.mask)
    if twin.__dict__.get("_filled_with") is not model.weights:
        twin.set_weights([weight.astype(np.float64) for weight in model.weights])
        twin.__dict__["_filled_with"] = model.weights  # past Keras's attribute tracking, which would copy it
    return twin


@functools.lru_cache(maxsize=32)
def _double(spec: Any, interface: Any, mask: bool) -> Any:
    return new_keras_model(spec, interface, mask, "float64")


def taps(model: Any) -> list[Tap]:
    """Every recurrent layer of a Keras model that can be probed, in the order of the model."""
    from keras import layers

    found: list[Tap] = []
    wrapped: set[int] = set()
    for layer in model._flatten_layers(include_self=False):
        if isinstance(layer, layers.Bidirectional):
            halves = {"forward": layer.forward_layer, "backward": layer.backward_layer}
            found += [Tap(f"{layer.name}/{half}", inner, None) for half, inner in halves.items()]
            wrapped |= {id(inner) for inner in halves.values()}
        elif isinstance(layer, layers.RNN) and hasattr(layer, "cell") and id(layer) not in wrapped:
            found.append(Tap(layer.name, layer, None))
    if not found:
        raise ValueError(
            f"the model has no recurrent layer: its layers are {', '.join(layer.name for layer in model.layers) or 'none'}"
        )
    for tap in found:
        tap.cell = _cell(tap)
    return found


def choose(model: Any, layer: int | str | None) -> tuple[Tap, list[Tap]]:
    """The recurrent layer meant by `layer` (default: the last; of a bidirectional one its forward half), and all of them."""
    found = taps(model)
    names = [tap.name for tap in found]
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
    tap = found[position]
    if isinstance(tap.cell, str):
        raise ValueError(tap.cell)
    return tap, found


def _cell(tap: Tap) -> Any:
    """Our equations for a Keras layer, or a sentence that says why there are none."""
    from keras import activations, layers

    from rnn_core.engine.cells import ACTIVATIONS, CELLS

    layer, cell = tap.layer, tap.layer.cell
    kinds = {layers.SimpleRNNCell: "simple_rnn", layers.LSTMCell: "lstm", layers.GRUCell: "gru"}
    advice = "probe a model of stock SimpleRNN, LSTM or GRU layers"
    if type(cell) not in kinds:
        return f"layer {tap.name!r} runs a {type(cell).__name__}, whose equations are not known here: {advice}"
    if layer.stateful:
        return f"layer {tap.name!r} is stateful, so that probing it would change what it answers next: rebuild it with stateful=False"
    names = [
        activations.serialize(value) for value in (cell.activation, getattr(cell, "recurrent_activation", activations.sigmoid))
    ]
    for name in names:
        if name not in ACTIVATIONS:
            return f"layer {tap.name!r} uses the activation {name!r}; derivatives are known for {', '.join(ACTIVATIONS)}: {advice} with one of these"
    return CELLS[kinds[type(cell)]](cell.units, names[0], names[1], reset_after=getattr(cell, "reset_after", True))


@contextmanager
def tapped(all_taps: list[Tap], mask: np.ndarray | None, tape: Any = None) -> Iterator[None]:
    """Inside, calling the model fills the taps; with a tape, their projected inputs and nudges are watched.

    Args:
        mask: (B, T) bool that replaces the model's own, or None.
    """
    live = [tap for tap in all_taps if not isinstance(tap.cell, str)]
    try:
        for tap in live:
            tap.calls = 0
            tap.layer.__dict__["inner_loop"] = functools.partial(_inner_loop, tap, mask, tape)
        yield
    finally:
        for tap in live:
            tap.layer.__dict__.pop("inner_loop", None)


def _inner_loop(
    tap: Tap, chosen: np.ndarray | None, tape: Any, sequences: Any, initial_state: Any, mask: Any, training: bool = False
) -> tuple[Any, Any, list[Any]]:
    """What replaces `RNN.inner_loop`: same arguments and results."""
    import tensorflow as tf

    mask = mask[0] if isinstance(mask, (list, tuple)) else mask
    mask = mask if chosen is None else tf.constant(chosen)
    if mask is not None and mask.shape[1] != sequences.shape[1]:
        raise ValueError(f"the mask has {mask.shape[1]} steps, but layer {tap.name!r} reads {sequences.shape[1]}")
    x, real = tf.transpose(sequences, (1, 0, 2)), None if mask is None else tf.transpose(tf.cast(mask, tf.bool))
    if tap.layer.go_backwards:
        x, real = x[::-1], None if real is None else real[::-1]
    _fill(tap, tf.cast(x, tf.float64), real, initial_state, tape)
    h = tap.states[0]
    if real is not None:  # Keras: a masked step repeats the last output, or gives zeros before the first one
        heard = real if tap.layer.zero_output_for_mask else tf.cumsum(tf.cast(real, tf.int32)) > 0
        h = tf.where(heard[..., None], h, tf.zeros_like(h))
    tap.outputs = h
    outputs = tf.cast(tf.transpose(h, (1, 0, 2)), sequences.dtype)
    return outputs[:, -1], outputs, [tf.cast(part[-1], sequences.dtype) for part in tap.states]


def _fill(tap: Tap, x: Any, mask: Any, initial: Any, tape: Any) -> None:
    """Runs the layer and records everything in its tap."""
    import tensorflow as tf

    cell = tap.layer.cell
    tap.calls += 1
    tap.inputs, tap.mask = x, mask
    kernel, recurrent = tf.cast(cell.kernel, tf.float64), tf.cast(cell.recurrent_kernel, tf.float64)
    bias = tf.cast(cell.bias, tf.float64) if cell.use_bias else None
    outer, inner = (bias, None) if bias is None or len(bias.shape) == 1 else (bias[0], bias[1])
    tap.kernels = (kernel, recurrent, inner)
    tap.projected = tf.tensordot(x, kernel, 1) if outer is None else tf.tensordot(x, kernel, 1) + outer
    tap.initial = tuple(tf.cast(part, tf.float64) for part in (initial if isinstance(initial, (list, tuple)) else [initial]))
    tap.nudge = tuple(tf.zeros((x.shape[0], x.shape[1], cell.units), tf.float64) for _ in range(tap.cell.parts))
    if tape is not None:
        tape.watch((tap.projected, tap.nudge))
    tap.states, tap.saved = _scan(
        tap.cell, tap.projected, recurrent, inner, tap.initial, None if mask is None else mask[..., None], tap.nudge
    )


def _scan(cell: Any, x: Any, kernel: Any, bias: Any, initial: tuple[Any, ...], mask: Any, nudge: tuple[Any, ...]) -> Any:
    given = [x, kernel, *([] if bias is None else [bias]), *([] if mask is None else [mask]), *initial, *nudge]
    return _compiled(cell, bias is not None, mask is not None)(*given)


@functools.lru_cache(maxsize=64)
def _compiled(cell: Any, biased: bool, masked: bool) -> Any:
    """The recurrence as one graph for any length, batch and weights: no call but the first traces anything."""
    import tensorflow as tf

    from rnn_core.engine.blocks import scan
    from rnn_core.engine.input_projections import Projected

    def run(x: Any, kernel: Any, *rest: Any) -> Any:
        left, kernel = (
            list(rest),
            tf.stop_gradient(kernel),
        )  # no probe asks for its gradient here: they sum the parts of the steps
        bias = tf.stop_gradient(left.pop(0)) if biased else None
        mask = left.pop(0) if masked else None
        return scan(cell, Projected(x), kernel, bias, tuple(left[: cell.parts]), mask, tuple(left[cell.parts :]))

    units, columns = cell.units, cell.units * cell.blocks
    signature = [tf.TensorSpec((None, None, columns), tf.float64), tf.TensorSpec((units, columns), tf.float64)]
    signature += [tf.TensorSpec((columns,), tf.float64)] * biased + [tf.TensorSpec((None, None, 1), tf.bool)] * masked
    signature += [tf.TensorSpec((None, units), tf.float64)] * cell.parts + [
        tf.TensorSpec((None, None, units), tf.float64)
    ] * cell.parts
    return tf.function(run, input_signature=signature, autograph=False)


@contextmanager
def logits(model: Any) -> Iterator[str]:
    """Inside, a final sigmoid or softmax is left out. Yields what the model then gives: "logit" or "output"."""
    from keras import activations

    last = _last(model)
    squash = getattr(last, "activation", None)
    if squash is None or activations.serialize(squash) not in ("sigmoid", "softmax"):
        yield "output"
        return
    try:
        last.activation = activations.linear
        yield "logit"
    finally:
        last.activation = squash


def final_activation(model: Any) -> str:
    """Name of the activation that makes the model's output; "linear" where there is none."""
    from keras import activations

    squash = getattr(_last(model), "activation", None)
    return str(activations.serialize(squash)) if squash is not None else "linear"


def _last(model: Any) -> Any:
    """The layer whose output is the model's."""
    from keras import Model as KerasModel

    outputs = getattr(model, "outputs", None)
    history = getattr(outputs[0], "_keras_history", None) if outputs else None
    last = history.operation if history is not None else (model.layers[-1] if model.layers else model)
    last = getattr(last, "layer", last)  # TimeDistributed(Dense)
    return _last(last) if isinstance(last, KerasModel) else last


def check(model: Any, inputs: Any, mask: Any = None) -> tuple[np.ndarray, np.ndarray | None]:
    """Inputs and mask as arrays that the model can read, or a ValueError that says what was expected and what came."""
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
    """(whether the model reads token ids, the vocabulary's or the input's size where known)."""
    if isinstance(model, Model):
        return model.interface.inputs == "tokens", model.interface.input_size
    from keras import layers

    shape = tuple(model.inputs[0].shape) if getattr(model, "inputs", None) else None
    tables = [layer for layer in model._flatten_layers(include_self=False) if isinstance(layer, layers.Embedding)]
    tokens = bool(tables) and (shape is None or len(shape) == 2)
    return tokens, tables[0].input_dim if tokens else (shape[-1] if shape is not None and len(shape) == 3 else None)
