"""One forward and one backward pass of a small network with all intermediate numbers, for the animation.

Shapes: T time, D inputs, H units, G gate columns (H, 4H or 3H).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnn_core.engine.model import Model, build
from rnn_core.spec.experiment import Experiment
from rnn_core.spec.interface import Interface


@dataclass(frozen=True, eq=False)
class Walkthrough:
    """Backpropagation through time on one sequence, with one logit and cross-entropy after its last step."""

    cell: str  # simple_rnn, lstm or gru
    inputs: tuple[str, ...]  # T labels of the inputs
    states: np.ndarray  # (T, H) h after each step
    probability: float  # the network's output for class 1
    target: int  # 0 or 1
    loss: float  # cross-entropy, nats
    gradients: np.ndarray  # (T, S) signed dL/ds_t, S = H, or 2H ([h; c]) for LSTM
    shares: np.ndarray  # (T, H, G) part of dL/dU that arises at each step (temporal components: Pascanu et al. 2013, eq. 3-5)
    learning_rate: float  # of the update

    @property
    def norms(self) -> np.ndarray:
        """(T,) ‖dL/ds_t‖."""
        return np.linalg.norm(self.gradients, axis=1)

    @property
    def share_norms(self) -> np.ndarray:
        """(T,) norm of each step's part of dL/dU."""
        return np.linalg.norm(self.shares, axis=(1, 2))

    @property
    def total(self) -> np.ndarray:
        """(H, G) dL/dU: the sum of the parts."""
        return self.shares.sum(axis=0)


def walkthrough(experiment: Experiment, length: int = 6, units: int = 4) -> Walkthrough:
    """An untrained network of the experiment's kind on one sequence: T random numbers, the target is the sign of the first."""
    rng = np.random.default_rng(experiment.seed)
    values = np.round(rng.normal(0, 1, (length, 1)), 1).astype(np.float64)
    values[values == 0] = 0.1
    model = build(experiment.replace(units=units, layers=1, bidirectional=False), Interface("floats", 1, 1, "binary"))
    labels = tuple(f"{value:+.1f}".replace("-", "−") for value in values[:, 0])
    return both_passes(model, values, int(values[0, 0] > 0), labels)


def both_passes(
    model: Model, values: np.ndarray, target: int, labels: tuple[str, ...], learning_rate: float = 0.1
) -> Walkthrough:
    """Both passes in float64 for one sequence.

    Args:
        model: one recurrent layer on floats, one logit.
        values: (T, D).
        target: 0 or 1.
        labels: T names of the inputs.
    """
    import tensorflow as tf

    from rnn_core.engine import blocks
    from rnn_core.engine.cells import CELLS
    from rnn_core.engine.input_projections import Projected

    spec = model.spec
    cell = CELLS[spec.cell](spec.units, spec.activation, reset_after=spec.reset_after)
    kernel, recurrent, *biases = (np.asarray(weight, np.float64) for weight in model.recurrent[0])
    bias = biases[0] if biases else np.zeros(kernel.shape[1])
    inner = tf.constant(bias[1]) if bias.ndim == 2 else None
    head, offset = (np.asarray(weight, np.float64) for weight in model.head)
    projected = tf.constant((values @ kernel + (bias[0] if bias.ndim == 2 else bias))[:, None, :])
    initial = blocks.zeros(cell, 1, tf.float64)
    record = blocks.forward(cell, Projected(projected), tf.constant(recurrent), inner, initial, None)
    states, previous, saved = blocks.split_record(cell, record)
    logit = float(states[0][-1, 0].numpy() @ head[:, 0] + offset[0])
    probability = 1 / (1 + np.exp(-logit))
    upstream = [np.zeros(state.shape) for state in states]
    upstream[0][-1, 0] = (probability - target) * head[:, 0]
    delta, totals, _ = blocks.backward(cell, tuple(map(tf.constant, upstream)), record, tf.constant(recurrent.T), None)
    pairs = cell.kernel_gradient_pairs(delta, saved, previous)
    shares = np.concatenate([np.einsum("tbh,tbg->thg", left, right) for left, right in pairs], axis=2)
    return Walkthrough(
        cell=spec.cell,
        inputs=labels,
        states=states[0].numpy()[:, 0],
        probability=float(probability),
        target=target,
        loss=float(np.logaddexp(0, -logit if target else logit)),
        gradients=np.concatenate([total.numpy()[:, 0] for total in totals], axis=1),
        shares=shares,
        learning_rate=learning_rate,
    )
