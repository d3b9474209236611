"""A model that reads token vectors forwards and answers with one logit, in plain NumPy.

Shapes: T time, B batch, E numbers in a token's vector. Time comes first; float32 throughout.
"""

from __future__ import annotations

import numpy as np

from rnn_core.engine.model import Model
from rnn_core.engine.numpy_recurrence import Pass, backward, forward, layers


class Reader:
    """The model's table, layers and head."""

    def __init__(self, model: Model) -> None:
        self.table, self.layers = model.weights[0], layers(model)
        self.head, self.offset = model.weights[-2][:, 0], float(model.weights[-1][0])

    def passes(self, vectors: np.ndarray, skipped: np.ndarray | None = None) -> list[Pass]:
        """Forward passes of every layer over (T, B, E)."""
        seen: list[Pass] = []
        for layer in self.layers:
            seen.append(forward(layer, seen[-1].states[0][1:] if seen else vectors, skipped))
        return seen

    def logits(self, seen: list[Pass]) -> np.ndarray:
        """(T, B): the answer after every step."""
        return seen[-1].states[0][1:] @ self.head + self.offset

    def gradients(self, vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The final logit (B,), and its gradient in the vectors (T, B, E)."""
        seen = self.passes(vectors)
        upstream = np.zeros_like(seen[-1].states[0][1:])
        upstream[-1] = self.head
        for layer, one in zip(reversed(self.layers), reversed(seen), strict=True):
            upstream = backward(layer, one, upstream).inputs(layer)
        return self.logits(seen)[-1], upstream
