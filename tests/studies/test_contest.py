"""The contest: equal steps, the same data for every cell, endings, and repeatability."""

from dataclasses import replace

import numpy as np
import pytest

from rnn_core import data
from rnn_core.studies import contest
from rnn_core.studies.contest import Goal, Lap


@pytest.fixture(scope="module")
def short() -> list[Goal | Lap]:
    """All three cells on a short adding problem for 100 steps."""
    return list(contest.contest([contest.entry("adding", 12, cell) for cell in ("simple_rnn", "lstm", "gru")], steps=100))


def test_the_goal_comes_first_and_is_the_tasks_own(short: list[Goal | Lap]) -> None:
    aim = short[0]
    assert isinstance(aim, Goal)
    assert (aim.task, aim.length, aim.metric, aim.threshold, aim.steps) == ("adding", 12, "rmse", 0.1, 100)
    assert aim.baseline == pytest.approx(np.sqrt(1 / 6), rel=0.06)  # of 512 sequences


def test_contestants_take_turns_at_equal_steps(short: list[Goal | Lap]) -> None:
    laps = [(lap.cell, lap.step) for lap in short[1:]]
    assert laps[:6] == [("simple_rnn", 0), ("lstm", 0), ("gru", 0), ("simple_rnn", 50), ("lstm", 50), ("gru", 50)]
    assert all(np.isnan(lap.loss) == (lap.step == 0) for lap in short[1:])
    assert all(lap.norms.shape == (12,) and (lap.norms >= 0).all() for lap in short[1:])
    assert [lap.ending for lap in short if isinstance(lap, Lap) and lap.step == 100 and lap.ending != "solved"].count(
        "out of steps"
    ) >= 1


def test_the_first_lap_does_not_change_the_weights(short: list[Goal | Lap]) -> None:
    """The first lap measures a gradient by one step that is undone; without it the training must be the same."""
    experiment = contest.entry("adding", 12, "gru")
    dataset = data.build(experiment)
    from rnn_core.engine import model
    from rnn_core.training.step import TrainingStep

    training_step = TrainingStep(model.build(experiment, dataset.interface), experiment.training, experiment.seed)
    feed = contest._feed(experiment, dataset)
    losses = [training_step.step(next(feed)).loss for _ in range(50)]
    lap = next(lap for lap in short[1:] if lap.cell == "gru" and lap.step == 50)
    assert lap.loss == pytest.approx(np.mean(losses), rel=1e-4)


def test_the_same_contest_gives_the_same_numbers(short: list[Goal | Lap]) -> None:
    again = list(contest.contest([contest.entry("adding", 12, "gru")], steps=50))[-1]
    first = next(lap for lap in short[1:] if lap.cell == "gru" and lap.step == 50)
    assert (again.step, again.loss, again.metric) == (first.step, first.loss, first.metric)
    np.testing.assert_array_equal(again.norms, first.norms)
    other = list(contest.contest([contest.entry("adding", 12, "gru", seed=1)], steps=50))[-1]
    assert other.loss != pytest.approx(first.loss, rel=1e-3)


def test_cells_of_one_seed_train_on_the_same_sequences() -> None:
    feeds = []
    for cell, rate in (("lstm", 0.01), ("simple_rnn", 0.001)):
        experiment = contest.entry("adding", 8, cell, learning_rate=rate)
        feeds.append(contest._feed(experiment, data.build(experiment)))
    for _ in range(60):  # past the first 50 batches, where new data are made
        first, second = (next(feed) for feed in feeds)
        np.testing.assert_array_equal(first.inputs, second.inputs)
        np.testing.assert_array_equal(first.targets, second.targets)


def test_a_solved_race_ends_at_once() -> None:
    experiment = contest.entry("first_token", 5, "gru", gate_bias=4.0)
    laps = list(contest.race(experiment, data.build(experiment), steps=2000))
    assert laps[-1].ending == "solved"
    assert laps[-1].step < 1000
    assert all(not lap.ending for lap in laps[:-1])


def test_a_diverged_race_ends() -> None:
    experiment = contest.entry("adding", 8, "simple_rnn", learning_rate=10.0).replace(
        optimiser="sgd", clip=0.0, activation="linear", gain=3.0
    )
    laps = list(contest.race(experiment, data.build(experiment), steps=500))
    assert laps[-1].ending == "diverged"
    assert laps[-1].step < 500


@pytest.mark.parametrize("task", ["adding", "temporal_order", "first_token", "delayed_recall", "copying", "parity"])
def test_guessing_does_not_solve_any_puzzle(task: str) -> None:
    experiment = contest.entry(task, 20, "gru")
    dataset = data.build(experiment)
    aim = contest.goal(experiment, dataset, 100)
    assert not aim.solved(aim.baseline)
    assert aim.progress(aim.baseline) == 0
    assert aim.progress(aim.threshold) == 1
    assert len(dataset.validation) == contest.HELD_OUT
    assert replace(aim, baseline=0.5).progress((0.5 + aim.threshold) / 2) == pytest.approx(0.5)
