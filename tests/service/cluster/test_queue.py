"""The order in which the jobs of several viewers run, on real worker processes."""

from __future__ import annotations

from rnn_core.service.service import Service
from tests.watching import LONG, TINY, live, step, until, wait


def test_the_queue_is_fair_and_gives_positions(service: Service):
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
    service.control(blocker, "pause")  # lets other jobs use the worker
    for run in (first, second, again):
        wait(service, run, "finished")
    service.control(blocker, "stop")
    wait(service, blocker, "stopped")
    ended = [service.store.open(run).info.created for run in (first, second, again)]
    assert len(ended) == 3


def test_a_resumed_job_waits_until_its_worker_is_free(service: Service):
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
