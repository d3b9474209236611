"""The number whose gradient is asked for: one output of the model, or its loss. Value and gradient, in NumPy.

Shapes: B batch, T time, K outputs. `outputs` is (B, K) or (B, T, K), before a final sigmoid or softmax.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, eq=False)
class Question:
    """One number per example.

    `of` "output": one of K outputs (`output`; None for the largest of each example), of the last step where there is one at every
    step. "loss": the loss against `targets`, its mean over real steps.
    """

    of: str = "output"
    output: int | None = None
    targets: Any = None

    def __post_init__(self) -> None:
        if self.of not in ("output", "loss"):
            raise ValueError(f'of must be "output" or "loss", got {self.of!r}')

    def answer(self, outputs: np.ndarray, loss: str, mask: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        """(B,) the number, and its gradient with respect to `outputs`, in their shape.

        Args:
            loss: "binary", "categorical" or "squared".
            mask: (B, T) bool, True at real steps, or None.
        """
        if self.of == "output":
            return chosen(outputs, self.output)
        targets = checked_targets(loss, self.targets, outputs.shape)
        values, gradient = losses(loss, outputs, targets)
        if values.ndim == 1:
            return values, gradient
        real = np.ones(values.shape) if mask is None else mask.astype(np.float64)
        share = real / np.maximum(real.sum(1, keepdims=True), 1)
        return (values * share).sum(1), gradient * share[..., None]


def chosen(outputs: np.ndarray, output: int | None) -> tuple[np.ndarray, np.ndarray]:
    """One output of each example, and its gradient: 1 there, 0 elsewhere."""
    if outputs.ndim not in (2, 3):
        raise ValueError(f"the model's output must be (batch, outputs) or (batch, time, outputs), got the shape {outputs.shape}")
    count, last = outputs.shape[-1], outputs[:, -1] if outputs.ndim == 3 else outputs
    if output is not None and not 0 <= output < count:
        raise ValueError(f"output must be between 0 and {count - 1}, got {output}")
    rows, columns = np.arange(len(outputs)), last.argmax(-1) if output is None else np.full(len(outputs), output)
    gradient = np.zeros_like(outputs)
    (gradient[:, -1] if outputs.ndim == 3 else gradient)[rows, columns] = 1
    return last[rows, columns], gradient


def losses(loss: str, outputs: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(B,) or (B, T) loss of each example or step, and the gradient with respect to its outputs (…, K)."""
    if loss == "categorical":
        shifted = outputs - outputs.max(-1, keepdims=True)
        logs = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
        one_hot = np.eye(outputs.shape[-1])[targets.astype(np.int64)]
        return -(logs * one_hot).sum(-1), np.exp(logs) - one_hot
    targets, count = targets.reshape(outputs.shape).astype(np.float64), outputs.shape[-1]
    if loss == "binary":  # log(1 + eˣ) − y x
        return (np.logaddexp(0, outputs) - targets * outputs).mean(-1), (0.5 * (1 + np.tanh(outputs / 2)) - targets) / count
    return np.square(outputs - targets).mean(-1), 2 * (outputs - targets) / count


def checked_targets(loss: str, targets: Any, shape: tuple[int, ...]) -> np.ndarray:
    """Targets as an array that fits outputs of this shape. Raises ValueError: what was expected, and what came."""
    if targets is None:
        raise ValueError('of="loss" needs targets, got None')
    targets = np.asarray(targets)
    if loss == "categorical" and targets.shape == shape:
        targets = targets.argmax(-1)  # one-hot
    wanted = shape[:-1] if loss == "categorical" else shape
    if targets.shape != wanted and targets.shape != (wanted[:-1] if wanted[-1] == 1 else wanted):
        raise ValueError(f"targets must have the shape {wanted}, got {targets.shape}")
    if loss == "categorical" and (targets.min() < 0 or targets.max() >= shape[-1]):
        raise ValueError(f"class ids must be between 0 and {shape[-1] - 1}, got {targets.min()} to {targets.max()}")
    if loss != "categorical" and not np.isfinite(targets).all():
        raise ValueError("targets must be finite, got NaN or infinity")
    return targets
