"""Streams and probes on real workers: values in order, results computed once, never waiting for a training."""

from __future__ import annotations

import sys
import threading
import time

import numpy as np
import pytest

from rnn_core.probes.states.traces import trace
from rnn_core.service.service import Service
from tests import made_up, streams
from tests.watching import LONG, live, step, until, wait


def test_streams_give_their_values_in_order(service: Service):
    called_with: list[int] = []
    job = service.stream(streams.count, 20, viewer="a", on_value=called_with.append)
    until(lambda: service.streamed(job).status == "finished")
    assert service.streamed(job).values == tuple(range(20))
    assert called_with == list(range(20))
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


def test_a_stream_that_cannot_be_sent_fails_with_one_sentence(service: Service):
    unsendable = service.stream(streams.count, threading.Lock(), viewer="a")
    until(lambda: service.streamed(unsendable).status == "failed")
    found = service.streamed(unsendable).message
    assert found == "This could not be sent to a worker, so it did not start (cannot pickle '_thread.lock' object)."
    after = service.stream(streams.count, 2, viewer="a")
    until(lambda: service.streamed(after).status == "finished")


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


def test_a_failing_probe_raises_its_error_and_is_computed_again(service: Service):
    failed = service.call(streams.fail, "the words")
    with pytest.raises(ValueError, match="the words"):
        failed.result(60)
    until(lambda: service.call(streams.fail, "the words") is not failed)


def test_a_model_is_sent_once(service: Service):
    model = made_up.model(seed=5)
    service.call(streams.parameters, model, 1).result(60)
    message = service._dispatcher.probes._by_reference(model, send_model=False)
    assert message.data is None
    assert service.call(streams.parameters, model, 2).result(60) == model.parameters


def test_the_oldest_results_are_dropped_beyond_the_limit(service: Service, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(service._dispatcher.probes, "max_bytes", 30_000)
    futures = [service.call(np.full, 1000, float(n)) for n in range(8)]
    for future in futures:
        future.result(60)
    until(lambda: sum(size for _, size in service._dispatcher.probes._results.values()) <= 30_000)
    assert service.call(np.full, 1000, 7.0) is futures[7]
    assert service.call(np.full, 1000, 0.0) is not futures[0]


@pytest.mark.skipif(sys.platform == "win32", reason="no nice")
def test_workers_have_a_lower_priority_than_the_web_process(service: Service):
    import os

    assert service.call(streams.priority).result(60) >= os.nice(0) + 5
