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
    cell: Cell, x: Tensor, kernel: Tensor, bias: Tensor | None, initial: State, mask: Tensor | None
) -> tuple[State, State]:
    """All steps forward.

    Args:
        x: (T, B, G) projected inputs.
        kernel, bias: as in `Cell.step`.
        initial: the state before the first step, (B, H) each.
        mask: (T, B, 1) bool or None.

    Returns: states after each step, (T, B, H) each, and what the cell saved, (T, B, H) each.
    """
    steps, dtype = tf.shape(x)[0], x.dtype
    xs = tf.TensorArray(dtype, steps).unstack(x)
    masks = None if mask is None else tf.TensorArray(tf.bool, steps).unstack(mask)
    stacks = tuple(tf.TensorArray(dtype, steps, element_shape=(x.shape[1], cell.units)) for _ in range(cell.parts + cell.saves))

    def body(t: Tensor, state: State, stacks: Any) -> tuple[Any, ...]:
        after, saved = cell.step(xs.read(t), state, kernel, bias)
        if masks is not None:
            real = masks.read(t)
            after = tuple(tf.where(real, new, old) for new, old in zip(after, state, strict=True))
        return t + 1, after, tuple(stack.write(t, value) for stack, value in zip(stacks, (*after, *saved), strict=True))

    _, _, stacks = tf.while_loop(lambda t, *_: t < steps, body, (0, initial, stacks), maximum_iterations=steps)
    values = tuple(stack.stack() for stack in stacks)
    return values[: cell.parts], values[cell.parts :]


def backward(
    cell: Cell, gradients: State, states: State, saved: State, kernel: Tensor, initial: State, mask: Tensor | None
) -> tuple[Tensor, State, State]:
    """All steps backward.

    Args:
        gradients: of the states after each step, as far as they leave the recurrence there; (T, B, H) each.

    Returns: the gradient of x (T, B, G), the total derivative of every state (T, B, H) each, and of the initial state.
    """
    steps, dtype = tf.shape(states[0])[0], states[0].dtype
    factors = cell.factors(saved, states, before(states, initial))
    reads = tuple(tf.TensorArray(dtype, steps).unstack(value) for value in (*factors, *gradients))
    masks = None if mask is None else tf.TensorArray(tf.bool, steps).unstack(mask)
    batch = states[0].shape[1]
    deltas = tf.TensorArray(dtype, steps, element_shape=(batch, cell.blocks * cell.units))
    totals = tuple(tf.TensorArray(dtype, steps, element_shape=(batch, cell.units)) for _ in states)

    def body(t: Tensor, carried: State, deltas: Any, totals: Any) -> tuple[Any, ...]:
        values = [read.read(t) for read in reads]
        local, leaving = tuple(values[: len(factors)]), values[len(factors) :]
        total = tuple(sum(pair) for pair in zip(carried, leaving, strict=True))
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

    start = tuple(tf.zeros_like(value) for value in initial)
    _, carried, deltas, totals = tf.while_loop(
        lambda t, *_: t >= 0, body, (steps - 1, start, deltas, totals), maximum_iterations=steps
    )
    return deltas.stack(), tuple(stack.stack() for stack in totals), carried


def kernel_gradient(cell: Cell, delta: Tensor, saved: State, previous: State) -> Tensor:
    """(H, G) dL/dR, summed over steps and batch: one matmul per block of columns after the loop."""
    return tf.concat([tf.einsum("tbh,tbg->hg", left, right) for left, right in cell.outer(delta, saved, previous)], axis=1)


def bias_gradient(cell: Cell, delta: Tensor, saved: State) -> Tensor:
    """(G,) gradient of the recurrent bias."""
    assert isinstance(cell, GRU)
    return tf.reduce_sum(cell.recurrent(delta, saved), axis=(0, 1))


def scan(
    cell: Cell, x: Tensor, kernel: Tensor, bias: Tensor | None, initial: State, mask: Tensor | None, nudge: State
) -> tuple[State, State]:
    """Differentiable recurrence: `forward` with `backward` as its gradient.

    Args:
        nudge: zeros (T, B, H) for each part of the state; never read, but their gradient is dL/ds_t.

    Returns: states (T, B, H) each, and the gates (T, B, H) each (no gradient flows through the gates).
    """
    biases = () if bias is None else (bias,)

    @tf.custom_gradient
    def run(x: Tensor, kernel: Tensor, *rest: Tensor) -> Any:
        initial = rest[len(biases) : len(biases) + cell.parts]
        states, saved = forward(cell, x, kernel, rest[0] if biases else None, initial, mask)

        def gradient(*upstream: Tensor) -> tuple[Tensor, ...]:
            delta, totals, first = backward(cell, upstream[: cell.parts], states, saved, kernel, initial, mask)
            tied = kernel_gradient(cell, delta, saved, before(states, initial))
            return (delta, tied, *([bias_gradient(cell, delta, saved)] if biases else []), *first, *totals)

        return (*states, *saved), gradient

    values = run(x, kernel, *biases, *initial, *nudge)
    return values[: cell.parts], values[cell.parts :]
