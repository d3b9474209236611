"""The gradient norms that a slider asks for, in plain NumPy: what `state_gradients` gives for a small batch, several times sooner.

Shapes: B batch, T time, D inputs, H units. float64 throughout, like `state_gradients`, which the tests hold it against.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnn_core.engine.model import Model
from rnn_core.engine.numpy_recurrence import BackwardPass, Layer, Pass, backward, forward, layers
from rnn_core.probes.gradients.norms import norm


@dataclass(frozen=True, eq=False)
class Quick:
    """Norms for the last recurrent layer of a forward network with one logit y. Each is (B, T) float64."""

    state: np.ndarray  # ‖∂y/∂s_t‖; for LSTM s = [h; c]
    input: np.ndarray  # ‖∂y/∂x_t‖, x_t what the layer reads at step t
    component: np.ndarray  # ‖∂y/∂U at step t‖, U the recurrent kernel
    seen: Pass  # the forward pass, time first


def quick(model: Model, inputs: np.ndarray) -> Quick:
    """The three norms of every step.

    Args:
        model: reads numbers forwards, unmasked, and answers at the end with one logit.
        inputs: (B, T, D) numbers.
    """
    with np.errstate(over="ignore", invalid="ignore"):  # an exploding network's infinities are drawn as gaps
        return _quick(layers(model, "float64"), model.head[0][:, 0], inputs)


def _quick(stack: list[Layer], head: np.ndarray, inputs: np.ndarray) -> Quick:
    x = np.ascontiguousarray(np.swapaxes(inputs, 0, 1), np.float64)
    for layer in stack:
        seen = forward(layer, x)
        x = seen.states[0][1:]
    upstream = np.zeros_like(x)
    upstream[-1] = head
    back = backward(stack[-1], seen, upstream)
    state = norm(back.states[0]) if len(back.states) == 1 else np.hypot(norm(back.states[0]), norm(back.states[1]))
    return Quick(state.T, norm(back.inputs(stack[-1])).T, _component(stack[-1], seen, back).T, seen)


def _component(layer: Layer, seen: Pass, back: BackwardPass) -> np.ndarray:
    """(T, B) norm of the outer product h_{t-1} ⊗ δ_t, which is the product of both norms."""
    before, deltas, size = norm(seen.states[0][:-1]), back.deltas, layer.units
    if layer.cell != "gru":
        return before * norm(deltas)
    gates, candidate = deltas[..., : 2 * size], deltas[..., 2 * size :]
    if layer.reset_after:  # the product with R comes before the reset gate
        return before * np.hypot(norm(gates), norm(candidate * seen.gate(1)))
    return np.hypot(before * norm(gates), norm(seen.states[0][:-1] * seen.gate(1)) * norm(candidate))
