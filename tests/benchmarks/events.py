"""Latency of events from a training worker to the app: `python -m tests.benchmarks.events [--json]`.

A training runs as fast as it can on the embedded cluster; every update carries the worker's clock (same machine), compared
with the clock of the service's dispatcher when it receives the update. Target: median under 50 ms.
"""

from __future__ import annotations

import argparse
import json
import pickle
import tempfile
import time

import numpy as np

from rnn_core.service.service import Service
from rnn_core.spec.experiment import Experiment
from rnn_core.store.store import Store

TASKS = {
    "toy reviews, LSTM 32": Experiment().replace(task="toy_reviews", cell="lstm", epochs=1000),
    "adding 200, GRU 32": Experiment().replace(task="adding", length=200, cell="gru", epochs=1000),
}


def measure(service: Service, experiment: Experiment, seconds: float) -> dict[str, float]:
    """Milliseconds from the worker's `flush` to the dispatcher, from control to its effect, and from worker to a reader of `live`."""
    delays: list[float] = []
    take = service._dispatcher.receiver.receive

    def timed(message: bytes) -> None:
        delays.append(time.time() - pickle.loads(message).sent)
        take(message)

    service._dispatcher.receiver.receive = timed  # type: ignore[method-assign]
    run_id = service.submit(experiment, viewer="bench")
    while (live := service.live(run_id)) is None or live.snapshot is None or live.snapshot.step < 20:
        time.sleep(0.02)
    delays.clear()
    end, controls = time.monotonic() + seconds, []
    while time.monotonic() < end:
        time.sleep(0.5)
        for command, status in (("pause", "paused"), ("resume", "running")):
            began = time.perf_counter()
            service.control(run_id, command)
            while service.live(run_id).status != status:  # type: ignore[union-attr]
                time.sleep(0.001)
            controls.append(time.perf_counter() - began)
    speed = service.live(run_id).snapshot.steps_per_second  # type: ignore[union-attr]
    service.control(run_id, "stop")
    while service.live(run_id).status != "stopped":  # type: ignore[union-attr]
        time.sleep(0.01)
    service._dispatcher.receiver.receive = take  # type: ignore[method-assign]
    found = {"events": float(len(delays)), "steps_per_second": speed}
    for name, values in (("event", delays), ("control", controls)):
        found |= {f"{name}_median_ms": float(np.median(values)) * 1e3, f"{name}_p95_ms": float(np.percentile(values, 95)) * 1e3}
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--seconds", type=float, default=10)
    arguments = parser.parse_args()
    service = Service(Store(tempfile.mkdtemp()), scheduler="", trainers=1)
    while service.state != "ready" or len(service._dispatcher.queue.workers) < 2:
        time.sleep(0.1)
    for name, experiment in TASKS.items():
        found = measure(service, experiment, arguments.seconds)
        if arguments.json:
            print(json.dumps({"task": name, **found}))
        else:
            print(f"{name}: " + ", ".join(f"{key} {value:.1f}" for key, value in found.items()))
    service.close()


if __name__ == "__main__":
    main()
