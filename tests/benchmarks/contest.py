"""The contest rows of reference/science.md 3.2: which cells solve each task, in how many steps, over five seeds, beside published figures.

    python -m tests.benchmarks.contest [--json] [--seeds N] [--rows adding-100 …]   run them
    python -m tests.benchmarks.contest --shipped                                    print them from the map that ships
    python -m tests.benchmarks.contest --live                                       seconds and verdict of one live contest
    python -m tests.benchmarks.contest --record                                     the same, and save it as the recorded contest

The published figures are one or two seeds each, and their vanilla RNNs ran for 25 to 50 seconds where ours take at most
2,000 steps at each of two learning rates. Steps and metrics repeat on one machine; seconds are this machine's.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import time
from collections.abc import Sequence

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from rnn_core.spec.experiment import CELLS
from rnn_core.studies import contest, contest_words, recorded, sweep
from rnn_core.studies.sweep import Outcome, Trial

# row: task, length, and the figures of science.md 3.2 for each cell (vanilla RNN: at its better learning rate)
ROWS = {
    "adding-100": ("adding", 100, {"simple_rnn": "not solved, MSE .028 at best", "lstm": "650, 850 steps", "gru": "250, 250 steps"}),
    "adding-200": ("adding", 200, {"simple_rnn": "not solved, MSE .158", "lstm": "950 steps", "gru": "400, 300 steps"}),
    "temporal_order-100": ("temporal_order", 100, {"simple_rnn": "not solved, .29", "lstm": ".994 at 686 steps (bias 3)", "gru": "150 steps (bias 3)"}),
}  # fmt: skip


def measured(name: str, seeds: int, shipped: bool) -> dict[str, list[Outcome]]:
    """Cell → the outcome of each seed."""
    task, length, _ = ROWS[name]
    trials = [Trial(task, length, cell, seed) for cell in CELLS for seed in range(seeds)]
    if shipped:
        rows = [row for row in sweep.read() if row.trial in trials]
    else:
        rows = [result for result in sweep.run(trials) if isinstance(result, Outcome)]
    return {cell: [row for row in rows if row.cell == cell] for cell in CELLS}


def words(rows: Sequence[Outcome]) -> str:
    """One cell's seeds on one line."""
    won = [row.steps for row in rows if row.ending == "solved"]
    best = float(np.median([row.best for row in rows])) if rows else float("nan")
    metric = f"MSE {best**2:.4f}" if rows and rows[0].task == "adding" else f"accuracy {best:.3f}"
    steps = f", {int(np.median(won))} steps ({min(won)} to {max(won)})" if won else ""
    return f"solved {len(won)} of {len(rows)}{steps}, median best {metric}"


def live(record: bool) -> None:
    """The adding contest over 100 steps as the page runs it: wall seconds with compilation, and its verdict."""
    start = time.perf_counter()
    values = list(contest.contest([contest.entry("adding", 100, cell) for cell in CELLS], steps=1500))
    seconds = time.perf_counter() - start
    laps = [value for value in values if isinstance(value, contest.Lap)]
    print(f"adding, T = 100, seed 0, at most 1,500 steps each: {seconds:.1f} s on {os.cpu_count()} cores (target: 60 s)")
    for sentence in contest_words.verdict(values[0], contest_words.standings(laps)):  # type: ignore[arg-type]
        print(f"  {sentence}")
    if record:
        recorded.save(values)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.contest", description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--rows", nargs="+", choices=list(ROWS), default=list(ROWS))
    parser.add_argument("--shipped", action="store_true")
    parser.add_argument("--live", action="store_true")
    parser.add_argument("--record", action="store_true")
    choice = parser.parse_args()
    if choice.live or choice.record:
        live(choice.record)
        return
    found = {name: measured(name, choice.seeds, choice.shipped) for name in choice.rows}
    if choice.json:
        print(
            json.dumps(
                {name: [dataclasses.asdict(row) for rows in cells.values() for row in rows] for name, cells in found.items()}
            )
        )
        return
    for name, cells in found.items():
        task, length, published = ROWS[name]
        print(
            f"\n{task}, T = {length}, at most {sweep.STEPS:,} steps"
            + (f", gate bias {sweep.GATE_BIAS[task]:g}" if task in sweep.GATE_BIAS else "")
        )
        for cell, rows in cells.items():
            print(f"  {contest_words.NAMES[cell]:12} {words(rows):78} published: {published[cell]}")


if __name__ == "__main__":
    main()
