"""What a training yields: one frozen snapshot per batch, and the run that grows behind it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rnn_core.spec.experiment import Experiment
from rnn_core.training.history import History, NormHistory

if TYPE_CHECKING:
    from rnn_core.engine.model import Model


class Run:
    """What a training made so far: its experiment, its newest weights, and one row of numbers per step. Grows while training goes on."""

    def __init__(
        self, experiment: Experiment, model: Model | None = None, history: History | None = None, norms: NormHistory | None = None
    ) -> None:
        self.experiment = experiment
        self.model = model  # newest weights known here; in the web process those of the last kept epoch
        self._history, self._norms = history or History(), norms or NormHistory()

    @property
    def history(self) -> dict[str, np.ndarray]:
        """Columns of `history.COLUMNS`, each (steps,); validation columns are nan where validation was not measured."""
        return self._history.columns()

    @property
    def norm_history(self) -> tuple[np.ndarray, np.ndarray]:
        """(R,) steps and (R, T) gradient norms aligned at the last time step; nan in front of shorter batches."""
        return self._norms.matrix()

    def to_keras(self) -> Any:
        """A stock `keras.Sequential` with the newest weights."""
        if self.model is None:
            raise ValueError("this run has no weights yet: let it train for a moment")
        return self.model.to_keras()


@dataclass(frozen=True, eq=False)
class Snapshot:
    """One moment of a training, after `step` batches."""

    run: Run  # everything up to here
    step: int  # batches so far; 0 is the untrained model
    epoch: int  # finished passes over the training data
    epochs: int  # passes planned
    steps_per_epoch: int  # batches in a pass
    loss: float  # of this batch, before its update
    metric: float  # of this batch: accuracy, or root mean squared error
    validation_loss: float  # nan when not measured at this snapshot
    validation_metric: float  # nan when not measured at this snapshot
    state_norms: np.ndarray  # (T,) float64: ‖∂L/∂s_t‖ at each time step, mean over the batch; last = final time step
    gradient_norm: float  # global norm of all weight gradients, before clipping
    clipped_norm: float  # the same after clipping
    probe_inputs: np.ndarray  # (T',) token ids or (T', D) floats: one fixed validation sequence
    probe_states: np.ndarray  # (T', S) float32: the last recurrent layer's states on one fixed validation sequence
    eigenvalues: np.ndarray  # (H,) complex128: of the last layer's recurrent kernel (its candidate block for LSTM and GRU)
    probe_step: int  # the step at which probe_states and eigenvalues were taken (a few times per second)
    learning_rate: float  # in force at this step
    steps_per_second: float  # smoothed, pauses left out
    seconds_left: float  # estimate until the last epoch ends; 0 at the end
    seconds: float  # spent training so far, pauses left out
    model: Model | None = None  # weights, at kept steps only
    reason: str = ""  # why it ended: "finished", "target", "time", "stopped", "diverged"; "" while it goes on
    advice: str = ""  # one sentence when there is something to do about it
    test_metric: float = float("nan")  # on the task's test part, measured once at the end where there is one
    checkpoint: Checkpoint | None = None  # everything needed to go on from exactly here, every few seconds


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """Everything needed to go on exactly: weights, optimiser and counters."""

    step: int  # batches done
    state: Mapping[str, np.ndarray]  # Stepper.state()
    seconds: float  # spent training


def row_of(snapshot: Snapshot) -> tuple[float, ...]:
    """A snapshot's row of metrics, in the order of `history.COLUMNS`."""
    return (
        snapshot.step,
        snapshot.epoch,
        snapshot.loss,
        snapshot.metric,
        snapshot.validation_loss,
        snapshot.validation_metric,
        snapshot.gradient_norm,
        snapshot.clipped_norm,
        snapshot.learning_rate,
        snapshot.seconds,
    )
