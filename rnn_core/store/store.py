"""The run store: an SQLite index with every metric row, and one checksummed file per kept moment.

Many processes may read and write one store at once (SQLite's write-ahead log); each run is written by one of them, its
owner. A run whose owner is gone is interrupted, and can be resumed by anyone.
"""

from __future__ import annotations

import math
import os
import secrets
import sqlite3
import time
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from rnn_core import data
from rnn_core.spec.experiment import Experiment
from rnn_core.store import run_file
from rnn_core.store.arrays import checksum
from rnn_core.store.index import run_row
from rnn_core.store.reader import Library, experiment_of
from rnn_core.store.run import ACTIVE, STATUSES, Kept, RunInfo, RunRecord, clean, default_name
from rnn_core.store.saved import Parcel
from rnn_core.training.history import COLUMNS

__all__ = ["ACTIVE", "STATUSES", "Kept", "RunInfo", "RunRecord", "Store", "clean", "default_name", "home_folder", "store"]


def home_folder(home: str | Path | None = None) -> Path:
    """`home`, else UNROLLED_HOME, else the platform's user data folder."""
    import platformdirs

    return Path(home or os.environ.get("UNROLLED_HOME") or platformdirs.user_data_path("unrolled", appauthor=False))


@cache
def store() -> Store:
    """The process's one store, under `home_folder()`."""
    return Store()


class Store(Library):
    """The library with its pen: runs are made, written, renamed, deleted, exported and imported."""

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
        """A new run of this process, with no step yet; returns its id."""
        self._shelf.take_in(uploads or {})
        run_id = time.strftime("%Y%m%d-") + secrets.token_hex(5)
        values = (
            run_id,
            clean(name) or default_name(experiment),
            experiment.to_json(),
            status,
            time.time(),
            self.owner.id,
            message,
        )
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
        """Add metric rows (in the order of COLUMNS) and gradient norms, and set columns of the run, all or nothing.

        A row for a step that is there replaces it. Norms of steps that `stride` (see NormHistory) leaves out are dropped.
        Raises KeyError when the run was deleted.
        """
        rows = [tuple(row) for row in rows]
        with self._index.transaction() as db:
            run = run_row(db, run_id)
            if rows:
                marks = ", ".join("?" * (len(COLUMNS) + 1))
                db.executemany(f"INSERT OR REPLACE INTO metrics VALUES ({marks})", [(run_id, *row) for row in rows])
                changes |= {
                    "step": int(rows[-1][0]),
                    "best": _best(run, [row[COLUMNS.index("validation_metric")] for row in rows]),
                }
            db.executemany(
                "INSERT OR REPLACE INTO norms VALUES (?, ?, ?)", [(run_id, step, logs.tobytes()) for step, logs in norms]
            )
            if stride > 1:
                db.execute("DELETE FROM norms WHERE run = ? AND (step - 1) % ? != 0", [run_id, stride])
            for column, value in changes.items():
                db.execute(f"UPDATE runs SET {column} = ? WHERE id = ?", [value, run_id])

    def keep(self, run_id: str, parcel: Parcel) -> None:
        """Store a kept moment, or a checkpoint in place of the one before. Raises KeyError when the run was deleted."""
        self._known(run_id)
        try:
            self._shelf.put(run_id, parcel.what, parcel.step, parcel.data)
        except FileNotFoundError:
            self._known(run_id)  # deleted meanwhile, and its folder with it
            raise
        old: list[sqlite3.Row] = []
        with self._index.transaction() as db:
            run_row(db, run_id)
            if parcel.what == "checkpoint":
                old = db.execute(
                    "SELECT step FROM files WHERE run = ? AND what = ? AND step != ?", [run_id, parcel.what, parcel.step]
                ).fetchall()
                db.execute("DELETE FROM files WHERE run = ? AND what = ?", [run_id, parcel.what])
            values = (run_id, parcel.what, parcel.step, parcel.epoch, checksum(parcel.data), len(parcel.data))
            db.execute("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?)", values)
        for row in old:
            self._shelf.drop(run_id, parcel.what, row["step"])

    def rewind(self, run_id: str, step: int) -> None:
        """Forget everything after `step`, to go on from there, and become the run's owner."""
        with self._index.transaction() as db:
            run = run_row(db, run_id)
            for table in ("metrics", "norms", "files"):
                db.execute(f"DELETE FROM {table} WHERE run = ? AND step > ?", [run_id, step])
            measured = db.execute("SELECT validation_metric FROM metrics WHERE run = ?", [run_id]).fetchall()
            best = _best({"experiment": run["experiment"], "best": None}, [row[0] for row in measured])
            db.execute("UPDATE runs SET step = ?, best = ?, owner = ? WHERE id = ?", [max(step, 0), best, self.owner.id, run_id])

    def rename(self, run_id: str, name: str) -> None:
        """Raises ValueError for an empty name or a built-in run."""
        self._refuse_builtin(run_id)
        if not clean(name):
            raise ValueError("a run needs a name")
        self.record(run_id, name=clean(name))

    def delete(self, run_id: str) -> None:
        """Remove a run and its files. Raises ValueError while another process trains it."""
        self._refuse_builtin(run_id)
        with self._index.transaction() as db:
            row = run_row(db, run_id)
            if row["status"] in ACTIVE and row["owner"] != self.owner.id and self.owner.alive(row["owner"]):
                raise ValueError(f"{row['name']} is being trained by another Unrolled process: stop it there first")
            for table, key in (("metrics", "run"), ("norms", "run"), ("files", "run"), ("runs", "id")):
                db.execute(f"DELETE FROM {table} WHERE {key} = ?", [run_id])
        self._shelf.clear(run_id)
        self._index.execute("PRAGMA incremental_vacuum")

    def prune(self, megabytes: float) -> list[str]:
        """Delete the oldest ended runs until the store is smaller than this; returns their ids."""
        removed = []
        for info in reversed([info for info in self.list() if not info.builtin and info.status not in ACTIVE]):
            if self.size() <= megabytes * 2**20:
                break
            self.delete(info.id)
            removed.append(info.id)
            self._index.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return removed

    def export(self, run_id: str, path: str | Path) -> Path:
        """Write one run as a single file: experiment, history, norms, kept moments and uploads."""
        return run_file.export(self.open(run_id), Path(path))

    def import_(self, source: str | Path | bytes) -> str:
        """Read such a file, checking everything in it; returns the new run's id. Raises ValueError with a sentence."""
        found = run_file.read(source if isinstance(source, bytes) else Path(source))
        run_id = self.create(found.experiment, uploads=found.uploads, name=found.name, status="stopped")
        try:
            self.record(run_id, found.rows, found.norms.rows.items(), found.norms.stride, test_metric=found.test_metric)
            for parcel in found.moments:
                self.keep(run_id, parcel)
        except BaseException:
            self.delete(run_id)
            raise
        self.record(run_id, status=found.status)
        return run_id

    def spend_ballast(self) -> None:
        """Free the space set aside for the last words on a full disk."""
        self._shelf.spend_ballast()

    def _known(self, run_id: str) -> None:
        """Raises KeyError when there is no such run."""
        with self._index.reading() as db:
            run_row(db, run_id)

    def _refuse_builtin(self, run_id: str) -> None:
        if run_id.startswith("starter-"):
            raise ValueError("starter models come with Unrolled and stay as they are: export and import one to get your own copy")


def _best(run: Mapping[str, Any] | sqlite3.Row, values: list[float | None]) -> float | None:
    """The best of the run's best metric and `values`; None when nothing was measured."""
    found = [value for value in [run["best"], *values] if value is not None and not math.isnan(value)]
    experiment, _ = experiment_of(run["experiment"])
    lower = data.task(experiment.data.task).metric == "rmse"
    return (min if lower else max)(found, default=None)
