"""Observes a training network: its states on one fixed validation sequence, and the eigenvalues of its recurrent kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rnn_core.data.sequences import Sequences
from rnn_core.engine.numpy_network import NumpyNetwork
from rnn_core.training.clock import Cadence

if TYPE_CHECKING:
    from rnn_core.engine.model import Model
    from rnn_core.training.step import TrainingStep

PROBE_SECONDS = 0.25  # between two observations, or twenty times their duration


class Observer:
    """The last layer's states on one fixed sequence and the recurrent kernel's eigenvalues, computed every PROBE_SECONDS.

    Args:
        inputs: (T,) token ids or (T, D) floats.
    """

    def __init__(self, inputs: np.ndarray) -> None:
        self.inputs, self.step = inputs, -1
        self.states = np.empty((len(inputs), 0), np.float32)
        self.eigenvalues = np.empty(0, np.complex128)
        self.cadence = Cadence(PROBE_SECONDS)

    def observe(self, training_step: TrainingStep, step: int, now: bool) -> None:
        """Updates `states`, `eigenvalues` and `step` if they are due, or if `now` is true and `step` is a new one."""
        if step == self.step or not (now or self.step < 0 or self.cadence.due()):
            return
        with self.cadence, np.errstate(over="ignore", invalid="ignore"):  # weights may be close to overflow
            model = training_step.model
            self.states, self.eigenvalues, self.step = states(model, self.inputs), eigenvalues(model), step


def states(model: Model, inputs: np.ndarray) -> np.ndarray:
    """(T, S) float32: the last layer's states (forward half) on one sequence of (T,) token ids or (T, D) floats."""
    network = NumpyNetwork(model)
    last = network.forward(network.vectors(inputs[None]), network.mask(inputs[None]))[-network.halves]
    return np.concatenate([state[:, 0] for state in last.record.states], -1)


def eigenvalues(model: Model) -> np.ndarray:
    """(H,) complex128: of the last layer's recurrent kernel; for LSTM and GRU of its candidate block. nan where it is not finite."""
    layer = NumpyNetwork(model, "float64").layers[-1 - model.spec.bidirectional]
    block = np.split(layer.recurrent, len(layer.cell.columns), axis=1)[layer.cell.columns.index(layer.cell.candidate)]
    return np.linalg.eigvals(block) + 0j if np.isfinite(block).all() else np.full(len(block), np.nan, np.complex128)


def probe_inputs(sequences: Sequences, longest: int) -> np.ndarray:
    """The validation sequence of median length, its last `longest` steps."""
    middle = np.argsort(sequences.lengths, kind="stable")[len(sequences) // 2]
    return sequences[int(middle)][-longest:]
