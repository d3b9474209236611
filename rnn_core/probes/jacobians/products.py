"""Long products of square matrices where the plain product over- or underflows: their singular values and Lyapunov exponents.

A product is carried as an orthogonal frame times triangular factors (repeated QR). A QR after every step would be safe and slow:
here steps are multiplied as long as float64 resolves their product, and only then is a QR taken.

Shapes: T steps, S size, L lags, R ≤ S directions that have not been dropped.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

# Largest allowed loss of precision between two QRs, as a natural logarithm: the product of the steps' norms over the smallest |R_ii|.
# The logarithm of that entry, about −25, is then known to 2⁻⁵² e²⁵ = 1.6e-5, a millionth of itself, in the worst case.
MAX_LOSS = 25.0
MAX_STEPS = 16  # between two QRs
MARGIN = 20.0  # a direction is dropped when it stays e²⁰ times below anything that is asked for
NEAR = 8.0  # rows whose sizes differ by this much in their logarithms hardly mix
DEAD = -1e8  # logarithm of the size of a row that is zero


def log_singular_values(steps: np.ndarray, lags: Sequence[int], floor: float = -np.inf) -> np.ndarray:
    """(L, S) natural logarithms of the singular values of J_lag … J_1, largest first.

    The triangular factor's rows carry their sizes as logarithms, so that 2,000 steps neither overflow nor underflow and the
    small singular values are not lost in the rounding of the large ones.

    Args:
        steps: (T, S, S) float64: J_1 … J_T.
        lags: between 0 (the identity) and T, in any order.
        floor: logarithms below this may be given as −inf: directions that can no longer rise above it are dropped.
    """
    size, asked = steps.shape[1], sorted(set(lags) - {0})
    found = {0: np.zeros(size)}
    frame, rows, logs = _Frame(steps), np.eye(size), np.zeros(size)  # product = frame · diag(exp(logs)) · rows
    for stop in asked:
        for upper in frame.to(stop):
            logs, rows = _graded(logs, (upper * _ratios(logs)) @ rows)
        values = _log_singular_values(logs, rows)
        found[stop] = np.concatenate([values, np.full(size - len(values), -np.inf)])
        dropped = logs + frame.log_bound(stop, asked[-1]) < floor - MARGIN
        kept = len(logs) - int(np.argmin(dropped[::-1])) if not dropped.all() else 1
        frame.keep(kept)
        rows, logs = np.linalg.qr(rows[:kept].T)[1].T, logs[:kept]  # an orthogonal factor on the right changes no singular value
    return np.stack([found[lag] for lag in lags])


def lyapunov(steps: np.ndarray, skip: int = 0) -> np.ndarray:
    """(S,) Lyapunov exponents in 1/step, largest first: mean log |R_ii| of repeated QR (Benettin 1980).

    Args:
        steps: (T, S, S) float64.
        skip: steps left out of the mean, while the directions converge; less than T.
    """
    frame = _Frame(steps)
    for _ in frame.to(skip):
        pass
    logs = sum((_diagonal(upper) for upper in frame.to(len(steps))), np.zeros(steps.shape[1]))
    return np.asarray(np.sort(logs / (len(steps) - skip))[::-1])


def backwards(steps: np.ndarray) -> np.ndarray:
    """(T, S, S) J_Tᵀ … J_1ᵀ: their product, the last leftmost, is (J_T … J_1)ᵀ, which multiplies a gradient on its way back."""
    return steps[::-1].transpose(0, 2, 1)


class _Frame:
    """Orthonormal directions (S, R), advanced step by step with repeated QR."""

    def __init__(self, steps: np.ndarray) -> None:
        self.steps, self.directions, self.done, self.length = steps, np.eye(steps.shape[1]), 0, MAX_STEPS
        sizes = np.abs(steps)
        norms = np.sqrt(sizes.sum(1).max(-1) * sizes.sum(2).max(-1))  # of ‖J‖₁ and ‖J‖_∞: at least ‖J‖₂
        self._logs = np.concatenate([[0.0], np.cumsum(np.log(np.maximum(norms, 1e-300)))])

    def log_bound(self, start: int, stop: int) -> float:
        """Upper bound of log ‖J_stop … J_{start+1}‖₂."""
        return float(self._logs[stop] - self._logs[start])

    def keep(self, count: int) -> None:
        """Keep only the first `count` directions; they do not depend on the others."""
        self.directions = self.directions[:, :count]

    def to(self, stop: int) -> Iterator[np.ndarray]:
        """(R, R) upper triangular factors up to step `stop`: directions after times factor = steps times directions before."""
        while self.done < stop:
            length = min(self.length, stop - self.done)
            product = self.directions
            for step in self.steps[self.done : self.done + length]:
                product = step @ product
            orthogonal, upper = np.linalg.qr(product)
            loss = self.log_bound(self.done, self.done + length) - float(_diagonal(upper).min())
            self.length = (
                MAX_STEPS
                if loss * MAX_STEPS <= MAX_LOSS * length
                else max(1, int(MAX_LOSS * length / loss))
                if loss < np.inf
                else 1
            )
            if length > 1 and not loss <= MAX_LOSS:
                self.length = min(self.length, length - 1)
                continue
            self.directions, self.done = orthogonal, self.done + length
            yield upper


def _diagonal(upper: np.ndarray) -> np.ndarray:
    """(R,) log |R_ii|."""
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(np.abs(np.diagonal(upper))))


def _ratios(logs: np.ndarray) -> np.ndarray:
    """(R, R) exp(logs_j − logs_i), row i, column j: rescales a matrix between rows of these sizes."""
    return np.asarray(np.exp(np.clip(logs[None, :] - logs[:, None], -700, 30)))


def _graded(logs: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The rows scaled to a largest entry of 1, their sizes moved into the logarithms."""
    sizes = np.abs(rows).max(1)
    alive = sizes > 0
    return logs + np.where(alive, np.log(np.where(alive, sizes, 1)), 10 * DEAD), rows / np.where(alive, sizes, 1)[:, None]


def _log_singular_values(logs: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """(R,) logarithms of the singular values of diag(exp(logs)) · rows, largest first.

    QR steps, which leave singular values unchanged, drive the matrix towards a diagonal of falling size (Stewart 1999, pivoted QLP)
    until rows of different size no longer mix. Then each row is decomposed together with those of about its size.
    """
    for _ in range(6):
        order = np.argsort(-logs)
        logs, rows = logs[order], rows[order]
        if logs[0] - logs[-1] < NEAR:
            break
        lower = np.linalg.qr(rows.T)[1].T
        upper = np.linalg.qr(lower * _ratios(logs).T)[1]
        logs, rows = _graded(logs, upper * _ratios(logs))
        if not np.abs(rows[logs[:, None] > logs + NEAR]).max(initial=0) > 1e-5:  # its effect is this squared
            break
    order = np.argsort(-logs)
    found = _by_size(logs[order], rows[np.ix_(order, order)])
    return np.sort(np.where(found < DEAD, -np.inf, found))[::-1]


def _by_size(logs: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """(R,) The same for rows sorted by size, largest first, where only rows of about the same size mix."""
    found: list[float] = []
    while (n := len(found)) < len(logs):
        first = int(np.argmax(logs <= logs[n] + NEAR))
        last, sure = (int((logs > logs[n] - reach).sum()) for reach in (3 * NEAR, 2 * NEAR))
        sure = len(logs) if last == len(logs) else max(sure, n + 1)
        block = slice(first, max(last, n + 1))
        with np.errstate(divide="ignore"):
            values = np.log(np.linalg.svd(np.exp(logs[block] - logs[first])[:, None] * rows[block, block], compute_uv=False))
        found += list(values[n - first : sure - first] + logs[first])
    return np.array(found)
