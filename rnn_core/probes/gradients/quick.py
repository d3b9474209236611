"""Gradient norms of a small batch in plain NumPy, several times faster than `state_gradients`: for sliders.

Shapes: B batch, T time, D inputs, H units. float64 throughout; the tests compare with `state_gradients`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnn_core.engine.model import Model
from rnn_core.engine.numpy_recurrence import BackwardPass, Layer, Pass, backward, forward, layers
from rnn_core.probes.gradients.norms import norm


@dataclass(frozen=True, eq=False)
class QuickNorms:
    """Norms for the last recurrent layer of a forward network with one logit y. Each is (B, T) float64."""

    state: np.ndarray  # ‖∂y/∂s_t‖; for LSTM s = [h; c]
    input: np.ndarray  # ‖∂y/∂x_t‖, x_t the layer's input at step t
    component: np.ndarray  # ‖∂y/∂U at step t‖, U the recurrent kernel
    forward: Pass  # the forward pass, time first


def quick_norms(model: Model, inputs: np.ndarray) -> QuickNorms:
    """The three norms of every step.

    Args:
        model: unidirectional and unmasked, with numbers as inputs and one logit after the last step.
        inputs: (B, T, D) numbers.
    """
    with np.errstate(over="ignore", invalid="ignore"):  # infinities of an exploding network become gaps in the figure
        return _norms(layers(model, "float64"), model.head[0][:, 0], inputs)


def _norms(stack: list[Layer], head: np.ndarray, inputs: np.ndarray) -> QuickNorms:
    x = np.ascontiguousarray(np.swapaxes(inputs, 0, 1), np.float64)
    for layer in stack:
        passed = forward(layer, x)
        x = passed.states[0][1:]
    upstream = np.zeros_like(x)
    upstream[-1] = head
    back = backward(stack[-1], passed, upstream)
    state = norm(back.states[0]) if len(back.states) == 1 else np.hypot(norm(back.states[0]), norm(back.states[1]))
    return QuickNorms(state.T, norm(back.inputs(stack[-1])).T, _component(stack[-1], passed, back).T, passed)


def _component(layer: Layer, passed: Pass, back: BackwardPass) -> np.ndarray:
    """(T, B) norm of the outer product h_{t-1} ⊗ δ_t: the product of both norms."""
    before, deltas, size = norm(passed.states[0][:-1]), back.deltas, layer.units
    if layer.cell != "gru":
        return before * norm(deltas)
    gates, candidate = deltas[..., : 2 * size], deltas[..., 2 * size :]
    if layer.reset_after:  # the product with R comes before the reset gate
        return before * np.hypot(norm(gates), norm(candidate * passed.gate(1)))
    return np.hypot(before * norm(gates), norm(passed.states[0][:-1] * passed.gate(1)) * norm(candidate))
