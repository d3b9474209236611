"""Records every state of the recurrent layers of a Keras model during one call of the model.

Keras's recurrent layers keep their intermediate states to themselves. Inside `recording` the inner loop of each stock SimpleRNN,
LSTM and GRU layer is replaced by `rnn_core.engine.blocks` in float64; the graph around it stays as it is, so functional,
subclassed, stacked, bidirectional and masked models all work. The model's own loops are restored afterwards.

Shapes: B batch, T time, D inputs, H units, G gate columns (H, 4H or 3H). Recorded tensors have time first.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np

Probe = TypeVar("Probe", bound=Callable[..., Any])
LOCK = threading.RLock()  # while a model is recorded its loops are replaced, for other threads too


def one_at_a_time(probe: Probe) -> Probe:
    """Decorator: calls of all decorated probes run one after the other in this process."""

    @functools.wraps(probe)
    def run(*arguments: Any, **options: Any) -> Any:
        with LOCK:
            return probe(*arguments, **options)

    return run  # type: ignore[return-value]


@dataclass
class RecordedLayer:
    """One recurrent layer of a Keras model, and what was recorded of its last call. Tensors are float64, time first."""

    name: str  # name of the layer; a half of a bidirectional one as "name/forward" or "name/backward"
    layer: Any  # the Keras layer
    cell: Any  # rnn_core.engine.cells.Cell, or a sentence that says why this layer cannot be recorded
    calls: int = 0  # of the layer in one call of the model
    inputs: Any = None  # (T, B, D) in the order in which the layer processes them
    projected: Any = None  # (T, B, G): inputs times kernel, plus bias
    initial: tuple[Any, ...] = ()  # (B, H) each
    states: tuple[Any, ...] = ()  # (T, B, H) each
    saved: tuple[Any, ...] = ()  # (T, B, H) each: what the backward step of the cell needs
    outputs: Any = None  # (T, B, H) as Keras reports them
    perturbations: tuple[Any, ...] = ()  # zeros (T, B, H) each, added to each state: their gradient is dL/ds_t
    mask: Any = None  # (T, B) bool or None
    kernels: tuple[Any, ...] = field(default=())  # kernel, recurrent kernel, recurrent bias or None

    def require_one_call(self) -> None:
        """Raises ValueError if the layer did not run exactly once: its states would not be one sequence."""
        if self.calls != 1:
            raise ValueError(
                f"layer {self.name!r} ran {self.calls} times in one call of the model: probe a model that uses it once"
            )

    def batch_first(self, value: Any) -> np.ndarray:
        """(T, B, ·) as (B, T, ·), every step at the place of its input, also for a layer that processes them backwards."""
        value = np.asarray(value)
        return np.swapaxes(value[::-1] if self.layer.go_backwards else value, 0, 1)


@contextmanager
def recording(layers: list[RecordedLayer], mask: np.ndarray | None, tape: Any = None) -> Iterator[None]:
    """Inside, a call of the model fills `layers`; a tape watches their projected inputs and perturbations.

    Args:
        mask: (B, T) bool that replaces the model's own, or None.
    """
    known = [recorded for recorded in layers if not isinstance(recorded.cell, str)]
    try:
        for recorded in known:
            recorded.calls = 0
            recorded.layer.__dict__["inner_loop"] = functools.partial(_inner_loop, recorded, mask, tape)
        yield
    finally:
        for recorded in known:
            recorded.layer.__dict__.pop("inner_loop", None)


def _inner_loop(
    recorded: RecordedLayer,
    chosen: np.ndarray | None,
    tape: Any,
    sequences: Any,
    initial_state: Any,
    mask: Any,
    training: bool = False,
) -> tuple[Any, Any, list[Any]]:
    """Replaces `RNN.inner_loop` of Keras: same arguments and results."""
    import tensorflow as tf

    mask = mask[0] if isinstance(mask, (list, tuple)) else mask
    mask = mask if chosen is None else tf.constant(chosen)
    if mask is not None and mask.shape[1] != sequences.shape[1]:
        raise ValueError(
            f"the mask has {mask.shape[1]} steps, but layer {recorded.name!r} has {sequences.shape[1]}: give one value per step"
        )
    x, real = tf.transpose(sequences, (1, 0, 2)), None if mask is None else tf.transpose(tf.cast(mask, tf.bool))
    if recorded.layer.go_backwards:
        x, real = x[::-1], None if real is None else real[::-1]
    _run_and_record(recorded, tf.cast(x, tf.float64), real, initial_state, tape)
    h = recorded.states[0]
    if real is not None:  # Keras: a masked step repeats the last output, or gives zeros before the first one
        started = real if recorded.layer.zero_output_for_mask else tf.cumsum(tf.cast(real, tf.int32)) > 0
        h = tf.where(started[..., None], h, tf.zeros_like(h))
    recorded.outputs = h
    outputs = tf.cast(tf.transpose(h, (1, 0, 2)), sequences.dtype)
    return outputs[:, -1], outputs, [tf.cast(part[-1], sequences.dtype) for part in recorded.states]


def _run_and_record(recorded: RecordedLayer, x: Any, mask: Any, initial: Any, tape: Any) -> None:
    """Runs the layer and fills its record."""
    import tensorflow as tf

    cell = recorded.layer.cell
    recorded.calls += 1
    recorded.inputs, recorded.mask = x, mask
    kernel, recurrent = tf.cast(cell.kernel, tf.float64), tf.cast(cell.recurrent_kernel, tf.float64)
    bias = tf.cast(cell.bias, tf.float64) if cell.use_bias else None
    outer, inner = (bias, None) if bias is None or len(bias.shape) == 1 else (bias[0], bias[1])
    recorded.kernels = (kernel, recurrent, inner)
    recorded.projected = tf.tensordot(x, kernel, 1) if outer is None else tf.tensordot(x, kernel, 1) + outer
    recorded.initial = tuple(tf.cast(part, tf.float64) for part in (initial if isinstance(initial, (list, tuple)) else [initial]))
    recorded.perturbations = tuple(tf.zeros((x.shape[0], x.shape[1], cell.units), tf.float64) for _ in range(recorded.cell.parts))
    if tape is not None:
        tape.watch((recorded.projected, recorded.perturbations))
    recorded.states, recorded.saved = _scan(
        recorded.cell,
        recorded.projected,
        recurrent,
        inner,
        recorded.initial,
        None if mask is None else mask[..., None],
        recorded.perturbations,
    )


def _scan(cell: Any, x: Any, kernel: Any, bias: Any, initial: tuple[Any, ...], mask: Any, perturbations: tuple[Any, ...]) -> Any:
    given = [x, kernel, *([] if bias is None else [bias]), *([] if mask is None else [mask]), *initial, *perturbations]
    return _compiled(cell, bias is not None, mask is not None)(*given)


@functools.lru_cache(maxsize=64)
def _compiled(cell: Any, biased: bool, masked: bool) -> Any:
    """The recurrence as one graph for any length, batch and weights, traced at its first call only."""
    import tensorflow as tf

    from rnn_core.engine.blocks import scan
    from rnn_core.engine.input_projections import Projected

    def run(x: Any, kernel: Any, *rest: Any) -> Any:
        left, kernel = list(rest), tf.stop_gradient(kernel)  # probes compute its gradient from the parts of the steps
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
