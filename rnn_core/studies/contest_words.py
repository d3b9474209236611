"""The verdict of a contest: standings and sentences, computed from its laps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from rnn_core.probes.gradients.reach import SHARE, reach
from rnn_core.spec.experiment import CELLS
from rnn_core.studies.contest import Goal, Lap

NONE, LITTLE, MUCH = 0.02, 0.1, 0.6  # shares of the way from guessing to solved: no better, hardly better … most of the way
NAMES = {"simple_rnn": "vanilla RNN", "lstm": "LSTM", "gru": "GRU"}


@dataclass(frozen=True)
class Standing:
    """One cell's result over all its seeds."""

    cell: str  # "simple_rnn", "lstm" or "gru"
    learning_rate: float  # of the optimiser
    seeds: int  # number of runs
    solved: int  # runs that solved the task
    diverged: int  # runs whose loss stopped being a number
    running: bool  # a run has not ended
    steps: float  # median training steps: to the solution of solved runs, else so far
    seconds: float  # median computing time of the same runs
    best: float  # median over runs of the best held-out metric
    reach: float  # median over runs of `reach` of the loss gradient at the end, in steps: 1 … T; 0 where there is none
    reach_untrained: float  # the same before training


def standings(laps: Iterable[Lap]) -> list[Standing]:
    """The result of each cell so far, in the fixed order of the cells."""
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
    """Sentences for the screen: which cells solved it and how fast, how far the others came, how far the gradient
    reached, and how many seeds this is based on.

    Args:
        aim: the goal.
        table: from `standings`; the contest may still be running.
        stopped: the contest was ended early.
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
    best = f"its best {_measure(aim)} was {_value(aim, standing.best)} against {_value(aim, aim.baseline)} for guessing: {came}"
    if standing.running:
        return f"{capital(_the(standing))} has not solved it after {standing.steps:,.0f} training steps; {best}."
    if standing.diverged == standing.seeds:
        return f"{capital(_the(standing))} diverged after {standing.steps:,.0f} training steps: try a smaller learning rate."
    runs = "" if standing.seeds == 1 else f" in any of {standing.seeds} runs"
    return f"{capital(_the(standing))} did not solve it{runs} within {aim.steps:,} training steps at learning rate {standing.learning_rate:g}; {best}."


def _conclusion(aim: Goal, table: Sequence[Standing], winners: Sequence[Standing]) -> str:
    if not winners:
        return "Nobody solved it: too long, too few steps, or a learning rate that suits none of them. Try a shorter sequence or a larger gate bias."
    if len(winners) == len(table):
        return f"All of them remember over {aim.length} steps: at this length there is nothing to choose between them but speed. Try a longer one."
    if [standing.cell for standing in table if not standing.solved] == ["simple_rnn"]:
        return f"Over {aim.length} steps the gates made the difference, at these learning rates and within these steps."
    return "The gates alone do not decide it here: learning rate, gate bias and luck with the seed matter too."


def _reaches(aim: Goal, table: Sequence[Standing]) -> str:
    parts = [f"{_steps(standing.reach)} for {_the(standing)} (untrained {standing.reach_untrained:.0f})" for standing in table]
    return (
        f"Counted back from the last step until it falls below {SHARE:.0%} of its size there, "
        f"the gradient of the loss reached {listed(parts)}, of {aim.length}."
    )


def _steps(count: float) -> str:
    return "no step" if count == 0 else f"{count:.0f} step{'' if count == 1 else 's'}"


def _caveat(table: Sequence[Standing]) -> str:
    seeds = min(standing.seeds for standing in table)
    if seeds == 1:
        return "One seed stands behind this: another one may end differently, so it says nothing about how often a cell succeeds."
    return f"{seeds} seeds stand behind this{', few for a rate of success' if seeds < 5 else ''}."


def _measure(aim: Goal) -> str:
    return "accuracy" if aim.metric == "accuracy" else "error (root mean square)"


def _value(aim: Goal, value: float) -> str:
    return f"{value:.1%}" if aim.metric == "accuracy" else f"{value:.3f}"


def capital(words: str) -> str:
    """`words` with a capital first letter."""
    return words[0].upper() + words[1:]


def listed(parts: Sequence[str]) -> str:
    """The parts as a list in a sentence: one, two and three."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
