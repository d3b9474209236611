"""A cell's steps through time: forward scan and explicit backpropagation through time, time-major.

The gradient of the state at *every* step falls out of the backward loop. It is handed over as the gradient of `nudge`, zeros
that stand for a small push on each state after its step: dL/dnudge_t is the total derivative dL/ds_t.

Shapes: T time, B batch, D inputs, H units, G packed columns (H, 4H, 3H). A mask is True at real steps; a masked step keeps
the state, so its Jacobian is the identity and its input gets no gradient.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import tensorflow as tf

from rnn_core.engine import xla
from rnn_core.engine.cells import GRU, Cell, State, Tensor
from rnn_core.engine.input_projections import Dense, Projection, Rows, cut, outer_sum

xla.prefer_vectors()  # for all that is compiled from here on

BLOCK = range(10, 51)  # how many steps are taken at once, where T can be divided by one of these


def zeros(cell: Cell, batch: Tensor, dtype: Any) -> State:
    """The state before the first step, zeros (B, H) each."""
    return tuple(tf.zeros((batch, cell.units), dtype) for _ in range(cell.parts))


def before(states: State, initial: State) -> State:
    """The state before each step: `states` (T, B, H) moved one step later, the initial one in front."""
    return tuple(tf.concat((start[None], stack[:-1]), axis=0) for stack, start in zip(states, initial, strict=True))


def length(values: Tensor) -> Tensor | int:
    """T of (T, …): a number where it is known beforehand."""
    return tf.shape(values)[0] if values.shape[0] is None else values.shape[0]


def block_size(values: Tensor) -> int:
    """How many steps of (T, …) make a block; 0 where the shape is not known beforehand or T cannot be divided."""
    steps = values.shape[0] if values.shape.is_fully_defined() else 0
    return max((size for size in BLOCK if steps and steps % size == 0), default=0)


def chosen(cell: Cell, real: Tensor, new: Tensor, old: Tensor) -> Tensor:
    """New where `real` is 1, old where it is 0. Where no number can be infinite, sums of products say the same.

    XLA runs tanh beside a choice at half its speed: that is a tenth of SimpleRNN's training step.
    """
    if cell.activation in ("tanh", "sigmoid"):
        return real * new + (1 - real) * old
    return tf.where(real > 0, new, old)


def forward(
    cell: Cell,
    read: Projection,
    kernel: Tensor,
    bias: Tensor | None,
    initial: State,
    mask: Tensor | None,
    start: Tensor | int = 0,
    bare: bool = False,
) -> State:
    """All steps forward, block by block.

    Args:
        read: the projected inputs.
        kernel, bias: as in `Cell.step`.
        initial: the state before the first step, (B, H) each.
        mask: (T, B, 1) bool or None.
        start: steps before this one are not run; their rows of the result are zeros.
        bare: keep no record; give the last state, (B, H) each.

    Returns: the record, (T + 1, B, H) each: the parts of the state after each step, the initial one in front, then what the
        cell saved, zeros in front. Arrays of their own are read four times as fast as ones side by side.
    """
    steps, size, dtype = length(read.steps), block_size(read.steps), initial[0].dtype
    masks = None if mask is None else tf.TensorArray(dtype, steps).unstack(tf.cast(mask, dtype))
    stack = partial(tf.TensorArray, dtype, steps + 1, element_shape=(read.steps.shape[1], cell.units))
    rows = () if bare else (*initial, *([tf.zeros_like(initial[0])] * cell.saves))
    record = tuple(stack().write(start, value) for value in rows)

    def through(read: Projection, begin: Tensor | int, count: Tensor | int, state: State, record: Any) -> Any:
        xs = tf.TensorArray(dtype, count, clear_after_read=False).unstack(read.values())
        first = tf.maximum(start, begin)
        # A GRU uses its inputs in two places. Where it keeps nothing, XLA makes one pass of the step and reads them in it, twice,
        # without vectors; so they are read one step ahead.
        ahead = [xs.read(tf.minimum(first - begin, count - 1))] if bare and isinstance(cell, GRU) else []

        def body(t: Tensor, state: State, record: Any, *ahead: Tensor) -> tuple[Any, ...]:
            after, saved = cell.step(ahead[0] if ahead else xs.read(t - begin), state, kernel, bias)
            if masks is not None:
                real = masks.read(t)
                after = tuple(chosen(cell, real, new, old) for new, old in zip(after, state, strict=True))
            record = tuple(kept.write(t + 1, new) for kept, new in zip(record, (*after, *saved), strict=not bare))
            return t + 1, after, record, *(xs.read(tf.minimum(t + 1 - begin, count - 1)) for _ in ahead)

        return tf.while_loop(lambda t, *_: t < begin + count, body, (first, state, record, *ahead))[1:3]

    def block(n: Tensor, state: State, record: Any) -> tuple[Any, ...]:
        return n + 1, *through(read.block(n, size), n * size, size, state, record)

    if size:
        loop = (tf.convert_to_tensor(start) // size, initial, record)
        _, last, record = tf.while_loop(lambda n, *_: n * size < steps, block, loop)
    else:
        last, record = through(read, 0, steps, initial, record)
    return last if bare else tuple(kept.stack() for kept in record)


def lanes(cell: Cell, record: State) -> tuple[State, State, State]:
    """States after each step, states before it, and what the cell saved, (T, B, H) each, from a record of T steps."""
    after, previous = tuple(kept[1:] for kept in record), tuple(kept[:-1] for kept in record[: cell.parts])
    return after[: cell.parts], previous, after[cell.parts :]


def backward(
    cell: Cell,
    gradients: State | None,
    record: State,
    turned: Tensor,
    mask: Tensor | None,
    last: State | None = None,
    start: Tensor | int = 0,
) -> tuple[Tensor, State, State]:
    """All steps backward.

    Args:
        gradients: of the states after each step, as far as they leave the recurrence there, (T, B, H) each; None for zeros.
        record: what `forward` gave.
        turned: (G, H) the recurrent kernel's transpose.
        mask: (T, B, 1) bool or None.
        last: more gradient of the state after the last step, (B, H) each; None for zeros.
        start: as in `forward`.

    Returns: the gradient of x (T, B, G), the total derivative of every state (T, B, H) each, and of the initial state.
    """
    states, previous, saved = lanes(cell, record)
    steps, batch, dtype = length(states[0]), record[0].shape[1], record[0].dtype
    factors = cell.factors(saved, states, previous)
    streams = tuple(tf.TensorArray(dtype, steps).unstack(value) for value in (*factors, *(gradients or ())))
    masks = None if mask is None else tf.TensorArray(tf.bool, steps).unstack(mask)
    carried = tuple(tf.zeros_like(value[0]) for value in states) if last is None else last
    rows = tf.TensorArray(dtype, steps + 1, element_shape=(cell.parts, batch, cell.units))

    def body(t: Tensor, carried: State, rows: Any) -> tuple[Any, ...]:
        values = [stream.read(t - 1) for stream in streams]
        local, leaving = tuple(values[: len(factors)]), values[len(factors) :]
        total = tuple(a + b for a, b in zip(carried, leaving, strict=True)) if leaving else carried
        earlier = cell.back(total, local, turned)
        if masks is not None:
            real = masks.read(t - 1)
            earlier = tuple(tf.where(real, new, old) for new, old in zip(earlier, total, strict=True))
        return t - 1, earlier, rows.write(t - 1, tf.stack(earlier))

    loop = (tf.convert_to_tensor(steps), carried, rows.write(steps, tf.stack(carried)))
    _, carried, rows = tf.while_loop(lambda t, *_: t > start, body, loop)
    rows = rows.write(start, tf.zeros_like(tf.stack(carried)))  # that was the initial state: no step
    totals = tuple(tf.unstack(rows.stack()[1:], axis=1))
    totals = tuple(a + b for a, b in zip(totals, gradients, strict=True)) if gradients else totals
    delta = cell.delta(totals, factors, turned)
    return delta if mask is None else tf.where(mask, delta, tf.zeros_like(delta)), totals, carried


def weight_gradients(cell: Cell, delta: Tensor, record: State, biased: bool) -> State:
    """(H, G) dL/dR and, if `biased`, (G,) of the recurrent bias, summed over steps and batch: matmuls after the loop of a block."""
    _, previous, saved = lanes(cell, record)
    pairs = cell.outer(delta, saved, previous)
    kernel = tf.concat([outer_sum(left, right) for left, right in pairs], axis=1)
    if not biased:
        return (kernel,)
    assert isinstance(cell, GRU)
    right = cell.recurrent(delta, saved)
    return kernel, outer_sum(tf.ones_like(right[..., :1]), right)[0]


def swept(
    cell: Cell,
    gradients: State | None,
    record: State,
    kernel: Tensor,
    mask: Tensor | None,
    last: State | None,
    start: Tensor | int,
    biased: bool,
    read: Projection,
) -> tuple[State, State, State, State]:
    """`backward` and the gradients of the weights, block by block from the end.

    What a block of steps needs stays in one core's cache: that is a fifth off the time of 500 steps.

    Args:
        kernel: (H, G) the recurrent kernel.
        biased: whether there is a recurrent bias.
        read: as in `forward`.

    Returns: the gradients of what `read` reads from; the total derivative of every state (T, B, H) each; of the initial
        state; of the recurrent kernel and bias.
    """
    turned, shape = tf.transpose(kernel), record[0].shape
    steps, size = length(read.steps), block_size(read.steps)
    if not size:
        delta, totals, first = backward(cell, gradients, record, turned, mask, last, start)
        return read.gradients(delta), totals, first, weight_gradients(cell, delta, record, biased)

    def block(n: Tensor, carried: State, weights: State, into: Any, totals: Any) -> tuple[Any, ...]:
        leaving = None if gradients is None else tuple(cut(value, n, size) for value in gradients)
        part, real = tuple(cut(kept, n, size, 1) for kept in record), None if mask is None else cut(mask, n, size)
        delta, found, carried = backward(cell, leaving, part, turned, real, carried, tf.maximum(start - n * size, 0))
        weights = tuple(a + b for a, b in zip(weights, weight_gradients(cell, delta, part, biased), strict=True))
        totals = tuple(kept.write(n, total) for kept, total in zip(totals, found, strict=True))
        return n - 1, carried, weights, read.add(into, delta, n), totals

    stack = partial(tf.TensorArray, kernel.dtype, steps // size)
    carried = tuple(tf.zeros_like(state[0]) for state in record[: cell.parts]) if last is None else last
    weights = (tf.zeros_like(kernel), *([tf.zeros_like(kernel[0])] if biased else []))
    totals = tuple(stack(element_shape=(size, *shape[1:])) for _ in carried)
    loop = (steps // size - 1, carried, weights, read.nothing(steps // size, size), totals)
    _, first, weights, into, totals = tf.while_loop(lambda n, *_: (n + 1) * size > start, block, loop)
    return read.total(into), tuple(tf.reshape(total.stack(), (steps, *shape[1:])) for total in totals), first, weights


def scan(
    cell: Cell,
    read: Projection,
    kernel: Tensor,
    bias: Tensor | None,
    initial: State,
    mask: Tensor | None,
    nudge: State,
    start: Tensor | int = 0,
    final: bool = False,
) -> tuple[State, State]:
    """Differentiable recurrence: `forward` with `backward` as its gradient.

    Args:
        read: as in `forward`; gradients flow to its tensors.
        nudge: zeros (T, B, H) for each part of the state; never read, but their gradient is dL/ds_t.
        final: give only the state after the last step, (B, H) each; its gradient needs no zeros for all the others.

    Returns: states (T, B, H) each, and what the cell saved (no gradient flows through that).
    """
    biases = () if bias is None else (bias,)

    @tf.custom_gradient
    def run(kernel: Tensor, *rest: Tensor) -> Any:
        initial = rest[len(biases) : len(biases) + cell.parts]
        record = forward(cell, read, kernel, rest[0] if biases else None, initial, mask, start)

        def gradient(*upstream: Tensor) -> tuple[Tensor, ...]:
            given = upstream[: cell.parts]
            leaving, last = (None, given) if final else (given, None)
            into, totals, first, tied = swept(cell, leaving, record, kernel, mask, last, start, bool(biases), read)
            return *tied, *first, *totals, *into

        states, _, saved = lanes(cell, tuple(kept[-2:] for kept in record) if final else record)
        return tuple(state[0] for state in states) if final else (*states, *saved), gradient

    values = run(kernel, *biases, *initial, *nudge, *read.tensors)
    return values[: cell.parts], values[cell.parts :]


def dense(x: Tensor, weights: list[Tensor]) -> Dense:
    """x K + b of inputs x (T, B, D), with the weights that `layer` takes."""
    bias = None if len(weights) < 3 else weights[2][0] if len(weights[2].shape) == 2 else weights[2]
    return Dense(x, tf.convert_to_tensor(weights[0]), None if bias is None else tf.convert_to_tensor(bias))


def layer(
    cell: Cell,
    x: Tensor | Rows,
    weights: list[Tensor],
    mask: Tensor | None,
    watch: Any,
    start: Tensor | int = 0,
    final: bool = False,
) -> tuple[Tensor, State]:
    """One recurrent layer from zero states, with Keras's weights.

    Args:
        x: (T, B, D) inputs, or rows that are already multiplied by the kernel.
        weights: kernel (D, G), recurrent kernel (H, G) and, if any, bias (G,) or (2, G).
        watch: `GradientTape.watch` for the nudges, or None where no gradient is asked for.
        start, final: as in `scan`.

    Returns: h, (T, B, H) or with `final` (B, H), and the nudges.
    """
    inner = weights[2][1] if len(weights) == 3 and len(weights[2].shape) == 2 else None  # GRU with reset_after
    read = x if isinstance(x, Rows) else dense(x, weights)
    shape, dtype = tf.shape(read.steps), read.tensors[0].dtype
    initial = zeros(cell, shape[1], dtype)
    if watch is None and final:
        return forward(cell, read, weights[1], inner, initial, mask, start, bare=True)[0], ()
    nudge = tuple(tf.zeros((shape[0], shape[1], cell.units), dtype) for _ in range(cell.parts))
    if watch is not None:
        watch(nudge)
    states, _ = scan(cell, read, weights[1], inner, initial, mask, nudge, start, final)
    return states[0], nudge
