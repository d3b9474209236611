"""The service on real worker processes: trainings, streams and probes, queue and controls."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from rnn_core import clerk
from rnn_core.cluster import Live, Service
from rnn_core.experiment import Experiment
from rnn_core.probes.traces import trace
from rnn_core.runs import Store
from tests import made_up, streams

TINY = Experiment().replace(task="first_token", length=6, samples=128, epochs=2, batch=32, units=4, cell="gru")
LONG = TINY.replace(epochs=1000, samples=2000)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    service = Service(Store(tmp_path_factory.mktemp("home")), scheduler="", trainers=1)
    until(lambda: service.state == "ready" and len(service._clerk.roster.workers) == 2, 120)
    yield service
    service.close()


def until(condition: Callable[[], object], seconds: float = 120.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


def live(service: Service, run_id: str) -> Live:
    found = service.live(run_id)
    assert found is not None
    return found


def step(service: Service, run_id: str) -> int:
    snapshot = live(service, run_id).snapshot
    return snapshot.step if snapshot else -1


def wait(service: Service, run_id: str, *statuses: str) -> Live:
    until(lambda: live(service, run_id).status in statuses)
    return live(service, run_id)


def test_a_training_reaches_viewer_and_store_whole(service: Service):
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
    assert record.problems == ()
    assert service.store.checkpoint(run_id) is not None


def test_the_web_process_stays_free_of_tensorflow():
    program = (
        "import sys, time; from tests.test_cluster import *; import tempfile\n"
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


def took(service: Service, run_id: str, command: str, effect: Callable[[], object], value: float | None = None) -> float:
    """Seconds from a control to its effect as the app sees it, less those in which this very thread was kept from looking."""
    held_off, began = 0.0, time.perf_counter()
    service.control(run_id, command, value)
    while not effect():
        looked = time.perf_counter()
        assert looked - began < 60, f"{command} had no effect"
        time.sleep(0.005)
        held_off += time.perf_counter() - looked - 0.005
    return time.perf_counter() - began - held_off


def test_every_control_reaches_a_running_job_within_0_3_s(service: Service):
    run_id = service.submit(LONG, viewer="a")
    until(lambda: step(service, run_id) > 3)

    def status(wanted: str) -> Callable[[], bool]:
        return lambda: live(service, run_id).status == wanted

    def beyond(before: int) -> Callable[[], bool]:
        return lambda: step(service, run_id) > before

    def rate(wanted: float) -> Callable[[], bool]:
        return lambda: live(service, run_id).snapshot.learning_rate == pytest.approx(wanted)

    times = []
    for n in range(5):
        times.append(("learning_rate", took(service, run_id, "learning_rate", rate(0.25 / 2**n), 0.25 / 2**n)))
        times.append(("pause", took(service, run_id, "pause", status("paused"))))
        before = step(service, run_id)
        times.append(("step", took(service, run_id, "step", beyond(before))))
        wait(service, run_id, "paused")
        assert step(service, run_id) == before + 1, "one step is one step"
        times.append(("resume", took(service, run_id, "resume", beyond(before + 1))))
    times.append(("stop", took(service, run_id, "stop", status("stopped"))))
    assert live(service, run_id).snapshot.reason == "stopped"
    print({command: f"{max(s for c, s in times if c == command) * 1e3:.0f} ms" for command, _ in times})
    late = [(command, seconds) for command, seconds in times if seconds >= 0.3]
    assert not late, "within one batch (here a few milliseconds) or 0.3 s"
    with pytest.raises(ValueError, match="not training"):
        service.control(run_id, "pause")


def test_paused_means_paused_and_an_epoch_ends_with_the_epoch(service: Service):
    run_id = service.submit(LONG, viewer="a")
    until(lambda: step(service, run_id) > 3)
    service.control(run_id, "pause")
    wait(service, run_id, "paused")
    time.sleep(0.1)
    before = step(service, run_id)
    time.sleep(0.3)
    assert step(service, run_id) == before, "paused means paused"
    assert service.store.open(run_id).status == "paused"
    service.control(run_id, "learning_rate", 0.25)
    service.control(run_id, "epoch")
    until(lambda: step(service, run_id) > before + 1 and live(service, run_id).status == "paused")
    snapshot = live(service, run_id).snapshot
    assert snapshot.step % snapshot.steps_per_epoch == 0
    assert snapshot.learning_rate == pytest.approx(0.25)
    service.control(run_id, "stop")
    wait(service, run_id, "stopped")


def test_a_stopped_run_goes_on_under_its_own_id(service: Service):
    whole = service.submit(TINY.replace(epochs=3), viewer="w")
    wait(service, whole, "finished")
    run_id = service.submit(TINY, viewer="a")
    wait(service, run_id, "finished")
    assert service.submit(TINY.replace(epochs=3), viewer="a", resume=run_id) == run_id
    found = wait(service, run_id, "finished", "failed")
    assert found.snapshot.epoch == 3
    one, other = service.store.open(run_id).history, service.store.open(whole).history
    assert np.array_equal(one["loss"], other["loss"]), "as if it had never ended"
    assert service.store.open(run_id).experiment.training.epochs == 3
    with pytest.raises(ValueError, match="its own data, model and seed"):
        service.submit(TINY.replace(units=7), viewer="a", resume=run_id)
    with pytest.raises(KeyError):
        service.submit(TINY, viewer="a", resume="nothing")


def test_reset_starts_again_from_the_same_or_from_new_weights(service: Service):
    run_id = service.submit(LONG, viewer="a")
    until(lambda: step(service, run_id) > 0)
    same = service.reset(run_id, viewer="a", fresh=False)
    wait(service, run_id, "stopped")
    until(lambda: step(service, same) > 2 and service.store.open(same).snapshots)
    other = service.reset(same, viewer="a", fresh=True)
    until(lambda: step(service, other) > 2 and service.store.open(other).snapshots)
    service.control(other, "stop")
    wait(service, other, "stopped")
    first, second, third = (service.store.open(run).model(0).weights[0] for run in (run_id, same, other))
    assert np.array_equal(first, second)
    assert not np.array_equal(first, third)


def test_the_queue_is_fair_and_says_where_one_stands(service: Service):
    blocker = service.submit(LONG, viewer="a")
    until(lambda: step(service, blocker) > 0)
    again = service.submit(TINY, viewer="a")
    first, second = service.submit(TINY, viewer="b"), service.submit(TINY, viewer="c")
    until(lambda: live(service, second).position == 2)
    assert [live(service, run).position for run in (blocker, first, second, again)] == [0, 1, 2, 3]
    assert [entry.run_id for entry in service.queue()] == [blocker, first, second, again]
    assert live(service, second).estimate >= live(service, first).estimate >= 0
    assert service.store.open(first).status == "waiting"
    unwanted = service.submit(TINY, viewer="d")
    service.control(unwanted, "stop")
    assert live(service, unwanted).status == "stopped"
    service.control(blocker, "pause")  # gives the worker free
    for run in (first, second, again):
        wait(service, run, "finished")
    service.control(blocker, "stop")
    wait(service, blocker, "stopped")
    ended = [service.store.open(run).info.created for run in (first, second, again)]
    assert len(ended) == 3


def test_a_resumed_job_waits_for_the_worker_it_gave_free(service: Service):
    one = service.submit(LONG, viewer="a")
    until(lambda: step(service, one) > 0)
    service.control(one, "pause")
    wait(service, one, "paused")
    other = service.submit(LONG, viewer="b")
    until(lambda: step(service, other) > 0)
    service.control(one, "resume")
    assert live(service, one).status == "waiting"
    assert live(service, one).position == 1
    before = step(service, one)
    service.control(other, "stop")
    until(lambda: step(service, one) > before)
    service.control(one, "stop")
    wait(service, one, "stopped")


def test_one_step_asked_for_before_the_start_is_one_step(service: Service):
    run_id = service.submit(LONG, viewer="a")
    service.control(run_id, "step")
    until(lambda: step(service, run_id) == 1 and live(service, run_id).status == "paused")
    time.sleep(0.3)
    assert step(service, run_id) == 1
    service.control(run_id, "stop")
    wait(service, run_id, "stopped")


def test_a_diverging_run_fails_with_advice_and_keeps_its_steps(service: Service):
    wild = TINY.replace(cell="simple_rnn", activation="relu", optimiser="sgd", learning_rate=10.0, gain=5.0, length=40, epochs=50)
    found = wait(service, service.submit(wild, viewer="a"), "failed")
    assert "learning rate below" in found.message
    record = service.store.open(found.run_id)
    assert record.status == "failed"
    assert record.info.message == found.message
    assert len(record.history["step"]) == found.snapshot.step > 0


def test_data_that_cannot_be_made_is_one_sentence(service: Service):
    found = wait(service, service.submit(TINY.replace(task="csv", source="0" * 64), viewer="a"), "failed")
    assert 10 < len(found.message) < 400
    assert "Traceback" not in found.message
    with pytest.raises(ValueError, match="task must be"):
        service.submit(TINY.replace(task="nonsense"), viewer="a")


def test_a_deleted_run_stops_training(service: Service):
    run_id = service.submit(LONG, viewer="a")
    until(lambda: step(service, run_id) > 0)
    service.store.delete(run_id)
    found = wait(service, run_id, "failed")
    assert found.message == "This run was deleted."
    assert not (service.store.home / "runs" / run_id).exists()


def test_an_unwatched_run_is_stopped_and_kept(service: Service, monkeypatch: pytest.MonkeyPatch):
    watched, unwatched = service.submit(LONG, viewer="a"), service.submit(TINY, viewer="b")
    monkeypatch.setattr(service._clerk, "patience", 2.0)
    end = time.monotonic() + 4
    while time.monotonic() < end:
        service.seen(watched)
        time.sleep(0.1)
    assert live(service, watched).status == "running"
    assert live(service, unwatched).status == "stopped"
    found = wait(service, watched, "stopped")
    assert "nobody watched" in found.message
    record = service.store.open(watched)
    assert record.status == "stopped"
    assert len(record.history["step"]) == found.snapshot.step


def test_streams_give_their_values_in_order(service: Service):
    told: list[int] = []
    job = service.stream(streams.count, 20, viewer="a", each=told.append)
    until(lambda: service.streamed(job).status == "finished")
    assert service.streamed(job).values == tuple(range(20))
    assert told == list(range(20))
    assert service.live(job) is None
    endless = service.stream(streams.count, 100_000, viewer="a")
    until(lambda: len(service.streamed(endless).values) > 3)
    service.control(endless, "pause")
    until(lambda: service.streamed(endless).status == "paused")
    service.control(endless, "stop")
    until(lambda: service.streamed(endless).status == "stopped")
    broken = service.stream(streams.fail, "no such luck", viewer="a")
    until(lambda: service.streamed(broken).status == "failed")
    assert service.streamed(broken).message == "no such luck"


def test_a_grown_worker_starts_afresh_once_nobody_is_on_it(service: Service, monkeypatch: pytest.MonkeyPatch):
    def trainers() -> set[str]:
        return {worker.address for worker in service._clerk.roster.workers if worker.name.startswith("train")}

    before = trainers()
    held = service.submit(LONG, viewer="a")
    until(lambda: step(service, held) > 0)
    service.control(held, "pause")
    wait(service, held, "paused")
    monkeypatch.setattr(clerk, "GROWN", 0)
    wait(service, service.submit(TINY, viewer="b"), "finished")
    until(lambda: service._clerk._grown == before)
    monkeypatch.undo()
    assert trainers() == before, "somebody's paused run is still there"
    service.control(held, "stop")
    wait(service, held, "stopped")
    after = service.submit(TINY, viewer="b")
    assert wait(service, after, "finished", "failed").status == "finished"
    assert trainers() != before
    assert live(service, held).status == "stopped"


def test_a_stream_that_cannot_start_says_so_calmly(service: Service):
    unsendable = service.stream(streams.count, threading.Lock(), viewer="a")
    until(lambda: service.streamed(unsendable).status == "failed")
    found = service.streamed(unsendable).message
    assert found == "This could not be sent to a worker, so it did not start (cannot pickle '_thread.lock' object)."
    after = service.stream(streams.count, 2, viewer="a")
    until(lambda: service.streamed(after).status == "finished")


# -------------------------------------------------------------------- probes


def test_a_probe_is_computed_once_per_content(service: Service):
    inputs = np.random.default_rng(0).normal(size=(1, 20, made_up.model().interface.input_size)).astype(np.float32)
    first = service.call(trace, made_up.model(), inputs)
    assert first.result(60).states.shape == (1, 20, 8)
    assert service.call(trace, made_up.model(), inputs.copy()) is first, "equal content, not identity"
    other = service.call(trace, made_up.model(seed=1), inputs)
    assert other is not first
    assert not np.array_equal(other.result(60).states, first.result().states)


def test_a_probe_does_not_wait_for_a_training(service: Service):
    run_id = service.submit(LONG, viewer="a")
    until(lambda: step(service, run_id) > 0)
    service.call(streams.process_id, -1).result(60)
    took = []
    for n in range(10):
        began = time.perf_counter()
        service.call(streams.process_id, n).result(10)
        took.append(time.perf_counter() - began)
    assert live(service, run_id).status == "running"
    service.control(run_id, "stop")
    wait(service, run_id, "stopped")
    assert np.median(took) < 0.5


def test_a_failing_probe_says_so_and_is_tried_anew(service: Service):
    failed = service.call(streams.fail, "the words")
    with pytest.raises(ValueError, match="the words"):
        failed.result(60)
    until(lambda: service.call(streams.fail, "the words") is not failed)


def test_a_model_is_sent_once(service: Service):
    model = made_up.model(seed=5)
    service.call(streams.parameters, model, 1).result(60)
    message = service._clerk.probes._refer(model, whole=False)
    assert message.data is None
    assert service.call(streams.parameters, model, 2).result(60) == model.parameters


def test_results_are_forgotten_when_they_are_too_large(service: Service, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(service._clerk.probes, "largest", 30_000)
    futures = [service.call(np.full, 1000, float(n)) for n in range(8)]
    for future in futures:
        future.result(60)
    until(lambda: sum(size for _, size in service._clerk.probes._results.values()) <= 30_000)
    assert service.call(np.full, 1000, 7.0) is futures[7]
    assert service.call(np.full, 1000, 0.0) is not futures[0]


@pytest.mark.skipif(sys.platform == "win32", reason="no nice")
def test_workers_are_nicer_than_the_web_process(service: Service):
    import os

    assert service.call(streams.priority).result(60) >= os.nice(0) + 5
