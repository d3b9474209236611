"""The verdict on a contest, on made-up laps of every kind."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rnn_core.figures.verdicts.contest import TOO_CLOSE, contest
from rnn_core.studies import recorded
from rnn_core.studies.contest import Goal, Lap

AIM = Goal("adding", 100, "rmse", threshold=0.1, baseline=0.4, steps=1500)
NAN = float("nan")


def laps(cell: str, best: list[float], steps: list[int] | int = 1500, ending: str | None = None) -> list[Lap]:
    """The last lap of one run per seed; solved where its best error is at most 0.1."""
    steps = [steps] * len(best) if isinstance(steps, int) else steps
    found = []
    for seed, (error, step) in enumerate(zip(best, steps, strict=True)):
        end = ending if ending is not None else "solved" if error <= 0.1 else "out of steps"
        found.append(Lap(cell, seed, 0.01, step, 1.0, 0.1, error, error, np.ones(100), end))
    return found


def test_gated_cells_ahead_in_every_seed() -> None:
    table = [
        *laps("simple_rnn", [0.39, 0.4, 0.38]),
        *laps("lstm", [0.09] * 3, [600, 700, 650]),
        *laps("gru", [0.08] * 3, [600, 500, 700]),
    ]
    found = contest(AIM, table)
    assert found.words == (
        "Solved by the vanilla RNN in 0 of 3 runs, the LSTM in 3 of 3 runs and the GRU in 3 of 3 runs. "
        "The LSTM and the GRU are ahead of the vanilla RNN by more than the seeds differ."
    )
    assert found.tone == "good"
    assert found.next is not None
    assert dict(found.next.changes) == {"length": 200}


def test_one_seed_decides_nothing_and_asks_for_five() -> None:
    found = contest(AIM, [*laps("simple_rnn", [0.39]), *laps("lstm", [0.09]), *laps("gru", [0.08])])
    assert (
        found.words
        == "Solved by the LSTM and the GRU, not by the vanilla RNN. One seed decides nothing: another may end differently."
    )
    assert found.tone == "undecided"
    assert found.next is not None
    assert dict(found.next.changes) == {"seeds": 5}


def test_a_lead_within_the_spread_of_the_seeds_is_no_lead() -> None:
    found = contest(AIM, [*laps("simple_rnn", [0.09, 0.39, 0.3]), *laps("gru", [0.08, 0.09, 0.35])])
    assert found.words.endswith(TOO_CLOSE)
    assert found.tone == "undecided"


def test_all_solved_and_who_was_sooner() -> None:
    sooner = contest(AIM, [*laps("lstm", [0.09] * 3, [600, 700, 650]), *laps("gru", [0.08] * 3, [200, 250, 300])])
    assert sooner.words == "All of them remember over 100 steps. The GRU is sooner than the LSTM by more than the seeds differ."
    assert sooner.tone == "good"
    mixed = contest(AIM, [*laps("lstm", [0.09] * 3, [600, 200, 650]), *laps("gru", [0.08] * 3, [200, 250, 300])])
    assert mixed.words == f"All of them remember over 100 steps. {TOO_CLOSE}"


def test_nobody_solved_it() -> None:
    found = contest(AIM, [*laps("simple_rnn", [0.4] * 3), *laps("gru", [0.41, 0.4, 0.4])])
    assert (found.words, found.tone) == ("Nobody came further than guessing over 100 steps.", "bad")
    assert found.next is not None
    assert dict(found.next.changes) == {"length": 50}
    some = contest(AIM, [*laps("simple_rnn", [0.4] * 3), *laps("gru", [0.2, 0.21, 0.2])])
    assert some.words == "Nobody solved it over 100 steps. The GRU is ahead of the vanilla RNN by more than the seeds differ."
    assert some.tone == "bad"


def test_diverged_and_nan() -> None:
    found = contest(AIM, laps("simple_rnn", [NAN, NAN], ending="diverged"))
    assert (found.words, found.tone) == ("Every run diverged: its loss stopped being a number.", "bad")
    mixed = contest(AIM, [*laps("simple_rnn", [NAN] * 3, ending="diverged"), *laps("gru", [0.09] * 3)])
    assert "nan" not in mixed.words
    assert "The GRU is ahead of the vanilla RNN" in mixed.words


@pytest.mark.parametrize(
    ("best", "words"),
    [
        ([0.41, 0.42], "So far nobody is better than guessing."),
        ([0.41, 0.25], "So far the GRU has come furthest: 50% of the way from guessing to solved."),
    ],
)
def test_while_it_runs_nothing_is_decided(best: list[float], words: str) -> None:
    running = [*laps("simple_rnn", best[:1], 300, ""), *laps("gru", best[1:], 300, "")]
    assert (contest(AIM, running).words, contest(AIM, running).tone) == (words, "undecided")
    stopped = contest(AIM, running, stopped=True)
    assert stopped.words == f"Stopped before everybody had finished. {words}"
    assert contest(AIM, [*laps("gru", [0.09]), *laps("lstm", [0.3], 300, "")]).words == "So far solved by the GRU."
    assert contest(AIM, []).words == "The contestants are being made ready."


def test_the_recorded_contest() -> None:
    aim, *values = recorded.recorded()
    assert isinstance(aim, Goal)
    found = contest(aim, [value for value in values if isinstance(value, Lap)])
    assert found.words.startswith("Solved by the LSTM and the GRU, not by the vanilla RNN.")
    assert found.tone == "undecided", "one seed"


@pytest.mark.parametrize(("best", "length", "expected"), [(0.09, 100, 200), (0.4, 100, 50), (0.09, 400, None), (0.4, 10, None)])
def test_a_suggested_length_is_one_that_can_be_chosen(best: float, length: int, expected: int | None) -> None:
    found = contest(replace(AIM, length=length), laps("gru", [best] * 3), lengths=[10, 25, 50, 100, 200, 400]).next
    assert (found.changes["length"] if found else None) == expected
