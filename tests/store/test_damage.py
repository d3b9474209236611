"""Faults of the run store: damaged files, a killed writer, a second process, a full disk."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from rnn_core.data.disk import write_atomically
from rnn_core.store.saved import kept_step_file, read_checkpoint
from rnn_core.store.store import Store
from tests import made_up


@pytest.fixture
def store(tmp_path: Path):
    store = Store(tmp_path)
    yield store
    store.close()


@pytest.mark.parametrize("damage", ["flip", "cut", "gone", "empty"])
def test_damaged_weights_are_reported_and_the_rest_opens(store: Store, damage: str):
    run_id = made_up.fill(store)
    path = store._files.path(run_id, "moment", 300)
    content = bytearray(path.read_bytes())
    if damage == "gone":
        path.unlink()
    else:
        content[len(content) // 2] ^= 1
        path.write_bytes({"flip": content, "cut": content[:100], "empty": b""}[damage])
    record = store.open(run_id)
    assert len(made_up.problems(record)) == 1
    assert "step 300" in made_up.problems(record)[0]
    with pytest.raises(ValueError, match="step 300 cannot be read"):
        record.model(300)
    assert record.model(200).parameters == made_up.model().parameters
    assert np.array_equal(record.model().weights[0], made_up.model(seed=200).weights[0]), "the newest intact one"
    assert len(record.history["step"]) == 300


def test_a_damaged_checkpoint_counts_as_none(store: Store):
    run_id = made_up.fill(store)
    store._files.path(run_id, "checkpoint", 300).write_bytes(b"nonsense")
    assert store.checkpoint(run_id) is None


def test_a_new_checkpoint_replaces_the_old(store: Store):
    run_id = made_up.fill(store)
    store.keep(run_id, made_up.checkpoint_at(400))
    assert read_checkpoint(store.checkpoint(run_id)).step == 400
    assert len(list((store.home / "runs" / run_id).glob("checkpoint-*"))) == 1


def test_a_file_is_complete_or_absent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_atomically(tmp_path / "x.npz", b"abc")
    assert list(tmp_path.iterdir()) == []


def test_a_run_deleted_while_its_weights_are_written_is_deleted(store: Store, monkeypatch: pytest.MonkeyPatch):
    run_id = made_up.fill(store, 10)
    flush = os.fsync

    def delete_meanwhile(descriptor: int) -> None:
        flush(descriptor)
        store.delete(run_id)

    monkeypatch.setattr(os, "fsync", delete_meanwhile)
    with pytest.raises(KeyError, match="it was deleted"):
        store.keep(run_id, kept_step_file(made_up.snapshot(20)))
    assert not (store.home / "runs" / run_id).exists()


def _write_forever(home: str) -> None:
    store = Store(home)
    run_id = store.create(made_up.EXPERIMENT, status="running")
    for step in range(1, 1_000_000):
        store.record(run_id, made_up.rows(step, step))
        if step % 20 == 0:
            store.keep(run_id, kept_step_file(made_up.snapshot(step)))


def test_a_killed_writer_leaves_an_intact_store_and_an_interrupted_run(tmp_path: Path):
    store = Store(tmp_path)
    writer = multiprocessing.get_context("spawn").Process(target=_write_forever, args=(str(tmp_path),))
    writer.start()
    _until(lambda: any(info.step >= 50 for info in store.list() if not info.builtin))
    (alive,) = [info for info in store.list() if not info.builtin]
    assert alive.status == "running"
    with pytest.raises(ValueError, match="another Unrolled process"):
        store.delete(alive.id)
    writer.kill()
    writer.join()
    writer.close()
    (info,) = [info for info in store.list() if not info.builtin]
    assert info.status == "interrupted"
    assert "resume" in info.message
    record = store.open(info.id)
    assert record.history["step"].tolist() == list(range(1, info.step + 1))
    assert info.step >= alive.step
    assert made_up.problems(record) == ()
    assert made_up.healthy(store)
    store.close()


def test_two_processes_write_one_store(tmp_path: Path):
    """Each writes its own runs."""
    store = Store(tmp_path)
    program = (
        "import sys; from tests import made_up; from rnn_core.store.store import Store\n"
        "store = Store(sys.argv[1]); run = store.create(made_up.EXPERIMENT, status='running')\n"
        "for n in range(1, 201): store.record(run, made_up.rows(n, n))\n"
        "store.record(run, status='finished'); store.close()"
    )
    writers = [subprocess.Popen([sys.executable, "-c", program, str(tmp_path)]) for _ in range(2)]
    mine = store.create(made_up.EXPERIMENT, status="running")
    for n in range(1, 201):
        store.record(mine, made_up.rows(n, n))
    assert [writer.wait(60) for writer in writers] == [0, 0]
    steps = [store.open(info.id).history["step"].tolist() for info in store.list() if not info.builtin]
    assert steps == [list(range(1, 201))] * 3
    assert made_up.healthy(store)
    store.close()


@pytest.mark.skipif(
    os.name != "posix" or os.geteuid() != 0 or not shutil.which("mount"), reason="needs root to mount a tiny disk"
)
def test_on_a_full_disk_the_database_stays_intact(tmp_path: Path):
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(disk)], capture_output=True).returncode:
        pytest.skip("this machine does not let root mount")
    try:
        store = Store(disk)
        run_id = store.create(made_up.EXPERIMENT, status="running")
        written = 0
        try:
            for step in range(1, 100_000, 100):
                store.record(run_id, made_up.rows(step, step + 99))
                written = step + 99
                store.keep(run_id, kept_step_file(made_up.snapshot(step)))
            pytest.fail("the disk never filled up")
        except (OSError, sqlite3.OperationalError) as problem:
            assert "full" in str(problem) or "No space" in str(problem)  # noqa: PT017
        store.free_reserve()
        store.record(run_id, status="failed", message="The disk is full.")
        record = store.open(run_id)
        assert record.status == "failed"
        assert record.info.message == "The disk is full."
        assert record.history["step"].tolist() == list(range(1, written + 1))
        assert made_up.problems(record) == ()
        assert made_up.healthy(store)
        store.close()
        again = Store(disk)
        assert again.open(run_id).info.step == written
        again.close()
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def _until(condition, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)
