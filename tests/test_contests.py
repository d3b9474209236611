"""The contest that ships: it reads back as it ran, and its verdict is what the map's seeds say too."""

from pathlib import Path

import numpy as np

from rnn_core import contests, sweep, verdicts
from rnn_core.contest import Goal, Lap
from tests.test_verdicts import AIM, lap


def test_a_contest_survives_the_file(tmp_path: Path) -> None:
    path = tmp_path / "contest.json"
    values = [AIM, lap("gru", 0, 0.5), lap("gru", 50, 0.2), lap("gru", 100, float("nan"), "diverged")]
    contests.save(values, path)
    aim, first, middle, last = contests.recorded(path)
    assert aim == AIM
    assert isinstance(first, Lap)
    assert isinstance(last, Lap)
    assert isinstance(middle, Lap)
    np.testing.assert_array_equal(first.norms, [0.001, 0.5, 1.0])
    np.testing.assert_array_equal(last.norms, [0.001, 0.5, 1.0])
    assert len(middle.norms) == 0
    assert np.isnan(last.metric)
    assert (middle.step, middle.metric, last.ending) == (50, 0.2, "diverged")


def test_the_recorded_contest_tells_what_the_map_tells() -> None:
    aim, *laps = contests.recorded()
    assert isinstance(aim, Goal)
    assert (aim.task, aim.length) == ("adding", 100)
    table = {standing.cell: standing for standing in verdicts.standings(lap for lap in laps if isinstance(lap, Lap))}
    squares = sweep.cells_of_map(sweep.read(), "adding")
    for cell, standing in table.items():
        assert not standing.running
        assert bool(standing.solved) == (squares[cell, 100].share > 0.5)
    assert "gates made the difference" in " ".join(verdicts.verdict(aim, list(table.values())))
