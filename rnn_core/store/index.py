"""The SQLite file of a run store: its tables, one connection that writes, and a pool of connections that read."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
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


TIMEOUT = 10.0  # seconds to wait for another connection's lock
MAX_IDLE = 8  # idle reading connections kept


class Index:
    """Thread-safe; several processes may open one file (SQLite's write-ahead log)."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._writing = threading.RLock()
        self._writer = self._connect()
        self._idle: list[tuple[object, sqlite3.Connection]] = []  # (file state, connection); append and pop are atomic
        self._closed = False
        self._prepare()

    def _prepare(self) -> None:
        """Make the file a store. SQLite itself does not wait where another connection opens a new file, or closes as the last one,
        at the same moment ("Sometimes queries return SQLITE_BUSY in WAL mode", its manual says): a page and the service, or two apps."""
        deadline = time.monotonic() + TIMEOUT
        while True:
            try:
                with self._writing, self._writer:
                    self._writer.execute("PRAGMA auto_vacuum=INCREMENTAL")
                    self._writer.execute("PRAGMA journal_mode=WAL")
                    self._writer.executescript(_SCHEMA)
                return
            except sqlite3.OperationalError as problem:
                if problem.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                    self._writer.close()
                    raise
                time.sleep(0.02)

    def close(self) -> None:
        self._closed = True
        with self._writing:
            self._writer.close()
        self._take_idle(None)

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection for one reader, who never waits for the writer.

        It is taken from the idle ones, whichever thread used it before, if the file is unchanged since it was opened: connecting
        costs ten times as much as a short query. After an exception it is closed.
        """
        file = self._file_state()
        db = self._take_idle(file) or self._connect()
        try:
            yield db
        except BaseException:
            db.close()
            raise
        if file is None or self._closed or len(self._idle) >= MAX_IDLE:
            db.close()
        else:
            self._idle.append((file, db))

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """The writing connection in a transaction: committed at the end, rolled back if an exception is raised."""
        with self._writing, self._writer:
            self._writer.execute("BEGIN IMMEDIATE")
            yield self._writer

    def execute(self, statement: str) -> list[sqlite3.Row]:
        """Run one statement outside of any transaction; returns its rows."""
        with self._writing:
            return self._writer.execute(statement).fetchall()

    def _file_state(self) -> object:
        """Identity, size and time of the file at the path; None when there is none. Changes when the store is deleted, replaced or
        overwritten, and also when SQLite writes its log back, which costs one needless connection."""
        try:
            found = os.stat(self.path)
        except OSError:
            return None
        return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns

    def _take_idle(self, file: object) -> sqlite3.Connection | None:
        """An idle connection opened in this state of the file, or None. Those of other states are closed: for None, all."""
        with suppress(IndexError):  # none is left, or another thread took the last one
            while True:
                opened, db = self._idle.pop()
                if opened == file:
                    return db
                db.close()
        return None

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(self.path, timeout=TIMEOUT, check_same_thread=False, isolation_level=None)
        db.row_factory = sqlite3.Row
        db.execute("PRAGMA synchronous=NORMAL")
        return db


def run_row(db: sqlite3.Connection, run_id: str) -> sqlite3.Row:
    """The row of a run. Raises KeyError with a sentence when there is none."""
    row = db.execute("SELECT * FROM runs WHERE id = ?", [run_id]).fetchone()
    if row is None:
        raise KeyError(f"there is no run {run_id!r} here: it was deleted, or never created")
    return row
