"""One forward and one backward pass of a small network with all intermediate numbers, for the animation.

Shapes: T time, D inputs, H units, G gate columns (H, 4H or 3H).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnn_core.engine.model import Model, build
from rnn_core.engine.numpy_network import NumpyNetwork
from rnn_core.probes.calls.questions import losses
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
    network = NumpyNetwork(model, "float64")
    passes = network.forward(values[:, None, :].astype(np.float64))
    logit = float(network.logits(passes)[0, 0])
    (loss,), upstream = losses("binary", np.array([[logit]]), np.array([target]))
    gradient = network.backward(passes, upstream)[0]
    shares = [np.einsum("tbh,tbg->thg", left, right) for left, right in gradient.kernel_pairs]
    return Walkthrough(
        cell=model.spec.cell,
        inputs=labels,
        states=passes[0].record.states[0][:, 0],
        probability=float(1 / (1 + np.exp(-logit))),
        target=target,
        loss=float(loss),
        gradients=np.concatenate([total[:, 0] for total in gradient.states], axis=1),
        shares=np.concatenate(shares, axis=2),
        learning_rate=learning_rate,
    )
