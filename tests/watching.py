"""A small and a long training, and what a viewer of the service does: look, and wait until something is so."""

from __future__ import annotations

import time
from collections.abc import Callable

from rnn_core.cluster import Live, Service
from rnn_core.experiment import Experiment

TINY = Experiment().replace(task="first_token", length=6, samples=128, epochs=2, batch=32, units=4, cell="gru")
LONG = TINY.replace(epochs=1000, samples=2000)


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
