"""The integral of a gradient along a straight line, refined until it equals the change of the function.

The line is cut into pieces, each integrated by Gauss-Legendre points. The change of the function between
the ends of a piece is known, and so is the error of the piece: pieces with a large error are cut in two. The output of a
trained network often changes sign within a small part of the line, where the midpoint rule would need thousands of points.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

NODES = 8  # Gauss-Legendre points per piece
PIECES = 2  # at the start
MAX_POINTS = 600

Points = np.ndarray  # (n,) float64 in 0..1


@dataclass(frozen=True, eq=False)
class Integral:
    """∫₀¹ ∂f/∂v(α v) dα for each number of v, and its error."""

    mean: np.ndarray  # the mean gradient along the line, in the shape of v
    gap: float  # |Σ v·mean − (f(v) − f(0))|
    points: int  # number of points at which f was evaluated
    ends: tuple[float, float]  # f(0) and f(v)


def line_integral(evaluate: Callable[[Points], tuple[np.ndarray, np.ndarray]], vector: np.ndarray, tolerance: float) -> Integral:
    """Integrate until the gap is at most `tolerance`, relative to the change of f or 1, or MAX_POINTS are used.

    Args:
        evaluate: points α (n,) → values of f (n,) and its gradients (n, *vector.shape) at α·vector.
        vector: end of the line, which starts at zero.
    """
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    nodes, weights = (nodes + 1) / 2, weights / 2
    edges = np.linspace(0, 1, PIECES + 1)
    remaining, known = list(pairwise(edges)), {float(edge): math.nan for edge in edges}
    pieces: list[_Piece] = []
    points = 0
    while True:
        inside = [low + (high - low) * nodes for low, high in remaining]
        ends = [edge for edge, value in known.items() if math.isnan(value)]
        values, gradients = evaluate(np.concatenate([*inside, ends]))
        points += len(values)
        known |= {edge: float(value) for edge, value in zip(ends, values[len(values) - len(ends) :], strict=True)}
        for n, (low, high) in enumerate(remaining):
            part = np.tensordot(weights, gradients[n * NODES : (n + 1) * NODES], 1) * (high - low)
            pieces.append(_Piece(low, high, part, abs(float((part * vector).sum()) - (known[high] - known[low]))))
        change = known[1.0] - known[0.0]
        allowed = tolerance * max(1.0, abs(change))
        bad = [piece for piece in pieces if piece.gap > allowed / (2 * len(pieces))]
        if sum(piece.gap for piece in pieces) <= allowed or points + (2 * NODES + 1) * len(bad) > MAX_POINTS:
            break
        pieces = [piece for piece in pieces if piece not in bad]
        middles = [(piece.low + piece.high) / 2 for piece in bad]
        known |= dict.fromkeys(middles, math.nan)
        remaining = [
            half for piece, middle in zip(bad, middles, strict=True) for half in ((piece.low, middle), (middle, piece.high))
        ]
    mean = np.sum([piece.part for piece in pieces], axis=0)
    return Integral(mean, abs(float((mean * vector).sum()) - change), points, (known[0.0], known[1.0]))


@dataclass(frozen=True, eq=False)
class _Piece:
    low: float
    high: float
    part: np.ndarray  # integral of the gradient over the piece
    gap: float  # |its sum − the change of f over it|
