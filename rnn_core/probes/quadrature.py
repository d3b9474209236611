"""The integral of a gradient along a straight line, refined where it is not yet complete.

The line is cut into pieces, each integrated by Gauss-Legendre points. For every piece the true change of the answer between
its ends is known, so its error is known too, not estimated: pieces whose sum misses that change are cut in two. A trained
network's answer often flips within a small part of the line; there the midpoint rule would need thousands of points.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

NODES = 8  # Gauss-Legendre points per piece
PIECES = 2  # to begin with
MOST = 600  # points of the line at most

Points = np.ndarray  # (n,) float64 in 0..1


@dataclass(frozen=True, eq=False)
class Integral:
    """∫₀¹ ∂f/∂v(α v) dα for each number of v, and how well it adds up."""

    mean: np.ndarray  # the mean gradient along the line, in the shape of v
    gap: float  # |Σ v·mean − (f(v) − f(0))|
    points: int  # gradients computed


def line_integral(
    gradients: Callable[[Points], np.ndarray], answers: Callable[[Points], np.ndarray], vector: np.ndarray, tolerance: float
) -> Integral:
    """Integrate until the sum misses the answer's change by at most `tolerance`, relative to the change or 1.

    Args:
        gradients: points α (n,) → the gradient at α·vector, (n, *vector.shape).
        answers: points α (n,) → the answer at α·vector, (n,).
        vector: where the line from zero ends.
    """
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    nodes, weights = (nodes + 1) / 2, weights / 2
    edges = np.linspace(0, 1, PIECES + 1)
    ends = answers(edges)
    allowed = tolerance * max(1.0, abs(float(ends[-1] - ends[0])))
    todo = list(zip(edges[:-1], edges[1:], np.diff(ends), strict=True))
    pieces: list[tuple[float, float, float, np.ndarray, float]] = []  # low, high, change of the answer, integral, gap
    points = 0
    while todo:
        low, high = (np.array([piece[n] for piece in todo]) for n in (0, 1))
        found = gradients((low[:, None] + (high - low)[:, None] * nodes).ravel()).reshape(len(todo), NODES, *vector.shape)
        points += len(todo) * NODES
        parts = np.einsum("pn...,n->p...", found, weights) * (high - low).reshape(-1, *[1] * vector.ndim)
        gaps = np.array([float((part * vector).sum()) for part in parts]) - [piece[2] for piece in todo]
        pieces += [(*piece, part, abs(gap)) for piece, part, gap in zip(todo, parts, gaps, strict=True)]
        bad = [piece for piece in pieces if piece[4] > allowed / (2 * len(pieces))]
        if sum(piece[4] for piece in pieces) <= allowed or points + 2 * NODES * len(bad) > MOST:
            break
        pieces = [piece for piece in pieces if piece[4] <= allowed / (2 * len(pieces))]
        middles = answers(np.array([(piece[0] + piece[1]) / 2 for piece in bad]))
        starts = answers(np.array([piece[0] for piece in bad]))
        todo = []
        for (a, b, change, _, _), middle, start in zip(bad, middles, starts, strict=True):
            todo += [(a, (a + b) / 2, float(middle - start)), ((a + b) / 2, b, change - float(middle - start))]
    mean = np.sum([piece[3] for piece in pieces], axis=0)
    return Integral(mean, abs(float((mean * vector).sum()) - float(ends[-1] - ends[0])), points)
