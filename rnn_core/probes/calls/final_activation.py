"""A model's final activation, applied to its logits."""

from __future__ import annotations

import numpy as np


def apply_final_activation(kind: str, output: np.ndarray) -> np.ndarray:
    """Sigmoid or softmax of `output` along the last axis, in its dtype; anything else leaves it as it is."""
    if kind == "sigmoid":
        return 0.5 * (1 + np.tanh(output / 2))
    if kind == "softmax":
        powers = np.exp(output - output.max(-1, keepdims=True))
        return powers / powers.sum(-1, keepdims=True)
    return output
