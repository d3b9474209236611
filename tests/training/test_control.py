"""Commands from one thread to a training in another."""

from __future__ import annotations

import threading
import time

import pytest

from rnn_core.training.control import Control


def _in_thread(control: Control) -> tuple[threading.Thread, list[float]]:
    waited: list[float] = []
    thread = threading.Thread(target=lambda: waited.append(control.wait()))
    thread.start()
    return thread, waited


def test_wait_returns_at_once_unless_paused():
    assert Control().wait() == 0.0


@pytest.mark.parametrize("command", ["resume", "step", "epoch", "stop"])
def test_a_paused_training_continues_after_a_command(command: str):
    statuses: list[str] = []
    control = Control(statuses.append)
    control.send("pause")
    thread, waited = _in_thread(control)
    time.sleep(0.05)
    assert thread.is_alive()
    assert statuses == ["paused"]
    control.send(command)
    thread.join(2)
    assert not thread.is_alive()
    assert waited[0] >= 0.04
    assert statuses == ["paused", "running"]
    assert control.stopped == (command == "stop")


def test_one_step_pauses_after_one_batch_and_one_epoch_after_its_end():
    control = Control()
    control.send("step")
    control.batch_done(epoch_ended=False)
    assert control.paused
    control.send("epoch")
    control.batch_done(epoch_ended=False)
    assert not control.paused
    control.batch_done(epoch_ended=True)
    assert control.paused
    control.send("resume")
    control.batch_done(epoch_ended=True)
    assert not control.paused


def test_a_new_learning_rate_is_returned_once():
    control = Control()
    control.send("learning_rate", 0.5)
    assert control.learning_rate() == 0.5
    assert control.learning_rate() is None


@pytest.mark.parametrize("value", [None, float("nan"), float("inf"), 0.0, -1.0, 11.0])
def test_impossible_learning_rates_are_refused(value: float | None):
    with pytest.raises(ValueError, match="learning_rate must be between"):
        Control().send("learning_rate", value)


def test_unknown_commands_are_refused():
    with pytest.raises(ValueError, match="command must be one of pause, resume"):
        Control().send("explode")
