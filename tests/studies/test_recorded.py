"""The recorded contest: the same after saving and loading, and its verdict agrees with the map."""

from pathlib import Path

import numpy as np

from rnn_core.studies import contest_words, recorded, sweep
from rnn_core.studies.contest import Goal, Lap
from tests.studies.test_contest_words import AIM, lap

REACHES = {
    "simple_rnn": (24, 4),
    "lstm": (20, 100),
    "gru": (10, 100),
}  # of the loss gradient over 100 steps, untrained and at the end


def test_a_contest_is_the_same_after_saving_and_loading(tmp_path: Path) -> None:
    path = tmp_path / "contest.json"
    values = [AIM, lap("gru", 0, 0.5), lap("gru", 50, 0.2), lap("gru", 100, float("nan"), "diverged")]
    recorded.save(values, path)
    aim, first, middle, last = recorded.recorded(path)
    assert aim == AIM
    assert isinstance(first, Lap)
    assert isinstance(last, Lap)
    assert isinstance(middle, Lap)
    np.testing.assert_array_equal(first.norms, [0.001, 0.5, 1.0])
    np.testing.assert_array_equal(last.norms, [0.001, 0.5, 1.0])
    assert len(middle.norms) == 0
    assert np.isnan(last.metric)
    assert (middle.step, middle.metric, last.ending) == (50, 0.2, "diverged")


def test_the_recorded_contest_agrees_with_the_map() -> None:
    aim, *laps = recorded.recorded()
    assert isinstance(aim, Goal)
    assert (aim.task, aim.length) == ("adding", 100)
    table = {standing.cell: standing for standing in contest_words.standings(lap for lap in laps if isinstance(lap, Lap))}
    squares = sweep.cells_of_map(sweep.read(), "adding")
    for cell, standing in table.items():
        assert not standing.running
        assert bool(standing.solved) == (squares[cell, 100].share > 0.5)
    assert {cell: (row.reach_untrained, row.reach) for cell, row in table.items()} == REACHES
    assert "gates made the difference" in " ".join(contest_words.verdict(aim, list(table.values())))


def test_the_map_agrees_with_the_published_contests() -> None:
    """reference/science.md 3.2: gated cells solve adding over 100 and 200 steps and temporal order over 100 (bias 3), the vanilla RNN none."""
    rows = sweep.read()
    for task, length in (("adding", 100), ("adding", 200), ("temporal_order", 100)):
        squares = sweep.cells_of_map(rows, task)
        assert squares["simple_rnn", length].solved == 0
        assert squares["lstm", length].share >= 0.8
        assert squares["gru", length].share == 1
        assert squares["gru", length].steps < squares["lstm", length].steps
    adding = sweep.cells_of_map(rows, "adding")
    assert 100 <= adding["gru", 100].steps <= 500  # published: 250
    assert 400 <= adding["lstm", 100].steps <= 1000  # published: 650 and 850
    assert adding["simple_rnn", 200].best ** 2 > 0.1  # published: .158, guessing .167
