"""Singular values of products of Jacobians by lag, and Lyapunov exponents."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnn_core.probes.jacobians import products

LAGS = 33  # number of lags with singular values, evenly spread: each costs a decomposition
SMALLEST = -745.0  # smaller logarithms are zero in float64


@dataclass(frozen=True, eq=False)
class SingularValues:
    """Singular values of ∂s_T/∂s_{T−lag}: the largest is the most that a small change of that state can change the last one."""

    cell: str  # simple_rnn, lstm or gru
    lags: np.ndarray  # (N,) steps before the end, ascending
    values: np.ndarray  # (N, S) float64, largest first; 0 below the smallest float64


@dataclass(frozen=True, eq=False)
class LyapunovExponents:
    """Lyapunov exponents along one sequence."""

    cell: str  # simple_rnn, lstm or gru
    values: np.ndarray  # (S,) float64, natural logarithm per step, largest first


def singular_values(cell: str, steps: np.ndarray) -> SingularValues:
    """From one-step Jacobians (T, S, S), at `LAGS` lags from 0 to T − 1."""
    lags = np.unique(np.linspace(0, len(steps) - 1, min(LAGS, len(steps))).round().astype(int))
    logs = products.log_singular_values(products.backwards(steps), lags.tolist(), SMALLEST)
    with np.errstate(over="ignore", under="ignore"):
        return SingularValues(cell, lags, np.exp(logs))


def exponents(cell: str, steps: np.ndarray) -> LyapunovExponents:
    """From one-step Jacobians (T, S, S)."""
    return LyapunovExponents(cell, products.lyapunov(steps))
