"""How far back learning reaches: one number from the gradient norms of a sequence, defined once for the whole project.

The norms are those of the asked output before its squashing, ‖∂y/∂s_t‖; where only norms of a loss exist, say "of the loss".
"""

from __future__ import annotations

import numpy as np

SHARE = 0.01  # of the last step's norm: below it, a step counts as not reached


def reach(norms: np.ndarray) -> int:
    """Number of steps counted back from the last, itself included, before the first whose norm is below 1 % of the last step's.

        reach([0.001, 0.2, 0.5, 1.0]) == 3

    A step that is large again behind that first one does not count. A norm that is not a number ends the count; an infinite one
    does not: there the gradient has grown.

    Args:
        norms: (T,) gradient norm per time step, the final one last.

    Returns:
        1 … T; 0 where nothing can be compared, because the last step's norm is zero or not finite, or T = 0.
    """
    values = np.asarray(norms, np.float64)
    if not len(values) or not np.isfinite(values[-1]) or values[-1] <= 0:
        return 0
    below = np.flatnonzero(~(values[::-1] >= SHARE * values[-1]))
    return int(below[0]) if len(below) else len(values)


def median_reach(norms: np.ndarray) -> float:
    """Median over sequences of `reach`, leaving out those without one; nan if none has one.

    Args:
        norms: (B, T) gradient norm per sequence and time step; nan in front of shorter sequences.
    """
    found = [value for value in map(reach, np.asarray(norms, np.float64)) if value]
    return float(np.median(found)) if found else float("nan")
