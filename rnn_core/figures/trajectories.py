"""Paths of hidden states in the plane of principal components, moved through time or through training by a slider."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from rnn_core.figures import theme
from rnn_core.figures.playback import playable
from rnn_core.probes.states.paths import PathsOverTraining, StatePaths

TIME = ["#2F8FD0", "#7A6AD8", "#C2417C", "#D55E00"]  # first to last, small to large; visible on white and on black
PROBABILITY = [theme.ROLE_COLOURS["negative"], theme.GREY, theme.ROLE_COLOURS["positive"]]
CLASS_COLOURS = [theme.ROLE_COLOURS["negative"], theme.ROLE_COLOURS["positive"], *theme.SERIES_COLOURS[2:]]
MAX_POINTS = 3000  # coloured points
MAX_FRAMES = 60  # of an animation through time; four times as many for up to four sequences


def trajectories(shown: StatePaths, *, colour: str = "label", dimensions: int = 2, classes: Sequence[str] = ()) -> go.Figure:
    """Path of every sequence on the fixed axes, with a point per sequence that a slider moves through time.

    Args:
        shown: from `paths.state_paths`.
        colour: "label" (target), "time" (number of steps) or "prediction" (the network's output at that step).
        dimensions: 2 or 3.
        classes: names of the classes, by id; empty where numbers are predicted.
    """
    paths, real, outputs = real_steps_first(shown.coordinates[..., :dimensions], shown.mask, shown.predictions)
    dimensions = paths.shape[2]
    values = _values(colour, shown.targets, outputs)
    scale = _scale(colour, values, classes)
    of_variance = " of the variance" if dimensions == 2 else ""  # short, for the edges of a cube
    drawing = _plane([f"component {n + 1} ({share:.0%}{of_variance})" for n, share in enumerate(shown.explained[:dimensions])])
    parts = groups(shown.targets, classes) if colour == "label" else [("", theme.GREY, np.arange(len(paths)))]
    for name, shade, rows in parts:
        drawing.add_trace(_lines(paths[rows], real[rows], name, shade, faint=colour != "label"))
        if name and classes:  # lines are faint: the legend shows the colour itself
            drawing.add_trace(_points(np.full((1, dimensions), np.nan), name, shade))
    if colour != "label" or not classes:
        drawing.add_trace(_coloured_points(paths, real, values, scale))
    most = MAX_FRAMES if len(paths) > 4 else 4 * MAX_FRAMES
    steps = np.unique(np.linspace(1, paths.shape[1], min(most, paths.shape[1])).round().astype(int))
    first = len(drawing.data)
    drawing.add_traces(_moving(paths, values, int(steps[-1]), scale))
    frames = [go.Frame(name=str(k), data=_moving(paths, values, int(k), scale), traces=[first, first + 1]) for k in steps]
    _fix_ranges(drawing, paths)
    return playable(drawing, frames, "steps read", redraw=dimensions == 3)


def over_training(found: PathsOverTraining, *, dimensions: int = 2, classes: Sequence[str] = ()) -> go.Figure:
    """The same sequences at every kept step of training, on the axes of the last; the slider moves through training."""
    coordinates = found.coordinates[..., :dimensions]
    drawing = _plane([f"component {n + 1}" for n in range(coordinates.shape[-1])])
    frames = []
    for at_step in coordinates:
        paths, real, _ = real_steps_first(at_step, found.mask, found.mask)
        parts = groups(found.targets, classes)
        lines = [_lines(paths[rows], real[rows], name, shade, faint=True) for name, shade, rows in parts]
        frames.append(lines + [_points(paths[rows, -1], name, shade) for name, shade, rows in parts])
    drawing.add_traces(frames[-1])
    _fix_ranges(drawing, coordinates[:, found.mask])
    named = [go.Frame(name=f"{step:,}", data=traces) for step, traces in zip(found.steps, frames, strict=True)]
    return playable(drawing, named, "training steps", redraw=True, milliseconds=800)


def groups(targets: np.ndarray, classes: Sequence[str]) -> list[tuple[str, str, np.ndarray]]:
    """(name, colour, (n,) sequence numbers) of each class; one grey group where there are no classes."""
    if not classes or not np.isfinite(targets).all():
        return [("all sequences", theme.GREY, np.arange(len(targets)))]
    found = [
        (theme.literal(name), CLASS_COLOURS[n % len(CLASS_COLOURS)], np.flatnonzero(targets == n))
        for n, name in enumerate(classes)
    ]
    return [group for group in found if len(group[2])]


def real_steps_first(coordinates: np.ndarray, mask: np.ndarray, outputs: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Paths by the number of real steps, without padding; after its end a sequence keeps its last point.

    Args:
        coordinates: (N, T, P).
        mask: (N, T) bool, True = real.
        outputs: (N, T) one number per step.

    Returns:
        (N, R, P) paths, (N, R) bool: not yet ended, and (N, R) outputs; R is the longest sequence.
    """
    lengths = mask.sum(axis=1)
    firsts = mask.argmax(axis=1)
    steps = np.arange(max(int(lengths.max(initial=1)), 1))
    index = firsts[:, None] + np.minimum(steps, np.maximum(lengths - 1, 0)[:, None])  # (N, R)
    rows = np.arange(len(mask))[:, None]
    return coordinates[rows, index], steps < lengths[:, None], outputs[rows, index]


def _values(colour: str, targets: np.ndarray, outputs: np.ndarray) -> np.ndarray:
    """(N, R) the number that gives each point its colour."""
    if colour == "prediction":
        return outputs.astype(np.float32)
    if colour == "time" or not np.isfinite(targets).all():
        return np.broadcast_to(np.arange(1, outputs.shape[1] + 1, dtype=np.float32), outputs.shape)
    return np.broadcast_to(targets.astype(np.float32)[:, None], outputs.shape)


def _scale(colour: str, values: np.ndarray, classes: Sequence[str]) -> dict[str, Any]:
    """Plotly marker settings that map those numbers to colours, with a colour bar where it is needed."""
    if (classes and colour == "label") or (colour == "prediction" and len(classes) > 2):
        steps = [CLASS_COLOURS[n % len(CLASS_COLOURS)] for n in range(len(classes))]
        edges = [[(n + end) / len(steps), shade] for n, shade in enumerate(steps) for end in (0, 1)]
        return {"colorscale": edges, "cmin": -0.5, "cmax": len(steps) - 0.5, "showscale": False}
    if colour == "prediction" and classes:
        bar = {"title": {"text": f"P({theme.literal(classes[1])})"}, "thickness": 12, "tickformat": ".0%"}
        return {"colorscale": PROBABILITY, "cmin": 0, "cmax": 1, "colorbar": bar, "showscale": True}
    low, high = np.nanpercentile(values, [1, 99]).tolist()
    title = {"label": "target", "time": "step", "prediction": "answer"}[colour]
    bar = {"title": {"text": title}, "thickness": 12}
    return {"colorscale": TIME, "cmin": low, "cmax": max(high, low + 1e-6), "colorbar": bar, "showscale": True}


def _plane(titles: Sequence[str]) -> go.Figure:
    drawing = theme.figure(titles[0], titles[1] if len(titles) > 1 else "", height=560)
    if len(titles) == 3:
        axes = {f"{name}axis": {"title": {"text": title}, "gridcolor": theme.GRID, "showbackground": False, "zerolinecolor": theme.GRID} for name, title in zip("xyz", titles, strict=True)}  # fmt: skip
        drawing.update_layout(scene={**axes, "aspectmode": "cube", "camera": {"eye": {"x": 1.7, "y": 1.6, "z": 0.9}}})
    return drawing


def _trace(points: np.ndarray, **look: Any) -> Any:
    """(…, P) points as a trace in the plane or in space; a single component is drawn along x."""
    kind = go.Scatter3d if points.shape[-1] == 3 else go.Scatter
    points = points.reshape(-1, points.shape[-1]).astype(np.float32)
    if points.shape[1] == 1:
        points = np.pad(points, ((0, 0), (0, 1)))
    return kind(**dict(zip("xyz", points.T, strict=False)), **look)


def _apart(paths: np.ndarray) -> np.ndarray:
    """(N, R, P) paths with a nan after each, where the line through all of them is broken."""
    return np.pad(paths, ((0, 0), (0, 1), (0, 0)), constant_values=np.nan)


def _lines(paths: np.ndarray, real: np.ndarray, name: str, shade: str, faint: bool) -> Any:
    """Many paths as one trace, with gaps between sequences; more of them are paler, so that points on them stay visible."""
    broken = _apart(np.where(real[..., None], paths, np.nan))
    opacity = float(np.clip(0.5 * np.sqrt(800 / max(real.sum(), 1)), 0.12, 0.3 if faint else 0.5))
    line = {"color": shade, "width": 1.2}
    return _trace(
        broken, mode="lines", name=name, line=line, opacity=opacity, showlegend=False, hoverinfo="skip", legendgroup=name
    )


def _coloured_points(paths: np.ndarray, real: np.ndarray, values: np.ndarray, scale: dict[str, Any]) -> Any:
    """Every real step as a small coloured point, thinned evenly over the sequences."""
    rows, steps = np.nonzero(real)
    kept = np.arange(0, len(rows), -(-len(rows) // MAX_POINTS))
    rows, steps = rows[kept], steps[kept]
    return _trace(
        paths[rows, steps], mode="markers", showlegend=False, customdata=np.stack([rows, steps + 1, values[rows, steps]], axis=1),
        marker={**scale, "color": values[rows, steps], "size": 2.5 if paths.shape[2] == 3 else 4, "opacity": 0.7},
        hovertemplate="sequence %{customdata[0]}, step %{customdata[1]}: %{customdata[2]:.2f}<extra></extra>",
    )  # fmt: skip


def _moving(paths: np.ndarray, values: np.ndarray, step: int, scale: dict[str, Any]) -> list[Any]:
    """The last steps of every sequence as a short tail, and its point after `step` steps."""
    tail = max(6, paths.shape[1] // 30)  # number of steps
    tails = _apart(paths[:, max(0, step - tail) : step])
    look = {"color": values[:, step - 1], "size": 5 if paths.shape[2] == 3 else 11, "line": {"width": 1, "color": theme.GREY}}
    marker = {**scale, "showscale": False, **look}
    return [
        _trace(tails, mode="lines", line={"color": theme.GREY, "width": 2}, opacity=0.8, showlegend=False, hoverinfo="skip"),
        _trace(
            paths[:, step - 1], mode="markers", marker=marker, showlegend=False, customdata=np.arange(len(paths)),
            hovertemplate="sequence %{customdata}<extra></extra>",
        ),
    ]  # fmt: skip


def _points(ends: np.ndarray, name: str, shade: str) -> Any:
    marker, hover = {"color": shade, "size": 4 if ends.shape[1] == 3 else 8}, f"{name}, last state<extra></extra>"
    return _trace(ends, mode="markers", name=name, legendgroup=name, marker=marker, hovertemplate=hover)


def _fix_ranges(drawing: go.Figure, points: np.ndarray) -> None:
    """Fixes the ranges of the axes, so that they do not move with the points."""
    points = points.reshape(-1, points.shape[-1])
    low, high = points.min(axis=0), points.max(axis=0)
    margin = 0.06 * np.maximum(high - low, 1e-3)
    ranges = [[float(a), float(b)] for a, b in zip(low - margin, high + margin, strict=True)]
    if len(ranges) == 3:
        drawing.update_layout(scene={f"{name}axis": {"range": limits} for name, limits in zip("xyz", ranges, strict=True)})
        return
    drawing.update_xaxes(range=ranges[0])
    drawing.update_yaxes(range=ranges[1] if len(ranges) > 1 else [-1, 1])
