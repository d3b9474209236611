"""The run store, with write access: an SQLite index with every metric row, and one checksummed file per kept step.

Many processes may read and write one store at once (SQLite's write-ahead log); each run is written by one of them, its
owner. A run whose owner has ended is interrupted, and any process can resume it.
"""

from __future__ import annotations

import math
import secrets
import sqlite3
import time
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from rnn_core import data
from rnn_core.data.disk import home_folder
from rnn_core.spec.experiment import Experiment
from rnn_core.store import run_file
from rnn_core.store.arrays import checksum
from rnn_core.store.index import run_row
from rnn_core.store.reader import StoreReader, experiment_of
from rnn_core.store.run import ACTIVE, STATUSES, KeptStep, RunInfo, RunRecord, clean, default_name
from rnn_core.store.saved import SavedFile
from rnn_core.training.history import COLUMNS

__all__ = ["ACTIVE", "STATUSES", "KeptStep", "RunInfo", "RunRecord", "Store", "clean", "default_name", "store"]


@cache
def store() -> Store:
    """The process's one store, under `home_folder()`."""
    return Store()


class Store(StoreReader):
    """The run store, with write access: creates, writes, renames, deletes, exports and imports runs."""

    def __init__(self, home: str | Path | None = None) -> None:
        super().__init__(home_folder(home))

    def create(
        self,
        experiment: Experiment,
        *,
        uploads: Mapping[str, bytes] | None = None,
        name: str = "",
        status: str = "waiting",
        message: str = "",
    ) -> str:
        """Create a run owned by this process, without steps; returns its id. Raises ValueError for an upload under a wrong SHA-256."""
        self._files.write_uploads(uploads or {})
        run_id = time.strftime("%Y%m%d-") + secrets.token_hex(5)
        name = clean(name) or default_name(experiment)
        values = (run_id, name, experiment.to_json(), status, time.time(), self.owner.id, message)
        with self._index.transaction() as db:
            db.execute(
                "INSERT INTO runs(id, name, experiment, status, created, owner, message) VALUES (?, ?, ?, ?, ?, ?, ?)", values
            )
        return run_id

    def record(
        self,
        run_id: str,
        rows: Iterable[tuple[float, ...]] = (),
        norms: Iterable[tuple[int, np.ndarray]] = (),
        stride: int = 1,
        **changes: Any,
    ) -> None:
        """Add metric rows (in the order of COLUMNS) and gradient norms, and set columns of the run, in one transaction.

        A row replaces an earlier one of its step. Norms of steps that `stride` (see NormHistory) leaves out are deleted.
        Raises KeyError when the run was deleted.
        """
        rows = [tuple(row) for row in rows]
        with self._index.transaction() as db:
            run = run_row(db, run_id)
            if rows:
                marks = ", ".join("?" * (len(COLUMNS) + 1))
                db.executemany(f"INSERT OR REPLACE INTO metrics VALUES ({marks})", [(run_id, *row) for row in rows])
                measured = [row[COLUMNS.index("validation_metric")] for row in rows]
                changes |= {"step": int(rows[-1][0]), "best": _best(run["experiment"], [run["best"], *measured])}
            db.executemany(
                "INSERT OR REPLACE INTO norms VALUES (?, ?, ?)", [(run_id, step, logs.tobytes()) for step, logs in norms]
            )
            if stride > 1:
                db.execute("DELETE FROM norms WHERE run = ? AND (step - 1) % ? != 0", [run_id, stride])
            for column, value in changes.items():
                db.execute(f"UPDATE runs SET {column} = ? WHERE id = ?", [value, run_id])

    def keep(self, run_id: str, file: SavedFile) -> None:
        """Store a kept step, or a checkpoint in place of the one before. Raises KeyError when the run was deleted."""
        self._check_exists(run_id)
        try:
            self._files.write(run_id, file.kind, file.step, file.data)
        except FileNotFoundError:
            self._check_exists(run_id)  # raises if the run was deleted meanwhile, and its folder with it
            raise
        old: list[sqlite3.Row] = []
        with self._index.transaction() as db:
            run_row(db, run_id)
            if file.kind == "checkpoint":
                old = db.execute(
                    "SELECT step FROM files WHERE run = ? AND what = ? AND step != ?", [run_id, file.kind, file.step]
                ).fetchall()
                db.execute("DELETE FROM files WHERE run = ? AND what = ?", [run_id, file.kind])
            values = (run_id, file.kind, file.step, file.epoch, checksum(file.data), len(file.data))
            db.execute("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?)", values)
        for row in old:
            self._files.delete(run_id, file.kind, row["step"])

    def rewind(self, run_id: str, step: int) -> None:
        """Delete everything after `step`, to continue from there, and make this process the run's owner."""
        with self._index.transaction() as db:
            run = run_row(db, run_id)
            for table in ("metrics", "norms", "files"):
                db.execute(f"DELETE FROM {table} WHERE run = ? AND step > ?", [run_id, step])
            measured = db.execute("SELECT validation_metric FROM metrics WHERE run = ?", [run_id]).fetchall()
            best = _best(run["experiment"], [row[0] for row in measured])
            db.execute("UPDATE runs SET step = ?, best = ?, owner = ? WHERE id = ?", [max(step, 0), best, self.owner.id, run_id])

    def rename(self, run_id: str, name: str) -> None:
        """Set the name of a run. Raises ValueError for an empty name or a starter model."""
        self._refuse_builtin(run_id)
        if not clean(name):
            raise ValueError("a run needs a name")
        self.record(run_id, name=clean(name))

    def delete(self, run_id: str) -> None:
        """Delete a run and its files. Raises ValueError for a starter model, or while another process trains the run."""
        self._refuse_builtin(run_id)
        with self._index.transaction() as db:
            row = run_row(db, run_id)
            if row["status"] in ACTIVE and row["owner"] != self.owner.id and self.owner.alive(row["owner"]):
                raise ValueError(f"{row['name']} is being trained by another Unrolled process: stop it there first")
            for table, key in (("metrics", "run"), ("norms", "run"), ("files", "run"), ("runs", "id")):
                db.execute(f"DELETE FROM {table} WHERE {key} = ?", [run_id])
        self._files.delete_all(run_id)
        self._index.execute("PRAGMA incremental_vacuum")

    def prune(self, megabytes: float) -> list[str]:
        """Delete the oldest ended runs until the store is at most this large; returns their ids."""
        removed = []
        for info in reversed([info for info in self.list() if not info.builtin and info.status not in ACTIVE]):
            if self.size() <= megabytes * 2**20:
                break
            self.delete(info.id)
            removed.append(info.id)
            self._index.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return removed

    def export(self, run_id: str, path: str | Path) -> Path:
        """Write a run as one file: experiment, history, norms, kept steps and uploads."""
        return run_file.export(self.open(run_id), Path(path))

    def import_(self, source: str | Path | bytes) -> str:
        """Add a run from a file by `export`, after checking all of it; returns the new run's id. Raises ValueError with a sentence."""
        found = run_file.read(source if isinstance(source, bytes) else Path(source))
        run_id = self.create(found.experiment, uploads=found.uploads, name=found.name, status="stopped")
        try:
            self.record(run_id, found.rows, found.norms.rows.items(), found.norms.stride, test_metric=found.test_metric)
            for file in found.kept_steps:
                self.keep(run_id, file)
        except BaseException:
            self.delete(run_id)
            raise
        self.record(run_id, status=found.status)
        return run_id

    def free_reserve(self) -> None:
        """Free the reserved space, after a write to a full disk failed."""
        self._files.free_reserve()

    def _check_exists(self, run_id: str) -> None:
        """Raises KeyError when there is no such run."""
        with self._index.reading() as db:
            run_row(db, run_id)

    def _refuse_builtin(self, run_id: str) -> None:
        if run_id.startswith("starter-"):
            raise ValueError("starter models come with Unrolled and stay as they are: export and import one to get your own copy")


def _best(experiment: str, metrics: list[float | None]) -> float | None:
    """The best of the validation metrics of a run (lowest RMSE, else highest); None when nothing was measured."""
    found = [metric for metric in metrics if metric is not None and not math.isnan(metric)]
    lower = data.task(experiment_of(experiment)[0].data.task).metric == "rmse"
    return (min if lower else max)(found, default=None)
