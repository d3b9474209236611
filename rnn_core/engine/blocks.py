"""A cell's steps through time: forward, and explicit backpropagation through time, in blocks of steps that fit the cache.

The backward loop computes the gradient of the state at *every* step. It is returned as the gradient of `perturbation`:
zeros added to each state, whose gradient is the total derivative dL/ds_t.

Shapes: T time, B batch, D inputs, H units, G packed columns (H, 4H, 3H); time comes first. A mask is True at real steps; a
masked step keeps the state, so its Jacobian is the identity and the gradient of its input is zero.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import tensorflow as tf

from rnn_core.engine import xla
from rnn_core.engine.arrays import Tensor, join
from rnn_core.engine.cells import GRU, Cell, State
from rnn_core.engine.input_projections import Projection, TableRows, dense, outer_sum, take_block

xla.prefer_vectors()  # before anything is compiled

BLOCK_SIZES = range(10, 51)  # steps in a block: the largest of these that divides T


def zeros(cell: Cell, batch: Tensor, dtype: Any) -> State:
    """The state before the first step, zeros (B, H) each."""
    return tuple(tf.zeros((batch, cell.units), dtype) for _ in range(cell.parts))


def length(values: Tensor) -> Tensor | int:
    """T of (T, …): an int where the shape is static."""
    return tf.shape(values)[0] if values.shape[0] is None else values.shape[0]


def block_size(values: Tensor) -> int:
    """Steps in a block of (T, …); 0 where the shape is not static or no block size divides T."""
    steps = values.shape[0] if values.shape.is_fully_defined() else 0
    return max((size for size in BLOCK_SIZES if steps and steps % size == 0), default=0)


def masked_state(cell: Cell, real: Tensor, new: Tensor, old: Tensor) -> Tensor:
    """`new` where `real` is 1, `old` where it is 0.

    Bounded states use products instead of `tf.where`, next to which XLA runs tanh at half its speed: a tenth of SimpleRNN's
    training step. Unbounded ones (relu, linear) may be infinite, and 0 · ∞ is NaN.
    """
    if cell.activation in ("tanh", "sigmoid"):
        return real * new + (1 - real) * old
    return tf.where(real > 0, new, old)


def forward(
    cell: Cell,
    projection: Projection,
    kernel: Tensor,
    bias: Tensor | None,
    initial: State,
    mask: Tensor | None,
    start: Tensor | int = 0,
    last_only: bool = False,
) -> State:
    """All steps forward, block by block.

    Args:
        projection: the projected inputs.
        kernel, bias: as in `Cell.step`.
        initial: the state before the first step, (B, H) each.
        mask: (T, B, 1) bool or None.
        start: steps before this one are not run; their rows of the result are zeros.
        last_only: return only the last state, (B, H) each.

    Returns: the record, (T + 1, B, H) each: the parts of the state, row 0 the initial one, then what the cell saved, row 0
        zeros. Separate arrays are read four times as fast as one interleaved array.
    """
    steps, size, dtype = length(projection.inputs), block_size(projection.inputs), initial[0].dtype
    masks = None if mask is None else tf.TensorArray(dtype, steps).unstack(tf.cast(mask, dtype))
    stack = partial(tf.TensorArray, dtype, steps + 1, element_shape=(projection.inputs.shape[1], cell.units))
    rows = () if last_only else (*initial, *([tf.zeros_like(initial[0])] * cell.saved_count))
    record = tuple(stack().write(start, value) for value in rows)

    def run_block(projection: Projection, begin: Tensor | int, count: Tensor | int, state: State, record: Any) -> Any:
        xs = tf.TensorArray(dtype, count, clear_after_read=False).unstack(projection.values())
        first = tf.maximum(start, begin)
        # A GRU uses its inputs twice. Without a record XLA fuses the whole step and reads the inputs inside it, twice and
        # without vector instructions; reading them one step ahead prevents that.
        ahead = [xs.read(tf.minimum(first - begin, count - 1))] if last_only and isinstance(cell, GRU) else []

        def body(t: Tensor, state: State, record: Any, *ahead: Tensor) -> tuple[Any, ...]:
            after, saved = cell.step(ahead[0] if ahead else xs.read(t - begin), state, kernel, bias)
            if masks is not None:
                real = masks.read(t)
                after = tuple(masked_state(cell, real, new, old) for new, old in zip(after, state, strict=True))
            record = tuple(kept.write(t + 1, new) for kept, new in zip(record, (*after, *saved), strict=not last_only))
            return t + 1, after, record, *(xs.read(tf.minimum(t + 1 - begin, count - 1)) for _ in ahead)

        return tf.while_loop(lambda t, *_: t < begin + count, body, (first, state, record, *ahead))[1:3]

    def block(n: Tensor, state: State, record: Any) -> tuple[Any, ...]:
        return n + 1, *run_block(projection.block(n, size), n * size, size, state, record)

    if size:
        loop = (tf.convert_to_tensor(start) // size, initial, record)
        _, last, record = tf.while_loop(lambda n, *_: n * size < steps, block, loop)
    else:
        last, record = run_block(projection, 0, steps, initial, record)
    return last if last_only else tuple(kept.stack() for kept in record)


def split_record(cell: Cell, record: State) -> tuple[State, State, State]:
    """States after each step, states before it, and what the cell saved, (T, B, H) each, from a record of T steps."""
    after, previous = tuple(kept[1:] for kept in record), tuple(kept[:-1] for kept in record[: cell.parts])
    return after[: cell.parts], previous, after[cell.parts :]


def backward(
    cell: Cell,
    gradients: State | None,
    record: State,
    transposed: Tensor,
    mask: Tensor | None,
    last: State | None = None,
    start: Tensor | int = 0,
) -> tuple[Tensor, State, State]:
    """All steps backward.

    Args:
        gradients: of the states after each step, from outside the recurrence, (T, B, H) each; None for zeros.
        record: the result of `forward`.
        transposed: (G, H) the recurrent kernel's transpose.
        mask: (T, B, 1) bool or None.
        last: additional gradient of the state after the last step, (B, H) each; None for zeros.
        start: as in `forward`.

    Returns: the gradient of x (T, B, G), the total derivative of every state (T, B, H) each, and of the initial state.
    """
    states, previous, saved = split_record(cell, record)
    steps, batch, dtype = length(states[0]), record[0].shape[1], record[0].dtype
    factors = cell.local_derivatives(saved, states, previous)
    streams = tuple(tf.TensorArray(dtype, steps).unstack(value) for value in (*factors, *(gradients or ())))
    masks = None if mask is None else tf.TensorArray(tf.bool, steps).unstack(mask)
    carried = tuple(tf.zeros_like(value[0]) for value in states) if last is None else last
    rows = tf.TensorArray(dtype, steps + 1, element_shape=(cell.parts, batch, cell.units))

    def body(t: Tensor, carried: State, rows: Any) -> tuple[Any, ...]:
        values = [stream.read(t - 1) for stream in streams]
        local, outside = tuple(values[: len(factors)]), values[len(factors) :]
        total = tuple(a + b for a, b in zip(carried, outside, strict=True)) if outside else carried
        _, earlier = cell.backward_step(total, local, transposed)
        if masks is not None:
            real = masks.read(t - 1)
            earlier = tuple(tf.where(real, new, old) for new, old in zip(earlier, total, strict=True))
        return t - 1, earlier, rows.write(t - 1, tf.stack(earlier))

    loop = (tf.convert_to_tensor(steps), carried, rows.write(steps, tf.stack(carried)))
    _, carried, rows = tf.while_loop(lambda t, *_: t > start, body, loop)
    rows = rows.write(start, tf.zeros_like(tf.stack(carried)))  # row `start` is the initial state, not a step
    totals = tuple(tf.unstack(rows.stack()[1:], axis=1))
    totals = tuple(a + b for a, b in zip(totals, gradients, strict=True)) if gradients else totals
    delta, _ = cell.backward_step(totals, factors, transposed)
    return delta if mask is None else tf.where(mask, delta, tf.zeros_like(delta)), totals, carried


def weight_gradients(cell: Cell, delta: Tensor, record: State, biased: bool) -> State:
    """(H, G) dL/dU and, if `biased`, (G,) of the recurrent bias, summed over steps and batch: matmuls after a block's loop."""
    _, previous, saved = split_record(cell, record)
    pairs = cell.kernel_gradient_pairs(delta, saved, previous)
    kernel = join(*(outer_sum(left, right) for left, right in pairs))
    if not biased:
        return (kernel,)
    right = join(*(right for _, right in pairs))
    return kernel, outer_sum(tf.ones_like(right[..., :1]), right)[0]


def backward_by_blocks(
    cell: Cell,
    gradients: State | None,
    record: State,
    kernel: Tensor,
    mask: Tensor | None,
    last: State | None,
    start: Tensor | int,
    biased: bool,
    projection: Projection,
) -> tuple[State, State, State, State]:
    """`backward` and the gradients of the weights, block by block from the last step.

    A block's arrays stay in one core's cache, which takes a fifth off the time of 500 steps.

    Args:
        kernel: (H, G) the recurrent kernel.
        biased: whether there is a recurrent bias.
        projection: as in `forward`.

    Returns: the gradients of `projection.tensors`; the total derivative of every state (T, B, H) each; of the initial
        state; of the recurrent kernel and bias.
    """
    transposed, shape = tf.transpose(kernel), record[0].shape
    steps, size = length(projection.inputs), block_size(projection.inputs)
    if not size:
        delta, totals, first = backward(cell, gradients, record, transposed, mask, last, start)
        return projection.gradients(delta), totals, first, weight_gradients(cell, delta, record, biased)

    def block(n: Tensor, carried: State, weights: State, into: Any, totals: Any) -> tuple[Any, ...]:
        outside = None if gradients is None else tuple(take_block(value, n, size) for value in gradients)
        part, real = tuple(take_block(kept, n, size, 1) for kept in record), None if mask is None else take_block(mask, n, size)
        delta, found, carried = backward(cell, outside, part, transposed, real, carried, tf.maximum(start - n * size, 0))
        weights = tuple(a + b for a, b in zip(weights, weight_gradients(cell, delta, part, biased), strict=True))
        totals = tuple(kept.write(n, total) for kept, total in zip(totals, found, strict=True))
        return n - 1, carried, weights, projection.add(into, delta, n), totals

    stack = partial(tf.TensorArray, kernel.dtype, steps // size)
    carried = tuple(tf.zeros_like(state[0]) for state in record[: cell.parts]) if last is None else last
    weights = (tf.zeros_like(kernel), *([tf.zeros_like(kernel[0])] if biased else []))
    totals = tuple(stack(element_shape=(size, *shape[1:])) for _ in carried)
    loop = (steps // size - 1, carried, weights, projection.zero_gradients(steps // size, size), totals)
    _, first, weights, into, totals = tf.while_loop(lambda n, *_: (n + 1) * size > start, block, loop)
    return projection.total(into), tuple(tf.reshape(total.stack(), (steps, *shape[1:])) for total in totals), first, weights


def scan(
    cell: Cell,
    projection: Projection,
    kernel: Tensor,
    bias: Tensor | None,
    initial: State,
    mask: Tensor | None,
    perturbation: State,
    start: Tensor | int = 0,
    final: bool = False,
) -> tuple[State, State]:
    """Differentiable recurrence: `forward` with `backward` as its gradient.

    Args:
        projection: as in `forward`; gradients flow to its tensors.
        perturbation: zeros (T, B, H) for each part of the state; not used in the forward pass, their gradient is dL/ds_t.
        final: return only the state after the last step, (B, H) each; gradients of the other states are then not allocated.

    Returns: states (T, B, H) each, and what the cell saved (without gradient).
    """
    biases = () if bias is None else (bias,)

    @tf.custom_gradient
    def run(kernel: Tensor, *rest: Tensor) -> Any:
        initial = rest[len(biases) : len(biases) + cell.parts]
        record = forward(cell, projection, kernel, rest[0] if biases else None, initial, mask, start)

        def gradient(*upstream: Tensor) -> tuple[Tensor, ...]:
            given = upstream[: cell.parts]
            outside, last = (None, given) if final else (given, None)
            inputs, totals, first, weights = backward_by_blocks(
                cell, outside, record, kernel, mask, last, start, bool(biases), projection
            )
            return *weights, *first, *totals, *inputs

        states, _, saved = split_record(cell, tuple(kept[-2:] for kept in record) if final else record)
        return tuple(state[0] for state in states) if final else (*states, *saved), gradient

    values = run(kernel, *biases, *initial, *perturbation, *projection.tensors)
    return values[: cell.parts], values[cell.parts :]


def layer(
    cell: Cell,
    x: Tensor | TableRows,
    weights: list[Tensor],
    mask: Tensor | None,
    watch: Any,
    start: Tensor | int = 0,
    final: bool = False,
) -> tuple[Tensor, State]:
    """One recurrent layer from zero states, with Keras's weights.

    Args:
        x: (T, B, D) inputs, or rows of a table that is already projected.
        weights: kernel (D, G), recurrent kernel (H, G) and, if any, bias (G,) or (2, G).
        watch: `GradientTape.watch` for the perturbations, or None without gradients.
        start, final: as in `scan`.

    Returns: h, (T, B, H) or with `final` (B, H), and the perturbations.
    """
    inner = weights[2][1] if len(weights) == 3 and len(weights[2].shape) == 2 else None  # GRU with reset_after
    projection = x if isinstance(x, TableRows) else dense(x, weights)
    shape, dtype = tf.shape(projection.inputs), projection.tensors[0].dtype
    initial = zeros(cell, shape[1], dtype)
    if watch is None and final:
        return forward(cell, projection, weights[1], inner, initial, mask, start, last_only=True)[0], ()
    perturbation = tuple(tf.zeros((shape[0], shape[1], cell.units), dtype) for _ in range(cell.parts))
    if watch is not None:
        watch(perturbation)
    states, _ = scan(cell, projection, weights[1], inner, initial, mask, perturbation, start, final)
    return states[0], perturbation
