"""The verdict agrees with the numbers: each sentence is tested with numbers that must change it."""

from dataclasses import replace

import numpy as np
import pytest

from rnn_core.studies.contest import Goal, Lap
from rnn_core.studies.contest_words import Standing, standings, verdict

AIM = Goal("adding", 100, "rmse", threshold=0.1, baseline=0.408, steps=1500)
FAILED = Standing("simple_rnn", 0.01, 1, 0, 0, False, steps=1500, seconds=5, best=0.36, reach=12, reach_untrained=40)
SLOW = Standing("lstm", 0.01, 1, 1, 0, False, steps=650, seconds=8.6, best=0.09, reach=90, reach_untrained=20)
FAST = Standing("gru", 0.01, 1, 1, 0, False, steps=250, seconds=4.6, best=0.08, reach=99, reach_untrained=9)


def lap(
    cell: str, step: int, metric: float, ending: str = "", seed: int = 0, norms: tuple[float, ...] = (0.001, 0.5, 1.0)
) -> Lap:
    return Lap(cell, seed, 0.01, step, step / 100, 0.1, metric, metric, np.array(norms), ending)


def test_standings_group_runs_by_cell_and_seed() -> None:
    laps = [lap("gru", 0, 0.4), lap("simple_rnn", 0, 0.4), lap("gru", 50, 0.08, "solved"), lap("simple_rnn", 50, 0.3)]
    laps += [lap("gru", 0, 0.4, seed=1), lap("gru", 150, 0.05, "solved", seed=1)]
    vanilla, gru = standings(laps)
    assert (vanilla.cell, vanilla.seeds, vanilla.solved, vanilla.running) == ("simple_rnn", 1, 0, True)
    assert (gru.seeds, gru.solved, gru.running, gru.steps, gru.best) == (2, 2, False, 100, pytest.approx(0.065))
    assert gru.reach == 2


def test_median_steps_count_the_runs_that_solved() -> None:
    runs = [
        lap("lstm", 100, 0.05, "solved"),
        lap("lstm", 1500, 0.3, "out of steps", seed=1),
        lap("lstm", 300, 0.05, "solved", seed=2),
    ]
    assert standings(runs)[0].steps == 200
    assert "2 of 3 runs, after 200 training steps" in " ".join(verdict(AIM, standings(runs)))


def test_the_fastest_comes_first_and_the_loser_is_measured_against_guessing() -> None:
    words = verdict(AIM, [FAILED, SLOW, FAST])
    assert words[0] == "The GRU solved it first, after 250 training steps (4.6 s of computing)."
    assert words[1] == "The LSTM solved it, after 650 training steps (8.6 s of computing)."
    assert "vanilla RNN did not solve it within 1,500 training steps at learning rate 0.01" in words[2]
    assert "0.360 against 0.408 for guessing: 16% of the way" in words[2]
    assert "gates made the difference" in words[3]
    assert "One seed" in words[-1]


def test_first_place_follows_the_numbers() -> None:
    assert verdict(AIM, [FAILED, replace(SLOW, steps=100), FAST])[0].startswith("The LSTM solved it first")


def test_gates_are_not_credited_when_a_gated_cell_fails_or_the_vanilla_one_solves() -> None:
    failed_lstm = replace(SLOW, solved=0, best=0.4)
    vanilla_won = replace(FAILED, solved=1, best=0.05, steps=1200)
    for table in ([FAILED, failed_lstm, FAST], [vanilla_won, failed_lstm, replace(FAST, solved=0)]):
        words = " ".join(verdict(AIM, table))
        assert "gates made the difference" not in words
        assert "gates alone do not decide" in words
    assert "nothing to choose" in " ".join(verdict(AIM, [vanilla_won, SLOW, FAST]))
    assert "Nobody solved it" in " ".join(verdict(AIM, [FAILED, failed_lstm]))


@pytest.mark.parametrize(
    ("best", "phrase"),
    [
        (0.390, "hardly better than guessing"),
        (0.5, "no better than guessing"),
        (0.25, "51% of the way"),
        (0.12, "most of the way"),
    ],
)
def test_the_verdict_says_how_far_an_unsolved_cell_came(best: float, phrase: str) -> None:
    assert phrase in " ".join(verdict(AIM, [replace(FAILED, best=best), SLOW]))


def test_the_reach_is_of_the_loss_and_out_of_all_steps() -> None:
    words = next(
        sentence for sentence in verdict(AIM, [replace(FAILED, reach=1, reach_untrained=0), FAST]) if "reached" in sentence
    )
    assert "falls below 1% of its size there, the gradient of the loss reached 1 step for the vanilla RNN (untrained 0)" in words
    assert words.endswith("and 99 steps for the GRU (untrained 9), of 100.")


def test_a_contest_under_way_or_stopped_draws_no_conclusion() -> None:
    table = [replace(FAILED, running=True, steps=300), FAST]
    words = " ".join(verdict(AIM, table))
    assert "has not solved it after 300 training steps" in words
    assert "gates made" not in words
    assert "stopped" not in words
    assert verdict(AIM, table, stopped=True)[0] == "It was stopped before everybody had finished."
    assert "stopped" not in " ".join(verdict(AIM, [FAILED, FAST], stopped=True))
    assert verdict(AIM, []) == ["The contestants are being made ready."]


def test_the_verdict_names_divergence_and_the_number_of_seeds() -> None:
    assert "diverged after 1,500 training steps: try a smaller learning rate" in " ".join(
        verdict(AIM, [replace(FAILED, diverged=1), SLOW])
    )
    assert verdict(AIM, [replace(FAILED, seeds=3), replace(SLOW, seeds=3, solved=3)])[-1].startswith(
        "3 seeds stand behind this, few"
    )
    assert verdict(AIM, [replace(FAILED, seeds=5), replace(SLOW, seeds=5, solved=5)])[-1] == "5 seeds stand behind this."


def test_accuracy_counts_upwards() -> None:
    aim = Goal("temporal_order", 100, "accuracy", threshold=0.98, baseline=0.25, steps=1500)
    assert aim.solved(0.99)
    assert not aim.solved(0.97)
    assert not aim.solved(float("nan"))
    assert aim.progress(0.25) == 0
    assert aim.progress(float("nan")) == 0
    assert "29.0% against 25.0% for guessing: hardly better" in " ".join(verdict(aim, [replace(FAILED, best=0.29)]))
