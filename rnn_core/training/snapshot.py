"""What a training yields: one frozen snapshot per batch, with its run."""

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
    """A training so far: its experiment, newest weights, and one row of numbers per step. The training appends to it."""

    def __init__(
        self, experiment: Experiment, model: Model | None = None, history: History | None = None, norms: NormHistory | None = None
    ) -> None:
        self.experiment = experiment
        self.model = model  # newest weights; in the web process those of the last kept step
        self._history, self._norms = history or History(), norms or NormHistory()

    @property
    def history(self) -> dict[str, np.ndarray]:
        """Columns of `history.COLUMNS`, each (steps,); validation columns are nan at steps without validation."""
        return self._history.columns()

    @property
    def norm_history(self) -> tuple[np.ndarray, np.ndarray]:
        """(R,) steps and (R, T) gradient norms aligned at the last time step; nan in front of shorter batches."""
        return self._norms.matrix()

    def to_keras(self) -> Any:
        """A stock `keras.Sequential` with the newest weights."""
        if self.model is None:
            raise ValueError("this run has no weights yet: let it train until its first kept step")
        return self.model.to_keras()


@dataclass(frozen=True, eq=False)
class Snapshot:
    """The state of a training after `step` batches."""

    run: Run  # history up to this step, and newest weights
    step: int  # batches so far; 0 is the untrained model
    epoch: int  # completed passes over the training data
    epochs: int  # planned passes
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
    steps_per_second: float  # over the last hundred steps, without pauses
    seconds_left: float  # estimate until the last epoch ends; 0 at the end
    seconds: float  # of training so far, without pauses
    model: Model | None = None  # weights, at kept steps only
    reason: str = ""  # why it ended: "finished", "target", "time", "stopped", "diverged"; "" before the end
    advice: str = ""  # one sentence on what to change, or ""
    test_metric: float = float("nan")  # on the task's test part, measured once at the end; nan without one
    checkpoint: Checkpoint | None = None  # every few seconds, else None


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """Everything that an exact resumption needs: weights, optimiser and counters."""

    step: int  # batches so far
    state: Mapping[str, np.ndarray]  # TrainingStep.state()
    seconds: float  # of training


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
