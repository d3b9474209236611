"""Forward and backward passes of a unidirectional token model with one logit, in plain NumPy.

Shapes: T time, B batch, E numbers in a token's vector. Time comes first; float32 throughout.
"""

from __future__ import annotations

import numpy as np

from rnn_core.engine.model import Model
from rnn_core.engine.numpy_recurrence import Pass, backward, forward, layers


class Reader:
    """The embedding table, layers and head of one model."""

    def __init__(self, model: Model) -> None:
        self.table, self.layers = model.weights[0], layers(model)
        self.head, self.offset = model.weights[-2][:, 0], float(model.weights[-1][0])

    def passes(self, vectors: np.ndarray, skipped: np.ndarray | None = None) -> list[Pass]:
        """Forward passes of every layer over (T, B, E)."""
        passes: list[Pass] = []
        for layer in self.layers:
            passes.append(forward(layer, passes[-1].states[0][1:] if passes else vectors, skipped))
        return passes

    def logits(self, passes: list[Pass]) -> np.ndarray:
        """(T, B): the logit after every step."""
        return passes[-1].states[0][1:] @ self.head + self.offset

    def gradients(self, vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The final logit (B,), and its gradient with respect to the vectors (T, B, E)."""
        passes = self.passes(vectors)
        upstream = np.zeros_like(passes[-1].states[0][1:])
        upstream[-1] = self.head
        for layer, one in zip(reversed(self.layers), reversed(passes), strict=True):
            upstream = backward(layer, one, upstream).inputs(layer)
        return self.logits(passes)[-1], upstream
