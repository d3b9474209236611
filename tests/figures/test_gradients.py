"""Gradient and Jacobian figures, checked by their data."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from rnn_core.figures import gradients as figures
from rnn_core.figures import jacobians as products
from rnn_core.figures.accuracy import by_last_tokens
from rnn_core.figures.theme import CELL_COLOURS, GATE_COLOURS
from rnn_core.probes.gradients.clipping import compare
from rnn_core.probes.gradients.curves import Curve, curve
from rnn_core.probes.jacobians import closed_forms
from rnn_core.probes.jacobians.spectra import LyapunovExponents, SingularValues


def example(cell: str = "gru", factor: float = 0.5, length: int = 20, **more: object) -> Curve:
    spread = np.array([[0.5], [1.0], [2.0]])
    return curve(spread * factor ** np.arange(length)[::-1], "state", cell, "at init", **more)  # type: ignore[arg-type]


def test_each_cell_has_a_band_and_a_median_in_its_colour() -> None:
    drawing = figures.norm_by_step([example("simple_rnn", 0.9), example("lstm"), example("gru")])
    lines = [trace for trace in drawing.data if trace.mode == "lines" and trace.fill is None]
    assert [line.line.color for line in lines] == [CELL_COLOURS[cell] for cell in ("simple_rnn", "lstm", "gru")]
    assert [line.name for line in lines] == ["Vanilla RNN, untrained", "LSTM, untrained", "GRU, untrained"]
    assert sum(trace.fill == "toself" for trace in drawing.data) == 3


def test_the_line_is_the_median_and_time_ends_at_the_right() -> None:
    item = example(length=8)
    drawing = figures.norm_by_step(item)
    np.testing.assert_allclose(drawing.data[1].y, item.median[::-1], rtol=1e-3)
    assert list(drawing.data[1].x) == list(range(8))
    left, right = drawing.layout.xaxis.range
    assert left > right
    assert drawing.layout.yaxis.type == "log"


def test_the_axis_has_a_floor_and_zero_does_not_break_it() -> None:
    drawing = figures.norm_by_step(example(factor=1e-3, length=40))
    assert drawing.data[1].y[-1] == pytest.approx(1e-117)  # true values, whatever the axis shows
    low, high = drawing.layout.yaxis.range
    assert low == np.log10(figures.FLOOR)
    assert high > 0
    nothing = figures.norm_by_step(curve(np.zeros((3, 5)), "state", "gru", "at init"))
    assert np.isfinite(nothing.layout.yaxis.range).all()
    assert nothing.data[1].y == (None,) * 5


def test_many_settings_of_one_cell_have_a_colour_each() -> None:
    drawing = figures.norm_by_step([dataclasses.replace(example(), label=f"bias {n}") for n in range(4)])
    assert len({trace.line.color for trace in drawing.data if trace.fill is None}) == 4


def test_quantity_training_step_and_normalisation_are_on_the_figure() -> None:
    drawing = figures.norm_by_step(dataclasses.replace(example(relative=True), quantity="input", when="after 1,200 steps"))
    assert "xₜ" in drawing.layout.yaxis.title.text
    assert "relative to the last step" in drawing.layout.yaxis.title.text
    assert "after 1,200 steps" in drawing.data[1].name


def test_two_kept_steps_of_one_cell_differ_by_dash() -> None:
    drawing = figures.norm_by_step([example(), dataclasses.replace(example(), when="after 5 steps")])
    assert drawing.data[1].line.dash != drawing.data[3].line.dash
    assert drawing.data[1].line.color == drawing.data[3].line.color


def test_a_bound_is_a_power() -> None:
    drawing = figures.norm_by_step(example(length=4))
    figures.add_power(drawing, 0.5, 4, "bound")
    np.testing.assert_allclose(drawing.data[-1].y, [0.125, 0.25, 0.5, 1])


def test_gates_are_drawn_beside_the_total_in_the_gates_colour() -> None:
    drawing = figures.gates(example("lstm"), dataclasses.replace(example("lstm", 0.7), quantity="gate"))
    assert drawing.data[-1].line.color == GATE_COLOURS["forget"]
    assert {trace.name for trace in drawing.data if trace.showlegend is not False} == {
        "total gradient",
        "product of the forget gates alone",
    }


def test_clipping_bars_are_the_norms() -> None:
    result = compare(np.array([3.0, 4.0]), ("W", "U"), 1.0)
    before, by_global, by_variable = figures.clipping(result).data
    assert list(before.y) == [3, 4]
    np.testing.assert_allclose(by_global.y, [0.6, 0.8])
    np.testing.assert_allclose(by_variable.y, [1, 1])


def test_clip_history_shows_both_norms() -> None:
    drawing = figures.clip_history(np.arange(3), np.array([5.0, 1.0, np.nan]), np.array([1.0, 1.0, np.nan]))
    assert [trace.name for trace in drawing.data] == ["before clipping", "after clipping"]
    assert drawing.data[0].y[2] is None


def test_singular_values_are_drawn_by_lag() -> None:
    values = 0.5 ** np.arange(3)[:, None] * np.array([[2.0, 1.0, 0.1]])
    drawing = products.singular_values([SingularValues(cell, np.arange(3), values) for cell in ("simple_rnn", "gru")])
    assert len(drawing.data) == 6
    np.testing.assert_allclose(drawing.data[0].y, [2, 1, 0.5])
    np.testing.assert_allclose(drawing.data[2].y, [0.1, 0.05, 0.025])
    assert drawing.data[3].line.color == CELL_COLOURS["gru"]


def test_lyapunov_exponents_are_drawn_largest_first() -> None:
    assert list(products.lyapunov([LyapunovExponents("lstm", np.array([0.1, -0.2, -3.0]))]).data[0].y) == [0.1, -0.2, -3.0]


@pytest.mark.parametrize("result", [closed_forms.jordan_block(), closed_forms.counterexample()], ids=["jordan", "counterexample"])
def test_product_norms_are_drawn_beside_the_spectral_radius_and_the_true_bound(result: closed_forms.ProductNorms) -> None:
    truth, radius, bound = products.product_norms(result).data
    np.testing.assert_allclose(truth.y, result.norm, rtol=1e-3)
    assert "not a bound" in radius.name
    assert (np.array(bound.y) >= np.array(truth.y) * 0.999).all()
    assert (np.array(truth.y)[1:] > np.array([value or 0.0 for value in radius.y])[1:]).all()


def test_accuracy_is_drawn_by_the_tokens_read() -> None:
    drawing = by_last_tokens({"gru": 0.88, "gru_25": 0.75, "gru_100": 0.85, "bag": 0.86})
    gru = next(trace for trace in drawing.data if trace.name == "GRU")
    assert list(gru.x) == [25, 100, 500]
    assert list(gru.y) == [75, 85, 88]
