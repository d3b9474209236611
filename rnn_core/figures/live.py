"""Figures of a training that is under way, redrawn every second. Each is small enough to send to thirty browsers every second."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import plotly.graph_objects as go

from rnn_core.figures.theme import DIVERGING, GONE, GREY, NOTHING, ROLE_COLOURS, SEQUENTIAL, add_line, figure

POINTS = 400  # per curve: more than a projector resolves
HEIGHT = 290  # pixels
DASHES = ("solid", "dash", "dot")
VANISHED = 1e-8  # norm of a loss gradient below which nothing is left for learning
SMALLEST = -46.0  # log10 of a norm of zero, which is below float32's smallest number
CELLS = (90, 60)  # of a heat map: training steps, time steps

# Shapes: R recorded steps, T time steps, S state, H units.


def thinned(steps: np.ndarray, values: np.ndarray, points: int = POINTS) -> tuple[np.ndarray, np.ndarray, int]:
    """Means over groups of neighbouring steps, so that at most `points` are left; the third result is the size of a group."""
    real = np.isfinite(values)
    steps, values = steps[real], values[real]
    size = max(1, -(-len(steps) // points))
    starts = np.arange(0, len(steps), size)
    if size == 1:
        return steps, values, 1
    counts = np.diff(np.append(starts, len(steps)))
    return steps[np.minimum(starts + size - 1, len(steps) - 1)], np.add.reduceat(values, starts) / counts, size


def _curves(drawing: go.Figure, history: dict[str, np.ndarray], name: str) -> go.Figure:
    steps, values, size = thinned(history["step"], history[name])
    label = "training batch" if size == 1 else f"training, mean of {size} batches"
    mode = "lines" if len(steps) > 2 else "lines+markers"  # a line through one point is invisible
    add_line(drawing, label, steps, values.astype(np.float32), ROLE_COLOURS["train"], width=1.5, mode=mode)
    steps, values, _ = thinned(history["step"], history[f"validation_{name}"])
    mode = "lines+markers" if len(steps) < 60 else "lines"
    add_line(drawing, "validation", steps, values.astype(np.float32), ROLE_COLOURS["validation"], width=2.5, mode=mode)
    return drawing


def _baselines(
    drawing: go.Figure, history: dict[str, np.ndarray], baselines: dict[str, float], best: Callable[..., float]
) -> go.Figure:
    """Naive predictors as grey lines; the best one is labelled, the others show their name on hover."""
    ends = [0, max(int(history["step"][-1]), 1) if len(history["step"]) else 1]
    for name, value in baselines.items():
        best_one = value == best(baselines.values())
        drawing.add_scatter(
            x=ends, y=[value, value], name=f"{name}: {value:.3g}", mode="lines+text" if best_one else "lines", text=["", f"{name} {value:.3g}"],
            textposition="top left", textfont={"color": GREY, "size": 12}, hovertemplate=f"{name}: {value:.3g}<extra></extra>", showlegend=False,
            line={"color": ROLE_COLOURS["baseline"], "dash": "dash" if best_one else "dot", "width": 1.5 if best_one else 1},
        )  # fmt: skip
    return drawing


def loss(history: dict[str, np.ndarray], baselines: dict[str, float] | None = None, *, log: bool = False) -> go.Figure:
    """Loss of every batch before its update, and on the validation part, over training steps.

    Args:
        history: columns of `rnn_core.training.history.COLUMNS`, each (R,).
        baselines: name of a naive predictor → its loss, drawn as a line.
        log: logarithmic vertical axis, for losses that fall by orders of magnitude.
    """
    drawing = _curves(figure("training step", "loss", title="Loss", height=HEIGHT, log_y=log), history, "loss")
    return _baselines(drawing, history, baselines or {}, min)


def metric(history: dict[str, np.ndarray], name: str, baselines: dict[str, float] | None = None) -> go.Figure:
    """The task's metric over training steps; `name` is "accuracy" or "rmse"."""
    words = {"accuracy": "accuracy", "rmse": "root mean squared error"}.get(name, name)
    lower = name == "rmse"
    drawing = _curves(figure("training step", words, title=words.capitalize(), height=HEIGHT, log_y=lower), history, "metric")
    if lower:
        drawing.update_yaxes(dtick="D2")
    return _baselines(drawing, history, baselines or {}, min if lower else max)


def norms(state_norms: np.ndarray, when: str) -> go.Figure:
    """Gradient norm at every time step of the newest batch.

    Args:
        state_norms: (T,) ‖∂L/∂s_t‖, mean over the batch; the last is the final time step.
        when: "before training" or "after N steps".
    """
    title = f"Gradient at each time step, {when}"
    drawing = figure("time steps before the end", "‖∂L/∂sₜ‖", title=title, height=HEIGHT, log_y=True, legend=False)
    steps, values, _ = thinned(np.arange(len(state_norms)) - len(state_norms) + 1, np.where(state_norms > 0, state_norms, np.nan))
    add_line(drawing, "mean over the batch", steps, values, ROLE_COLOURS["train"])
    drawing.update_yaxes(range=_decades(values))
    return drawing


def _decades(values: np.ndarray) -> list[float]:
    """A range of whole decades around the values, so that the axis does not move at every update."""
    if not len(values) or not np.isfinite(values).any():
        return [-6.0, 0.0]
    low, high = np.log10(np.nanmin(values)), np.log10(np.nanmax(values))
    return [float(min(2 * np.floor(low / 2), np.ceil(high) - 2)), float(np.ceil(high + 0.1))]


def norm_heat_map(steps: np.ndarray, matrix: np.ndarray, height: int = HEIGHT) -> go.Figure:
    """The gradient over the whole training as a carpet: time steps from past (left) to now (right), training steps upwards; log scale.

    Norms below VANISHED are one colour of their own; the background shows where a batch has no such step.

    Args:
        steps: (R,) training steps.
        matrix: (R, T) norms aligned at the last time step; nan in front of shorter sequences.
        height: pixels.
    """
    drawing = figure("time steps before the last one", "training step", height=height, legend=False)
    drawing.update_layout(plot_bgcolor=NOTHING)
    if not len(steps):
        return drawing
    limit = np.log10(VANISHED)
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log10(np.where(np.isinf(matrix), np.nan, matrix))
    logs = np.where(np.isneginf(logs), SMALLEST, logs)
    rows, columns = _groups(logs.shape[0], CELLS[0]), _groups(logs.shape[1], CELLS[1])
    cells = _mean_of_groups(_mean_of_groups(logs, rows).T, columns).T  # (training steps, time steps)
    last = np.append(rows[1:], logs.shape[0]) - 1
    before = logs.shape[1] - 1 - (columns + np.append(columns[1:], logs.shape[1]) - 1) / 2
    known = cells[np.isfinite(cells)]
    low, high = (np.floor(known.min()), np.ceil(known.max())) if len(known) else (-6.0, 0.0)
    low, high = max(low, limit), max(high, low + 1, limit + 1)
    gone = len(known) and known.min() < limit
    bottom, scale = (limit - 1, _with_vanished(high - limit)) if gone else (low, SEQUENTIAL)
    ticks = np.unique(np.linspace(low, high, 5).round())
    names = [f"10<sup>{int(tick)}</sup>" for tick in ticks]
    drawing.add_heatmap(
        hoverongaps=False,
        x=before.astype(np.float32), y=steps[last], z=cells.astype(np.float32), zmin=bottom, zmax=high, colorscale=scale,
        hovertemplate="training step %{y}, %{x:.0f} steps before the last<br>log₁₀ ‖∂L/∂sₜ‖ = %{z:.1f}<extra></extra>",
        colorbar={"title": {"text": "‖∂L/∂sₜ‖", "side": "right"}, "tickvals": [*ticks, *([limit - 0.5] if gone else [])], "ticktext": [*names, *(["vanished"] if gone else [])], "thickness": 12},
    )  # fmt: skip
    drawing.update_xaxes(autorange="reversed")
    return drawing


def _with_vanished(decades: float) -> list[tuple[float, str]]:
    """The sequential scale over `decades`, above one decade in the colour of what has vanished."""
    start = 1 / (decades + 1)
    count = len(SEQUENTIAL) - 1
    return [(0.0, GONE), (start, GONE), *((start + (1 - start) * n / count, colour) for n, colour in enumerate(SEQUENTIAL))]


def _groups(count: int, most: int) -> np.ndarray:
    """Starts of at most `most` groups of neighbours."""
    return np.arange(0, count, max(1, -(-count // most)))


def _mean_of_groups(values: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Means over groups of rows, ignoring nan; nan where a group has nothing else."""
    real = np.isfinite(values)
    with np.errstate(invalid="ignore"):
        return np.add.reduceat(np.where(real, values, 0), starts, axis=0) / np.add.reduceat(real, starts, axis=0, dtype=float)


def states(probe_states: np.ndarray, cell: str, when: str) -> go.Figure:
    """The hidden state on one fixed sequence: units (vertical) over time steps (horizontal).

    Args:
        probe_states: (T, S); for an LSTM S = 2H and the first half, h, is drawn.
        cell: "simple_rnn", "lstm" or "gru".
        when: "before training" or "after N steps".
    """
    hidden = probe_states[:, : probe_states.shape[1] // 2] if cell == "lstm" else probe_states
    columns = _groups(len(hidden), 2 * CELLS[0])
    cells = _mean_of_groups(hidden, columns).T[: CELLS[1]]
    top = float(np.nanmax(np.abs(cells), initial=0.0))
    drawing = figure("time step", "unit", title=f"Hidden state of one fixed sequence, {when}", height=HEIGHT, legend=False)
    limit = 1.0 if top <= 1 else top
    drawing.add_heatmap(
        hoverongaps=False,
        x=columns + 1, z=cells.astype(np.float32), zmin=-limit, zmax=limit, colorscale=DIVERGING,
        hovertemplate="unit %{y}, time step %{x}<br>h = %{z:.2f}<extra></extra>", colorbar={"title": {"text": "h", "side": "right"}, "thickness": 12},
    )  # fmt: skip
    return drawing


def eigenvalues(values: np.ndarray, when: str) -> go.Figure:
    """Eigenvalues of the recurrent kernel (H,) complex, against the unit circle."""
    angle = np.linspace(0, 2 * np.pi, 91)
    radius = float(np.abs(values).max(initial=0.0))
    title = f"Eigenvalues of the recurrent kernel, {when}"
    drawing = figure("real part", "imaginary part", title=title, height=HEIGHT, legend=False)
    circle = np.cos(angle).astype(np.float32), np.sin(angle).astype(np.float32)
    add_line(drawing, "", *circle, GREY, width=1.5, dash="dot", hoverinfo="skip")
    drawing.add_scatter(
        x=values.real.astype(np.float32), y=values.imag.astype(np.float32), mode="markers",
        marker={"color": ROLE_COLOURS["train"], "size": 8, "opacity": 0.75}, hovertemplate="%{x:.3f} + %{y:.3f} i<extra></extra>",
    )  # fmt: skip
    limit = 1.25 if radius <= 1.2 else 1.1 * radius
    drawing.update_xaxes(range=[-limit, limit])
    drawing.update_yaxes(range=[-limit, limit], scaleanchor="x")
    corner = {"x": 0, "y": 1, "xref": "paper", "yref": "paper", "xanchor": "left", "yanchor": "bottom"}
    words = f"largest modulus {radius:.2f}"
    drawing.add_annotation(corner, text=words, showarrow=False, font={"color": GREY, "size": 12})
    return drawing


def running(probabilities: list[np.ndarray], labels: list[str], truths: list[bool]) -> go.Figure:
    """P(positive) of a few reviews after each word.

    Args:
        probabilities: one (T_n,) per review.
        labels: name of each review.
        truths: whether it is positive.
    """
    drawing = figure("share of the review read, %", "P(positive)", title="A few reviews, read word by word", height=HEIGHT)
    for number, (values, label, truth) in enumerate(zip(probabilities, labels, truths, strict=True)):
        same_truth = truths[:number].count(truth)  # of the same colour
        kept = np.unique(np.append(_groups(len(values), POINTS // 4), len(values) - 1))
        x, y = (100 * (kept + 1) / len(values)).astype(np.float32), values[kept].astype(np.float32)
        colour = ROLE_COLOURS["positive" if truth else "negative"]
        add_line(drawing, label, x, y, colour, dash=DASHES[same_truth % len(DASHES)], opacity=0.85)
    drawing.add_hline(y=0.5, line={"color": GREY, "dash": "dot", "width": 1})
    drawing.update_yaxes(range=[-0.02, 1.02])
    return drawing
