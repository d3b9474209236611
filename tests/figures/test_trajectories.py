"""Figures of state paths and single units, checked by their data."""

from dataclasses import replace
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from rnn_core.figures import states, theme, trajectories
from rnn_core.probes.states import principal_components
from rnn_core.probes.states.activations import activations
from rnn_core.probes.states.paths import PathsOverTraining, StatePaths

CLASSES = ("negative", "positive")
LENGTHS = (3, 7, 5, 4)


def state_paths(side: str = "pre", units: int = 6, lstm: bool = False) -> StatePaths:
    """Four sequences of 3, 7, 5 and 4 steps, padded to 7."""
    rng = np.random.default_rng(0)
    steps = np.arange(7)
    lengths = np.array(LENGTHS)[:, None]
    mask = steps >= 7 - lengths if side == "pre" else steps < lengths
    width = units * (2 if lstm else 1)
    real = np.tanh(np.cumsum(np.random.default_rng(1).normal(size=(4, 7, width)), axis=1)) * np.linspace(1, 0.1, width)
    shown = np.full((4, 7, width), 99.0, np.float32)  # padding that must be shown nowhere
    for n, length in enumerate(LENGTHS):
        shown[n, mask[n]] = real[n, :length]
    basis = principal_components.fit(shown, mask)
    gates = {"update": rng.random((4, 7, units)), "reset": rng.random((4, 7, units))}
    targets = np.array([0.0, 1.0, 1.0, 0.0])
    return StatePaths(
        rng.integers(4, 50, (4, 7)).astype(np.int32), mask, shown, units, targets, rng.random((4, 7)).astype(np.float32), basis,
        basis.explained, basis.dimension, activations(shown[..., :units], gates, mask, targets), "toy_reviews", 10,
    )  # fmt: skip


def drawn(trace: Any) -> np.ndarray:
    return np.stack([np.asarray(getattr(trace, axis), float) for axis in "xyz" if getattr(trace, axis, None) is not None], axis=1)


@pytest.mark.parametrize("side", ["pre", "post"])
def test_padding_on_either_side_is_left_out(side: str) -> None:
    shown = state_paths(side)
    paths, read, answers = trajectories.real_steps_first(shown.coordinates, shown.mask, shown.predictions)
    assert paths.shape == (4, 7, 3)
    assert np.abs(paths).max() < 20
    np.testing.assert_array_equal(read.sum(axis=1), LENGTHS)
    for n, length in enumerate(LENGTHS):
        np.testing.assert_array_equal(paths[n, :length], shown.coordinates[n, shown.mask[n]])
        np.testing.assert_array_equal(paths[n, length:], np.broadcast_to(paths[n, length - 1], (7 - length, 3)))
        np.testing.assert_array_equal(answers[n, :length], shown.predictions[n, shown.mask[n]])


@pytest.mark.parametrize("dimensions", [2, 3])
@pytest.mark.parametrize("colour", ["label", "time", "prediction"])
def test_every_colour_and_dimension_draws_and_moves(colour: str, dimensions: int) -> None:
    shown = state_paths()
    drawing = trajectories.trajectories(shown, colour=colour, dimensions=dimensions, classes=CLASSES)
    assert {type(trace) for trace in drawing.data} == {go.Scatter3d if dimensions == 3 else go.Scatter}
    assert [frame.name for frame in drawing.frames] == ["1", "2", "3", "4", "5", "6", "7"]
    paths, *_ = trajectories.real_steps_first(shown.coordinates[..., :dimensions], shown.mask, shown.predictions)
    for k, frame in enumerate(drawing.frames):
        np.testing.assert_allclose(drawn(frame.data[1]), paths[:, k], rtol=1e-6)
        assert frame.traces == (len(drawing.data) - 2, len(drawing.data) - 1)
    assert len(drawing.layout.sliders[0].steps) == 7
    assert f"component 1 ({shown.explained[0]:.0%}" in str(drawing.layout)


def test_classes_are_separate_traces_in_their_colours() -> None:
    drawing = trajectories.trajectories(state_paths(), colour="label", classes=CLASSES)
    lines = {trace.name: trace for trace in drawing.data if trace.name and trace.mode == "lines"}
    assert {name: trace.line.color for name, trace in lines.items()} == {
        "negative": theme.ROLE_COLOURS["negative"],
        "positive": theme.ROLE_COLOURS["positive"],
    }
    assert np.isfinite(drawn(lines["negative"])[:, 0]).sum() == LENGTHS[0] + LENGTHS[3]
    assert np.isfinite(drawn(lines["positive"])[:, 0]).sum() == LENGTHS[1] + LENGTHS[2]


def test_prediction_colours_are_the_answers_at_each_step() -> None:
    shown = state_paths()
    drawing = trajectories.trajectories(shown, colour="prediction", classes=CLASSES)
    dots = next(trace for trace in drawing.data if trace.mode == "markers")
    np.testing.assert_allclose(np.sort(dots.marker.color), np.sort(shown.predictions[shown.mask]))
    assert (dots.marker.cmin, dots.marker.cmax) == (0, 1)


def test_time_colours_are_the_steps() -> None:
    drawing = trajectories.trajectories(state_paths(), colour="time", classes=CLASSES)
    dots = next(trace for trace in drawing.data if trace.mode == "markers")
    assert sorted(dots.marker.color) == sorted(step for length in LENGTHS for step in range(1, length + 1))


def test_a_task_without_labels_is_coloured_by_time() -> None:
    shown = replace(state_paths(), targets=np.full(4, np.nan))
    dots = next(trace for trace in trajectories.trajectories(shown, colour="label").data if trace.mode == "markers")
    assert max(dots.marker.color) == 7


def test_numbers_to_forecast_colour_by_value() -> None:
    shown = replace(state_paths(), targets=np.array([-1.0, 0.0, 0.5, 2.0]))
    dots = next(trace for trace in trajectories.trajectories(shown, colour="label").data if trace.mode == "markers")
    assert set(np.asarray(dots.marker.color, float)) == {-1.0, 0.0, 0.5, 2.0}


def test_too_many_points_are_thinned() -> None:
    shown = state_paths()
    many = replace(shown, states=np.repeat(shown.states, 400, 0), mask=np.ones((1600, 7), bool), targets=np.repeat(shown.targets, 400), predictions=np.repeat(shown.predictions, 400, 0))  # fmt: skip
    dots = next(trace for trace in trajectories.trajectories(many, colour="time").data if trace.mode == "markers")
    assert trajectories.MAX_POINTS / 2 < len(dots.x) <= trajectories.MAX_POINTS


def test_paths_over_training_update_every_trace_on_fixed_axes() -> None:
    shown = state_paths()
    coordinates = np.stack([shown.coordinates * 0.1, shown.coordinates])
    found_paths = PathsOverTraining(
        (0, 1200), coordinates, shown.mask, shown.targets, np.ones((2, 3)) / 3, np.ones(2), np.stack([shown.predictions] * 2)
    )
    drawing = trajectories.over_training(found_paths, classes=CLASSES)
    assert [frame.name for frame in drawing.frames] == ["0", "1,200"]
    assert all(len(frame.data) == len(drawing.data) for frame in drawing.frames)
    ends = np.concatenate([drawn(trace) for trace in drawing.frames[0].data if trace.mode == "markers"])
    np.testing.assert_allclose(np.sort(ends[:, 0]), np.sort(coordinates[0, [0, 1, 2, 3], -1, 0]), rtol=1e-5)
    low, high = drawing.layout.xaxis.range
    assert low < coordinates[:, shown.mask][..., 0].min()
    assert high > coordinates[:, shown.mask][..., 0].max()


def test_a_state_of_one_number_is_drawn_along_a_line() -> None:
    shown = state_paths(units=1)
    drawing = trajectories.trajectories(shown, colour="time", classes=CLASSES)
    assert all(np.nansum(np.abs(np.asarray(trace.y, float))) == 0 for trace in drawing.data)


def test_tags_in_class_names_are_escaped() -> None:
    drawing = trajectories.trajectories(state_paths(), classes=("<b>no</b>", "$yes$"))
    names = [trace.name for trace in drawing.data if trace.name and trace.showlegend is None]
    assert names == [theme.literal("<b>no</b>"), theme.literal("$yes$")]
    assert "<b>" not in str(names)


def test_heat_map_shows_real_steps_of_one_sequence() -> None:
    shown = state_paths(lstm=True)
    for part, start in (("h", 0), ("c", 6)):
        grid = states.heat_map(shown, 2, part=part).data[0]
        np.testing.assert_allclose(np.asarray(grid.z, float), shown.states[2, shown.mask[2], start : start + 6].T)
        assert grid.zmax == -grid.zmin == pytest.approx(np.abs(grid.z).max())


@pytest.mark.parametrize(("by", "values"), [("unit", None), ("spread", "spread"), ("correlation", "correlation")])
def test_heat_map_rows_follow_the_order_asked_for(by: str, values: str | None) -> None:
    shown = state_paths()
    grid = states.heat_map(shown, 1, by=by).data[0]
    order = [int(name) for name in grid.y]
    np.testing.assert_allclose(np.asarray(grid.z, float), shown.states[1, shown.mask[1]].T[order])
    if values is None:
        assert order == list(range(6))
    else:
        assert (np.diff(getattr(shown.activations, values)[order]) <= 0).all()


def test_words_appear_as_text() -> None:
    grid = states.heat_map(state_paths(), 0, words=("good", "<img src=x>", "film")).data[0]
    assert list(grid.customdata[0]) == ["good", theme.literal("<img src=x>"), "film"]


def test_lines_of_a_unit_are_aligned_at_the_last_step() -> None:
    shown = state_paths()
    drawing = states.unit(shown, 3, classes=CLASSES)
    means = {trace.name: trace for trace in drawing.data if trace.name}
    last = {0: [0, 3], 1: [1, 2]}
    for n, name in enumerate(CLASSES):
        ends = [shown.states[row, shown.mask[row], 3][-1] for row in last[n]]
        assert means[f"mean, {name}"].y[-1] == pytest.approx(np.mean(ends))
        assert means[f"mean, {name}"].x[-1] == 0


def test_distribution_saturation_and_gates() -> None:
    found = state_paths().activations
    assert np.asarray(states.distribution(found).data[0].customdata).sum() == pytest.approx(6)
    bars = states.saturation(found).data[0]
    np.testing.assert_allclose(np.asarray(bars.y, float), np.sort(found.saturated)[::-1])
    points = {trace.name: trace for trace in states.gates(found).data if trace.name}
    np.testing.assert_array_equal(points[theme.GATE_NAMES["update"]].x, found.open["update"])
    assert points[theme.GATE_NAMES["reset"]].marker.color == theme.GATE_COLOURS["reset"]
    assert (np.asarray(points[theme.GATE_NAMES["update"]].x) + points[theme.GATE_NAMES["update"]].y <= 1).all()
