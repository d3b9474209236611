"""Gradient clipping on one batch: by the norm of all weights together, and by each weight's own norm.

Sources: Pascanu et al. 2013 (global norm, keeps the direction); Keras `global_clipnorm` and `clipnorm`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Clipping:
    """Norms of one batch's gradients before and after both rules."""

    names: tuple[str, ...]  # N weights
    limit: float  # largest norm allowed
    before: np.ndarray  # (N,) norm of each weight's gradient
    by_global: np.ndarray  # (N,) the same when the norm of all weights together is limited
    by_variable: np.ndarray  # (N,) the same when each weight is limited by itself
    cosine_global: float  # between the gradient before and after; 1 keeps the direction
    cosine_variable: float

    @property
    def norm(self) -> float:
        """Global norm before clipping."""
        return float(np.linalg.norm(self.before))

    @property
    def norm_global(self) -> float:
        """Global norm after the global rule: min(limit, norm)."""
        return float(np.linalg.norm(self.by_global))

    @property
    def norm_variable(self) -> float:
        """Global norm after the per-variable rule: up to limit · √N."""
        return float(np.linalg.norm(self.by_variable))


def compare(norms: np.ndarray, names: Sequence[str], limit: float) -> Clipping:
    """Both rules for one batch, from the norms of its gradients: clipping only rescales each weight's gradient.

    Args:
        norms: (N,) norm of each weight's gradient.
        names: one name per weight.
        limit: largest norm, above 0.
    """
    if not limit > 0:
        raise ValueError(f"the clipping limit must be above 0, got {limit!r}")
    before = np.asarray(norms, np.float64)
    by_global = before * min(1.0, limit / norm) if (norm := float(np.linalg.norm(before))) > 0 else before
    by_variable = np.minimum(before, limit)
    return Clipping(tuple(names), limit, before, by_global, by_variable, _cosine(before, by_global), _cosine(before, by_variable))


def _cosine(first: np.ndarray, second: np.ndarray) -> float:
    """Cosine between two gradients that are parallel weight by weight, from their norms; 1 for zero vectors."""
    size = float(np.linalg.norm(first) * np.linalg.norm(second))
    return float(first @ second) / size if size > 0 else 1.0
