"""A run as its readers see it: an entry of the list, and an opened run with its history and kept weights."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from rnn_core import data
from rnn_core.spec.experiment import Experiment
from rnn_core.store.saved import model_of, read_kept_step
from rnn_core.training.history import NormHistory

if TYPE_CHECKING:
    from rnn_core.engine.model import Model

STATUSES = ("waiting", "running", "paused", "finished", "stopped", "interrupted", "failed", "imported")
ACTIVE = ("waiting", "running", "paused")
MAX_NAME_LENGTH = 80  # characters


@dataclass(frozen=True)
class RunInfo:
    """One entry of the list of runs."""

    id: str  # "20261121-0a1b2c3d", or "starter-lstm" for a built-in one
    name: str  # shown to users; not unique
    experiment: Experiment
    status: str  # one of STATUSES
    created: float  # seconds since 1970
    step: int  # batches trained
    metric: float  # best validation metric so far; nan when never measured
    message: str  # one sentence: why it stopped or failed, and what to do; "" when there is nothing to say
    test_metric: float = math.nan  # on the task's test part, measured once at the end; nan before, or without one
    builtin: bool = False  # ships with the project, read-only
    kind: str = "run"


@dataclass(frozen=True)
class KeptStep:
    """A step of a run whose weights were kept."""

    step: int  # batches trained
    epoch: int  # finished passes


@dataclass(frozen=True, eq=False)
class RunRecord:
    """An opened run. Norms, weights and uploads are read from disk on access."""

    info: RunInfo
    history: dict[str, np.ndarray]  # columns of `history.COLUMNS`, each (steps,)
    snapshots: tuple[KeptStep, ...]  # in the order of their steps; empty until the first was kept
    _norms: Callable[[], NormHistory]
    _read: Callable[[int], bytes]  # step → bytes of its file; ValueError or OSError when damaged
    _uploads: Callable[[], dict[str, bytes]] = dict
    upload_missing: bool = False  # whether the experiment names an uploaded file that is not in the store

    @property
    def id(self) -> str:
        return self.info.id

    @property
    def name(self) -> str:
        return self.info.name

    @property
    def experiment(self) -> Experiment:
        return self.info.experiment

    @property
    def status(self) -> str:
        return self.info.status

    @cached_property
    def uploads(self) -> dict[str, bytes]:
        """SHA-256 → bytes of the uploaded files that the experiment names, for `data.build`."""
        return self._uploads()

    @cached_property
    def norm_history(self) -> tuple[np.ndarray, np.ndarray]:
        """(R,) steps and (R, T) gradient norms ‖∂L/∂s_t‖, aligned at the last time step (last column); nan in front of shorter batches."""
        return self._norms().matrix()

    def snapshot(self, step: int | None = None) -> dict[str, np.ndarray]:
        """Arrays of the kept step (default: the newest intact one): state_norms, probe_states, eigenvalues, weights w0, w1, …"""
        return self._kept_step(step)[1]

    def model(self, step: int | None = None) -> Model:
        """The model at a kept step (default: the newest intact one). Raises ValueError with a sentence."""
        return model_of(self.experiment.model, *self._kept_step(step))

    def _kept_step(self, step: int | None) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        steps = [kept.step for kept in self.snapshots]
        if step is None:
            for candidate in reversed(steps):
                with suppress(ValueError):  # damaged: the one before may be intact
                    return self._kept_step(candidate)
            reason = "the files of all its kept weights are damaged" if steps else "it has kept no weights yet"
            raise ValueError(f"the run {self.name!r} has nothing to look into: {reason}")
        if step not in steps:
            raise ValueError(f"run {self.name!r} kept no weights at step {step}")
        try:
            return read_kept_step(self._read(step))
        except (ValueError, OSError) as problem:
            sentence = f"The weights kept at step {step} cannot be read ({problem}); the rest of the run is fine."
            raise ValueError(sentence) from problem

    def _problem(self, step: int) -> str:
        """One sentence when the weights of a kept step cannot be read, else ""."""
        try:
            self._kept_step(step)
        except ValueError as problem:
            return str(problem)
        return ""


def clean(name: str) -> str:
    """A name as one short line of printable characters."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in name[:1000]).split())[:MAX_NAME_LENGTH].strip()


def default_name(experiment: Experiment) -> str:
    """Cell and task, such as "LSTM · IMDB reviews"."""
    cell = {"simple_rnn": "Vanilla RNN"}.get(experiment.model.cell, experiment.model.cell.upper())
    try:
        title = data.task(experiment.data.task).title
    except ValueError:
        title = experiment.data.task
    return clean(f"{cell} · {title}")
