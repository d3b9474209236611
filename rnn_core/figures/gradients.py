"""Gradient norms by time step, over training, by gate and by clipping rule: one result in, one figure out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go
from plotly.colors import hex_to_rgb

from rnn_core.figures.theme import (
    CELL_COLOURS,
    CELL_NAMES,
    GATE_COLOURS,
    GREY,
    ROLE_COLOURS,
    SERIES_COLOURS,
    add_line,
    figure,
)
from rnn_core.probes.gradients.curves import QUANTITIES, Curve, curve

if TYPE_CHECKING:
    from rnn_core.probes.gradients.clipping import Clipping
    from rnn_core.probes.gradients.state_gradients import GradientFlow

FLOOR = 1e-16  # lower end of the axis; values below it are still shown on hover
POINTS = 250  # of a curve, at least; longer ones are thinned evenly
FLOAT32 = 2.0**-24  # a term smaller than this share of the largest is lost in a float32 sum
DASHES = ("solid", "dash", "dot", "dashdot")


def _axis(drawing: go.Figure, length: int) -> None:
    """Horizontal axis of lags: time runs from left to right, lag 0 at the right edge."""
    drawing.update_xaxes(range=[length - 0.5, -0.5], zeroline=False)


def positive(values: np.ndarray) -> list[float | None]:
    """Values for a log axis, four digits; None for those that are not finite or not positive."""
    return [float(f"{value:.4g}") if np.isfinite(value) and value > 0 else None for value in values]


def fit_log_axis(drawing: go.Figure, values: np.ndarray) -> None:
    """Vertical log axis around all positive values: not below FLOOR, at least three powers of ten, labelled at powers of ten only."""
    values = values[np.isfinite(values) & (values > 0)]
    low, high = (values.min(), values.max()) if len(values) else (1e-3, 1.0)
    top, bottom = np.log10(max(high, FLOOR)), np.log10(max(low, FLOOR))
    bottom = max(min(bottom, top - 3) - 0.3, np.log10(FLOOR))
    drawing.update_yaxes(range=[float(bottom), float(top + 0.4)], dtick=max(1, int(np.ceil((top - bottom) / 9))))


def _fit(drawing: go.Figure, curves: Sequence[Curve]) -> None:
    """Fits the vertical axis to all values of the curves."""
    fit_log_axis(drawing, np.concatenate([np.concatenate([item.low, item.high]) for item in curves]))


def norm_by_step(flow: Curve | Sequence[Curve] | GradientFlow, *, height: int = 420) -> go.Figure:
    """Norm of a gradient by time step on a floored log axis: median as a line, 10th to 90th percentile over examples as a band.

    Args:
        flow: one Curve, several of the same quantity, or the result of `rnn.state_gradients`.
        height: pixels.
    """
    if not isinstance(flow, (Curve, Sequence)):
        flow = curve(flow.norms, "state", flow.cell_name, "", mask=flow.mask)
    curves = [flow] if isinstance(flow, Curve) else list(flow)
    symbol = re.sub(r"_(\w)", r"<sub>\1</sub>", QUANTITIES[curves[0].quantity][0].replace("_max", "<sub>max</sub>"))
    relative = curves[0].relative
    y_title = symbol + (", relative to the last step" if relative else "")
    drawing = figure("time steps before the last one", y_title, height=height, log_y=True)
    for number in range(len(curves)):
        _add_curve(drawing, number, curves)
    if relative:
        _rule(drawing, FLOAT32, "below: lost in a 32-bit sum", "dot")
    _axis(drawing, max(len(item.median) for item in curves))
    _fit(drawing, curves)
    return drawing


def _rule(drawing: go.Figure, height: float, words: str, dash: str) -> None:
    """A named horizontal line on a log axis, where Plotly takes an annotation's place as an exponent."""
    drawing.add_hline(y=height, line={"dash": dash, "color": GREY, "width": 1})
    place = {"x": 0.995, "xref": "paper", "xanchor": "right", "y": float(np.log10(height)), "yanchor": "top"}
    drawing.add_annotation(text=words, showarrow=False, font={"size": 11}, **place)


def add_power(drawing: go.Figure, factor: float, length: int, words: str) -> None:
    """A straight line: a constant factor per step, `length` steps back."""
    lags = list(range(length - 1, -1, -1))
    add_line(drawing, words, lags, [factor**lag for lag in lags], GREY, dash="dot", hoverinfo="skip")


def name_of(item: Curve) -> str:
    """Legend: cell, label, when in training."""
    when = "untrained" if item.when == "at init" else item.when
    return ", ".join(part for part in (CELL_NAMES.get(item.cell, item.cell), item.label, when) if part)


def _add_curve(drawing: go.Figure, number: int, curves: Sequence[Curve]) -> None:
    """Draw a curve and its band. Curves of one cell differ by dash, curves of several cells by the cell's colour."""
    item = curves[number]
    same_cell = sum(other.cell == item.cell for other in curves[:number])
    one_cell = len(curves) > 2 and len({other.cell for other in curves}) == 1  # many settings of one cell: a colour for each
    colour = SERIES_COLOURS[number % len(SERIES_COLOURS)] if one_cell else CELL_COLOURS.get(item.cell, GREY)
    name, every = name_of(item), slice(None, None, -max(1, len(item.median) // POINTS))  # from the last step backwards
    lags = item.lags[every].tolist()
    low, median, high = (positive(values[every]) for values in (item.low, item.median, item.high))
    kept = [n for n in range(len(lags)) if low[n] is not None and high[n] is not None]
    back = kept[::-1]
    drawing.add_scatter(
        x=[lags[n] for n in kept + back], y=[low[n] for n in kept] + [high[n] for n in back], fill="toself", line={"width": 0},
        fillcolor=f"rgba{(*hex_to_rgb(colour), 0.16)}", name=f"{name}: spread", legendgroup=name, showlegend=False, hoverinfo="skip",
    )  # fmt: skip
    dash, hover = DASHES[same_cell % len(DASHES)], "%{x} steps before the end: %{y:.2e}<extra>" + name + "</extra>"
    add_line(drawing, name, lags, median, colour, width=2.5, dash=dash, legendgroup=name, hovertemplate=hover)


def gates(total: Curve, product: Curve) -> go.Figure:
    """The product of the forget (LSTM) or update (GRU) gates alone, beside the total gradient."""
    drawing = norm_by_step([total], height=380)
    drawing.data[1].update(name="total gradient")
    gate = "forget" if total.cell == "lstm" else "update"
    name, hover = f"product of the {gate} gates alone", "%{x} steps before the end: %{y:.2e}<extra>gates alone</extra>"
    values = positive(product.median)
    add_line(drawing, name, product.lags.tolist(), values, GATE_COLOURS[gate], width=2.5, dash="dash", hovertemplate=hover)
    _fit(drawing, [total, product])
    return drawing


def clipping(result: Clipping) -> go.Figure:
    """Norm of each weight's gradient on one batch: as computed, clipped by the global norm, clipped per variable."""
    drawing = figure("weights", "gradient norm", height=360, log_y=True)
    rows = {
        "before clipping": (result.before, GREY),
        "global clip": (result.by_global, ROLE_COLOURS["train"]),
        "per-variable clip": (result.by_variable, ROLE_COLOURS["validation"]),
    }
    for name, (norms, colour) in rows.items():
        hover = "%{x}: %{y:.3g}<extra>" + name + "</extra>"
        drawing.add_bar(x=list(result.names), y=positive(norms), name=name, marker={"color": colour}, hovertemplate=hover)
    _rule(drawing, result.limit, f"limit {result.limit:g}", "dash")
    drawing.update_layout(barmode="group")
    return drawing


def clip_history(steps: np.ndarray, before: np.ndarray, after: np.ndarray) -> go.Figure:
    """Global gradient norm at every training step, before and after clipping."""
    drawing = figure("training step", "global gradient norm", height=320, log_y=True)
    for name, values, colour in (("before clipping", before, GREY), ("after clipping", after, ROLE_COLOURS["train"])):
        add_line(drawing, name, np.asarray(steps).tolist(), positive(np.asarray(values)), colour, width=1.6)
    return drawing
