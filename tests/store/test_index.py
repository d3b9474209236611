"""The store's index: connections are used again by later readers, unless the file has changed or is gone."""

from __future__ import annotations

import shutil
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from rnn_core.store.index import MAX_IDLE, Index

INSERT = "INSERT INTO runs(id, name) VALUES ('{0}', '{0}')"


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    index = Index(tmp_path / "runs.sqlite")
    yield index
    index.close()


def names(index: Index) -> list[str]:
    with index.reading() as db:
        return [row["name"] for row in db.execute("SELECT name FROM runs ORDER BY id").fetchall()]


def connections(index: Index) -> set[int]:
    return {id(db) for _, db in index._idle}


def test_a_later_reader_in_another_thread_uses_the_same_connection(index: Index):
    assert names(index) == []
    first = connections(index)
    index.execute(INSERT.format("a"))
    found: list[list[str]] = []
    thread = threading.Thread(target=lambda: found.append(names(index)))
    thread.start()
    thread.join()
    assert found == [["a"]], "it sees what was written since"
    assert connections(index) == first
    with index.reading() as one, index.reading() as other:
        assert one is not other, "two readers at once have one each"


def test_many_readers_and_a_writer_at_once(index: Index):
    wrong: list[object] = []

    def read() -> None:
        try:
            for _ in range(100):
                found = names(index)
                if found != [f"{n:03}" for n in range(len(found))]:
                    wrong.append(found)
        except Exception as problem:
            wrong.append(problem)

    threads = [threading.Thread(target=read) for _ in range(2 * MAX_IDLE)]
    for thread in threads:
        thread.start()
    for n in range(100):
        index.execute(INSERT.format(f"{n:03}"))
    for thread in threads:
        thread.join()
    assert not wrong
    assert len(index._idle) <= MAX_IDLE


def test_the_connection_of_a_failed_read_is_not_used_again(index: Index):
    with pytest.raises(sqlite3.OperationalError, match="no such table"), index.reading() as db:
        db.execute("SELECT * FROM nowhere")
    assert not index._idle
    assert names(index) == []


def test_a_deleted_store_is_not_read_through_an_old_connection(index: Index, tmp_path: Path):
    index.execute(INSERT.format("a"))
    assert names(index) == ["a"]
    for path in tmp_path.glob("runs.sqlite*"):
        path.unlink()
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        names(index)


def test_a_replaced_store_is_read_through_a_new_connection(index: Index, tmp_path: Path):
    assert names(index) == []
    other = Index(tmp_path / "other.sqlite")
    other.execute(INSERT.format("restored"))
    other.close()
    for path in tmp_path.glob("runs.sqlite*"):
        path.unlink()
    shutil.move(tmp_path / "other.sqlite", index.path)
    assert names(index) == ["restored"]


def test_a_store_overwritten_in_place_is_noticed(index: Index):
    index.execute(INSERT.format("a"))
    index.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert names(index) == ["a"]
    index.path.write_bytes(b"nonsense" * 2000)
    with pytest.raises(sqlite3.DatabaseError, match="not a database"):
        names(index)


def test_a_store_opens_although_sqlite_is_busy_at_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """SQLite may answer "database is locked" at once while another connection opens the new file or is the last to close it."""
    refused: list[str] = []

    class Busy(sqlite3.Connection):
        def execute(self, statement: str, *given: object) -> sqlite3.Cursor:
            if "journal_mode" in statement and len(refused) < 3:
                refused.append(statement)
                problem = sqlite3.OperationalError("database is locked")
                problem.sqlite_errorcode = sqlite3.SQLITE_BUSY  # type: ignore[misc]
                raise problem
            return super().execute(statement, *given)  # type: ignore[arg-type]

    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *given, **options: connect(*given, factory=Busy, **options))
    index = Index(tmp_path / "runs.sqlite")
    assert len(refused) == 3
    assert index.execute("SELECT COUNT(*) FROM runs")[0][0] == 0
    index.close()


def test_another_error_at_opening_is_raised_at_once(tmp_path: Path):
    (tmp_path / "runs.sqlite").write_bytes(b"no database" * 100)
    with pytest.raises(sqlite3.DatabaseError, match="not a database"):
        Index(tmp_path / "runs.sqlite")


def test_closing_leaves_no_connection(index: Index, tmp_path: Path):
    index.execute(INSERT.format("a"))
    with index.reading() as late:
        names(index)
        index.close()
        assert late.execute("SELECT name FROM runs").fetchone()["name"] == "a", "a read under way is completed"
    assert not index._idle
    assert [path.name for path in tmp_path.iterdir()] == ["runs.sqlite"], "closing the last connection removes the log"
