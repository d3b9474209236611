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

from rnn_core.cells import GRU, Cell, State, Tensor

BLOCK = range(10, 51)  # how many steps of the way back are taken at once, where T can be divided by one of these


def zeros(cell: Cell, batch: Tensor, dtype: Any) -> State:
    """The state before the first step, zeros (B, H) each."""
    return tuple(tf.zeros((batch, cell.units), dtype) for _ in range(cell.parts))


def before(states: State, initial: State) -> State:
    """The state before each step: `states` (T, B, H) moved one step later, the initial one in front."""
    return tuple(tf.concat((start[None], stack[:-1]), axis=0) for stack, start in zip(states, initial, strict=True))


def length(values: Tensor) -> Tensor | int:
    """T of (T, …): a number where it is known beforehand."""
    return tf.shape(values)[0] if values.shape[0] is None else values.shape[0]


def forward(
    cell: Cell,
    x: Tensor,
    kernel: Tensor,
    bias: Tensor | None,
    initial: State,
    mask: Tensor | None,
    start: Tensor | int = 0,
) -> State:
    """All steps forward.

    Args:
        x: (T, B, G) projected inputs.
        kernel, bias: as in `Cell.step`.
        initial: the state before the first step, (B, H) each.
        mask: (T, B, 1) bool or None.
        start: steps before this one are not run; their rows of the result are zeros.

    Returns: the record, (T + 1, B, H) each: the parts of the state after each step, the initial one in front, then what the
        cell saved, zeros in front. Arrays of their own are read four times as fast as ones side by side.
    """
    steps = length(x)
    xs = tf.TensorArray(x.dtype, steps).unstack(x)
    masks = None if mask is None else tf.TensorArray(tf.bool, steps).unstack(mask)
    first = (*initial, *([tf.zeros_like(initial[0])] * cell.saves))
    stack = partial(tf.TensorArray, x.dtype, steps + 1, element_shape=(x.shape[1], cell.units))
    record = tuple(stack().write(start, value) for value in first)

    def body(t: Tensor, state: State, record: Any) -> tuple[Any, ...]:
        after, saved = cell.step(xs.read(t), state, kernel, bias)
        if masks is not None:
            real = masks.read(t)
            after = tuple(tf.where(real, new, old) for new, old in zip(after, state, strict=True))
        return t + 1, after, tuple(kept.write(t + 1, new) for kept, new in zip(record, (*after, *saved), strict=True))

    _, _, record = tf.while_loop(lambda t, *_: t < steps, body, (tf.convert_to_tensor(start), initial, record))
    return tuple(kept.stack() for kept in record)


def read(cell: Cell, record: State) -> tuple[State, State, State]:
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
    states, previous, saved = read(cell, record)
    steps, batch, dtype = length(states[0]), record[0].shape[1], record[0].dtype
    factors = cell.factors(saved, states, previous)
    reads = tuple(tf.TensorArray(dtype, steps).unstack(value) for value in (*factors, *(gradients or ())))
    masks = None if mask is None else tf.TensorArray(tf.bool, steps).unstack(mask)
    carried = tuple(tf.zeros_like(value[0]) for value in states) if last is None else last
    rows = tf.TensorArray(dtype, steps + 1, element_shape=(cell.parts, batch, cell.units))

    def body(t: Tensor, carried: State, rows: Any) -> tuple[Any, ...]:
        values = [read.read(t - 1) for read in reads]
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
    """(H, G) dL/dR and, if `biased`, (G,) of the recurrent bias, summed over steps and batch: matmuls after the loop."""
    _, previous, saved = read(cell, record)
    pairs = cell.outer(delta, saved, previous)
    kernel = tf.concat([tf.tensordot(left, right, ((0, 1), (0, 1))) for left, right in pairs], axis=1)
    if not biased:
        return (kernel,)
    assert isinstance(cell, GRU)
    right = cell.recurrent(delta, saved)
    return kernel, tf.tensordot(tf.ones_like(right[:, :, 0]), right, ((0, 1), (0, 1)))


def swept(
    cell: Cell,
    gradients: State | None,
    record: State,
    kernel: Tensor,
    mask: Tensor | None,
    last: State | None,
    start: Tensor | int,
    biased: bool,
    source: tuple[Tensor, Tensor] | None,
) -> tuple[Tensor, State, State, State]:
    """`backward` and the gradients of the weights, block by block from the end.

    What a block of steps needs stays in one core's cache: that is a fifth off the time of 500 steps.

    Args:
        kernel: (H, G) the recurrent kernel.
        biased: whether there is a recurrent bias.
        source: as in `scan`.

    Returns: the gradient of x (T, B, G), or of the source's rows (V, G); the total derivative of every state (T, B, H) each;
        of the initial state; of the recurrent kernel and bias.
    """
    turned, shape = tf.transpose(kernel), record[0].shape
    steps = shape[0] - 1 if shape.is_fully_defined() else 0
    size = max((n for n in BLOCK if steps and steps % n == 0), default=0)
    if not size:
        delta, totals, first = backward(cell, gradients, record, turned, mask, last, start)
        into = delta if source is None else tf.math.unsorted_segment_sum(delta, source[1], tf.shape(source[0])[0])
        return into, totals, first, weight_gradients(cell, delta, record, biased)

    def block(n: Tensor, carried: State, weights: State, into: Any, totals: Any) -> tuple[Any, ...]:
        def cut(value: Tensor, more: int = 0) -> Tensor:
            return tf.slice(value, [n * size] + [0] * (len(value.shape) - 1), [size + more, *value.shape[1:]])

        leaving, real = None if gradients is None else tuple(map(cut, gradients)), None if mask is None else cut(mask)
        part = tuple(cut(kept, 1) for kept in record)
        delta, found, carried = backward(cell, leaving, part, turned, real, carried, tf.maximum(start - n * size, 0))
        weights = tuple(a + b for a, b in zip(weights, weight_gradients(cell, delta, part, biased), strict=True))
        if source is None:
            into = into.write(n, delta)
        else:
            ids, rows = tf.reshape(cut(source[1]), (-1, 1)), tf.reshape(delta, (-1, kernel.shape[1]))
            into = tf.tensor_scatter_nd_add(into, ids, rows)
        return n - 1, carried, weights, into, tuple(kept.write(n, total) for kept, total in zip(totals, found, strict=True))

    stack = partial(tf.TensorArray, kernel.dtype, steps // size)
    carried = tuple(tf.zeros_like(state[0]) for state in record[: cell.parts]) if last is None else last
    weights = (tf.zeros_like(kernel), *([tf.zeros_like(kernel[0])] if biased else []))
    into = stack(element_shape=(size, shape[1], kernel.shape[1])) if source is None else tf.zeros_like(source[0])
    loop = (steps // size - 1, carried, weights, into, tuple(stack(element_shape=(size, *shape[1:])) for _ in carried))
    _, first, weights, into, totals = tf.while_loop(lambda n, *_: (n + 1) * size > start, block, loop)
    into = tf.reshape(into.stack(), (steps, shape[1], kernel.shape[1])) if source is None else into
    return into, tuple(tf.reshape(total.stack(), (steps, *shape[1:])) for total in totals), first, weights


def scan(
    cell: Cell,
    x: Tensor,
    kernel: Tensor,
    bias: Tensor | None,
    initial: State,
    mask: Tensor | None,
    nudge: State,
    start: Tensor | int = 0,
    final: bool = False,
    source: tuple[Tensor, Tensor] | None = None,
) -> tuple[State, State]:
    """Differentiable recurrence: `forward` with `backward` as its gradient.

    Args:
        x: as in `forward`.
        nudge: zeros (T, B, H) for each part of the state; never read, but their gradient is dL/ds_t.
        final: give only the state after the last step, (B, H) each; its gradient needs no zeros for all the others.
        source: rows (V, G) and ids (T, B) where x is rows[ids]: its gradient goes to the rows, summed.

    Returns: states (T, B, H) each, and what the cell saved (no gradient flows through that).
    """
    biases = () if bias is None else (bias,)
    rows = () if source is None else (source[0],)

    @tf.custom_gradient
    def run(x: Tensor, kernel: Tensor, *rest: Tensor) -> Any:
        initial = rest[len(biases) : len(biases) + cell.parts]
        record = forward(cell, x, kernel, rest[0] if biases else None, initial, mask, start)

        def gradient(*upstream: Tensor) -> tuple[Tensor | None, ...]:
            given = upstream[: cell.parts]
            leaving, last = (None, given) if final else (given, None)
            into, totals, first, tied = swept(cell, leaving, record, kernel, mask, last, start, bool(biases), source)
            return (None if rows else into, *tied, *first, *totals, *((into,) if rows else ()))

        states, _, saved = read(cell, tuple(kept[-2:] for kept in record) if final else record)
        return tuple(state[0] for state in states) if final else (*states, *saved), gradient

    values = run(x, kernel, *biases, *initial, *nudge, *rows)
    return values[: cell.parts], values[cell.parts :]


def projected(x: Tensor, weights: list[Tensor]) -> Tensor:
    """(…, G) x K + b of inputs x (…, D), with the weights that `layer` takes."""
    product = tf.tensordot(x, weights[0], 1)
    if len(weights) == 3:
        product += weights[2][0] if len(weights[2].shape) == 2 else weights[2]
    return product


def layer(
    cell: Cell,
    x: Tensor,
    weights: list[Tensor],
    mask: Tensor | None,
    watch: Any,
    start: Tensor | int = 0,
    final: bool = False,
    source: tuple[Tensor, Tensor] | None = None,
) -> tuple[Tensor, State]:
    """One recurrent layer from zero states, with Keras's weights.

    Args:
        x: (T, B, D) inputs, all projected in one matmul; or with `source` (T, B, G), already projected.
        weights: kernel (D, G), recurrent kernel (H, G) and, if any, bias (G,) or (2, G).
        watch: `GradientTape.watch` for the nudges, or None.
        start, final, source: as in `scan`.

    Returns: h, (T, B, H) or with `final` (B, H), and the nudges.
    """
    inner = weights[2][1] if len(weights) == 3 and len(weights[2].shape) == 2 else None  # GRU with reset_after
    x = projected(x, weights) if source is None else x
    shape = tf.shape(x)
    nudge = tuple(tf.zeros((shape[0], shape[1], cell.units), x.dtype) for _ in range(cell.parts))
    if watch is not None:
        watch(nudge)
    states, _ = scan(cell, x, weights[1], inner, zeros(cell, shape[1], x.dtype), mask, nudge, start, final, source)
    return states[0], nudge
