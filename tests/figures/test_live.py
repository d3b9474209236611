"""Figures of a training under way: the carpet of gradients over time steps and training steps."""

from __future__ import annotations

import numpy as np

from rnn_core.figures import live, theme


def heat(norms: np.ndarray, steps: list[int] | None = None) -> object:
    return live.norm_heat_map(np.array(steps or range(len(norms))), norms).data[0]


def test_the_carpet_has_one_row_per_training_step_on_a_log_scale_past_left_now_right() -> None:
    norms = 10.0 ** -np.arange(12).reshape(3, 4)
    norms[0, 0] = np.nan
    drawing = live.norm_heat_map(np.array([0, 50, 100]), norms)
    carpet = drawing.data[0]
    assert np.isnan(carpet.z[0][0]), "a step that the batch does not have stays empty"
    np.testing.assert_allclose(carpet.z[2], [-8, -9, -10, -11])
    assert list(carpet.y) == [0, 50, 100]
    assert (list(carpet.x), drawing.layout.xaxis.autorange) == ([3, 2, 1, 0], "reversed")


def test_what_has_vanished_has_a_colour_and_a_name_of_its_own() -> None:
    carpet = heat(np.array([[1e-12, 1e-4, 1.0], [0.0, 1e-7, 1.0]]))
    assert carpet.zmin == -9
    assert carpet.colorscale[0][1] == carpet.colorscale[1][1] == theme.GONE
    border = carpet.colorscale[1][0]
    assert carpet.zmin + border * (carpet.zmax - carpet.zmin) == -8
    assert carpet.colorbar.ticktext[-1] == "vanished"
    assert carpet.z[1][0] < -45, "a norm of zero"


def test_without_vanished_norms_the_scale_is_the_usual_one() -> None:
    carpet = heat(np.array([[1e-3, 1e-1], [1e-2, 1.0]]))
    assert (carpet.zmin, carpet.zmax, len(carpet.colorscale)) == (-3, 0, len(theme.SEQUENTIAL))
    assert "vanished" not in carpet.colorbar.ticktext


def test_many_steps_are_averaged_and_an_empty_or_infinite_history_is_drawn() -> None:
    assert heat(np.full((1000, 300), 1e-2)).z.shape[0] <= 90
    assert heat(np.array([[np.inf, 1.0]])).zmax == 1
    assert not live.norm_heat_map(np.empty(0), np.empty((0, 0))).data
