"""The verdict on a contest: which cell is ahead by more than the seeds differ among themselves.

The rule: each run counts by its progress, the share of the way from guessing (0) to solved (1) of its best held-out metric. A cell is
ahead of another if all its runs came further than all runs of the other by at least 10 % of the way, and both have three seeds or more;
so neither the median nor one lucky seed decides. Of two cells whose runs all solved it, the one whose slowest run was faster than the
other's fastest learned it sooner. One or two seeds decide nothing: the sentence then names what happened, and asks for more seeds.
The sentences about single cells are those of `studies.contest_words`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rnn_core.figures.verdicts.verdict import Suggestion, Verdict
from rnn_core.spec.experiment import CELLS
from rnn_core.studies.contest import Goal, Lap
from rnn_core.studies.contest_words import LITTLE, NAMES, NONE, capital, listed

SEEDS, MORE_SEEDS = 3, 5  # seeds from which on a cell can be ahead; seeds to ask for
GAP = LITTLE  # of the way from guessing to solved


@dataclass(frozen=True)
class Entrant:
    """The runs of one cell, one per seed."""

    cell: str  # "simple_rnn", "lstm" or "gru"
    progress: tuple[float, ...]  # of each run's best metric, 0 … 1
    steps: tuple[int, ...]  # training steps of each run so far
    solved: tuple[bool, ...]  # whether each has solved it
    diverged: tuple[bool, ...]  # whether each has diverged
    running: bool  # whether one has not ended

    @property
    def name(self) -> str:
        return f"the {NAMES[self.cell]}"

    def beats(self, other: Entrant) -> bool:
        """Whether it is ahead of the other, by the rule above, leaving aside the number of seeds."""
        if all(self.solved) and all(other.solved):
            return max(self.steps) < min(other.steps)
        return min(self.progress) >= max(other.progress) + GAP


def contest(aim: Goal, laps: Iterable[Lap], stopped: bool = False, lengths: Sequence[int] = ()) -> Verdict:
    """The verdict on a contest so far.

    Args:
        aim: its goal.
        laps: from `studies.contest.contest`, in order.
        stopped: it was ended before every run had.
        lengths: that can be suggested; without them twice or half the present one.
    """
    table = entrants(aim, laps)
    if not table:
        return Verdict("The contestants are being made ready.", "undecided")
    if all(all(each.diverged) for each in table):
        return Verdict("Every run diverged: its loss stopped being a number.", "bad", _slower())
    if any(each.running for each in table):
        if not stopped:
            return Verdict(_so_far(table), "undecided")
        return Verdict(f"Stopped before everybody had finished. {_so_far(table)}", "undecided")
    seeds = min(len(each.progress) for each in table)
    if all(max(each.progress) < NONE for each in table):
        return Verdict(f"Nobody came further than guessing over {aim.length} steps.", "bad", _length(aim, lengths, longer=False))
    if not any(any(each.solved) for each in table):
        return Verdict(
            f"Nobody solved it over {aim.length} steps. {_order(table, seeds)}", "bad", _length(aim, lengths, longer=False)
        )
    if all(all(each.solved) for each in table):
        words = f"All of them remember over {aim.length} steps. {_order(table, seeds)}"
        return Verdict(words, "good" if seeds >= SEEDS else "undecided", _length(aim, lengths, longer=True))
    if seeds < SEEDS:
        return Verdict(
            f"{_solved(table)} {_caveat(seeds)}", "undecided", Suggestion(f"Run {MORE_SEEDS} seeds", {"seeds": MORE_SEEDS})
        )
    order = _order(table, seeds)
    return Verdict(f"{_solved(table)} {order}", "undecided" if order == TOO_CLOSE else "good", _length(aim, lengths, longer=True))


def entrants(aim: Goal, laps: Iterable[Lap]) -> list[Entrant]:
    """The runs of each cell, by their last laps, in the fixed order of the cells."""
    ends: dict[str, dict[int, Lap]] = {}
    for lap in laps:
        ends.setdefault(lap.cell, {})[lap.seed] = lap
    return [_entrant(aim, cell, list(ends[cell].values())) for cell in CELLS if cell in ends]


def _entrant(aim: Goal, cell: str, ends: Sequence[Lap]) -> Entrant:
    return Entrant(
        cell,
        tuple(aim.progress(end.best) for end in ends),
        tuple(end.step for end in ends),
        tuple(end.ending == "solved" for end in ends),
        tuple(end.ending == "diverged" for end in ends),
        any(not end.ending for end in ends),
    )


TOO_CLOSE = "The seeds of one cell differ as much as the cells do: no cell is ahead."


def _order(table: Sequence[Entrant], seeds: int) -> str:
    """Who is ahead of whom, by more than the seeds differ."""
    if len(table) < 2:
        return ""
    if seeds < SEEDS:
        return _caveat(seeds)
    ahead = [(each, [other for other in table if other is not each and each.beats(other)]) for each in table]
    best, behind = max(ahead, key=lambda pair: len(pair[1]))
    if not behind:
        return TOO_CLOSE
    equal = [each for each, beaten in ahead if {one.cell for one in beaten} == {one.cell for one in behind}]
    leaders, verb = listed([each.name for each in equal]), "are" if len(equal) > 1 else "is"
    what = "sooner than" if all(all(each.solved) for each in (best, *behind)) else "ahead of"
    return f"{capital(leaders)} {verb} {what} {listed([other.name for other in behind])} by more than the seeds differ."


def _solved(table: Sequence[Entrant]) -> str:
    """Who solved it, in how many runs."""
    if max(len(each.solved) for each in table) == 1:
        won, lost = ([each.name for each in table if each.solved[0] is solved] for solved in (True, False))
        return f"Solved by {listed(won)}, not by {listed(lost)}."
    counts = [f"{each.name} in {sum(each.solved)} of {len(each.solved)} runs" for each in table]
    return f"Solved by {listed(counts)}."


def _so_far(table: Sequence[Entrant]) -> str:
    best = max(table, key=lambda each: max(each.progress))
    if max(best.progress) < NONE:
        return "So far nobody is better than guessing."
    solved = [each.name for each in table if any(each.solved)]
    if solved:
        return f"So far solved by {listed(solved)}."
    return f"So far {best.name} has come furthest: {max(best.progress):.0%} of the way from guessing to solved."


def _caveat(seeds: int) -> str:
    return f"{'One seed decides' if seeds == 1 else f'{seeds} seeds decide'} nothing: another may end differently."


def _length(aim: Goal, lengths: Sequence[int], longer: bool) -> Suggestion | None:
    """The next longer or shorter sequence."""
    known = sorted(lengths or (max(aim.length // 2, 1), 2 * aim.length))
    beyond = (
        [length for length in known if length > aim.length]
        if longer
        else [length for length in known[::-1] if length < aim.length]
    )
    return Suggestion(f"Try {beyond[0]} steps", {"length": beyond[0]}) if beyond else None


def _slower() -> Suggestion:
    changes: Mapping[str, Any] = {"learning_rate": 0.001}
    return Suggestion("Learning rate 0.001", changes)
