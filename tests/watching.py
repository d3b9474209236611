"""A small and a long training, and helpers that look at a service's runs and wait for a condition."""

from __future__ import annotations

import sys
import time
import traceback
from collections.abc import Callable

from rnn_core.service.service import Live, Service
from rnn_core.spec.experiment import Experiment
from rnn_core.store.store import ACTIVE

TINY = Experiment().replace(task="first_token", length=6, samples=128, epochs=2, batch=32, units=4, cell="gru")
LONG = TINY.replace(epochs=1000, samples=2000)


def until(
    condition: Callable[[], object], seconds: float = 120.0, otherwise: Callable[[], str] = lambda: "it did not happen"
) -> None:
    """Wait for a condition, at most `seconds`. Of a pause of the whole machine, however long, only one second counts."""
    checked = time.monotonic()
    while not condition():
        seconds -= min(time.monotonic() - checked, 1.0)
        checked = time.monotonic()
        assert seconds > 0, otherwise()
        time.sleep(0.01)


def live(service: Service, run_id: str) -> Live:
    found = service.live(run_id)
    assert found is not None
    return found


def step(service: Service, run_id: str) -> int:
    snapshot = live(service, run_id).snapshot
    return snapshot.step if snapshot else -1


def wait(service: Service, run_id: str, *statuses: str) -> Live:
    """Wait until the run has one of these statuses; fails at once when it ends in another."""
    until(lambda: live(service, run_id).status not in set(ACTIVE) - set(statuses), otherwise=lambda: describe(service, run_id))
    found = live(service, run_id)
    assert found.status in statuses, f"{found.status} after step {step(service, run_id)}: {found.message}"
    return found


def describe(service: Service, run_id: str) -> str:
    """State of a run, its job and the workers, and the stacks of its worker's threads: for the message of a failed wait."""
    job = service._dispatcher.queue.jobs[run_id]
    found = live(service, run_id)
    try:
        doing = service._dispatcher.connection.run(job.worker, stacks).result(10) if job.worker else "nowhere"
    except Exception as problem:
        doing = f"the worker does not answer: {problem!r}"
    return (
        f"{found.status}, step {step(service, run_id)}, place {found.position}, {found.message!r}, attempt {job.attempt}, "
        f"final update {job.last_update is not None}, task {job.task}, service {service.state} {service.message!r}, "
        f"workers {service._dispatcher.queue.workers}; {doing}"
    )


def stacks() -> str:
    """The stack of every thread of this process."""
    return "\n".join("".join(traceback.format_stack(frame)) for frame in sys._current_frames().values())
