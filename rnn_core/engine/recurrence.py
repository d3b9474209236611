"""Recurrence and backpropagation through time, as in the textbooks: one loop forward, one loop back. In NumPy.

The loop back computes the gradient of the state at *every* step, the total derivative dL/ds_t: what reaches it from later steps
plus what reaches it from outside. A masked step keeps the state, so its Jacobian is the identity and its input has no gradient.

Shapes: T time (first), B batch, H units, G packed columns. Source: Werbos 1990. `blocks.py` is the same for training.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnn_core.engine.cells import Cell, State


@dataclass(frozen=True, eq=False)
class Record:
    """What a pass forward leaves behind."""

    initial: State  # (B, H) each: the state before the first step
    states: State  # (T, B, H) each: the state after each step, h, or h and c
    saved: State  # (T, B, H) each: the gates, and what else the cell's step back needs

    @property
    def previous(self) -> State:
        """(T, B, H) each: the state before each step."""
        return tuple(np.concatenate([first[None], after[:-1]]) for first, after in zip(self.initial, self.states, strict=True))


def forward(
    cell: Cell, x: np.ndarray, kernel: np.ndarray, bias: np.ndarray | None, initial: State, mask: np.ndarray | None = None
) -> Record:
    """All steps forward.

    Args:
        x: (T, B, G) projected inputs, x W + b.
        kernel, bias: recurrent kernel (H, G) and, where the cell has one, bias (G,).
        initial: (B, H) each, the state before the first step.
        mask: (T, B) bool, True at real steps; None where all are.
    """
    new = [np.empty((*x.shape[:2], cell.units), x.dtype) for _ in range(cell.parts + cell.saved_count)]
    state = initial
    for t in range(len(x)):
        after, saved = cell.step(x[t], state, kernel, bias)
        if mask is not None:
            after = tuple(np.where(mask[t, :, None], new, old) for new, old in zip(after, state, strict=True))
        state = after
        for stack, value in zip(new, (*state, *saved), strict=True):
            stack[t] = value
    return Record(initial, tuple(new[: cell.parts]), tuple(new[cell.parts :]))


def backward(
    cell: Cell, record: Record, upstream: State, kernel: np.ndarray, mask: np.ndarray | None = None
) -> tuple[np.ndarray, State, State]:
    """All steps back.

    Args:
        upstream: (T, B, H) each, the gradient of every state from outside the recurrence.

    Returns: the gradient of the projected inputs (T, B, G), the total derivative of every state (T, B, H) each, and of the initial
        state.
    """
    local, transposed = cell.local_derivatives(record.saved, record.states, record.previous), kernel.T.copy()
    delta = np.empty((*record.states[0].shape[:2], kernel.shape[1]), kernel.dtype)
    totals = tuple(np.empty_like(state) for state in record.states)
    gradient = tuple(np.zeros_like(state) for state in record.initial)  # nothing comes after the last step
    for t in range(len(delta) - 1, -1, -1):
        gradient = tuple(later + outside[t] for later, outside in zip(gradient, upstream, strict=True))
        for stack, value in zip(totals, gradient, strict=True):
            stack[t] = value
        delta[t], earlier = cell.backward_step(gradient, tuple(each[t] for each in local), transposed)
        if mask is not None:
            real = mask[t, :, None]
            delta[t] *= real
            earlier = tuple(np.where(real, new, old) for new, old in zip(earlier, gradient, strict=True))
        gradient = earlier
    return delta, totals, gradient
