"""Thirty sessions submit at once: `python -m tests.benchmarks.sessions [--sessions N] [--varied] [--json]`.

They submit the same network from different seeds, as a class does; with --varied thirty networks of different cells and sizes,
so that no compiled step can be used again.

All must finish, in the order of submission; all processes together stay under 3 GB; a loop that ticks every 10 ms in this
process (as a web server's would) is never late by more than 100 ms.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import tempfile
import threading
import time

import numpy as np
import psutil

from rnn_core.service.service import Service
from rnn_core.spec.experiment import Experiment
from rnn_core.store.store import Store

SMALL = Experiment().replace(task="toy_reviews", cell="gru", epochs=1, samples=640)


class Loop(threading.Thread):
    """An event loop that records its delays."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.late: list[float] = []
        self.start()

    def run(self) -> None:
        asyncio.run(self._tick())

    async def _tick(self) -> None:
        while True:
            began = time.perf_counter()
            await asyncio.sleep(0.01)
            self.late.append(time.perf_counter() - began - 0.01)


def memory() -> float:
    """Gigabytes of this process and its children: proportional set size, so that shared pages count once."""
    me = psutil.Process(os.getpid())
    return sum(process.memory_full_info().pss for process in [me, *me.children(recursive=True)]) / 2**30


def _varied(n: int) -> Experiment:
    """Network number n; no two have the same architecture."""
    return SMALL.replace(seed=n, cell=("gru", "lstm", "simple_rnn")[n % 3], units=16 + n)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--sessions", type=int, default=30)
    parser.add_argument("--varied", action="store_true")
    arguments = parser.parse_args()
    service = Service(Store(tempfile.mkdtemp()), scheduler="", trainers=1)
    while service.state != "ready" or len(service._dispatcher.queue.workers) < 2:
        time.sleep(0.1)
    loop, began = Loop(), time.monotonic()
    experiments = [_varied(n) if arguments.varied else SMALL.replace(seed=n) for n in range(arguments.sessions)]
    runs = [service.submit(experiment, viewer=f"viewer {n}") for n, experiment in enumerate(experiments)]
    submitted, largest, ended = time.monotonic() - began, 0.0, []
    while len(ended) < len(runs):
        for run in runs:
            live = service.live(run)
            service.viewed(run)
            assert live is not None
            if run not in ended and live.status in ("finished", "failed", "stopped"):
                ended.append(run)
        largest = max(largest, memory())
        time.sleep(0.05)
    found = {
        "sessions": len(runs),
        "finished": sum(service.live(run).status == "finished" for run in runs),  # type: ignore[union-attr]
        "in_order": ended == runs,
        "submit_all_ms": submitted * 1e3,
        "seconds": time.monotonic() - began,
        "gigabytes": largest,
        "loop_late_ms_median": float(np.median(loop.late)) * 1e3,
        "loop_late_ms_worst": max(loop.late) * 1e3,
    }
    print(json.dumps(found) if arguments.json else "\n".join(f"{name:20} {value:.4g}" for name, value in found.items()))
    service.close()


if __name__ == "__main__":
    main()
