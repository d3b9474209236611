"""The forecast of the rows after the last one: past values, forecast with its interval, and naive forecasts; in words, whether it is better."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from rnn_core.figures.theme import GREY, ROLE_COLOURS, add_line, figure, literal

if TYPE_CHECKING:
    from rnn_core.probes.beyond import Beyond

NAMES = {"last value": "last value", "last period": "last period (seasonal naive)", "drift": "drift"}
_DASHES = {"last value": "dot", "last period": "dash", "drift": "dashdot"}
_BAND = "rgba(31,120,180,0.32)"  # of the colour of a forecast


def beyond(result: Beyond, column: int = 0, *, height: int = 340) -> go.Figure:
    """Past values and the forecast of one column, with its interval as a band; the best naive forecast is drawn, the others can be chosen."""
    dated = result.steps.dtype.kind == "M"
    title = f"Forecast of the {len(result.steps)} step{'s' if len(result.steps) > 1 else ''} after the last row"
    drawing = figure("time" if dated else "row", literal(result.columns[column][:40]), title=title, height=height)
    past, last = result.past[:, column], result.past[-1, column]
    add_line(drawing, "past values", result.past_steps, past.round(6), ROLE_COLOURS["truth"], width=2.5)
    steps = np.concatenate([result.past_steps[-1:], result.steps])
    low, high = (np.concatenate([[last], end[:, column]]).round(6) for end in (result.low, result.high))
    band = {"mode": "lines", "line": {"width": 0}, "hoverinfo": "skip"}
    name = f"{100 * result.coverage:.0f}% interval"
    drawing.add_scatter(x=steps, y=low, name=name, showlegend=False, legendgroup="interval", **band)
    drawing.add_scatter(x=steps, y=high, name=name, legendgroup="interval", fill="tonexty", fillcolor=_BAND, **band)
    rest = [name for name in result.errors if name != "network"]
    best = min(rest, key=lambda name: result.errors[name], default="")
    for name in rest:
        line = np.concatenate([[last], result.baselines[name][:, column]]).round(6)
        shown = True if name == best else "legendonly"
        add_line(drawing, _named(NAMES[name], result.errors[name]), steps, line, GREY, dash=_DASHES[name], visible=shown)
    forecast = np.concatenate([[last], result.forecast[:, column]]).round(6)
    add_line(drawing, _named("network", result.errors["network"]), steps, forecast, ROLE_COLOURS["one_step"], width=2.5)
    return drawing


def _named(name: str, error: float) -> str:
    return f"{name} (rmse {error:.3g})"


def verdict(result: Beyond) -> str:
    """Whether the network's past forecasts of the same horizon were better than the best naive one, in a sentence."""
    steps = f"{len(result.steps)} step{'s' if len(result.steps) > 1 else ''}"
    rest = {NAMES[name]: value for name, value in result.errors.items() if name != "network"}
    best = min(rest, key=lambda name: rest[name])
    own, naive = result.errors["network"], rest[best]
    how = f"Over {result.windows:,} past forecasts of {steps} that it was not trained on, its error is {own:.3g}; the best naive forecast, {best}, has {naive:.3g}"
    if result.worse_than:
        return f"Worse than the naive forecast. {how}."
    return f"{1 - own / max(naive, 1e-12):.0%} better than the best naive forecast. {how}."


def describe(result: Beyond) -> str:
    """The figure in words: its text alternative."""
    ends = [
        str(step.astype("datetime64[m]")).replace("T00:00", "") if result.steps.dtype.kind == "M" else str(step)
        for step in result.steps[[0, -1]]
    ]
    return f"Forecast of {', '.join(name[:40] for name in result.columns[:4])} from {ends[0]} to {ends[1]}, with an interval that held {result.coverage:.0%} of past truths. {verdict(result)}"
