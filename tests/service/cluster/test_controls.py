"""Commands to a running training and how soon they take effect: pause, resume, step, epoch, stop, learning rate, reset."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pytest

from rnn_core.service.service import Service
from tests.watching import LONG, TINY, live, step, until, wait


def took(service: Service, run_id: str, command: str, effect: Callable[[], object], value: float | None = None) -> float:
    """Seconds from a command to its effect as the app sees it, less those in which this thread was not scheduled."""
    unscheduled, began = 0.0, time.perf_counter()
    service.control(run_id, command, value)
    while not effect():
        checked = time.perf_counter()
        assert checked - began < 60, f"{command} had no effect"
        time.sleep(0.005)
        unscheduled += time.perf_counter() - checked - 0.005
    return time.perf_counter() - began - unscheduled


def test_every_command_takes_effect_within_0_3_s(service: Service):
    """After the network is compiled: its first step and first validation in a worker compile for about half a second each."""
    wait(service, service.submit(TINY, viewer="a"), "finished")
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


def test_a_paused_run_makes_no_step_and_epoch_ends_at_the_epochs_end(service: Service):
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


def test_a_step_command_before_the_start_makes_one_step(service: Service):
    run_id = service.submit(LONG, viewer="a")
    service.control(run_id, "step")
    until(lambda: step(service, run_id) == 1 and live(service, run_id).status == "paused")
    time.sleep(0.3)
    assert step(service, run_id) == 1
    service.control(run_id, "stop")
    wait(service, run_id, "stopped")


def test_an_ended_run_continues_under_its_own_id(service: Service):
    whole = service.submit(TINY.replace(epochs=3), viewer="w")
    wait(service, whole, "finished")
    run_id = service.submit(TINY, viewer="a")
    wait(service, run_id, "finished")
    assert service.submit(TINY.replace(epochs=3), viewer="a", resume=run_id) == run_id
    found = wait(service, run_id, "finished", "failed")
    assert found.snapshot.epoch == 3
    one, other = service.store.open(run_id).history, service.store.open(whole).history
    assert np.array_equal(one["loss"], other["loss"]), "equal to a run that was never interrupted"
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
