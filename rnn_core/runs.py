"""The run store: an SQLite index with every metric row, and one checksummed file per kept snapshot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rnn_core.experiment import Experiment

if TYPE_CHECKING:
    from rnn_core.models import Model

STATUSES = ("waiting", "running", "paused", "finished", "stopped", "interrupted", "failed")


@dataclass(frozen=True)
class RunInfo:
    """One line of the list of runs."""

    id: str  # "20261121-0a1b2c3d", or "starter-lstm" for a built-in one
    name: str  # for people; not unique
    experiment: Experiment
    status: str  # one of STATUSES
    created: float  # seconds since 1970
    step: int  # batches trained
    metric: float  # best validation metric so far; nan when never measured
    message: str  # one sentence: why it stopped or failed, and what to do; "" when there is nothing to say
    builtin: bool = False  # ships with the project, read-only
    kind: str = "run"


@dataclass(frozen=True)
class Kept:
    """A moment of a run whose weights were kept."""

    step: int
    epoch: int


@dataclass(frozen=True, eq=False)
class RunRecord:
    """A run opened for reading. Big arrays are read from disk when asked for."""

    info: RunInfo
    experiment: Experiment
    status: str
    history: dict[str, np.ndarray]  # columns of `history.COLUMNS`, each (steps,)
    snapshots: tuple[Kept, ...]  # in the order of their steps; empty until the first was kept
    problems: tuple[str, ...]  # a sentence per snapshot that cannot be read
    _norms: Callable[[], tuple[np.ndarray, np.ndarray]]
    _read: Callable[[int], dict[str, np.ndarray]]

    @property
    def id(self) -> str:
        return self.info.id

    @property
    def name(self) -> str:
        return self.info.name

    @property
    def norm_history(self) -> tuple[np.ndarray, np.ndarray]:
        """(R,) steps and (R, T) gradient norms ‖∂L/∂s_t‖, aligned at the last time step (last column); nan in front of shorter batches."""
        return self._norms()

    def snapshot(self, step: int | None = None) -> dict[str, np.ndarray]:
        """Arrays of the kept snapshot at `step` (default: the latest): state_norms, probe_states, eigenvalues, and the weights w0, w1, …"""
        raise NotImplementedError

    def model(self, step: int | None = None) -> Model:
        """The model as it was at the kept `step` (default: the latest)."""
        raise NotImplementedError


class Store:
    """Runs under one folder: `home`, else UNROLLED_HOME, else the platform's user data folder."""

    def __init__(self, home: str | Path | None = None) -> None:
        raise NotImplementedError

    def list(self) -> list[RunInfo]:
        """Newest first, starter models last."""
        raise NotImplementedError

    def open(self, run_id: str) -> RunRecord:
        """Raises KeyError with a sentence when there is no such run."""
        raise NotImplementedError

    def rename(self, run_id: str, name: str) -> None:
        raise NotImplementedError

    def delete(self, run_id: str) -> None:
        raise NotImplementedError

    def prune(self, megabytes: float) -> list[str]:
        """Delete the oldest ended runs until the store is smaller than this; returns their ids."""
        raise NotImplementedError

    def export(self, run_id: str, path: str | Path) -> Path:
        """Write one run as a single file."""
        raise NotImplementedError

    def import_(self, path: str | Path) -> str:
        """Read such a file, checking everything in it; returns the new run's id. Raises ValueError with a sentence."""
        raise NotImplementedError
