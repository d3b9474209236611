"""What a contest showed, in words that are computed from its numbers and say no more than they do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from rnn_core.spec.experiment import CELLS
from rnn_core.studies.contest import Goal, Lap

REACH = 0.01  # the gradient reaches a step while its norm there is at least this share of its norm at the last step
NONE, LITTLE, MUCH = 0.02, 0.1, 0.6  # shares of the way from guessing to solved: no better, hardly better … most of the way
NAMES = {"simple_rnn": "vanilla RNN", "lstm": "LSTM", "gru": "GRU"}


@dataclass(frozen=True)
class Standing:
    """One cell's result over all its seeds."""

    cell: str  # "simple_rnn", "lstm" or "gru"
    learning_rate: float  # of the optimiser
    seeds: int  # runs behind the numbers
    solved: int  # runs that solved the task
    diverged: int  # runs whose loss stopped being a number
    running: bool  # some run is not over
    steps: float  # median training steps: to the solution where solved, else so far
    seconds: float  # median computing time of the same runs
    best: float  # median over runs of the best held-out metric
    reach: float  # median over runs of the lag, in steps, that the gradient reaches at the end
    reach_untrained: float  # the same before training


def reach(norms: np.ndarray, share: float = REACH) -> int:
    """How many steps back from the last the gradient still has at least `share` of its size there.

    Args:
        norms: (T,) gradient norm per time step, last step last.

    Returns:
        0..T-1: the largest such lag; a gradient that is zero or not finite at the last step reaches 0.
    """
    if len(norms) == 0 or not np.isfinite(norms[-1]) or norms[-1] <= 0:
        return 0
    return len(norms) - 1 - int(np.flatnonzero(norms >= share * norms[-1])[0])


def standings(laps: Iterable[Lap]) -> list[Standing]:
    """Each cell's result so far, in the fixed order of the cells."""
    tracks: dict[str, dict[int, list[Lap]]] = {}
    for lap in laps:
        tracks.setdefault(lap.cell, {}).setdefault(lap.seed, []).append(lap)
    return [_standing(cell, list(tracks[cell].values())) for cell in CELLS if cell in tracks]


def _standing(cell: str, runs: Sequence[Sequence[Lap]]) -> Standing:
    ends = [run[-1] for run in runs]
    winners = [end for end in ends if end.ending == "solved"]
    return Standing(
        cell,
        ends[0].learning_rate,
        len(ends),
        len(winners),
        sum(end.ending == "diverged" for end in ends),
        any(not end.ending for end in ends),
        float(np.median([end.step for end in winners or ends])),
        float(np.median([end.seconds for end in winners or ends])),
        float(np.median([end.best for end in ends])),
        float(np.median([reach(end.norms) for end in ends])),
        float(np.median([reach(run[0].norms) for run in runs])),
    )


def verdict(aim: Goal, table: Sequence[Standing], stopped: bool = False) -> list[str]:
    """Sentences for the screen: who solved it and how fast, who did not and how far they came, how far the gradient
    reached, and what this many seeds can and cannot show.

    Args:
        aim: what was asked.
        table: from `standings`; may be of a contest that is still going on.
        stopped: somebody ended it early.
    """
    if not table:
        return ["The contestants are being made ready."]
    unfinished = any(standing.running for standing in table)
    words = ["It was stopped before everybody had finished."] if unfinished and stopped else []
    winners = sorted((standing for standing in table if standing.solved), key=lambda each: (-each.solved, each.steps))
    words += [_won(standing, first=n == 0 and len(table) > 1) for n, standing in enumerate(winners)]
    words += [_lost(aim, standing) for standing in table if not standing.solved]
    if not unfinished:
        words += [_conclusion(aim, table, winners)]
    return [*words, _reaches(aim, table), _caveat(table)]


def _the(standing: Standing) -> str:
    return f"the {NAMES[standing.cell]}"


def _won(standing: Standing, first: bool) -> str:
    effort = f"after {standing.steps:,.0f} training steps ({standing.seconds:.1f} s of computing)"
    if standing.seeds == 1:
        return f"{capital(_the(standing))} solved it{' first' if first else ''}, {effort}."
    return f"{capital(_the(standing))} solved it in {standing.solved} of {standing.seeds} runs, {effort} in the median."


def _lost(aim: Goal, standing: Standing) -> str:
    share = aim.progress(standing.best)
    if share < NONE:
        came = "no better than guessing"
    elif share < LITTLE:
        came = "hardly better than guessing"
    else:
        came = "most of the way from guessing to solved" if share > MUCH else f"{share:.0%} of the way from guessing to solved"
    seen = f"its best {_measure(aim)} was {_value(aim, standing.best)} against {_value(aim, aim.baseline)} for guessing: {came}"
    if standing.running:
        return f"{capital(_the(standing))} has not solved it after {standing.steps:,.0f} training steps; {seen}."
    if standing.diverged == standing.seeds:
        return f"{capital(_the(standing))} diverged after {standing.steps:,.0f} training steps: try a smaller learning rate."
    runs = "" if standing.seeds == 1 else f" in any of {standing.seeds} runs"
    return f"{capital(_the(standing))} did not solve it{runs} within {aim.steps:,} training steps at learning rate {standing.learning_rate:g}; {seen}."


def _conclusion(aim: Goal, table: Sequence[Standing], winners: Sequence[Standing]) -> str:
    if not winners:
        return "Nobody solved it: too long, too few steps, or a learning rate that suits none of them. Try a shorter sequence or a larger gate bias."
    if len(winners) == len(table):
        return f"All of them remember over {aim.length} steps: at this length there is nothing to choose between them but speed. Try a longer one."
    if [standing.cell for standing in table if not standing.solved] == ["simple_rnn"]:
        return f"Over {aim.length} steps the gates made the difference, at these learning rates and within these steps."
    return "The gates alone do not decide it here: learning rate, gate bias and luck with the seed matter too."


def _reaches(aim: Goal, table: Sequence[Standing]) -> str:
    parts = [f"{standing.reach:.0f} steps for {_the(standing)} (untrained {standing.reach_untrained:.0f})" for standing in table]
    return f"The loss gradient reached back, with at least {REACH:.0%} of its size at the last step, {listed(parts)}, of {aim.length - 1} possible."


def _caveat(table: Sequence[Standing]) -> str:
    seeds = min(standing.seeds for standing in table)
    if seeds == 1:
        return "One seed stands behind this: another one may end differently, so do not read a rate of success out of it."
    return f"{seeds} seeds stand behind this{', few for a rate of success' if seeds < 5 else ''}."


def _measure(aim: Goal) -> str:
    return "accuracy" if aim.metric == "accuracy" else "error (root mean square)"


def _value(aim: Goal, value: float) -> str:
    return f"{value:.1%}" if aim.metric == "accuracy" else f"{value:.3f}"


def capital(words: str) -> str:
    """With a capital first letter."""
    return words[0].upper() + words[1:]


def listed(parts: Sequence[str]) -> str:
    """One, two and three."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
