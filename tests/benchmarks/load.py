"""Time of a page update while thirty sessions watch two trainings, each once a second: `python -m tests.benchmarks.load [--both] [--json]`.

Speaks the server's own protocol, so it measures what browsers would wait for: from asking for a tick until the server has
sent all of it. The clients run in this process; the app and its workers are started fresh and share the machine with it.
On two cores the app starts one worker that trains, so one training waits for the other; with `--both` it is given a cluster
of two, on this machine too, and both train at once.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import re
import statistics
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from tests import outside
from tests.browser.protocol import Student
from tests.browser.serving import Server

# Long enough to train through the whole measurement; the second is heavier than the first.
EXPERIMENTS = ("task=toy_reviews&cell=lstm&epochs=1000&minutes=30", "task=toy_reviews&cell=gru&units=64&epochs=1000&minutes=30")

WORKERS = [("--name", name, *outside.WARM) for name in ("probe", "train-1", "train-2")]  # with --both


async def start(port: int, experiment: str, or_queued: bool) -> str:
    """Open the link of an experiment, press Play, and return the run's id once it trains or, if `or_queued`, is in the queue."""
    student = await Student(port, "train", experiment).open()
    await student.press("Play")
    for _ in range(120):
        await asyncio.sleep(0.5)
        await student.rerun()
        # A machine of two cores trains one run at a time: the second waits, and is watched while it does.
        if any("steps/s" in bar.text or (or_queued and "in the queue" in bar.text) for bar in student.kinds("progress")):
            await student.close()
            return student.run
    raise RuntimeError(f"the training did not start: {[bar.text for bar in student.kinds('progress')]}")


async def step(port: int, run: str) -> int:
    """The training step shown on a run's page; 0 while it waits."""
    student = await Student(port, "train", f"run={run}").open()
    await student.close()
    found = [re.search(r"step ([\d,]+) of", bar.text) for bar in student.kinds("progress")]
    return next((int(match[1].replace(",", "")) for match in found if match), 0)


async def watch(port: int, run: str, seconds: float, ticks: list[float]) -> int:
    """One session: opens the run and lets its page tick for some seconds. Returns the bytes received."""
    await asyncio.sleep(random.random())  # a class does not tick in step
    student = await Student(port, "train", f"run={run}").open()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for fragment, interval in list(student.timers.items()):
            if fragment not in student.timers:  # the page was drawn anew meanwhile, with timers of its own
                continue
            began = time.monotonic()
            ticks.append(await student.rerun(fragment=fragment, automatic=True))
            await asyncio.sleep(max(0.0, interval - (time.monotonic() - began)))
        if not student.timers:
            raise RuntimeError("the page does not tick: its run is not active")
    await student.close()
    return student.received


async def measure(server: Server, sessions: int, seconds: float, both: bool) -> dict[str, float]:
    runs = [await start(server.port, experiment, or_queued=not both) for experiment in EXPERIMENTS]
    before = [await step(server.port, run) for run in runs]
    ticks: list[float] = []
    received = await asyncio.gather(*(watch(server.port, runs[n % len(runs)], seconds, ticks) for n in range(sessions)))
    after = [await step(server.port, run) for run in runs]
    ordered = sorted(ticks)
    return {
        "sessions": sessions,
        "ticks": len(ticks),
        "median_ms": 1000 * statistics.median(ordered),
        "p95_ms": 1000 * ordered[int(0.95 * len(ordered))],
        "p99_ms": 1000 * ordered[int(0.99 * len(ordered))],
        "kilobytes_per_tick": sum(received) / len(ticks) / 1000,
        "web_process_mb": server.web_process_megabytes(),
        "steps_of_the_first": after[0] - before[0],
        "steps_of_the_second": after[1] - before[1],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=30)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--both", action="store_true", help="train both at once, on a cluster of two")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of words")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as home, ExitStack() as stack:
        scheduler = {"UNROLLED_SCHEDULER": stack.enter_context(outside.cluster(Path(home), WORKERS, {}))} if options.both else {}
        server = Server(Path(home), **scheduler)
        try:
            result = asyncio.run(measure(server, options.sessions, options.seconds, options.both))
        finally:
            server.stop()
    print(json.dumps(result) if options.json else "\n".join(f"{name:>20}  {value:,.1f}" for name, value in result.items()))


if __name__ == "__main__":
    main()
