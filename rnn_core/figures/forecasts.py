"""A forecast and the truth, with the context shaded; and the forecast's error as a detector of faults."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from rnn_core.figures.theme import GREY, ROLE_COLOURS, SERIES_COLOURS, add_line, figure, literal

if TYPE_CHECKING:
    from rnn_core.probes.forecasts import Anomalies, Forecast

_NAIVE = ("dot", "dash", "dashdot", "longdash", "longdashdot")
_FAULT = "rgba(194,65,124,0.28)"


def forecast(result: Forecast, column: int = 0, *, height: int = 340) -> go.Figure:
    """Truth, one-step and free-running forecast of one column; naive forecasts are hidden until chosen in the legend.

    Args:
        result: of `rnn_core.probes.forecasts.forecast`.
        column: which of the forecast columns.
        height: pixels.
    """
    title = "Forecast of the test part"
    drawing = figure(_clock(result.steps), literal(result.columns[column]), title=title, height=height)
    later = result.steps[result.context :]
    add_line(drawing, "truth", result.steps, result.truth[:, column].round(6), ROLE_COLOURS["truth"], width=3)
    _add(drawing, result, "one step", later, result.one_step[:, column], ROLE_COLOURS["one_step"])
    if result.free_running is not None:
        _add(drawing, result, "free-running", later, result.free_running[:, column], ROLE_COLOURS["free_running"])
    for (name, values), dash in zip(result.baselines.items(), _NAIVE, strict=False):
        _add(drawing, result, name, later[: len(values)], values[:, column], GREY, dash=dash, visible="legendonly")
    drawing.add_vrect(
        x0=_place(result.steps[0]), x1=_place(later[0]), fillcolor=GREY, opacity=0.15, line_width=0,
        annotation_text=f"context: {result.context} steps", annotation_position="top left",
    )  # fmt: skip
    return drawing


def anomalies(result: Anomalies) -> go.Figure:
    """The series above, its scores with the threshold below; planted faults, or without them the worst stretches, are shaded in both."""
    title = "Planted faults and forecast error" if result.faults.any() else "Where its forecast was worst"
    drawing = figure(_clock(result.steps), "forecast error (training std)", title=title, height=420)
    for number, name in enumerate(result.columns):
        colour = SERIES_COLOURS[number % len(SERIES_COLOURS)]
        add_line(drawing, literal(name), result.steps, result.truth[:, number].round(6), colour, yaxis="y2")
    add_line(drawing, "forecast error", result.steps, result.scores.round(6), ROLE_COLOURS["free_running"])
    alarms = result.scores > result.threshold
    marker = {"color": ROLE_COLOURS["highlight"], "size": 7}
    drawing.add_scatter(x=result.steps[alarms], y=result.scores[alarms], mode="markers", name="alarm", marker=marker)
    drawing.add_hline(y=result.threshold, line={"color": GREY, "dash": "dash", "width": 1}, annotation_text="threshold")
    drawing.update_layout(
        yaxis={"domain": [0.0, 0.46], "rangemode": "tozero"},
        yaxis2={"domain": [0.54, 1.0], "title": {"text": "value"}, "anchor": "x"},
    )
    for start, end in _runs(result.faults) if result.faults.any() else [(start, end + 1) for start, end in result.worst]:
        last = result.steps[min(end, len(result.steps) - 1)]
        drawing.add_shape(
            type="rect", xref="x", yref="paper", x0=_place(result.steps[start]), x1=_place(last), y0=0, y1=1,
            fillcolor=_FAULT, line={"color": _FAULT, "width": 2}, layer="below",
        )  # fmt: skip
    return drawing


def describe(result: Forecast) -> str:
    """The forecast in words: the figure's text alternative."""
    errors = ", ".join(f"{name} {error:.3g}" for name, error in result.errors.items())
    return f"Forecast of {', '.join(result.columns)} over {len(result.one_step)} steps. Root mean squared errors in training standard deviations: {errors}."


def verdict(result: Anomalies) -> str:
    """Recall, precision and AUC of the detector in one sentence."""
    found = result.detection
    if not found.faults:
        return f"No fault was planted. {_ranking(result)}"
    precision = f"{found.precision:.0%} of {found.alarms} alarms were right (precision)"
    if np.isnan(found.precision):
        precision = "no alarm was raised"
    return f"{found.recall:.0%} of {found.faults} faults were found (recall), {precision}; a faulty step has a higher score than a sound one with probability {found.auc:.2f} (AUC)."


def _ranking(result: Anomalies) -> str:
    """The worst stretches in words, with their dates and largest error."""
    if not result.worst:
        return "No stretch stands out: no error is above twice the median one."
    parts = []
    for start, end in result.worst:
        first, last = (_date(result.steps[n]) for n in (start, end))
        parts.append(f"{first}{f' to {last}' if last != first else ''} (error {result.scores[start : end + 1].max():.3g})")
    return f"The {len(parts)} worst stretches of {len(result.scores):,} steps, by the error of its forecast: {'; '.join(parts)}."


def _date(step: np.generic) -> str:
    """A step as text, without a time of day that is midnight."""
    return str(step.astype("datetime64[m]")).replace("T00:00", "").replace("T", " ") if step.dtype.kind == "M" else f"step {step}"


def _add(drawing: go.Figure, result: Forecast, name: str, x: np.ndarray, y: np.ndarray, colour: str, **more: Any) -> None:
    """A forecast as a line, named with its error."""
    add_line(drawing, f"{name} (rmse {result.errors[name]:.3g})", x, y.round(6), colour, **more)


def _clock(steps: np.ndarray) -> str:
    """What the horizontal axis shows."""
    return "time" if steps.dtype.kind == "M" else "step"


def _place(step: np.generic) -> object:
    """A step as a coordinate of a Plotly shape."""
    return str(step) if step.dtype.kind == "M" else step.item()


def _runs(faults: np.ndarray) -> list[tuple[int, int]]:
    """(start, end) of every run of True."""
    edges = np.flatnonzero(np.diff(faults.astype(np.int8), prepend=0, append=0))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))
