"""Jacobians of the recurrence: how a small change of one state changes later states.

J_t = ∂s_t/∂s_{t−1} in column convention (rows: after, columns: before), so ∂s_T/∂s_t = J_T … J_{t+1}. With Keras's row
vectors h' = act(x K + h R + b), J = diag(act') Rᵀ. For a tanh RNN ‖∂s_T/∂s_t‖ ≤ σ_max(R)^(T−t): the largest singular value, not
the spectral radius, which bounds nothing when R is not normal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnn_core.probes.calls.any_model import called
from rnn_core.probes.jacobians import products

# Shapes: T time, H units, S state (H, or 2 H for LSTM: [h; c]), L lags.


@dataclass(frozen=True, eq=False)
class Jacobians:
    """Every one-step Jacobian along one sequence, float64. Step t is the t-th that the layer processes, from the end for a backward layer."""

    layer: str  # name of the layer
    cell: str  # "simple_rnn", "lstm" or "gru"
    steps: np.ndarray  # (T, S, S): J_t = ∂s_t/∂s_{t−1}, column convention; the identity at a masked step
    states: np.ndarray  # (T, S): s_t
    # (T, H): Π of the forget (LSTM) or update (GRU) gate over steps t+1 … T; None for a vanilla RNN
    gate_product: np.ndarray | None
    mask: np.ndarray  # (T,) bool: True where a step is real

    def __len__(self) -> int:
        return len(self.steps)

    def product(self, start: int, stop: int | None = None) -> np.ndarray:
        """(S, S) ∂s_stop/∂s_start = J_stop … J_{start+1}; stop defaults to the last step. May over- or underflow: see `log_product`."""
        matrix, exponent = self.log_product(start, stop)
        with np.errstate(over="ignore", under="ignore"):
            return matrix * np.exp(exponent)

    def log_product(self, start: int, stop: int | None = None) -> tuple[np.ndarray, float]:
        """The same as (matrix with largest entry 1, natural logarithm of the factor to multiply it by)."""
        start, stop = self._step(start), len(self) - 1 if stop is None else self._step(stop)
        if stop < start:
            raise ValueError(f"stop must not come before start, got {start} and {stop}")
        matrix, exponent = np.eye(self.steps.shape[1]), 0.0
        for jacobian in self.steps[start + 1 : stop + 1]:
            matrix, exponent = _scaled(jacobian @ matrix, exponent)
        return matrix, exponent

    def singular_values(self, lags: Sequence[int] | None = None) -> np.ndarray:
        """(L, S) singular values of ∂s_T/∂s_{T−lag}, largest first; they may over- or underflow: see `log_singular_values`."""
        with np.errstate(over="ignore", under="ignore"):
            return np.exp(self.log_singular_values(lags))

    def log_singular_values(self, lags: Sequence[int] | None = None) -> np.ndarray:
        """(L, S) natural logarithms of the singular values of ∂s_T/∂s_{T−lag} for each lag (default 0 … T−1), largest first.

        The product is never formed, so that 2,000 steps neither overflow nor underflow: see `products`.
        """
        asked = list(range(len(self)) if lags is None else lags)
        if any(not 0 <= lag < len(self) for lag in asked):
            raise ValueError(f"lags must be between 0 and {len(self) - 1}, got {asked}")
        return products.log_singular_values(products.backwards(self.steps), asked)

    def norms(self) -> np.ndarray:
        """(T,) ‖∂s_T/∂s_t‖₂ at every step: the largest singular value of each product. The last is 1."""
        return self.singular_values()[::-1, 0]

    def lyapunov(self, skip: int = 0) -> np.ndarray:
        """(S,) Lyapunov exponents along this sequence in 1/step, largest first: mean log |R_ii| of repeated QR (Benettin 1980).

        Args:
            skip: steps left out of the mean, while the directions converge.
        """
        if not 0 <= skip < len(self):
            raise ValueError(f"skip must be between 0 and {len(self) - 1}, got {skip}")
        return products.lyapunov(self.steps, skip)

    def _step(self, step: int) -> int:
        if not -len(self) <= step < len(self):
            raise ValueError(f"steps run from 0 to {len(self) - 1}, got {step}")
        return step % len(self)


def _scaled(matrix: np.ndarray, exponent: float) -> tuple[np.ndarray, float]:
    """The matrix divided by its largest entry, and the exponent plus that entry's logarithm."""
    size = float(np.abs(matrix).max())
    return (matrix / size, exponent + float(np.log(size))) if size > 0 else (matrix, exponent)


def jacobians(model: Any, sequence: Any, mask: Any = None, layer: int | str | None = None) -> Jacobians:
    """All one-step Jacobians of one recurrent layer along one sequence.

    Args:
        model: a Keras model with stock recurrent layers, or our `Model`.
        sequence: (T,) token ids or (T, D) numbers: one sequence, without a batch axis. In a stateful model it is the first of its batch.
        mask: (T,) bool, True at real steps; default: what the model itself masks.
        layer: index among the recurrent layers or name; default the last.

    Raises: ValueError for a sequence that does not fit the model, or a layer that cannot be recorded.
    """
    network = called(model)
    given = None if mask is None else np.repeat(np.asarray(mask)[None], network.batch or 1, 0)
    taken = network.call(_batch_of(sequence, network.batch or 1), given, layer).taken
    cell, states = taken.layer.cell, taken.record.states
    real = np.ones(len(states[0]), bool) if taken.mask is None else taken.mask[:, 0]
    return Jacobians(
        layer=taken.layer.name,
        cell=cell.name,
        steps=taken.jacobians()[:, 0],
        states=np.concatenate([part[:, 0] for part in states], -1),
        gate_product=_later_product(np.where(real[:, None], taken.gates[cell.keep][:, 0], 1)) if cell.keep else None,
        mask=real,
    )


def _batch_of(sequence: Any, size: int) -> Any:
    """The sequence as a batch, `size` times; of a model with several inputs, each of its sequences."""
    if isinstance(sequence, dict):
        return {name: np.repeat(np.asarray(part)[None], size, 0) for name, part in sequence.items()}
    try:
        return np.repeat(np.asarray(sequence)[None], size, 0)
    except ValueError:
        return [np.repeat(np.asarray(part)[None], size, 0) for part in sequence]


def _later_product(gates: np.ndarray) -> np.ndarray:
    """(T, H) product over all later steps."""
    return np.concatenate([np.cumprod(gates[:0:-1], axis=0)[::-1], np.ones_like(gates[:1])])
