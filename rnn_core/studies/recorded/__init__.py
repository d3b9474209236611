"""Recorded studies that ship with the project: the map of a sweep (map.csv), one contest (adding-100.json), lessons.json.

`python -m tests.benchmarks.contest --record` runs the contest again and writes it.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from rnn_core.studies.contest import Goal, Lap

RECORDED = Path(__file__).parent / "adding-100.json"


def save(values: Iterable[Goal | Lap], path: Path = RECORDED) -> None:
    """Write a contest as JSON. Only the first and last gradient norms of each contestant are kept: those are drawn."""
    values = list(values)
    ends = {(lap.cell, lap.seed): lap for lap in values if isinstance(lap, Lap)}
    rows = []
    for value in values:
        row = {one.name: getattr(value, one.name) for one in dataclasses.fields(value) if one.name not in ("strip", "shown")}
        if isinstance(value, Lap):
            drawn = value.step == 0 or ends[value.cell, value.seed] is value
            row["norms"] = [float(f"{norm:.4g}") for norm in value.norms] if drawn else []
        rows.append({name: _plain(item) for name, item in row.items()})
    lines = ",\n".join(json.dumps(row) for row in rows)
    path.write_text(f"[\n{lines}\n]\n", encoding="utf-8")


def recorded(path: Path = RECORDED) -> list[Goal | Lap]:
    """A recorded contest in the form of `contest.contest`: the goal, then the laps."""
    rows = json.loads(path.read_text(encoding="utf-8"))
    return [Goal(**row) if "threshold" in row else _lap(row) for row in rows]


def _plain(item: Any) -> Any:
    """NaN as None, which JSON has; other floats to six digits."""
    if isinstance(item, float):
        return None if math.isnan(item) else float(f"{item:.6g}")
    return item


def _lap(row: dict[str, Any]) -> Lap:
    row = {name: math.nan if item is None else item for name, item in row.items()}
    return Lap(**{**row, "norms": np.array(row["norms"], np.float64)})
