"""Lost workers, killed apps, full disks, a second app, a foreign cluster: no step that was shown is lost."""

from __future__ import annotations

import os
import pickle
import shutil
import signal
import subprocess
import sys
import time
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

KILLED = TINY.replace(samples=2000, epochs=5, validation=0.1)  # long enough to lose its worker in the middle


@pytest.fixture(autouse=True, scope="module")
def _frequent_checkpoints() -> Iterator[None]:
    os.environ["UNROLLED_CHECKPOINT_SECONDS"] = "0.2"
    yield
    del os.environ["UNROLLED_CHECKPOINT_SECONDS"]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, _frequent_checkpoints: None) -> Iterator[Service]:
    service = Service(Store(tmp_path_factory.mktemp("home")), scheduler="", trainers=1)
    until(lambda: service.state == "ready" and len(service._dispatcher.queue.workers) == 2)
    yield service
    family = psutil.Process(service._dispatcher.connection._process.pid).children(recursive=True)
    service.close()
    _, alive = psutil.wait_procs(family, timeout=10)
    assert not alive, "closing leaves no process behind"


def losses_when_finished(service: Service, run_id: str) -> np.ndarray:
    """The losses of a run, once it has finished with every step exactly once, in the store and in the live state."""
    found = wait(service, run_id, "finished")
    steps = list(range(1, found.snapshot.epochs * found.snapshot.steps_per_epoch + 1))
    stored, shown = service.store.open(run_id).history, found.snapshot.run.history
    assert stored["step"].tolist() == steps
    assert shown["step"].tolist() == steps
    return stored["loss"]


def test_a_run_survives_the_loss_of_its_worker(service: Service):
    run_id = service.submit(KILLED, viewer="a")
    until(lambda: service.store.checkpoint(run_id) is not None and step(service, run_id) % 113 > 5)
    shown = step(service, run_id)
    os.kill(
        int(service._dispatcher.connection.run(service._dispatcher.queue.jobs[run_id].worker, os.getpid).result(10)),
        signal.SIGKILL,
    )
    until(lambda: live(service, run_id).status == "waiting")
    assert "goes on from its last checkpoint" in live(service, run_id).message
    assert len(service.store.open(run_id).history["step"]) > 0, "it does not start from the beginning"
    losses = losses_when_finished(service, run_id)
    assert len(losses) > shown
    undisturbed = losses_when_finished(service, service.submit(KILLED, viewer="a"))
    assert np.array_equal(losses, undisturbed), "equal bit for bit to an undisturbed run"


def test_runs_and_probes_survive_the_loss_of_the_cluster(service: Service):
    run_id = service.submit(KILLED, viewer="a")
    until(lambda: service.store.checkpoint(run_id) is not None)
    os.kill(service._dispatcher.connection._process.pid, signal.SIGKILL)
    until(lambda: service.state == "starting")
    assert "starting them again" in service.message or "are starting" in service.message
    answer = service.call(streams.process_id, 1)  # called while there is no worker
    losses_when_finished(service, run_id)
    assert answer.result(60) > 0


def test_a_run_survives_a_lost_connection(service: Service):
    """Dask's client connects again by itself, but updates sent meanwhile are lost, and its tasks count as cancelled."""
    run_id = service.submit(KILLED, viewer="a")
    until(lambda: service.store.checkpoint(run_id) is not None)
    client = service._dispatcher.connection._client
    client.loop.add_callback(client.scheduler_comm.abort)
    losses_when_finished(service, run_id)
    losses_when_finished(service, service.submit(TINY, viewer="a"))


def test_a_run_survives_the_loss_of_its_final_update_and_duplicates_of_all_others(
    service: Service, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("rnn_core.service.dispatcher.LAST_UPDATE_TIMEOUT", 0.2)
    receive, lost = service._dispatcher.receiver.receive, []

    def receive_all_but_one(message: bytes) -> None:
        if not lost and pickle.loads(message).status == "finished":
            lost.append(message)
        else:
            receive(message)
            receive(message)

    monkeypatch.setattr(service._dispatcher.receiver, "receive", receive_all_but_one)
    losses_when_finished(service, service.submit(KILLED, viewer="a"))
    assert lost


def test_a_worker_wrongly_reported_lost_is_used_again(service: Service):
    until(lambda: service.state == "ready" and service._dispatcher.queue.trainers())
    run_id = service.submit(KILLED, viewer="a")
    until(lambda: service.store.checkpoint(run_id) is not None)
    (worker,) = service._dispatcher.queue.trainers()
    service._dispatcher.connection._on_scheduler_event(
        (0.0, {"action": "remove-worker", "worker": worker})
    )  # the report is wrong
    losses_when_finished(service, run_id)
    assert service._dispatcher.queue.trainers() == [worker]


def test_a_stopped_run_is_not_requeued_when_its_worker_is_lost(service: Service, monkeypatch: pytest.MonkeyPatch):
    run_id = service.submit(LONG, viewer="a")
    until(lambda: step(service, run_id) > 0)
    (worker,) = service._dispatcher.queue.trainers()
    with monkeypatch.context() as patch:
        patch.setattr(service._dispatcher, "send_command", lambda *arguments: None)  # the command does not arrive
        service.control(run_id, "stop")
        service._dispatcher.connection._on_scheduler_event((0.0, {"action": "remove-worker", "worker": worker}))
        wait(service, run_id, "stopped")
    service._dispatcher.connection.run(worker, jobs.send_command, run_id, 1, "stop").result(10)


APP = """
import sys, time
from rnn_core.service.service import Service
from rnn_core.store.store import Store
from tests.watching import LONG, step
if __name__ == "__main__":
    service = Service(Store(sys.argv[1]), scheduler="", trainers=1)
    runs = [service.submit(LONG, viewer="a"), service.submit(LONG, viewer="b")]
    while True:
        process = service._dispatcher.connection._process
        print(runs[0], step(service, runs[0]), process.pid if process else 0, flush=True)
        time.sleep(0.02)
"""


def test_a_killed_app_loses_no_shown_step_and_leaves_no_process(tmp_path: Path):
    app = subprocess.Popen([sys.executable, "-c", APP, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert app.stdout is not None
    for line in app.stdout:
        run_id, shown, cluster = line.split()[0], int(line.split()[1]), int(line.split()[2])
        if shown >= 50 and list(tmp_path.glob("runs/*/checkpoint-*.npz")):
            break
    family = psutil.Process(cluster).children(recursive=True)
    assert len(family) >= 2
    app.send_signal(signal.SIGKILL)
    app.wait()
    last = app.stdout.read().splitlines()[-1:]  # what it printed before it ended
    app.stdout.close()
    shown = int(last[0].split()[1]) if last and len(last[0].split()) == 3 else shown
    _, alive = psutil.wait_procs(family, timeout=15)
    assert not alive, "the workers end with the app"
    until(lambda: not psutil.pid_exists(cluster), 15)
    store = Store(tmp_path)
    assert [info.status for info in store.list() if not info.builtin] == ["interrupted", "interrupted"]
    steps = store.open(run_id).history["step"].tolist()
    assert steps == list(range(1, len(steps) + 1))
    assert len(steps) >= shown, "every step that was shown is stored"
    service = Service(store, scheduler="", trainers=1)
    assert service.submit(LONG, viewer="a", resume=run_id) == run_id
    until(lambda: step(service, run_id) > shown)
    assert service.store.open(run_id).status == "running"
    service.close()


@pytest.mark.parametrize("scheduler", ["", "tcp://192.0.2.1:9"])  # an address that nobody has (RFC 5737)
def test_an_app_ends_at_once_while_its_workers_still_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheduler: str):
    """Also where a machine takes a minute to start them, or the cluster does not answer."""
    slow = tmp_path / "slow"
    slow.mkdir()
    (slow / "sitecustomize.py").write_text("import time\ntime.sleep(60)\n")
    monkeypatch.setenv("PYTHONPATH", str(slow))
    service = Service(Store(tmp_path / "home"), scheduler=scheduler, trainers=1)
    connection = service._dispatcher.connection
    until(lambda: bool(scheduler or connection._process))
    process, began = connection._process, time.monotonic()
    service.close()
    assert time.monotonic() - began < 10
    assert process is None or process.poll() is not None


@pytest.mark.skipif(os.name != "posix", reason="stops a process by a signal")
@pytest.mark.parametrize("state", ["starting", "ready"])
def test_an_app_ends_soon_although_its_cluster_no_longer_answers(tmp_path: Path, state: str):
    service = Service(Store(tmp_path), scheduler="", trainers=1)
    connection = service._dispatcher.connection
    until(lambda: bool(connection._process) and (state == "starting" or service.state == "ready"))
    process = connection._process
    assert process is not None
    workers = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGSTOP)
    began = time.monotonic()
    service.close()
    assert time.monotonic() - began < 15
    assert process.poll() is not None
    _, alive = psutil.wait_procs(workers, timeout=20)
    assert not alive, "the workers end without their cluster"


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
def foreign_cluster(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """Address of a scheduler with one worker that the app did not start, and their empty home folder."""
    home = tmp_path / "foreign"
    home.mkdir()
    with outside.cluster(tmp_path, [outside.WARM], {"UNROLLED_HOME": str(home), "HOME": str(home)}) as address:
        yield address, home


def test_a_foreign_cluster_trains_without_a_shared_folder(tmp_path: Path, foreign_cluster: tuple[str, Path]):
    address, folder = foreign_cluster
    service = Service(Store(tmp_path / "home"), scheduler=address)
    try:
        found = wait(service, service.submit(TINY, viewer="a"), "finished", "failed")
        assert found.status == "finished", found.message
        record = service.store.open(found.run_id)
        assert record.history["step"].tolist() == list(range(1, found.snapshot.step + 1))
        assert service.call(streams.parameters, record.model()).result(60) > 0, "a single worker probes too"
        long = service.submit(LONG, viewer="a")
        until(lambda: step(service, long) > 0)
        assert service.call(streams.process_id, 5).result(60) > 0, "even while it trains"
        assert not list(folder.rglob("*.npz"))
    finally:
        service.close()


def test_an_unreachable_scheduler_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("rnn_core.service.connection.TIMEOUT", 0.5)
    monkeypatch.setattr("rnn_core.service.connection.MAX_FAILED_STARTS", 1)
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
