"""Trainings on real workers: complete in the store and the live state, and one sentence when they cannot continue."""

from __future__ import annotations

import subprocess
import sys
import time

import numpy as np
import pytest

from rnn_core.data.series import table_file
from rnn_core.service import dispatcher
from rnn_core.service.service import Service
from tests import made_up
from tests.watching import LONG, TINY, live, step, until, wait


def test_a_training_is_complete_in_the_store_and_the_live_state(service: Service):
    run_id = service.submit(TINY, viewer="a")
    found = wait(service, run_id, "finished", "failed")
    assert found.status == "finished"
    snapshot = found.snapshot
    assert snapshot.reason == "finished"
    assert snapshot.step == snapshot.epochs * snapshot.steps_per_epoch
    assert snapshot.probe_states.shape == (6, 4)
    assert snapshot.eigenvalues.shape == (4,)
    record = service.store.open(run_id)
    assert record.status == "finished"
    assert record.history["step"].tolist() == list(range(1, snapshot.step + 1))
    assert all(np.array_equal(record.history[name], snapshot.run.history[name], equal_nan=True) for name in record.history)
    assert record.norm_history[1].shape == snapshot.run.norm_history[1].shape == (snapshot.step, 6)
    assert [kept.epoch for kept in record.snapshots] == [0, 0, 1, 2]
    assert record.model().parameters == record.model(0).parameters
    assert made_up.problems(record) == ()
    assert service.store.checkpoint(run_id) is not None


def test_the_web_process_does_not_load_tensorflow():
    program = (
        "import sys, tempfile; from rnn_core.service.service import Service; from rnn_core.store.store import Store\n"
        "from tests import streams; from tests.watching import TINY, wait\n"
        "if __name__ == '__main__':\n"
        "    service = Service(Store(tempfile.mkdtemp()), scheduler='', trainers=1)\n"
        "    run = service.submit(TINY, viewer='a'); wait(service, run, 'finished')\n"
        "    model = service.store.open(run).model()\n"
        "    print(service.call(streams.parameters, model).result(60))\n"
        "    service.close()\n"
        "    print([name for name in sys.modules if name.split('.')[0] in ('tensorflow', 'keras')])\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=180)
    assert done.stdout.splitlines()[-1:] == ["[]"], done.stderr
    assert int(done.stdout.splitlines()[0]) > 0


def test_a_diverging_run_fails_with_advice_and_keeps_its_steps(service: Service):
    wild = TINY.replace(cell="simple_rnn", activation="relu", optimiser="sgd", learning_rate=10.0, gain=5.0, length=40, epochs=50)
    found = wait(service, service.submit(wild, viewer="a"), "failed")  # at its second step, with a margin far above rounding
    assert "learning rate below" in found.message
    record = service.store.open(found.run_id)
    assert record.status == "failed"
    assert record.info.message == found.message
    assert len(record.history["step"]) == found.snapshot.step > 0


def test_data_that_cannot_be_built_fails_with_one_sentence(service: Service):
    content = b"no number anywhere\n"
    experiment = TINY.replace(task="csv", source=table_file.key(content))
    found = wait(service, service.submit(experiment, viewer="a", uploads={table_file.key(content): content}), "failed")
    assert 10 < len(found.message) < 400
    assert "Traceback" not in found.message
    with pytest.raises(ValueError, match="task must be"):
        service.submit(TINY.replace(task="nonsense"), viewer="a")


def test_a_run_whose_upload_is_missing_is_refused_and_unchanged(service: Service):
    before = len(service.store.list())
    with pytest.raises(ValueError, match="upload it again"):
        service.submit(TINY.replace(task="csv", source="0" * 64), viewer="a")
    run_id = service.store.create(TINY.replace(task="csv", source="0" * 64), status="stopped", message="Stopped.")
    with pytest.raises(ValueError, match="upload it again"):
        service.submit(TINY.replace(task="csv", source="0" * 64), viewer="a", resume=run_id)
    assert len(service.store.list()) == before + 1
    assert service.store.open(run_id).status == "stopped"


def test_a_deleted_run_stops_training(service: Service):
    run_id = service.submit(LONG, viewer="a")
    until(lambda: step(service, run_id) > 0)
    service.store.delete(run_id)
    found = wait(service, run_id, "failed")
    assert found.message == "This run was deleted."
    assert not (service.store.home / "runs" / run_id).exists()


def test_a_run_without_viewers_is_stopped_and_kept(service: Service, monkeypatch: pytest.MonkeyPatch):
    watched, unwatched = service.submit(LONG, viewer="a"), service.submit(TINY, viewer="b")
    monkeypatch.setattr(service._dispatcher, "idle_timeout", 2.0)
    end = time.monotonic() + 4
    while time.monotonic() < end:
        service.viewed(watched)
        time.sleep(0.1)
    assert live(service, watched).status == "running"
    assert live(service, unwatched).status == "stopped"
    found = wait(service, watched, "stopped")
    assert "nobody watched" in found.message
    record = service.store.open(watched)
    assert record.status == "stopped"
    assert len(record.history["step"]) == found.snapshot.step


def test_a_large_worker_is_restarted_when_it_holds_no_job(service: Service, monkeypatch: pytest.MonkeyPatch):
    def trainers() -> set[str]:
        return {worker.address for worker in service._dispatcher.queue.workers if worker.name.startswith("train")}

    before = trainers()
    held = service.submit(LONG, viewer="a")
    until(lambda: step(service, held) > 0)
    service.control(held, "pause")
    wait(service, held, "paused")
    monkeypatch.setattr(dispatcher, "MAX_WORKER_BYTES", 0)
    wait(service, service.submit(TINY, viewer="b"), "finished")
    until(lambda: service._dispatcher._to_restart == before)
    monkeypatch.undo()
    assert trainers() == before, "it still holds a paused run"
    service.control(held, "stop")
    wait(service, held, "stopped")
    after = service.submit(TINY, viewer="b")
    assert wait(service, after, "finished", "failed").status == "finished"
    assert trainers() != before
    assert live(service, held).status == "stopped"
