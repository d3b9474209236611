"""The sweep: rows in a file, counts of the map, and the shipped map."""

from pathlib import Path

import numpy as np
import pytest

from rnn_core.studies import sweep
from rnn_core.studies.sweep import Outcome, Trial


def outcome(
    cell: str = "gru", length: int = 50, seed: int = 0, ending: str = "solved", steps: int = 100, task: str = "adding"
) -> Outcome:
    return Outcome(task, length, cell, seed, 0.01, ending, steps, 1.5, 0.08 if ending == "solved" else 0.4, 0.408)


def test_rows_are_the_same_after_writing_and_reading(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "map.csv"
    rows = [outcome(), outcome(cell="lstm", seed=3, ending="out of steps")]
    assert sweep.read(path) == []
    for row in rows:
        sweep.append(path, row)
    assert sweep.read(path) == rows


def test_a_file_of_an_earlier_version_keeps_its_columns(tmp_path: Path) -> None:
    path = tmp_path / "map.csv"
    sweep.append(path, outcome())
    heading, row = path.read_text().splitlines()
    path.write_text(f"{heading},reach_untrained,reach\n{row},9,49\n")
    sweep.append(path, outcome(seed=2))
    assert sweep.read(path) == [outcome(), outcome(seed=2)]
    assert len({line.count(",") for line in path.read_text().splitlines()}) == 1


@pytest.mark.parametrize("damage", ["adding,50,gru,1,0.01,sol", "adding,50,gru,1,0.01,solved,1x,1.5,0.08,0.4\n", "\x00\x00"])
def test_a_damaged_row_is_ignored(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "map.csv"
    sweep.append(path, outcome())
    with path.open("a") as file:
        file.write(damage)
    assert sweep.read(path) == [outcome()]
    sweep.append(path, outcome(seed=2))
    assert sweep.read(path) == [outcome(), outcome(seed=2)]


def test_a_grid_goes_seed_by_seed_and_resumes_where_it_stopped() -> None:
    trials = sweep.grid(["adding"], [25, 50], 2)
    assert len(trials) == 12
    assert [trial.seed for trial in trials] == [0] * 6 + [1] * 6
    done = [outcome(cell=trial.cell, length=trial.length, seed=trial.seed) for trial in trials[:7]]
    assert sweep.remaining(trials, done) == trials[7:]
    assert sweep.remaining(trials, []) == trials


def test_squares_count_seeds_once() -> None:
    rows = [
        outcome(seed=0, steps=100),
        outcome(seed=1, steps=300),
        outcome(seed=2, ending="out of steps"),
        outcome(seed=2, ending="out of steps"),
    ]
    rows += [outcome(task="parity"), outcome(cell="lstm", ending="diverged")]
    squares = sweep.cells_of_map(rows, "adding")
    assert (squares["gru", 50].seeds, squares["gru", 50].solved, squares["gru", 50].steps) == (3, 2, 200)
    assert squares["gru", 50].words == "2 of 3<br>200 steps"
    assert squares["lstm", 50].words == "0 of 1<br>best 0.4"
    assert np.isnan(squares["lstm", 50].steps)


def test_the_summary_names_the_longest_solved_length_and_the_seeds() -> None:
    rows = [outcome(length=length, seed=seed) for length in (25, 50, 100) for seed in range(5)]
    rows += [
        outcome("lstm", length, seed, "solved" if length < 100 else "out of steps")
        for length in (25, 50, 100)
        for seed in range(5)
    ]
    rows += [outcome("simple_rnn", 25, seed, "out of steps") for seed in range(5)]
    words = sweep.summary(sweep.cells_of_map(rows, "adding"))
    assert "the GRU up to 100 steps (the longest tried)" in words
    assert "the LSTM up to 50 steps (not 100)" in words
    assert "the vanilla RNN none of the lengths tried" in words
    assert "5 seeds" in words
    assert sweep.summary({}) == "Nothing has been run yet."


def test_one_length_in_a_sentence() -> None:
    rows = [outcome("gru", 50, seed, steps=steps) for seed, steps in enumerate((100, 200, 600))]
    squares = sweep.cells_of_map([*rows, outcome("simple_rnn", 50, 0, "out of steps")], "adding")
    assert sweep.at_length(squares, 50) == (
        "The vanilla RNN solved it in 0 of 1 runs and the GRU solved it in 3 of 3 runs (after 200 training steps in the median)."
    )
    assert sweep.at_length(squares, 25) == ""


def test_half_of_the_seeds_is_not_most() -> None:
    rows = [outcome(seed=0), outcome(seed=1, ending="out of steps")]
    assert sweep.farthest(sweep.cells_of_map(rows, "adding"), "gru") == 0


def test_a_trial_gives_laps_and_then_one_outcome(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sweep.LEARNING_RATES, "simple_rnn", (0.01, 0.001))
    results = list(sweep.attempt(Trial("adding", 8, "simple_rnn", 0), steps=50))
    found = results[-1]
    assert isinstance(found, Outcome)
    assert found.trial == Trial("adding", 8, "simple_rnn", 0)
    assert [lap.step for lap in results[:-1]] == [0, 50, 0, 50]  # both learning rates were tried
    best = {lap.learning_rate: lap.best for lap in results[:-1]}
    assert found.learning_rate == min(best, key=best.__getitem__)


def test_the_shipped_map_is_complete() -> None:
    """At least five seeds per square, every cell at every length, and no run over its steps."""
    rows = sweep.read()
    tasks = {row.task for row in rows}
    assert {"adding", "temporal_order"} <= tasks
    assert len({row.trial for row in rows}) == len(rows)
    for task in tasks:
        squares = sweep.cells_of_map(rows, task)
        assert {length for _, length in squares} >= ({25, 50, 100, 200} if task == "adding" else {100})
        assert len(squares) == 3 * len({length for _, length in squares})
        assert all(square.seeds >= 5 for square in squares.values())
    assert all(0 < row.steps <= sweep.STEPS for row in rows)
    assert all((row.ending == "solved") or row.steps == sweep.STEPS or row.ending == "diverged" for row in rows)
