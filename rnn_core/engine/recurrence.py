"""The recurrence and backpropagation through time as in the textbooks: one loop forward, one loop back. In NumPy.

The loop back gives dL/ds_t at *every* step: what reaches the state s_t directly, from the loss or a layer above, plus what comes back
through the later steps. For LSTM s_t = (h_t, c_t) are two independent parts: the path from c_t to h_t lies inside step t.
A masked step keeps the state, so its Jacobian is the identity and its input has no gradient; what it saved means nothing.

Shapes: T time (first), B batch, H units, G columns. Source: Werbos 1990, whose "ordered derivative" dL/ds_t is.
`blocks.py` computes the same in TensorFlow, faster, for training; tests hold the two together. From δ_t follow dL/dx_t = δ_t Wᵀ and,
summed over steps and batch, dL/dW = Σ x_tᵀ δ_t, dL/db = Σ δ_t and dL/dU (`Cell.kernel_gradient_pairs`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnn_core.engine.cells import Arrays, Cell, State


@dataclass(frozen=True, eq=False)
class Record:
    """What a forward pass leaves behind."""

    initial: State  # (B, H) each: the state before the first step
    states: State  # (T, B, H) each: the state after each step, h, or h and c
    saved: Arrays  # (T, B, H) each: what `Cell.step` saved at each step

    @property
    def previous(self) -> State:
        """(T, B, H) each: the state before each step."""
        return tuple(np.concatenate([first[None], after[:-1]]) for first, after in zip(self.initial, self.states, strict=True))


def forward(
    cell: Cell, projected: np.ndarray, kernel: np.ndarray, bias: np.ndarray | None, initial: State, mask: np.ndarray | None = None
) -> Record:
    """All steps forward.

    Args:
        projected: (T, B, G) x_t W + b.
        kernel: (H, G) U.
        bias: (G,) b_rec, where the cell has one.
        initial: (B, H) each, the state before the first step.
        mask: (T, B) bool, True at real steps; None where all are.
    """
    stacks = [np.empty((*projected.shape[:2], cell.units), projected.dtype) for _ in range(cell.parts + cell.saved_count)]
    state = initial
    for t in range(len(projected)):
        after, saved = cell.step(projected[t], state, kernel, bias)
        if mask is not None:
            after = tuple(np.where(mask[t, :, None], new, kept) for new, kept in zip(after, state, strict=True))
        state = after
        for stack, value in zip(stacks, (*state, *saved), strict=True):
            stack[t] = value
    return Record(initial, tuple(stacks[: cell.parts]), tuple(stacks[cell.parts :]))


def backward(
    cell: Cell, record: Record, direct: State, kernel: np.ndarray, mask: np.ndarray | None = None
) -> tuple[np.ndarray, State, State]:
    """All steps back.

    Args:
        record: of `forward`.
        direct: (T, B, H) each, the gradient that reaches every state directly, not through later steps; zeros for c as a rule.
        kernel: (H, G) U.
        mask: as in `forward`.

    Returns: δ (T, B, G), dL/ds_t (T, B, H) each, and the gradient of the initial state (B, H) each.
    """
    local, transposed = cell.local_derivatives(record.saved, record.states, record.previous), kernel.T.copy()  # a copy is faster
    delta = np.empty((*record.states[0].shape[:2], kernel.shape[1]), kernel.dtype)
    totals = tuple(np.empty_like(state) for state in record.states)
    gradient = tuple(np.zeros_like(state) for state in record.initial)  # nothing comes after the last step
    for t in reversed(range(len(delta))):
        gradient = tuple(later + here[t] for later, here in zip(gradient, direct, strict=True))
        for stack, value in zip(totals, gradient, strict=True):
            stack[t] = value
        delta[t], earlier = cell.backward_step(gradient, tuple(each[t] for each in local), transposed)
        if mask is not None:
            real = mask[t, :, None]
            delta[t] = np.where(real, delta[t], 0)
            earlier = tuple(np.where(real, through, same) for through, same in zip(earlier, gradient, strict=True))
        gradient = earlier
    return delta, totals, gradient
