"""A forecast and the truth, with the context shaded; and the forecast's error as a detector of faults."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from rnn_core.figures.theme import GREY, ROLE_COLOURS, SERIES_COLOURS, figure, literal

if TYPE_CHECKING:
    from rnn_core.probes.forecasts import Anomalies, Forecast

_NAIVE = ("dot", "dash", "dashdot", "longdash")
_FAULT = "rgba(194,65,124,0.28)"


def forecast(result: Forecast, column: int = 0, *, height: int = 340) -> go.Figure:
    """Truth, one-step and free-running forecast of one column; naive forecasts are hidden until chosen in the legend.

    Args:
        result: of `rnn_core.probes.forecasts.forecast`.
        column: which of the forecast columns.
    """
    drawing = figure(
        "time" if result.steps.dtype.kind == "M" else "step",
        literal(result.columns[column]),
        title="Forecast of the test part",
        height=height,
    )
    later = result.steps[result.context :]
    _line(drawing, "truth", result.steps, result.truth[:, column], ROLE_COLOURS["truth"], width=3)
    _line(drawing, _named(result, "one step"), later, result.one_step[:, column], ROLE_COLOURS["one_step"])
    if result.free_running is not None:
        _line(drawing, _named(result, "free-running"), later, result.free_running[:, column], ROLE_COLOURS["free_running"])
    for (name, values), dash in zip(result.baselines.items(), _NAIVE, strict=False):
        _line(drawing, _named(result, name), later[: len(values)], values[:, column], GREY, dash=dash, visible="legendonly")
    drawing.add_vrect(
        x0=_place(result.steps[0]), x1=_place(later[0]), fillcolor=GREY, opacity=0.15, line_width=0,
        annotation_text=f"context: {result.context} steps", annotation_position="top left",
    )  # fmt: skip
    return drawing


def anomalies(result: Anomalies, *, height: int = 420) -> go.Figure:
    """The test part above, its scores with the threshold below; planted faults are shaded in both."""
    drawing = figure(
        "time" if result.steps.dtype.kind == "M" else "step",
        "forecast error (training std)",
        title="Planted faults and forecast error",
        height=height,
    )
    for number, name in enumerate(result.columns):
        colour = SERIES_COLOURS[number % len(SERIES_COLOURS)]
        _line(drawing, literal(name), result.steps, result.truth[:, number], colour, axis="y2")
    _line(drawing, "forecast error", result.steps, result.scores, ROLE_COLOURS["free_running"])
    alarms = result.scores > result.threshold
    drawing.add_scatter(
        x=result.steps[alarms],
        y=result.scores[alarms],
        mode="markers",
        name="alarm",
        marker={"color": ROLE_COLOURS["highlight"], "size": 7},
    )
    drawing.add_hline(y=result.threshold, line={"color": GREY, "dash": "dash", "width": 1}, annotation_text="threshold")
    drawing.update_layout(
        yaxis={"domain": [0.0, 0.46], "rangemode": "tozero"},
        yaxis2={"domain": [0.54, 1.0], "title": {"text": "value"}, "anchor": "x"},
    )
    for start, end in _runs(result.faults):
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
        return f"No fault was planted; {found.alarms} of {len(result.scores)} steps raised an alarm."
    precision = (
        "no alarm was raised"
        if np.isnan(found.precision)
        else f"{found.precision:.0%} of {found.alarms} alarms were right (precision)"
    )
    return f"{found.recall:.0%} of {found.faults} faults were found (recall), {precision}; a faulty step has a higher score than a sound one with probability {found.auc:.2f} (AUC)."


def _line(drawing: go.Figure, name: str, x: np.ndarray, y: np.ndarray, colour: str, *, width: int = 2, dash: str = "solid", axis: str = "y", visible: bool | str = True) -> None:  # fmt: skip
    drawing.add_scatter(
        x=x,
        y=np.round(y, 6),
        mode="lines",
        name=name,
        line={"color": colour, "width": width, "dash": dash},
        yaxis=axis,
        visible=visible,
    )


def _named(result: Forecast, name: str) -> str:
    """A forecast's name with its error."""
    return f"{name} (rmse {result.errors[name]:.3g})"


def _place(step: np.generic) -> object:
    """A step as a coordinate of a Plotly shape."""
    return str(step) if step.dtype.kind == "M" else step.item()


def _runs(faults: np.ndarray) -> list[tuple[int, int]]:
    """(start, end) of every run of True."""
    edges = np.flatnonzero(np.diff(faults.astype(np.int8), prepend=0, append=0))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))
