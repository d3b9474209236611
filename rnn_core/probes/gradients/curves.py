"""Gradient norms of many examples as one curve over time: median, spread, and the factor lost or gained per step.

Shapes: B examples, T time steps. Index T - 1 is the final step; a lag counts steps back from it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

# Quantities by time step: symbol, and the same in words. Source: Pascanu et al. 2013, eq. 3-5 (temporal components).
QUANTITIES = {
    "state": ("‖∂y/∂sₜ‖", "how much the answer changes when the state at this step changes a little"),
    "loss": ("‖∂L/∂sₜ‖", "how much the loss changes when the state at this step changes a little"),
    "jacobian": ("σ_max(∂s_T/∂sₜ)", "the most that a small change of the state at this step can change the last state"),
    "component": ("‖∂L/∂U at step t‖", "this step's share of the update of the recurrent weights"),
    "input": ("‖∂y/∂xₜ‖", "how much the answer changes when the input at this step changes a little"),
    "hidden": ("‖∂y/∂h_t‖", "the part of the state gradient that belongs to the output h"),
    "cell": ("‖∂y/∂c_t‖", "the part of the state gradient that belongs to the LSTM's cell c"),
    "gate": ("∏ gate", "the product of the forget or update gates alone"),
}
FIT = (5, 45)  # lags between which the factor per step is fitted, as in the initialisation table of reference/science.md


@dataclass(frozen=True, eq=False)
class Curve:
    """One quantity by time step, over the examples of a batch."""

    quantity: str  # key of QUANTITIES
    cell: str  # simple_rnn, lstm or gru
    when: str  # "at init" or "after 1,200 steps"
    median: np.ndarray  # (T,) float64, last = final step; nan where no example has that step
    low: np.ndarray  # (T,) 10th percentile over examples
    high: np.ndarray  # (T,) 90th percentile over examples
    factor: float  # fitted change per step backwards; below 1 the gradient shrinks; nan if it cannot be fitted
    examples: int  # B
    parameters: int = 0  # weights of the whole model
    relative: bool = False  # divided by each example's value at the final step
    label: str = ""  # what the cell's name does not say: a layer, a setting

    @property
    def lags(self) -> np.ndarray:
        """(T,) int: steps before the last one, T - 1 … 0."""
        return np.arange(len(self.median))[::-1]

    def at(self, lag: int) -> float:
        """The median `lag` steps before the end."""
        return float(self.median[len(self.median) - 1 - lag])


def curve(
    norms: np.ndarray,
    quantity: str,
    cell: str,
    when: str,
    *,
    mask: np.ndarray | None = None,
    relative: bool = False,
    parameters: int = 0,
    label: str = "",
) -> Curve:
    """Median and spread of per-example norms over examples. The norm of an averaged gradient would be a different, smaller number.

    Args:
        norms: (B, T) float64.
        mask: (B, T) bool, True = real step; padding is ignored.
        relative: divide each example by its own value at the final step.
    """
    values = np.array(norms, np.float64)
    if mask is not None:
        values[~mask] = np.nan
    if relative:
        last = values[:, -1:]
        values = np.divide(values, last, out=np.full_like(values, np.nan), where=last > 0)
    low, median, high = _quantiles(values)
    return Curve(quantity, cell, when, median, low, high, decay(median), len(values), parameters, relative, label)


def _quantiles(values: np.ndarray) -> np.ndarray:
    """(3, T) 10th, 50th and 90th percentile over examples; nan where no example has the step."""
    ranked = np.sort(values, axis=0)  # nan goes last
    count = np.isfinite(values).sum(axis=0)
    place = np.array([[0.1], [0.5], [0.9]]) * np.maximum(count - 1, 0)
    below = np.floor(place).astype(int)
    above = np.minimum(below + 1, np.maximum(count - 1, 0))
    steps = np.arange(values.shape[1])
    lower, upper = ranked[below, steps], ranked[above, steps]
    return np.where(count > 0, lower + (upper - lower) * (place - below), np.nan)


def decay(median: np.ndarray, lags: tuple[int, int] = FIT) -> float:
    """Factor per step backwards: exp of the least-squares slope of ln(median) over the lags; of a shorter curve, over all its lags.

    nan when fewer than two of these values are positive.
    """
    first, last = lags if len(median) > lags[1] else (0, len(median) - 1)
    lag = np.arange(first, last + 1)
    values = median[len(median) - 1 - lag]
    usable = np.isfinite(values) & (values > 0)
    if usable.sum() < 2:
        return math.nan
    return float(np.exp(np.polyfit(lag[usable], np.log(values[usable]), 1)[0]))


def half_life(factor: float) -> float:
    """Steps after which a gradient multiplied by `factor` each step has halved; negative above 1, where it doubles; inf at 1."""
    if not factor > 0 or factor == 1:
        return math.inf
    return math.log(0.5) / math.log(factor)


def factor_words(factor: float) -> str:
    """The factor per step in words, for the screen."""
    if not math.isfinite(factor):
        return "too short or too small to fit"
    steps = half_life(factor)
    if abs(steps) > 2000:
        return f"keeps its size (× {factor:.4f} per step)"
    verb = "halves" if steps > 0 else "doubles"
    return f"{verb} every {abs(steps):.{1 if abs(steps) < 10 else 0}f} steps back (× {factor:.3f} per step)"
