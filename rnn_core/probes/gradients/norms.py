"""Euclidean norms of very small or large vectors, as gradients through time are."""

from __future__ import annotations

import numpy as np

SAFE = (1e-200, 1e200)  # a sum of squares between these had no under- or overflow


def norm(values: np.ndarray) -> np.ndarray:
    """Norm along the last axis, in float64.

    Squares below 1e-308 would be zero and those above 1e308 infinite, so vectors whose sum of squares is near these limits
    are divided by their largest entry first.
    """
    values = np.asarray(values, np.float64)
    squares = np.einsum("...i,...i->...", values, values)
    extreme = ~((squares > SAFE[0]) & (squares < SAFE[1]))
    found = np.sqrt(squares)
    if extreme.any():
        found[extreme] = _scaled(values[extreme])
    return np.asarray(found)


def _scaled(values: np.ndarray) -> np.ndarray:
    """The same for (N, ·) vectors of any size."""
    size = np.abs(values).max(-1, initial=0)
    scale = np.where((size > 0) & np.isfinite(size), size, 1)
    return np.linalg.norm(values / scale[:, None], axis=-1) * scale
