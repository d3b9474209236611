"""Plants faults in a series, and measures how well a score finds them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

KINDS = ("spikes", "level_shifts", "frequency_changes")
AFTERMATH = 10  # steps after a fault in which an alarm counts as finding it: its windows contain the fault
_SPACING = 80  # steps from one fault to the next
_DURATION = 30  # steps of a level shift or a changed frequency


def plant(values: np.ndarray, first: int, kind: str, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Plants faults from step `first` on, about one every 80 steps.

    Spikes: one step, 4 standard deviations off. Level shifts: 30 steps, 3 standard deviations off; the first three steps
    after either jump count as the fault. Frequency changes: 30 steps in which the series runs twice as fast, so that it
    gets 30 steps shorter.

    Args:
        values: (N, C).
        first: the first step that may be changed.
        kind: one of `KINDS`, or "mixed" for all of them in turn.
        rng: draws positions and signs.

    Returns:
        The changed values (M, C), M <= N; (M,) bool, True at faults; (M,) the step of `values` that each row comes from.
    """
    count = (len(values) - first - _DURATION) // _SPACING
    if count < 1:
        raise ValueError(
            f"the test part has {len(values) - first} steps, too few to plant faults: at least {_SPACING + _DURATION} are needed"
        )
    scale = values[:first].std(0)
    places = first + _DURATION // 2 + np.arange(count) * _SPACING + rng.integers(0, _SPACING - 2 * _DURATION, count)
    changed, faults, rows = values.copy(), np.zeros(len(values), bool), np.ones(len(values), bool)
    turns = int(rng.integers(3))
    for n, place in enumerate(places):
        what = KINDS[(n + turns) % 3] if kind == "mixed" else kind
        sign = rng.choice([-1.0, 1.0])
        if what == "spikes":
            changed[place] += sign * 4 * scale
            faults[place] = True
        elif what == "level_shifts":
            changed[place : place + _DURATION] += sign * 3 * scale
            faults[place : place + 3] = faults[place + _DURATION : place + _DURATION + 3] = True
        else:
            faults[place : place + 2 * _DURATION] = True
            rows[place + 1 : place + 2 * _DURATION : 2] = False
    return changed[rows], faults[rows], np.flatnonzero(rows)


@dataclass(frozen=True)
class Detection:
    """Agreement of alarms with planted faults."""

    precision: float  # share of alarms at a fault or within 10 steps after it; nan without alarms
    recall: float  # share of faults with an alarm at them or within 10 steps after
    auc: float  # chance that a faulty step scores higher than a normal one; the 10 steps after a fault are not counted as normal; 0.5 is guessing
    faults: int  # runs of faulty steps
    alarms: int  # steps whose score lies above the threshold


def detection(scores: np.ndarray, faults: np.ndarray, threshold: float) -> Detection:
    """Compares scores (N,) with the planted faults (N,) bool; a score above `threshold` is an alarm."""
    alarms = scores > threshold
    near = np.convolve(faults, np.ones(AFTERMATH + 1))[: len(faults)] > 0  # at a fault or shortly after one
    starts = np.flatnonzero(np.diff(faults.astype(np.int8), prepend=0) == 1)
    stops = np.flatnonzero(np.diff(faults.astype(np.int8), append=0) == -1) + 1
    found = sum(bool(alarms[start : stop + AFTERMATH].any()) for start, stop in zip(starts, stops, strict=True))
    return Detection(
        precision=float(near[alarms].mean()) if alarms.any() else float("nan"),
        recall=found / len(starts) if len(starts) else float("nan"),
        auc=area_under_curve(scores[faults], scores[~near]),
        faults=len(starts),
        alarms=int(alarms.sum()),
    )


def area_under_curve(positives: np.ndarray, negatives: np.ndarray) -> float:
    """The chance that a positive scores above a negative, ties counting half (Mann & Whitney); nan without positives or negatives."""
    if not len(positives) or not len(negatives):
        return float("nan")
    ordered = np.sort(negatives)
    below, upto = np.searchsorted(ordered, positives, "left"), np.searchsorted(ordered, positives, "right")
    return float((below + upto).mean() / 2 / len(negatives))
