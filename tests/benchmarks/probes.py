"""Time and memory of the probes once warm, and their growth with the length of the sequence.

    python -m tests.benchmarks.probes [--json]

State gradients of 32 sequences × 500 steps × 32 units against the time of two training steps; 500 Jacobians of a 64-dimensional
state with the singular values of all products (target 1 s); seconds and peak memory of both from T = 50 to 2,000.
"""

from __future__ import annotations

import argparse
import json
import os
import time
import tracemalloc
from collections.abc import Callable
from statistics import median
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from rnn_core.data.sequences import Batch
from rnn_core.engine.model import build
from rnn_core.probes.gradients.state_gradients import state_gradients
from rnn_core.probes.jacobians.jacobians import jacobians
from rnn_core.spec.experiment import CELLS, Experiment
from rnn_core.spec.interface import Interface

TOKENS = Interface("tokens", 10_000, 1, "binary")


def timed(run: Callable[[], Any], rounds: int = 5) -> float:
    """Median seconds once warm."""
    for _ in range(3):
        run()
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return median(times)


def cost(cell: str) -> dict[str, Any]:
    """The two targets, for one cell."""
    from rnn_core.training.step import TrainingStep

    rng, experiment = np.random.default_rng(0), Experiment().replace(cell=cell)
    model, words = build(experiment, TOKENS), rng.integers(1, 10_000, (64, 500)).astype(np.int32)
    training_step, batch = (
        TrainingStep(model, experiment.training),
        Batch(words, None, rng.integers(0, 2, (64, 1)).astype(np.float32)),
    )
    units = 32 if cell == "lstm" else 64  # a state of 64 numbers
    wide = build(experiment.replace(units=units), TOKENS)
    return {
        "cell": cell,
        "step_s": timed(lambda: training_step.step(batch)),
        "state_gradients_s": timed(lambda: state_gradients(model, words[:32])),
        "jacobians_s": timed(lambda: jacobians(wide, words[0]).log_singular_values(), 3),
    }


def growth(cell: str) -> list[dict[str, Any]]:
    """Seconds and peak megabytes (NumPy's share) by length."""
    rng, model = np.random.default_rng(0), build(Experiment().replace(cell=cell), TOKENS)
    rows = []
    for length in (50, 100, 200, 500, 1000, 2000):
        words = rng.integers(1, 10_000, (8, length)).astype(np.int32)
        seconds = [timed(run, 3) for run in (lambda w=words: state_gradients(model, w), lambda w=words: jacobians(model, w[0]))]
        tracemalloc.start()
        state_gradients(model, words)
        peak = tracemalloc.get_traced_memory()[1] / 1e6
        tracemalloc.stop()
        rows.append({"cell": cell, "length": length, "state_gradients_s": seconds[0], "jacobians_s": seconds[1], "peak_mb": peak})
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one JSON object per line")
    options = parser.parse_args()
    for cell in CELLS:
        found, rows = cost(cell), growth(cell)
        if options.json:
            print("\n".join(map(json.dumps, [found, *rows])), flush=True)
            continue
        print(
            f"{cell}: training step {1e3 * found['step_s']:.0f} ms; state gradients {1e3 * found['state_gradients_s']:.0f} ms (want ≤ 2 steps); 500 Jacobians with singular values {found['jacobians_s']:.2f} s (want ≤ 1)"
        )
        for row in rows:
            print(
                f"  T = {row['length']:5}: state gradients {1e3 * row['state_gradients_s']:7.1f} ms, Jacobians {1e3 * row['jacobians_s']:7.1f} ms, peak {row['peak_mb']:6.1f} MB",
                flush=True,
            )


if __name__ == "__main__":
    main()
