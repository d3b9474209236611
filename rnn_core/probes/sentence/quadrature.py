"""The integral of a gradient along a straight line, refined where it is not yet complete.

The line is cut into pieces, each integrated by Gauss-Legendre points. For every piece the true change of the answer between
its ends is known, so its error is known too, not estimated: pieces whose sum misses that change are cut in two. A trained
network's answer often flips within a small part of the line; there the midpoint rule would need thousands of points.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

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
    points: int  # of the line looked at


def line_integral(look: Callable[[Points], tuple[np.ndarray, np.ndarray]], vector: np.ndarray, tolerance: float) -> Integral:
    """Integrate until the sum misses the answer's change by at most `tolerance`, relative to the change or 1.

    Args:
        look: points α (n,) → the answers (n,) and the gradients (n, *vector.shape) at α·vector.
        vector: where the line from zero ends.
    """
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    nodes, weights = (nodes + 1) / 2, weights / 2
    edges = np.linspace(0, 1, PIECES + 1)
    todo, known = list(pairwise(edges)), {float(edge): math.nan for edge in edges}
    pieces: list[_Piece] = []
    points = 0
    while True:
        inside = [low + (high - low) * nodes for low, high in todo]
        ends = [edge for edge, answer in known.items() if math.isnan(answer)]
        answers, gradients = look(np.concatenate([*inside, ends]))
        points += len(answers)
        known |= {edge: float(answer) for edge, answer in zip(ends, answers[len(answers) - len(ends) :], strict=True)}
        for n, (low, high) in enumerate(todo):
            part = np.tensordot(weights, gradients[n * NODES : (n + 1) * NODES], 1) * (high - low)
            pieces.append(_Piece(low, high, part, abs(float((part * vector).sum()) - (known[high] - known[low]))))
        change = known[1.0] - known[0.0]
        allowed = tolerance * max(1.0, abs(change))
        bad = [piece for piece in pieces if piece.gap > allowed / (2 * len(pieces))]
        if sum(piece.gap for piece in pieces) <= allowed or points + (2 * NODES + 1) * len(bad) > MOST:
            break
        pieces = [piece for piece in pieces if piece not in bad]
        middles = [(piece.low + piece.high) / 2 for piece in bad]
        known |= dict.fromkeys(middles, math.nan)
        todo = [half for piece, middle in zip(bad, middles, strict=True) for half in ((piece.low, middle), (middle, piece.high))]
    mean = np.sum([piece.part for piece in pieces], axis=0)
    return Integral(mean, abs(float((mean * vector).sum()) - change), points)


@dataclass(frozen=True, eq=False)
class _Piece:
    low: float
    high: float
    part: np.ndarray  # integral of the gradient over the piece
    gap: float  # how far it misses the answer's change
