"""Reads runs from a store: the list, one run, its norms, checkpoint and uploads."""

from __future__ import annotations

import logging
import math
import sqlite3
from functools import lru_cache
from pathlib import Path

import numpy as np

from rnn_core import data
from rnn_core.spec.experiment import Experiment
from rnn_core.store import run_file
from rnn_core.store.files import RunFiles
from rnn_core.store.index import Index, run_row
from rnn_core.store.lock import Owner
from rnn_core.store.run import ACTIVE, KeptStep, RunInfo, RunRecord
from rnn_core.training.history import COLUMNS, INTEGERS, NormHistory

INTERRUPTED = "The app that trained this run ended before it did; resume it to go on from the last checkpoint."
log = logging.getLogger(__name__)


class StoreReader:
    """Reads the runs under one folder, created if missing. Thread-safe; several processes may use one folder."""

    def __init__(self, home: Path) -> None:
        self.home = home
        home.mkdir(parents=True, exist_ok=True)
        self.owner = Owner(home / "owners")
        self._index = Index(home / "runs.sqlite")
        self._files = RunFiles(home)

    def close(self) -> None:
        """Close the store; this process's runs that are still active count as interrupted from now on."""
        self._index.close()
        self.owner.close()

    def list(self) -> list[RunInfo]:
        """All runs, newest first, starter models last. A run that this version cannot read is left out; `open` raises why."""
        with self._index.reading() as db:
            rows = db.execute("SELECT * FROM runs ORDER BY created DESC, id DESC").fetchall()
        return [info for row in rows if (info := self._readable(row))] + run_file.starters()

    def open(self, run_id: str) -> RunRecord:
        """A run with its history. Raises KeyError when there is no such run, ValueError when this version cannot read it."""
        if run_id.startswith("starter-"):
            return run_file.open_starter(run_id)
        with self._index.reading() as db:
            info = self._info(run_row(db, run_id))
            rows = db.execute(f"SELECT {', '.join(COLUMNS)} FROM metrics WHERE run = ? ORDER BY step", [run_id]).fetchall()
            files = db.execute("SELECT * FROM files WHERE run = ? AND what = 'moment' ORDER BY step", [run_id]).fetchall()
        table = np.array([tuple(row) for row in rows], np.float64).reshape(-1, len(COLUMNS))
        columns = {name: table[:, n].astype(np.int64 if name in INTEGERS else np.float64) for n, name in enumerate(COLUMNS)}
        sums = {row["step"]: row["sha256"] for row in files}
        return RunRecord(
            info,
            columns,
            tuple(KeptStep(row["step"], row["epoch"]) for row in files),
            _norms=lambda: self.norms(run_id),
            _read=lambda step: self._files.read(run_id, "moment", step, sums[step]),
            _uploads=lambda: self.uploads(info.experiment),
            upload_missing=bool(info.experiment.data.source) and not self._files.has_upload(info.experiment.data.source),
        )

    def norms(self, run_id: str) -> NormHistory:
        """The thinned gradient norms per time step."""
        with self._index.reading() as db:
            rows = db.execute("SELECT step, logs FROM norms WHERE run = ? ORDER BY step", [run_id]).fetchall()
        return NormHistory((row["step"], np.frombuffer(row["logs"], np.float32)) for row in rows)

    def checkpoint(self, run_id: str) -> bytes | None:
        """Bytes of the newest intact checkpoint file, or None."""
        with self._index.reading() as db:
            rows = db.execute("SELECT * FROM files WHERE run = ? AND what = 'checkpoint' ORDER BY step DESC", [run_id]).fetchall()
        for row in rows:
            try:
                return self._files.read(run_id, "checkpoint", row["step"], row["sha256"])
            except (OSError, ValueError):
                continue
        return None

    def uploads(self, experiment: Experiment) -> dict[str, bytes]:
        """SHA-256 → bytes of the uploaded files that the experiment names and this store holds."""
        return self._files.uploads(experiment.data.source)

    def size(self) -> int:
        """Bytes on disk."""
        return self._files.size()

    def _readable(self, row: sqlite3.Row) -> RunInfo | None:
        try:
            return self._info(row)
        except ValueError as problem:
            _log_unreadable(row["id"], str(problem))
            return None

    def _info(self, row: sqlite3.Row) -> RunInfo:
        """One entry of the list. Raises ValueError for a run of another version whose settings are invalid here."""
        status, message = row["status"], row["message"]
        if status in ACTIVE and not self.owner.alive(row["owner"]):
            status, message = "interrupted", INTERRUPTED
        best, test = (math.nan if row[name] is None else row[name] for name in ("best", "test_metric"))
        experiment, unknown = experiment_of(row["experiment"])
        if unknown:
            note = f"Another version of Unrolled made this run: {', '.join(unknown)[:200]} is not known here and is left out."
            message = f"{message} {note}".strip()
        return RunInfo(row["id"], row["name"], experiment, status, row["created"], row["step"], best, message, test)


@lru_cache(maxsize=1024)
def experiment_of(text: str) -> tuple[Experiment, tuple[str, ...]]:
    """An experiment from its JSON, and the names of its fields that this version does not know.

    Cached, because it takes longer than the rest of a list entry. Raises ValueError for a run of another version.
    """
    try:
        experiment, unknown = Experiment.read_json(text)
        data.task(experiment.data.task)
    except ValueError as problem:
        raise ValueError(f"another version of Unrolled made it ({problem})") from problem
    return experiment, unknown


@lru_cache(maxsize=1024)
def _log_unreadable(run_id: str, problem: str) -> None:
    """Log once per run that it cannot be read."""
    log.warning("run %s is left out of the list: %s", run_id, problem)
