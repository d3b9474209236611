"""Paths of hidden states in the plane of principal components, moved through time or through training by a slider."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from rnn_core.figures import theme
from rnn_core.figures.playback import playable
from rnn_core.probes.states.paths import Growth, Portrait

TIME = ["#2F8FD0", "#7A6AD8", "#C2417C", "#D55E00"]  # first to last, small to large; every colour is seen on white and on black
PROBABILITY = [theme.ROLE_COLOURS["negative"], theme.GREY, theme.ROLE_COLOURS["positive"]]
CLASS_COLOURS = [theme.ROLE_COLOURS["negative"], theme.ROLE_COLOURS["positive"], *theme.SERIES_COLOURS[2:]]
DOTS = 3000  # most coloured points drawn at once
MOMENTS = 60  # most frames of an animation through time; four times as many for a single path


def trajectories(seen: Portrait, *, colour: str = "label", dimensions: int = 2, classes: Sequence[str] = ()) -> go.Figure:
    """Every sequence's path in the frozen plane, with a point per sequence that a slider moves through time.

    Args:
        seen: from `paths.portrait`.
        colour: "label" (what is true), "time" (steps read) or "prediction" (what the network would answer at that step).
        dimensions: 2 or 3.
        classes: names of the classes, by id; empty where numbers are predicted.
    """
    paths, read, answers = steps_read(seen.coordinates[..., :dimensions], seen.mask, seen.predictions)
    dimensions = paths.shape[2]
    values = _values(colour, seen.targets, answers)
    scale = _scale(colour, values, classes)
    of_variance = " of the variance" if dimensions == 2 else ""  # there is little room along the edges of a cube
    drawing = _plane([f"component {n + 1} ({share:.0%}{of_variance})" for n, share in enumerate(seen.explained[:dimensions])])
    parts = groups(seen.targets, classes) if colour == "label" else [("", theme.GREY, np.arange(len(paths)))]
    for name, shade, rows in parts:
        drawing.add_trace(_lines(paths[rows], read[rows], name, shade, faint=colour != "label"))
        if name and classes:  # lines are faint: the legend shows the colour itself
            drawing.add_trace(_points(np.full((1, dimensions), np.nan), name, shade))
    if colour != "label" or not classes:
        drawing.add_trace(_dots(paths, read, values, scale))
    most = MOMENTS if len(paths) > 4 else 4 * MOMENTS
    moments = np.unique(np.linspace(1, paths.shape[1], min(most, paths.shape[1])).round().astype(int))
    first = len(drawing.data)
    drawing.add_traces(_moving(paths, values, int(moments[-1]), scale))
    frames = [go.Frame(name=str(k), data=_moving(paths, values, int(k), scale), traces=[first, first + 1]) for k in moments]
    _fix_ranges(drawing, paths)
    return playable(drawing, frames, "steps read", redraw=dimensions == 3)


def growing(grown: Growth, *, dimensions: int = 2, classes: Sequence[str] = ()) -> go.Figure:
    """The same sequences at every kept moment of training, on the axes of the last: the slider is training."""
    coordinates = grown.coordinates[..., :dimensions]
    drawing = _plane([f"component {n + 1}" for n in range(coordinates.shape[-1])])
    moments = []
    for moment in coordinates:
        paths, read, _ = steps_read(moment, grown.mask, grown.mask)
        parts = groups(grown.targets, classes)
        ends = paths[:, -1]
        moments.append(
            [_lines(paths[rows], read[rows], name, shade, faint=True) for name, shade, rows in parts]
            + [_points(ends[rows], name, shade) for name, shade, rows in parts]
        )
    drawing.add_traces(moments[-1])
    _fix_ranges(drawing, coordinates[:, grown.mask])
    frames = [go.Frame(name=f"{step:,}", data=traces) for step, traces in zip(grown.steps, moments, strict=True)]
    return playable(drawing, frames, "training steps", redraw=True, milliseconds=800)


def groups(targets: np.ndarray, classes: Sequence[str]) -> list[tuple[str, str, np.ndarray]]:
    """(name, colour, (n,) sequence numbers) of each class; one grey group where there are no classes."""
    if not classes or not np.isfinite(targets).all():
        return [("all sequences", theme.GREY, np.arange(len(targets)))]
    found = [
        (theme.literal(name), CLASS_COLOURS[n % len(CLASS_COLOURS)], np.flatnonzero(targets == n))
        for n, name in enumerate(classes)
    ]
    return [group for group in found if len(group[2])]


def steps_read(coordinates: np.ndarray, mask: np.ndarray, answers: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Paths by the number of real steps read, wherever the padding was; a sequence that has ended stays where it is.

    Args:
        coordinates: (N, T, P).
        mask: (N, T) bool, True = real.
        answers: (N, T) one number per step.

    Returns:
        (N, R, P) paths, (N, R) bool: still reading, and (N, R) answers; R is the longest sequence.
    """
    lengths = mask.sum(axis=1)
    firsts = mask.argmax(axis=1)
    steps = np.arange(max(int(lengths.max(initial=1)), 1))
    index = firsts[:, None] + np.minimum(steps, np.maximum(lengths - 1, 0)[:, None])  # (N, R)
    rows = np.arange(len(mask))[:, None]
    return coordinates[rows, index], steps < lengths[:, None], answers[rows, index]


def _values(colour: str, targets: np.ndarray, answers: np.ndarray) -> np.ndarray:
    """(N, R) the number that colours each point."""
    if colour == "prediction":
        return answers.astype(np.float32)
    if colour == "time" or not np.isfinite(targets).all():
        return np.broadcast_to(np.arange(1, answers.shape[1] + 1, dtype=np.float32), answers.shape)
    return np.broadcast_to(targets.astype(np.float32)[:, None], answers.shape)


def _scale(colour: str, values: np.ndarray, classes: Sequence[str]) -> dict[str, Any]:
    """Plotly marker settings that turn those numbers into colours, with their key beside the plot where one is needed."""
    if (classes and colour == "label") or (colour == "prediction" and len(classes) > 2):
        steps = [CLASS_COLOURS[n % len(CLASS_COLOURS)] for n in range(len(classes))]
        edges = [[(n + end) / len(steps), shade] for n, shade in enumerate(steps) for end in (0, 1)]
        return {"colorscale": edges, "cmin": -0.5, "cmax": len(steps) - 0.5, "showscale": False}
    title = {"label": "target", "time": "step", "prediction": "forecast"}[colour]
    if colour == "prediction" and classes:
        bar = {"title": {"text": f"P({theme.literal(classes[1])})"}, "thickness": 12, "tickformat": ".0%"}
        return {"colorscale": theme.colour_scale(PROBABILITY), "cmin": 0, "cmax": 1, "colorbar": bar, "showscale": True}
    low, high = np.nanpercentile(values, [1, 99])
    bar = {"title": {"text": title}, "thickness": 12}
    return {
        "colorscale": theme.colour_scale(TIME),
        "cmin": float(low),
        "cmax": float(max(high, low + 1e-6)),
        "colorbar": bar,
        "showscale": True,
    }


def _plane(titles: Sequence[str]) -> go.Figure:
    drawing = theme.figure(titles[0], titles[1] if len(titles) > 1 else "", height=560)
    if len(titles) == 3:
        axes = {f"{name}axis": {"title": {"text": title}, "gridcolor": theme.GRID, "showbackground": False, "zerolinecolor": theme.GRID} for name, title in zip("xyz", titles, strict=True)}  # fmt: skip
        drawing.update_layout(scene={**axes, "aspectmode": "cube", "camera": {"eye": {"x": 1.7, "y": 1.6, "z": 0.9}}})
    return drawing


def _place(points: np.ndarray) -> dict[str, np.ndarray]:
    """(…, P) points as the x, y and z of a trace; a single component is drawn along x."""
    points = points.reshape(-1, points.shape[-1]).astype(np.float32)
    columns = [points[:, n] for n in range(points.shape[1])] + [np.zeros(len(points), np.float32)] * (points.shape[1] == 1)
    return dict(zip("xyz", columns, strict=False))


def _trace(points: np.ndarray) -> Any:
    return go.Scatter3d if points.shape[-1] == 3 else go.Scatter


def _lines(paths: np.ndarray, read: np.ndarray, name: str, shade: str, faint: bool) -> Any:
    """Many paths as one trace, broken between sequences; the more there is of it, the paler, so that the points on it stay seen."""
    broken = np.where(read[..., None], paths, np.nan)
    broken = np.concatenate([broken, np.full((len(paths), 1, paths.shape[2]), np.nan)], axis=1)
    pale = float(np.clip(0.5 * np.sqrt(800 / max(read.sum(), 1)), 0.12, 0.3 if faint else 0.5))
    return _trace(paths)(
        **_place(broken), mode="lines", name=name, line={"color": shade, "width": 1.2}, opacity=pale,
        showlegend=False, hoverinfo="skip", legendgroup=name,
    )  # fmt: skip


def _dots(paths: np.ndarray, read: np.ndarray, values: np.ndarray, scale: dict[str, Any]) -> Any:
    """Every step that was read as a small coloured point, thinned evenly over the sequences."""
    rows, steps = np.nonzero(read)
    kept = np.arange(0, len(rows), -(-len(rows) // DOTS))
    rows, steps = rows[kept], steps[kept]
    return _trace(paths)(
        **_place(paths[rows, steps]), mode="markers", showlegend=False, customdata=np.stack([rows, steps + 1, values[rows, steps]], axis=1),
        marker={**scale, "color": values[rows, steps], "size": 2.5 if paths.shape[2] == 3 else 4, "opacity": 0.7},
        hovertemplate="sequence %{customdata[0]}, step %{customdata[1]}: %{customdata[2]:.2f}<extra></extra>",
    )  # fmt: skip


def _moving(paths: np.ndarray, values: np.ndarray, step: int, scale: dict[str, Any]) -> list[Any]:
    """The last steps of every sequence as a short tail, and where it is after `step` steps."""
    tail = max(6, paths.shape[1] // 30)  # steps that a moving point drags behind it
    tails = paths[:, max(0, step - tail) : step]
    tails = np.concatenate([tails, np.full((len(paths), 1, paths.shape[2]), np.nan)], axis=1)
    marker = {
        **scale,
        "showscale": False,
        "color": values[:, step - 1],
        "size": 5 if paths.shape[2] == 3 else 11,
        "line": {"width": 1, "color": theme.GREY},
    }
    return [
        _trace(paths)(**_place(tails), mode="lines", line={"color": theme.GREY, "width": 2}, opacity=0.8, showlegend=False, hoverinfo="skip"),
        _trace(paths)(
            **_place(paths[:, step - 1]), mode="markers", marker=marker, showlegend=False, customdata=np.arange(len(paths)),
            hovertemplate="sequence %{customdata}<extra></extra>",
        ),
    ]  # fmt: skip


def _points(ends: np.ndarray, name: str, shade: str) -> Any:
    return _trace(ends)(
        **_place(ends), mode="markers", name=name, legendgroup=name, marker={"color": shade, "size": 4 if ends.shape[1] == 3 else 8},
        hovertemplate=f"{name}, last state<extra></extra>",
    )  # fmt: skip


def _fix_ranges(drawing: go.Figure, points: np.ndarray) -> None:
    """Axes that stand still while the points move."""
    points = points.reshape(-1, points.shape[-1])
    low, high = points.min(axis=0), points.max(axis=0)
    room = 0.06 * np.maximum(high - low, 1e-3)
    ranges = [[float(a), float(b)] for a, b in zip(low - room, high + room, strict=True)]
    if len(ranges) == 3:
        drawing.update_layout(scene={f"{name}axis": {"range": limits} for name, limits in zip("xyz", ranges, strict=True)})
        return
    drawing.update_xaxes(range=ranges[0])
    drawing.update_yaxes(range=ranges[1] if len(ranges) > 1 else [-1, 1])
