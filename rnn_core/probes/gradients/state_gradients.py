"""The gradient of a model's output, or of its loss, with respect to the state at every step.

Of the four quantities called "gradient through time" (Pascanu et al. 2013; Arjovsky et al. 2016; Madsen 2019) this
file gives ‖∂y/∂s_t‖, its parts for h, c and the input x_t, and the temporal components of each weight's gradient; the norm of
the Jacobian product ∂s_T/∂s_t is in `jacobians`. Everything is per example; average norms over examples, never gradients.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from rnn_core.engine.numpy_network import LayerGradient
from rnn_core.probes.calls.any_model import called
from rnn_core.probes.calls.questions import Question
from rnn_core.probes.gradients.norms import norm

# Shapes: B batch, T time, D inputs, H units, S state (H, or 2 H for LSTM: [h; c]), G gate columns, K outputs.


@dataclass(frozen=True, eq=False)
class GradientFlow:
    """Gradients of one number per example, at every step of one recurrent layer. Norms are (B, T) float64 and Euclidean."""

    quantity: str  # what was differentiated: "logit", "output" or "loss"
    value: np.ndarray  # (B,) float64: that number
    gradient: LayerGradient  # all gradients themselves, time first

    @property
    def layer(self) -> str:
        """Name of the layer."""
        return self.gradient.taken.layer.name

    @property
    def cell_name(self) -> str:
        """ "simple_rnn", "lstm" or "gru"."""
        return self.gradient.taken.layer.cell.name

    @cached_property
    def norms(self) -> np.ndarray:
        """‖∂y/∂s_t‖, the total derivative in the full state; for LSTM s = [h; c]."""
        return self.hidden if self.cell is None else np.hypot(self.hidden, self.cell)

    @cached_property
    def hidden(self) -> np.ndarray:
        """The part of h."""
        return self._batch_first(norm(self.gradient.states[0]))

    @cached_property
    def cell(self) -> np.ndarray | None:
        """The part of c (LSTM only)."""
        return self._batch_first(norm(self.gradient.states[1])) if len(self.gradient.states) > 1 else None

    @cached_property
    def inputs(self) -> np.ndarray:
        """‖∂y/∂x_t‖, x_t the layer's input at step t; 0 at masked steps."""
        return np.swapaxes(norm(self.gradient.inputs), 0, 1)

    @cached_property
    def components(self) -> dict[str, np.ndarray]:
        """Weight → Frobenius norm of the part of its gradient that arises at step t."""
        delta, pairs = self.gradient.delta, self.gradient.kernel_pairs
        found = {
            "kernel": norm(self.gradient.taken.inputs) * norm(delta),
            "recurrent_kernel": _joint_norm([norm(left) * norm(right) for left, right in pairs]),
        }
        if biases := self._biases:
            found["bias"] = _joint_norm([norm(part) for part in biases])
        return {weight: self._batch_first(component) for weight, component in found.items()}

    @cached_property
    def totals(self) -> dict[str, np.ndarray]:
        """Weight → its gradient, the sum of those parts over steps and examples, shaped as in Keras."""
        pairs = [(self.gradient.taken.inputs, self.gradient.delta), *self.gradient.kernel_pairs]
        kernel, *recurrent = (np.tensordot(left, right, ((0, 1), (0, 1))) for left, right in pairs)  # einsum would not use BLAS
        found = {"kernel": kernel, "recurrent_kernel": np.concatenate(recurrent, 1)}
        sums = [part.sum((0, 1)) for part in self._biases]
        return found | ({"bias": np.stack(sums) if len(sums) == 2 else sums[0]} if sums else {})

    @cached_property
    def signed(self) -> np.ndarray:
        """(B, T, S): ∂y/∂s_t itself."""
        return self._batch_first(np.concatenate(self.gradient.states, -1))

    @property
    def mask(self) -> np.ndarray:
        """(B, T) bool: True where a step is real."""
        mask = self.gradient.taken.mask
        return np.ones(self.norms.shape, bool) if mask is None else self._batch_first(mask)

    @property
    def _biases(self) -> list[np.ndarray]:
        """(T, B, G) the gradient of each row of the bias at each step."""
        layer, delta = self.gradient.taken.layer, self.gradient.delta
        if layer.bias is None:
            return []
        of_state = [np.concatenate([right for _, right in self.gradient.kernel_pairs], -1)]
        return [delta] if layer.recurrent_bias is None else [delta, *of_state]

    def _batch_first(self, values: np.ndarray) -> np.ndarray:
        return self.gradient.taken.batch_first(values)


def state_gradients(
    model: Any,
    inputs: Any,
    targets: Any = None,
    of: str = "output",
    mask: Any = None,
    layer: int | str | None = None,
    output: int | None = None,
) -> GradientFlow:
    """The gradient of the model's output, or of its loss, with respect to every state of one recurrent layer.

    Args:
        model: a Keras model with stock recurrent layers, or our `Model`.
        inputs: (B, T) token ids or (B, T, D) numbers.
        targets: one per example (and step); only for of="loss".
        of: "output": the logit before a final sigmoid or softmax (p − y of a fitted model is small, which would look like vanishing), or "loss".
        mask: (B, T) bool, True at real steps; default: what the model itself masks.
        layer: index among the recurrent layers or name; default the last.
        output: which of K outputs; default the largest of each example. Of a model with an output at every step, the last step's.

    Computed in float64, so that norms below float32's 1e-38 are not zero. Layers between the probed one and the output
    of a Keras model compute in the model's own precision.

    Raises: ValueError for inputs, targets or a layer that do not fit the model.
    """
    call = called(model).call(inputs, mask, layer, Question(of, output, targets))
    assert call.value is not None
    assert call.gradient is not None
    return GradientFlow(call.quantity if of == "output" else "loss", call.value, call.gradient)


def _joint_norm(norms: list[np.ndarray]) -> np.ndarray:
    """Norm of concatenated vectors, from their own norms."""
    return functools.reduce(np.hypot, norms)
