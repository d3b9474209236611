"""The figures of the contest and the map, checked by their data."""

from __future__ import annotations

import numpy as np
import pytest

from rnn_core.figures import compare, theme
from rnn_core.studies.contest import Goal, Lap
from tests.studies.test_sweep import outcome

AIM = Goal("adding", 5, "rmse", threshold=0.1, baseline=0.4, steps=100)


def lap(cell: str, step: int, metric: float, ending: str = "", seed: int = 0, decay: float = 0.1) -> Lap:
    norms = 3.0 * decay ** np.arange(4, -1, -1.0)
    return Lap(cell, seed, 0.01, step, step / 10, 0.1, metric, metric, norms, ending)


LAPS = [
    lap("gru", 0, 0.5),
    lap("simple_rnn", 0, 0.6, decay=0.9),
    lap("gru", 50, 0.05, "solved", decay=0.99),
    lap("simple_rnn", 50, 0.39),
]


def named(drawing: object) -> dict[str, object]:
    return {trace.name: trace for trace in drawing.data if trace.name and trace.showlegend is not False}  # type: ignore[attr-defined]


def test_curves_in_the_cells_colours_with_a_star_where_solved() -> None:
    drawing = compare.curves(LAPS, AIM)
    found = named(drawing)
    assert list(found) == ["Vanilla RNN", "GRU"]
    assert list(found["GRU"].x) == [0, 50]
    assert list(found["Vanilla RNN"].y) == [0.6, 0.39]
    assert found["GRU"].line.color == theme.CELL_COLOURS["gru"]
    stars = [trace for trace in drawing.data if trace.mode == "markers"]
    assert [(star.x[0], star.y[0]) for star in stars] == [(50, 0.05)]
    assert sorted(shape.y0 for shape in drawing.layout.shapes) == [0.1, 0.4]
    assert "error" in drawing.layout.yaxis.title.text


def test_the_axis_of_accuracy_is_from_zero_to_one() -> None:
    drawing = compare.curves(LAPS, Goal("parity", 5, "accuracy", 0.98, 0.5, 100))
    assert drawing.layout.yaxis.range == (0, 1.03)
    assert "accuracy" in drawing.layout.yaxis.title.text


def test_several_seeds_share_one_legend_entry() -> None:
    drawing = compare.curves([*LAPS, lap("gru", 0, 0.5, seed=1), lap("gru", 50, 0.3, seed=1)], AIM)
    assert [trace.name for trace in drawing.data if trace.name == "GRU" and trace.showlegend] == ["GRU"]
    assert len([trace for trace in drawing.data if trace.name == "GRU"]) == 2


def test_reach_is_relative_to_the_last_step_now_and_before() -> None:
    drawing = compare.reach(LAPS, AIM)
    traces = {(trace.name, trace.line.dash): trace for trace in drawing.data}
    np.testing.assert_allclose(traces["GRU", "solid"].y, 0.99 ** np.arange(4, -1, -1.0))
    np.testing.assert_allclose(traces["GRU", "dot"].y, 0.1 ** np.arange(4, -1, -1.0))
    np.testing.assert_allclose(traces["Vanilla RNN", "dot"].y, 0.9 ** np.arange(4, -1, -1.0))
    assert list(traces["GRU", "solid"].x) == [-4, -3, -2, -1, 0]
    assert drawing.layout.yaxis.type == "log"


@pytest.mark.parametrize("norms", [np.zeros(5), np.full(5, np.nan), np.zeros(0)])
def test_a_gradient_without_size_is_left_out(norms: np.ndarray) -> None:
    broken = Lap("gru", 0, 0.01, 0, 0.0, np.nan, 0.5, 0.5, norms, "")
    assert len(compare.reach([broken], AIM).data) == 0


def test_vanished_gradients_are_drawn_at_the_floor() -> None:
    drawing = compare.reach([lap("gru", 0, 0.5, decay=1e-9)], AIM)
    assert min(drawing.data[0].y) == compare.FLOOR


def test_the_map_has_its_numbers_in_its_squares() -> None:
    rows = [outcome("gru", 25, seed) for seed in range(4)] + [outcome("gru", 25, 4, "out of steps"), outcome("lstm", 100)]
    grid = compare.memory_map(rows, "adding").data[0]
    assert list(grid.x) == ["25", "100"]
    assert list(grid.y) == ["Vanilla RNN", "LSTM", "GRU"]
    assert grid.z[2][0] == pytest.approx(0.8)
    assert list(grid.z[1]) == [None, 1.0]
    assert grid.text[2][0] == "4 of 5<br>100 steps"
    assert list(grid.text[0]) == ["not tried", "not tried"]


def test_without_laps_the_figures_are_empty() -> None:
    assert len(compare.curves([], AIM).data) == len(compare.reach([], AIM).data) == 0
