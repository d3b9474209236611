"""A cell's steps through time: forward scan and explicit backpropagation through time, time-major.

The gradient of the state at *every* step falls out of the backward loop. It is handed over as the gradient of `nudge`, zeros
that stand for a small push on each state after its step: dL/dnudge_t is the total derivative dL/ds_t.

Shapes: T time, B batch, D inputs, H units, G packed columns (H, 4H, 3H). A mask is True at real steps; a masked step keeps
the state, so its Jacobian is the identity and its input gets no gradient.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from rnn_core.cells import GRU, Cell, State, Tensor


def zeros(cell: Cell, batch: Tensor, dtype: Any) -> State:
    """The state before the first step, zeros (B, H) each."""
    return tuple(tf.zeros((batch, cell.units), dtype) for _ in range(cell.parts))


def before(states: State, initial: State) -> State:
    """The state before each step: `states` (T, B, H) moved one step later, the initial one in front."""
    return tuple(tf.concat((start[None], stack[:-1]), axis=0) for stack, start in zip(states, initial, strict=True))


def forward(
    cell: Cell, x: Tensor, kernel: Tensor, bias: Tensor | None, initial: State, mask: Tensor | None, start: Tensor | int = 0
) -> tuple[State, State]:
    """All steps forward.

    Args:
        x: (T, B, G) projected inputs.
        kernel, bias: as in `Cell.step`.
        initial: the state before the first step, (B, H) each.
        mask: (T, B, 1) bool or None.
        start: steps before this one are not run; their rows of the result are zeros.

    Returns: states after each step, (T, B, H) each, and what the cell saved, (T, B, n H) each.
    """
    steps, dtype = tf.shape(x)[0], x.dtype
    xs = tf.TensorArray(dtype, steps).unstack(x)
    masks = None if mask is None else tf.TensorArray(tf.bool, steps).unstack(mask)
    widths = (*([1] * cell.parts), *cell.saves)
    stacks = tuple(tf.TensorArray(dtype, steps, element_shape=(x.shape[1], width * cell.units)) for width in widths)

    def body(t: Tensor, state: State, stacks: Any) -> tuple[Any, ...]:
        after, saved = cell.step(xs.read(t), state, kernel, bias)
        if masks is not None:
            real = masks.read(t)
            after = tuple(tf.where(real, new, old) for new, old in zip(after, state, strict=True))
        return t + 1, after, tuple(stack.write(t, value) for stack, value in zip(stacks, (*after, *saved), strict=True))

    _, _, stacks = tf.while_loop(
        lambda t, *_: t < steps, body, (tf.convert_to_tensor(start), initial, stacks), maximum_iterations=steps
    )
    values = tuple(stack.stack() for stack in stacks)
    return values[: cell.parts], values[cell.parts :]


def backward(
    cell: Cell,
    gradients: State | None,
    states: State,
    saved: State,
    kernel: Tensor,
    initial: State,
    mask: Tensor | None,
    last: State | None = None,
    start: Tensor | int = 0,
) -> tuple[Tensor, State, State]:
    """All steps backward.

    Args:
        gradients: of the states after each step, as far as they leave the recurrence there, (T, B, H) each; None for zeros.
        last: more gradient of the state after the last step, (B, H) each; None for zeros.
        start: as in `forward`.

    Returns: the gradient of x (T, B, G), the total derivative of every state (T, B, H) each, and of the initial state.
    """
    steps, dtype = tf.shape(states[0])[0], states[0].dtype
    factors = cell.factors(saved, states, before(states, initial))
    reads = tuple(tf.TensorArray(dtype, steps).unstack(value) for value in (*factors, *(gradients or ())))
    masks = None if mask is None else tf.TensorArray(tf.bool, steps).unstack(mask)
    batch = states[0].shape[1]
    deltas = tf.TensorArray(dtype, steps, element_shape=(batch, cell.blocks * cell.units))
    totals = tuple(tf.TensorArray(dtype, steps, element_shape=(batch, cell.units)) for _ in states)

    def body(t: Tensor, carried: State, deltas: Any, totals: Any) -> tuple[Any, ...]:
        values = [read.read(t) for read in reads]
        local, leaving = tuple(values[: len(factors)]), values[len(factors) :]
        total = tuple(a + b for a, b in zip(carried, leaving, strict=True)) if leaving else carried
        delta, earlier = cell.back(total, local, kernel)
        if masks is not None:
            real = masks.read(t)
            delta = tf.where(real, delta, tf.zeros_like(delta))
            earlier = tuple(tf.where(real, new, old) for new, old in zip(earlier, total, strict=True))
        return (
            t - 1,
            earlier,
            deltas.write(t, delta),
            tuple(stack.write(t, value) for stack, value in zip(totals, total, strict=True)),
        )

    carried = tuple(tf.zeros_like(value) for value in initial) if last is None else last
    loop = (steps - 1, carried, deltas, totals)
    _, carried, deltas, totals = tf.while_loop(lambda t, *_: t >= start, body, loop, maximum_iterations=steps)
    return deltas.stack(), tuple(stack.stack() for stack in totals), carried


def kernel_gradient(cell: Cell, delta: Tensor, saved: State, previous: State) -> Tensor:
    """(H, G) dL/dR, summed over steps and batch: one matmul per block of columns after the loop."""
    return tf.concat([tf.tensordot(left, right, ((0, 1), (0, 1))) for left, right in cell.outer(delta, saved, previous)], axis=1)


def bias_gradient(cell: Cell, delta: Tensor, saved: State) -> Tensor:
    """(G,) gradient of the recurrent bias."""
    assert isinstance(cell, GRU)
    return tf.reduce_sum(cell.recurrent(delta, saved), axis=(0, 1))


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
) -> tuple[State, State]:
    """Differentiable recurrence: `forward` with `backward` as its gradient.

    Args:
        nudge: zeros (T, B, H) for each part of the state; never read, but their gradient is dL/ds_t.
        final: give only the state after the last step, (B, H) each; its gradient needs no zeros for all the others.

    Returns: states (T, B, H) each, and what the cell saved (no gradient flows through that).
    """
    biases = () if bias is None else (bias,)

    @tf.custom_gradient
    def run(x: Tensor, kernel: Tensor, *rest: Tensor) -> Any:
        initial = rest[len(biases) : len(biases) + cell.parts]
        states, saved = forward(cell, x, kernel, rest[0] if biases else None, initial, mask, start)

        def gradient(*upstream: Tensor) -> tuple[Tensor, ...]:
            given = upstream[: cell.parts]
            leaving, last = (None, given) if final else (given, None)
            delta, totals, first = backward(cell, leaving, states, saved, kernel, initial, mask, last, start)
            tied = kernel_gradient(cell, delta, saved, before(states, initial))
            return (delta, tied, *([bias_gradient(cell, delta, saved)] if biases else []), *first, *totals)

        return (*(tuple(stack[-1] for stack in states) if final else states), *(() if final else saved)), gradient

    values = run(x, kernel, *biases, *initial, *nudge)
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
    given: bool = False,
) -> tuple[Tensor, State]:
    """One recurrent layer from zero states, with Keras's weights.

    Args:
        x: (T, B, D) inputs, all projected in one matmul; or (T, B, G), already projected, if `given`.
        weights: kernel (D, G), recurrent kernel (H, G) and, if any, bias (G,) or (2, G).
        watch: `GradientTape.watch` for the nudges, or None.
        start, final: as in `scan`.

    Returns: h, (T, B, H) or with `final` (B, H), and the nudges.
    """
    inner = weights[2][1] if len(weights) == 3 and len(weights[2].shape) == 2 else None  # GRU with reset_after
    x = x if given else projected(x, weights)
    shape = tf.shape(x)
    nudge = tuple(tf.zeros((shape[0], shape[1], cell.units), x.dtype) for _ in range(cell.parts))
    if watch is not None:
        watch(nudge)
    states, _ = scan(cell, x, weights[1], inner, zeros(cell, shape[1], x.dtype), mask, nudge, start, final)
    return states[0], nudge
