"""The SQLite file of a run store: its tables, one connection that writes, and as many that read as there are readers at once."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rnn_core.training.history import COLUMNS, INTEGERS

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


IDLE = 8  # connections that wait for the next reader


class Index:
    """Thread-safe; several processes may open one file (SQLite's write-ahead log)."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._writing = threading.RLock()
        self._writer = self._connect()
        self._idle: list[tuple[object, sqlite3.Connection]] = []  # (which file it reads, connection); append and pop are atomic
        self._closed = False
        with self._writing, self._writer:
            self._writer.execute("PRAGMA auto_vacuum=INCREMENTAL")
            self._writer.execute("PRAGMA journal_mode=WAL")
            self._writer.executescript(_SCHEMA)

    def close(self) -> None:
        self._closed = True
        with self._writing:
            self._writer.close()
        self._dismiss()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection of the reader's own, so that nobody waits for who writes.

        It was another reader's before, in whatever thread (pages come in a new one each time), as long as that read went well and
        the file is still the one it had opened: connecting costs ten times as much as a short question.
        """
        file = self._file()
        db = self._taken(file) or self._connect()
        try:
            yield db
        except BaseException:
            db.close()
            raise
        if file is None or self._closed or len(self._idle) >= IDLE:
            db.close()
        else:
            self._idle.append((file, db))

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

    def _file(self) -> object:
        """What lies at the path now; None where nothing does. A store deleted, put back or overwritten is another file (as is one
        into which the log was just written back: then a reader connects once more than it had to)."""
        try:
            found = os.stat(self.path)
        except OSError:
            return None
        return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns

    def _taken(self, file: object) -> sqlite3.Connection | None:
        """An idle connection to that file; those to another one are let go."""
        try:
            opened, db = self._idle.pop()
        except IndexError:
            return None
        if opened == file:
            return db
        db.close()
        self._dismiss()
        return None

    def _dismiss(self) -> None:
        while self._idle:
            try:
                self._idle.pop()[1].close()
            except IndexError:
                return  # another reader took the last one

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
