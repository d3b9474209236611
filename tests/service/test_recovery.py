"""Killed workers, killed apps, full disks, a second app, another machine's worker: nothing that was seen is lost."""

from __future__ import annotations

import os
import pickle
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest

from rnn_core.service import worker as jobs
from rnn_core.service.service import Service
from rnn_core.store.store import Store
from tests import made_up, outside, streams
from tests.watching import LONG, TINY, live, step, until, wait

KILLED = TINY.replace(samples=2000, epochs=5, validation=0.1)  # long enough to be killed in the middle


@pytest.fixture(autouse=True, scope="module")
def _frequent_checkpoints() -> Iterator[None]:
    os.environ["UNROLLED_CHECKPOINT_SECONDS"] = "0.2"
    yield
    del os.environ["UNROLLED_CHECKPOINT_SECONDS"]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, _frequent_checkpoints: None) -> Iterator[Service]:
    service = Service(Store(tmp_path_factory.mktemp("home")), scheduler="", trainers=1)
    until(lambda: service.state == "ready" and len(service._clerk.roster.workers) == 2)
    yield service
    family = psutil.Process(service._clerk.link._process.pid).children(recursive=True)
    service.close()
    _, alive = psutil.wait_procs(family, timeout=10)
    assert not alive, "closing leaves no process behind"


def whole(service: Service, run_id: str) -> np.ndarray:
    """The losses of a run that finishes, with every row once, in the store as on screen."""
    found = wait(service, run_id, "finished")
    every = list(range(1, found.snapshot.epochs * found.snapshot.steps_per_epoch + 1))
    stored, shown = service.store.open(run_id).history, found.snapshot.run.history
    assert stored["step"].tolist() == every
    assert shown["step"].tolist() == every
    return stored["loss"]


def test_a_run_outlives_its_worker(service: Service):
    run_id = service.submit(KILLED, viewer="a")
    until(lambda: service.store.checkpoint(run_id) is not None and step(service, run_id) % 113 > 5)
    seen = step(service, run_id)
    os.kill(int(service._clerk.link.run(service._clerk.roster.jobs[run_id].worker, os.getpid).result(10)), signal.SIGKILL)
    until(lambda: live(service, run_id).status == "waiting")
    assert "goes on from its last checkpoint" in live(service, run_id).message
    assert len(service.store.open(run_id).history["step"]) > 0, "not from the beginning"
    losses = whole(service, run_id)
    assert len(losses) > seen
    undisturbed = whole(service, service.submit(KILLED, viewer="a"))
    assert np.array_equal(losses, undisturbed), "bit for bit what it would have been"


def test_the_service_outlives_the_whole_cluster(service: Service):
    run_id = service.submit(KILLED, viewer="a")
    until(lambda: service.store.checkpoint(run_id) is not None)
    os.kill(service._clerk.link._process.pid, signal.SIGKILL)
    until(lambda: service.state == "starting")
    assert "starting them again" in service.message or "are starting" in service.message
    answer = service.call(streams.process_id, 1)  # asked for while nobody is there
    whole(service, run_id)
    assert answer.result(60) > 0


def test_a_run_outlives_a_lost_connection(service: Service):
    """Dask's client connects again by itself, but what was said meanwhile is lost, and its tasks count as cancelled."""
    run_id = service.submit(KILLED, viewer="a")
    until(lambda: service.store.checkpoint(run_id) is not None)
    client = service._clerk.link._client
    client.loop.add_callback(client.scheduler_comm.abort)
    whole(service, run_id)
    whole(service, service.submit(TINY, viewer="a"))


def test_a_run_outlives_the_loss_of_its_last_word(service: Service, monkeypatch: pytest.MonkeyPatch):
    """And all the others, heard twice, count once."""
    monkeypatch.setattr("rnn_core.service.dispatcher.SILENCE", 0.2)
    hear, lost = service._clerk.reception.beat, []

    def hear_all_but_one(message: bytes) -> None:
        if not lost and pickle.loads(message).status == "finished":
            lost.append(message)
        else:
            hear(message)
            hear(message)

    monkeypatch.setattr(service._clerk.reception, "beat", hear_all_but_one)
    whole(service, service.submit(KILLED, viewer="a"))
    assert lost


def test_a_worker_that_was_thought_gone_is_found_again(service: Service):
    until(lambda: service.state == "ready" and service._clerk.roster.trainers())
    run_id = service.submit(KILLED, viewer="a")
    until(lambda: service.store.checkpoint(run_id) is not None)
    (worker,) = service._clerk.roster.trainers()
    service._clerk.link._hint((0.0, {"action": "remove-worker", "worker": worker}))  # so the scheduler says, but it is there
    whole(service, run_id)
    assert service._clerk.roster.trainers() == [worker]


def test_a_stop_holds_when_the_worker_goes(service: Service, monkeypatch: pytest.MonkeyPatch):
    run_id = service.submit(LONG, viewer="a")
    until(lambda: step(service, run_id) > 0)
    (worker,) = service._clerk.roster.trainers()
    with monkeypatch.context() as patch:
        patch.setattr(service._clerk, "tell", lambda *arguments: None)  # the wish does not arrive
        service.control(run_id, "stop")
        service._clerk.link._hint((0.0, {"action": "remove-worker", "worker": worker}))
        wait(service, run_id, "stopped")
    service._clerk.link.run(worker, jobs.send, run_id, 1, "stop").result(10)


APP = """
import sys, time
from rnn_core.service.service import Service
from rnn_core.store.store import Store
from tests.watching import LONG, step
if __name__ == "__main__":
    service = Service(Store(sys.argv[1]), scheduler="", trainers=1)
    runs = [service.submit(LONG, viewer="a"), service.submit(LONG, viewer="b")]
    while True:
        print(runs[0], step(service, runs[0]), service._clerk.link._process.pid if service._clerk.link._process else 0, flush=True)
        time.sleep(0.02)
"""


def test_a_killed_app_loses_nothing_that_was_seen_and_leaves_nothing_behind(tmp_path: Path):
    app = subprocess.Popen([sys.executable, "-c", APP, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert app.stdout is not None
    for line in app.stdout:
        run_id, seen, cluster = line.split()[0], int(line.split()[1]), int(line.split()[2])
        if seen >= 50 and list(tmp_path.glob("runs/*/checkpoint-*.npz")):
            break
    family = psutil.Process(cluster).children(recursive=True)
    assert len(family) >= 2
    app.send_signal(signal.SIGKILL)
    app.wait()
    last = app.stdout.read().splitlines()[-1:]  # what it still said before it died
    app.stdout.close()
    seen = int(last[0].split()[1]) if last and len(last[0].split()) == 3 else seen
    _, alive = psutil.wait_procs(family, timeout=15)
    assert not alive, "the workers die with the app"
    until(lambda: not psutil.pid_exists(cluster), 15)
    store = Store(tmp_path)
    assert [info.status for info in store.list() if not info.builtin] == ["interrupted", "interrupted"]
    steps = store.open(run_id).history["step"].tolist()
    assert steps == list(range(1, len(steps) + 1))
    assert len(steps) >= seen, "every step that was shown is stored"
    service = Service(store, scheduler="", trainers=1)
    assert service.submit(LONG, viewer="a", resume=run_id) == run_id
    until(lambda: step(service, run_id) > seen)
    assert service.store.open(run_id).status == "running"
    service.close()


@pytest.mark.skipif(
    os.name != "posix" or os.geteuid() != 0 or not shutil.which("mount"), reason="needs root to mount a tiny disk"
)
def test_a_full_disk_fails_the_run_in_one_sentence(tmp_path: Path):
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(disk)], capture_output=True).returncode:
        pytest.skip("this machine does not let root mount")
    service = Service(Store(disk), scheduler="", trainers=1)
    try:
        found = wait(service, service.submit(LONG.replace(units=128, samples=200, epochs=30), viewer="a"), "failed", "finished")
        assert found.status == "failed"
        assert "is full: free some space" in found.message
        record = service.store.open(found.run_id)
        assert record.status == "failed"
        assert record.info.message == found.message
        steps = record.history["step"].tolist()
        assert steps == list(range(1, len(steps) + 1))
        assert made_up.problems(record) == ()
        assert service.store._index.execute("PRAGMA integrity_check")[0][0] == "ok"
    finally:
        service.close()
        subprocess.run(["umount", "-l", str(disk)], check=True)


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """Address of a scheduler and a worker that the app did not start, and the empty home of both."""
    home = tmp_path / "elsewhere"
    home.mkdir()
    with outside.cluster(tmp_path, [outside.WARM], {"UNROLLED_HOME": str(home), "HOME": str(home)}) as address:
        yield address, home


def test_a_worker_from_elsewhere_trains_without_a_shared_folder(tmp_path: Path, elsewhere: tuple[str, Path]):
    address, folder = elsewhere
    service = Service(Store(tmp_path / "home"), scheduler=address)
    try:
        found = wait(service, service.submit(TINY, viewer="a"), "finished", "failed")
        assert found.status == "finished", found.message
        record = service.store.open(found.run_id)
        assert record.history["step"].tolist() == list(range(1, found.snapshot.step + 1))
        assert service.call(streams.parameters, record.model()).result(60) > 0, "alone, it probes too"
        long = service.submit(LONG, viewer="a")
        until(lambda: step(service, long) > 0)
        assert service.call(streams.process_id, 5).result(60) > 0, "even while it trains"
        assert not list(folder.rglob("*.npz"))
    finally:
        service.close()


def test_an_app_without_its_scheduler_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("rnn_core.service.connection.PATIENCE", 0.5)
    monkeypatch.setattr("rnn_core.service.connection.RETRIES", 1)
    service = Service(Store(tmp_path), scheduler="tcp://127.0.0.1:9")
    run_id = service.submit(TINY, viewer="a")
    answer = service.call(streams.process_id)
    until(lambda: service.state == "failed", 30)
    assert "tcp://127.0.0.1:9" in service.message
    assert live(service, run_id).status == "waiting"
    assert live(service, run_id).message == service.message
    with pytest.raises(ConnectionError):
        answer.result(5)
    service.close()


def test_two_apps_share_one_store(service: Service):
    other = Service(Store(service.store.home), scheduler="", trainers=1)
    try:
        mine = service.submit(LONG, viewer="a")
        theirs = other.submit(TINY, viewer="b")
        until(lambda: step(service, mine) > 3)
        wait(other, theirs, "finished")
        assert other.live(mine) is None
        assert other.store.open(mine).status == "running"
        with pytest.raises(ValueError, match="training already"):
            other.submit(LONG, viewer="b", resume=mine)
        with pytest.raises(ValueError, match="another Unrolled process"):
            other.store.delete(mine)
        assert service.store.open(theirs).status == "finished"
        service.control(mine, "stop")
        wait(service, mine, "stopped")
        assert other.store.open(mine).status == "stopped"
    finally:
        other.close()
