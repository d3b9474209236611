"""Principal components of hidden states: the axes on which trajectories are drawn.

The basis is fitted once, on the states of real tokens of many sequences, and then frozen: trajectories of all sequences
and all steps of training are drawn on the same axes. States before the first token and of padded steps are left
out, because a masked step repeats the state before it and would count it many times (`reference`: Maheswaranathan et al.
2019, "Reverse engineering recurrent networks for sentiment classification", section 3).

Legend: N sequences, T time steps, S numbers in the state, P principal components.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Basis:
    """Axes of largest variance of a set of states. Axes of two networks cannot be compared."""

    mean: np.ndarray  # (S,) float32, mean of the states
    components: np.ndarray  # (P, S) float32, orthonormal rows, largest variance first; the largest entry of each is positive
    variances: np.ndarray  # (S,) float64, variance along all S axes, largest first
    count: int  # states it was fitted on

    @property
    def explained(self) -> np.ndarray:
        """(P,) float64 in 0..1: share of the variance along each kept component."""
        total = self.variances.sum()
        return self.variances[: len(self.components)] / (total if total > 0 else 1.0)

    @property
    def dimension(self) -> float:
        """Participation ratio (Σv)² / Σv², between 1 and S: how many axes the states effectively use; 0 when they are all equal."""
        squares = float(np.square(self.variances).sum())
        return float(self.variances.sum()) ** 2 / squares if squares > 0 else 0.0

    def project(self, states: np.ndarray) -> np.ndarray:
        """Coordinates (..., P) float32 of states (..., S) on the frozen axes."""
        if states.shape[-1] != len(self.mean):
            raise ValueError(f"the basis was fitted on states of {len(self.mean)} numbers, got {states.shape[-1]}")
        return ((states - self.mean) @ self.components.T).astype(np.float32)

    def restore(self, coordinates: np.ndarray) -> np.ndarray:
        """States (..., S) in the plane of the basis: the inverse of `project`, up to the components outside the P axes."""
        return (coordinates @ self.components + self.mean).astype(np.float32)


def fit(states: np.ndarray, mask: np.ndarray | None = None, components: int = 3) -> Basis:
    """The principal components of real tokens' states.

    Args:
        states: (N, T, S) or (N, S) states after each step.
        mask: (N, T) bool, True = real token; None when all are.
        components: P; when the state has fewer numbers, all of them are kept.

    Raises:
        ValueError: fewer than two real states, or a state that is not finite.
    """
    width = states.shape[-1]
    cloud = states.reshape(-1, width) if mask is None else states[np.asarray(mask, bool)]
    cloud = cloud.astype(np.float64)
    if len(cloud) < 2:
        raise ValueError(f"a basis needs at least two real states, got {len(cloud)}")
    if not np.isfinite(cloud).all():
        raise ValueError("the states are not finite: the network has diverged, so it has no principal components")
    mean = cloud.mean(axis=0)
    covariance = (cloud - mean).T @ (cloud - mean) / len(cloud)
    variances, axes = np.linalg.eigh(covariance)  # ascending; one column per axis
    rows = axes.T[::-1][:components]
    peaks = rows[np.arange(len(rows)), np.abs(rows).argmax(axis=1)]
    signs = np.where(peaks < 0, -1.0, 1.0)  # an eigenvector's sign is arbitrary: fixed, so that figures are reproducible
    return Basis(
        mean.astype(np.float32), (rows * signs[:, None]).astype(np.float32), np.maximum(variances[::-1], 0.0), len(cloud)
    )
