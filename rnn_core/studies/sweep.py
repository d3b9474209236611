"""Up to which length each cell solves a memory task: every cell on every task at every length, over several seeds.

A sweep is a list of trials. Each gives one row of a CSV file; trials whose row exists are not run again, so a sweep can be
stopped and resumed. The vanilla RNN depends on the learning rate, so it is tried with two and the better outcome is kept. `rnn_core/studies/recorded/map.csv` is the sweep that ships with the project.

    python -m rnn_core.studies.sweep map.csv --tasks adding --lengths 25 50 --seeds 5
"""

from __future__ import annotations

import argparse
import csv
import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rnn_core import data
from rnn_core.spec.experiment import CELLS
from rnn_core.studies import contest, contest_words

SHIPPED = Path(__file__).parent / "recorded" / "map.csv"
LEARNING_RATES = {"simple_rnn": (0.01, 0.001), "lstm": (0.01,), "gru": (0.01,)}
GATE_BIAS = {"temporal_order": 3.0, "first_token": 4.0}  # for both gated cells; Keras's default for other tasks
STEPS = 2000  # training steps that each trial may use, per learning rate


@dataclass(frozen=True)
class Trial:
    """One cell, one task, one length, one seed."""

    task: str  # registry key
    length: int  # T, time steps
    cell: str  # "simple_rnn", "lstm" or "gru"
    seed: int  # of weights and data


@dataclass(frozen=True)
class Outcome(Trial):
    """A trial, and how it ended at the better of its learning rates."""

    learning_rate: float  # the better one
    ending: str  # "solved", "out of steps" or "diverged"
    steps: int  # training steps taken
    seconds: float  # computing time on the machine that ran it
    best: float  # best held-out metric
    baseline: float  # metric of guessing

    @property
    def trial(self) -> Trial:
        return Trial(self.task, self.length, self.cell, self.seed)


def grid(tasks: Iterable[str], lengths: Iterable[int], seeds: int, cells: Iterable[str] = CELLS) -> list[Trial]:
    """All trials, seed by seed, so that a map stopped early has every square."""
    tasks, lengths, cells = tuple(tasks), tuple(lengths), tuple(cells)
    return [Trial(task, length, cell, seed) for seed in range(seeds) for task in tasks for length in lengths for cell in cells]


def attempt(trial: Trial, steps: int = STEPS) -> Iterator[contest.Lap | Outcome]:
    """The laps of a trial, then its outcome."""
    outcomes: list[Outcome] = []
    for rate in LEARNING_RATES[trial.cell]:
        bias = None if trial.cell == "simple_rnn" else GATE_BIAS.get(trial.task)
        experiment = contest.entry(trial.task, trial.length, trial.cell, seed=trial.seed, learning_rate=rate, gate_bias=bias)
        dataset = data.build(experiment)
        aim = contest.goal(experiment, dataset, steps)
        laps = []
        for lap in contest.race(experiment, dataset, steps):
            laps.append(lap)
            yield lap
        outcomes.append(_outcome(trial, aim, laps))
        if lap.ending == "solved":
            yield outcomes[-1]
            return
    sign = 1 if aim.metric == "accuracy" else -1
    yield max(outcomes, key=lambda each: np.nan_to_num(sign * each.best, nan=-np.inf))


def _outcome(trial: Trial, aim: contest.Goal, laps: Sequence[contest.Lap]) -> Outcome:
    end = laps[-1]
    return Outcome(
        **dataclasses.asdict(trial),
        learning_rate=end.learning_rate,
        ending=end.ending,
        steps=end.step,
        seconds=round(end.seconds, 2),
        best=round(end.best, 5),
        baseline=round(aim.baseline, 5),
    )


def run(trials: Iterable[Trial], steps: int = STEPS) -> Iterator[contest.Lap | Outcome]:
    """The laps and then the outcome of each trial, one after the other. Close the generator to stop."""
    for trial in trials:
        yield from attempt(trial, steps)


def remaining(trials: Iterable[Trial], outcomes: Iterable[Outcome]) -> list[Trial]:
    """The trials without an outcome."""
    done = {outcome.trial for outcome in outcomes}
    return [trial for trial in trials if trial not in done]


@dataclass(frozen=True)
class Square:
    """One square of the map: one cell at one length, over its seeds."""

    seeds: int  # number of runs
    solved: int  # number of solved runs
    steps: float  # median training steps of those that solved; NaN when none did
    best: float  # median over all runs of the best held-out metric

    @property
    def share(self) -> float:
        return self.solved / self.seeds

    @property
    def words(self) -> str:
        """Text of the square."""
        more = f"{self.steps:,.0f} steps" if self.solved else f"best {self.best:.3g}"
        return f"{self.solved} of {self.seeds}<br>{more}"


def cells_of_map(outcomes: Iterable[Outcome], task: str) -> dict[tuple[str, int], Square]:
    """(cell, length) → the result over its seeds. A trial with two rows counts once, by the last."""
    trials = {outcome.trial: outcome for outcome in outcomes if outcome.task == task}
    groups: dict[tuple[str, int], list[Outcome]] = {}
    for outcome in trials.values():
        groups.setdefault((outcome.cell, outcome.length), []).append(outcome)
    return {key: _square(group) for key, group in groups.items()}


def _square(group: Sequence[Outcome]) -> Square:
    winners = [outcome.steps for outcome in group if outcome.ending == "solved"]
    best = float(np.median([outcome.best for outcome in group]))
    return Square(len(group), len(winners), float(np.median(winners)) if winners else float("nan"), best)


def farthest(squares: Mapping[tuple[str, int], Square], cell: str) -> int:
    """The longest sequence that most seeds of `cell` solved; 0 when there is none."""
    return max((length for (name, length), square in squares.items() if name == cell and square.share > 0.5), default=0)


def summary(squares: Mapping[tuple[str, int], Square]) -> str:
    """The map in words: up to which length each cell solves the task, and on how many seeds this is based."""
    if not squares:
        return "Nothing has been run yet."
    words = [_solved_up_to(squares, cell) for cell in CELLS if any(name == cell for name, _ in squares)]
    seeds = sorted({square.seeds for square in squares.values()})
    behind = f"{seeds[0]}" if len(seeds) == 1 else f"{seeds[0]} to {seeds[-1]}"
    return f"Solved by most seeds: {'; '.join(words)}. Behind each square: {behind} seed{'s' if seeds[-1] > 1 else ''}."


def at_length(squares: Mapping[tuple[str, int], Square], length: int) -> str:
    """The results of the cells at one length in a sentence; empty where none was tried."""
    words = []
    for cell in CELLS:
        if square := squares.get((cell, length)):
            effort = f" (after {square.steps:,.0f} training steps in the median)" if square.solved else ""
            words.append(f"the {contest_words.NAMES[cell]} solved it in {square.solved} of {square.seeds} runs{effort}")
    return f"{contest_words.capital(contest_words.listed(words))}." if words else ""


def _solved_up_to(squares: Mapping[tuple[str, int], Square], cell: str) -> str:
    reached, name = farthest(squares, cell), contest_words.NAMES[cell]
    beyond = [length for other, length in squares if other == cell and length > reached]
    if not reached:
        return f"the {name} none of the lengths tried"
    return f"the {name} up to {reached} steps ({f'not {min(beyond)}' if beyond else 'the longest tried'})"


def read(path: Path = SHIPPED) -> list[Outcome]:
    """The rows of a map; none when the file does not exist. A damaged row is ignored."""
    if not path.exists():
        return []
    kinds = {field.name: {"int": int, "float": float, "str": str}[str(field.type)] for field in dataclasses.fields(Outcome)}
    outcomes = []
    with path.open(newline="", encoding="utf-8", errors="replace") as file:
        for row in csv.DictReader(file):
            with suppress(ValueError, TypeError, KeyError):
                outcomes.append(Outcome(**{name: kind(row[name]) for name, kind in kinds.items()}))
    return outcomes


def append(path: Path, outcome: Outcome) -> None:
    """Adds one row; to a new file also the heading. A file of an earlier version, with more columns, keeps its own."""
    names = [field.name for field in dataclasses.fields(Outcome)]
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True) if path.exists() else []
    heading = next(csv.reader(lines[:1]), [])
    with path.open("a", newline="", encoding="utf-8") as file:
        file.write("\n" if lines and not lines[-1].endswith("\n") else "")  # a writer was killed in the middle of a row
        writer = csv.DictWriter(file, heading if set(names) <= set(heading) else names, lineterminator="\n")
        if not lines:
            writer.writeheader()
        writer.writerow(dataclasses.asdict(outcome))


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m rnn_core.studies.sweep", description="Fill a map of the lengths that each cell solves."
    )
    parser.add_argument("file", type=Path, help="CSV file; trials that have a row in it are not run again")
    parser.add_argument("--tasks", nargs="+", default=["adding", "temporal_order"])
    parser.add_argument("--lengths", nargs="+", type=int, default=[25, 50, 100, 200])
    parser.add_argument("--cells", nargs="+", default=list(CELLS), choices=CELLS)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=STEPS)
    choice = parser.parse_args()
    trials = remaining(grid(choice.tasks, choice.lengths, choice.seeds, choice.cells), read(choice.file))
    for result in run(trials, choice.steps):
        if isinstance(result, Outcome):
            append(choice.file, result)
            print(f"{result.task} T={result.length} {result.cell} seed {result.seed}: {result.ending} after {result.steps} steps, {result.seconds} s, best {result.best}", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
