"""The SQLite file of a run store: its tables, one connection that writes, and as many as wanted that read."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from rnn_core.history import COLUMNS, INTEGERS

_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS runs(
    id TEXT PRIMARY KEY, name TEXT, experiment TEXT, status TEXT, created REAL, owner TEXT,
    step INTEGER DEFAULT 0, best REAL, test_metric REAL, message TEXT DEFAULT '');
CREATE TABLE IF NOT EXISTS metrics(
    run TEXT, {", ".join(f"{name} {'INTEGER' if name in INTEGERS else 'REAL'}" for name in COLUMNS)},
    PRIMARY KEY(run, step)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS norms(run TEXT, step INTEGER, logs BLOB, PRIMARY KEY(run, step)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS files(
    run TEXT, what TEXT, step INTEGER, epoch INTEGER, sha256 TEXT, bytes INTEGER, PRIMARY KEY(run, what, step)) WITHOUT ROWID;
"""


class Index:
    """Thread-safe; several processes may open one file (SQLite's write-ahead log)."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._writing = threading.RLock()
        self._writer = self._connect()
        with self._writing, self._writer:
            self._writer.execute("PRAGMA auto_vacuum=INCREMENTAL")
            self._writer.execute("PRAGMA journal_mode=WAL")
            self._writer.executescript(_SCHEMA)

    def close(self) -> None:
        with self._writing:
            self._writer.close()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection of the reader's own, so that nobody waits for who writes."""
        with closing(self._connect()) as db:
            yield db

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing: whatever is raised inside takes everything back."""
        with self._writing:
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
                self._writer.execute("COMMIT")
            except BaseException:
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                raise

    def execute(self, statement: str) -> list[sqlite3.Row]:
        """One statement outside of any transaction, and what it gives."""
        with self._writing:
            return self._writer.execute(statement).fetchall()

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(self.path, timeout=10, check_same_thread=False, isolation_level=None)
        db.row_factory = sqlite3.Row
        db.execute("PRAGMA synchronous=NORMAL")
        return db


def run_row(db: sqlite3.Connection, run_id: str) -> sqlite3.Row:
    """Raises KeyError with a sentence when there is no such run."""
    row = db.execute("SELECT * FROM runs WHERE id = ?", [run_id]).fetchone()
    if row is None:
        raise KeyError(f"there is no run {run_id!r} here: it was deleted, or never made")
    return row
