"""Distribution, saturation and correlation with the target of a layer's units and gates over real tokens.

Legend: N sequences, T time steps, H units.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

BINS = 40  # of a distribution of activations
SATURATED = 0.95  # |tanh state| from here on counts as saturated
GATE_LOW, GATE_HIGH = 0.1, 0.9  # a gate below is shut, above is open (Karpathy, Johnson & Fei-Fei 2015, section 4.2)


@dataclass(frozen=True, eq=False)
class Activations:
    """Statistics of every unit and gate over real tokens."""

    edges: np.ndarray  # (BINS + 1,) float64, borders of the bins
    shares: np.ndarray  # (H, BINS) float64, share of each unit's outputs h in each bin; rows sum to 1
    saturated: np.ndarray  # (H,) float64 in 0..1, share of |h| > SATURATED
    spread: np.ndarray  # (H,) float64, standard deviation of h
    correlation: np.ndarray  # (H,) float64 in -1..1, of the last h with the target; NaN where there is no single target
    shut: Mapping[str, np.ndarray]  # gate → (H,) share of real tokens at which it is below GATE_LOW
    open: Mapping[str, np.ndarray]  # gate → (H,) share above GATE_HIGH


def activations(outputs: np.ndarray, gates: Mapping[str, np.ndarray], mask: np.ndarray, targets: np.ndarray) -> Activations:
    """Distribution, saturation and correlation with the target of every unit over real tokens.

    Args:
        outputs: (N, T, H) h after each step.
        gates: name → (N, T, H); candidates, whose values are not in 0..1, are left out.
        mask: (N, T) bool, True = real.
        targets: (N,) float64, NaN where unknown.
    """
    real = outputs[mask].astype(np.float64)  # (tokens, H)
    widest = max(1.0, float(np.abs(real).max(initial=0.0)))  # tanh and sigmoid stay in -1..1; relu and linear may not
    edges = np.linspace(-widest, widest, BINS + 1)
    shares = np.stack([np.histogram(unit, edges)[0] for unit in real.T]) / max(len(real), 1)
    last = outputs[np.arange(len(outputs)), mask.shape[1] - 1 - mask[:, ::-1].argmax(axis=1)].astype(np.float64)
    sigmoid_gates = {name: gate[mask] for name, gate in gates.items() if name not in ("cell", "candidate")}
    return Activations(
        edges,
        shares,
        (np.abs(real) > SATURATED).mean(axis=0),
        real.std(axis=0),
        _correlation(last, targets),
        {name: (gate < GATE_LOW).mean(axis=0) for name, gate in sigmoid_gates.items()},
        {name: (gate > GATE_HIGH).mean(axis=0) for name, gate in sigmoid_gates.items()},
    )


def _correlation(values: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """(H,) Pearson correlation of each column with the targets; 0 for a constant column, NaN without targets."""
    if not np.isfinite(targets).all():
        return np.full(values.shape[1], np.nan)
    centred, centred_targets = values - values.mean(axis=0), targets - targets.mean()
    scale = np.sqrt((centred**2).sum(axis=0) * (centred_targets**2).sum())
    return np.divide(centred_targets @ centred, scale, out=np.zeros(values.shape[1]), where=scale > 0)
