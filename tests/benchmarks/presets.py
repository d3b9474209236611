"""Every preset's claim beside what one run of it gives: python -m tests.benchmarks.presets [NAME ...] [--json] [--imdb].

Without names it runs the presets that need no IMDB; --imdb adds two epochs of those that do. A row fails where the claim
does not hold. Success rates over five seeds are tests/benchmarks/contest.py's.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import time
from dataclasses import asdict, dataclass
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from rnn_core import data, presets
from rnn_core.training import train


@dataclass(frozen=True)
class Row:
    """One preset, perhaps with a cell or a number changed, and the bound that its claim sets on the validation metric."""

    preset: str
    changes: dict[str, Any]
    bound: float | str  # number, or a share of a baseline: "0.5 linear autoregression"
    better: bool = True  # the metric must be better than the bound; False: worse


ROWS = (
    Row("toy", {}, 0.9),
    Row("sine", {}, "1 last period"),
    Row("mackey_glass", {}, "0.5 linear autoregression"),
    Row("lorenz", {}, "0.333 linear autoregression"),
    Row("adding_100", {"cell": "gru"}, 0.1),
    Row("adding_100", {"cell": "lstm"}, 0.1),
    Row("adding_100", {"cell": "simple_rnn"}, 0.1, False),
    Row("adding_200", {"cell": "gru"}, 0.1),
    Row("adding_200", {"cell": "lstm"}, 0.1),
    Row("adding_200", {"cell": "simple_rnn"}, 0.3, False),
    Row("temporal_order_100", {"cell": "gru"}, 0.98),
    Row("temporal_order_100", {"cell": "lstm"}, 0.98),
    Row("temporal_order_100", {"cell": "simple_rnn"}, 0.5, False),
    Row("gate_bias", {}, 0.995),
    Row("gate_bias", {"gate_bias": None}, 0.6, False),
)
IMDB = (
    Row("textbook", {"epochs": 2}, 0.8),
    Row("textbook_lstm", {"epochs": 2}, 0.8),
    Row("textbook_gru", {"epochs": 2}, 0.8),
    Row("imdb_rnn", {"epochs": 2}, 0.8),
    Row("imdb_lstm", {"epochs": 2}, 0.8),
    Row("imdb_gru", {"epochs": 2}, 0.8),
    Row("post_padding", {}, 0.62, False),
)


def bound(row: Row) -> float:
    """The bound as a number."""
    if not isinstance(row.bound, str):
        return row.bound
    share, name = row.bound.split(" ", 1)
    return float(share) * data.build(presets.get(row.preset)).baselines[name]


def run(row: Row) -> dict[str, Any]:
    """Trains the preset and compares."""
    experiment = presets.get(row.preset).replace(**row.changes)
    start, metrics, first, snapshot = time.perf_counter(), [], None, None
    limit = bound(row)
    higher = data.task(experiment.data.task).metric == "accuracy"
    for snapshot in train(experiment):
        metrics += [snapshot.validation_metric] if math.isfinite(snapshot.validation_metric) else []
        reached = bool(metrics) and ((metrics[-1] > limit) if higher else (metrics[-1] < limit))
        first = time.perf_counter() - start if reached and first is None else first
    best = max(metrics) if higher else min(metrics)
    passed = ((best > limit) if higher else (best < limit)) == row.better
    return {
        **asdict(row),
        "limit": limit,
        "best": best,
        "last": metrics[-1],
        "steps": snapshot.step if snapshot else 0,
        "seconds": time.perf_counter() - start,
        "seconds_to_bound": first,
        "holds": passed,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--imdb", action="store_true")
    arguments = parser.parse_args()
    rows = [
        row
        for row in ROWS + (IMDB if arguments.imdb or arguments.names else ())
        if not arguments.names or row.preset in arguments.names
    ]
    found = []
    for row in rows:
        found.append(result := run(row))
        if not arguments.json:
            changes = ", ".join(f"{name}={value}" for name, value in row.changes.items())
            words = "better" if row.better else "no better"
            there = "" if result["seconds_to_bound"] is None else f", there after {result['seconds_to_bound']:.1f} s"
            print(
                f"{'ok ' if result['holds'] else 'NOT'} {row.preset:20} {changes:18} best {result['best']:.4f} last {result['last']:.4f}; "
                f"claim: {words} than {result['limit']:.4f}; {result['steps']} steps, {result['seconds']:.1f} s{there}",
                flush=True,
            )
    if arguments.json:
        print(json.dumps(found, indent=1))
    raise SystemExit(not all(result["holds"] for result in found))


if __name__ == "__main__":
    main()
