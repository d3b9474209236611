"""Colours with one meaning in all figures, and the empty figure from which all others are made.

Every colour keeps a contrast of at least 3:1 against both the light and the dark page, and the members of one group are
distinguishable with red-green colour blindness (tests/figures/test_theme.py measures both). Figures are transparent and leave
text colours to the page, so one figure serves both themes; `for_paper` fixes them for a file.
"""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go

CELL_NAMES = {"simple_rnn": "Vanilla RNN", "lstm": "LSTM", "gru": "GRU"}
CELL_COLOURS = {"simple_rnn": "#D55E00", "lstm": "#1F78B4", "gru": "#009E73"}

# A gate of the LSTM and its counterpart in the GRU share a colour: forget and update keep the old state, cell and candidate propose the new one.
GATE_NAMES = {
    "input": "input gate i",
    "forget": "forget gate f",
    "cell": "candidate g",
    "output": "output gate o",
    "update": "update gate z",
    "reset": "reset gate r",
    "candidate": "candidate h̃",
}
GATE_COLOURS = {
    "input": "#2764E9",
    "forget": "#D86EBB",
    "cell": "#AD903E",
    "output": "#2E7251",
    "update": "#D86EBB",
    "reset": "#694AEA",
    "candidate": "#AD903E",
}

ROLE_COLOURS = {
    "train": "#1F78B4",
    "validation": "#D55E00",
    "baseline": "#808080",
    "truth": "#808080",
    "one_step": "#1F78B4",
    "free_running": "#D55E00",
    "positive": "#1F78B4",  # pushes towards "positive"
    "negative": "#D55E00",  # pushes towards "negative"
    "highlight": "#A87B00",
}
SERIES_COLOURS = ["#1F78B4", "#D55E00", "#009E73", "#A87B00", "#C2417C", "#7A6AD8", "#2F8FD0", "#808080"]

# Cividis looks the same with and without colour blindness; the diverging scale is negative orange, positive blue, as everywhere here.
SEQUENTIAL = ["#00224E", "#123570", "#3B496C", "#575D6D", "#707173", "#8A8678", "#A59C74", "#C3B369", "#E1CC55", "#FEE838"]
DIVERGING = ["#7F3B08", "#B35806", "#E08214", "#FDB863", "#F4E6D4", "#D9E6F2", "#92C5DE", "#4393C3", "#2166AC", "#053061"]
# States of the strip, negative to positive: none of these is near a cell's colour (measured in tests/figures/test_theme.py).
VALUES = ["#3F007D", "#8A6FB8", "#F0F0F0", "#C9B458", "#6B5900"]

GREY = "#808080"  # rules, baselines: the same on white and on black
GRID = "rgba(128,128,128,0.22)"
GONE = "#5A0A2B"  # a vanished gradient in a heat map: unlike its sequential colours
NOTHING = "rgba(128,128,128,0.4)"  # background of heat maps with missing cells: unlike any of their colours, and the page


_AXIS = {"gridcolor": GRID, "zerolinecolor": GRID, "linecolor": GREY, "ticks": "outside", "tickcolor": GREY, "automargin": True}
TEMPLATE = go.layout.Template(
    layout={
        "colorway": SERIES_COLOURS,
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "xaxis": _AXIS,
        "yaxis": _AXIS,
        "colorscale": {"sequential": SEQUENTIAL, "diverging": DIVERGING},
        "hoverlabel": {"align": "left"},
        "title": {"x": 0, "y": 1, "xanchor": "left", "yanchor": "top", "pad": {"t": 8}, "font": {"size": 16}},
        "legend": {"orientation": "h", "yanchor": "bottom", "y": 1.0, "xanchor": "left", "x": 0, "tracegroupgap": 0},
    }
)


def figure(
    x_title: str, y_title: str, *, title: str = "", height: int = 340, log_y: bool = False, legend: bool = True
) -> go.Figure:
    """An empty figure with the project's colours, axes and margins.

    Args:
        x_title: name and unit of the horizontal axis.
        y_title: name and unit of the vertical axis.
        title: one line above the plot; empty where the page has a heading for it.
        height: pixels.
        log_y: logarithmic vertical axis, ticks as powers of ten.
        legend: show it, above the plot.
    """
    layout: dict[str, Any] = {
        "template": TEMPLATE,
        "height": height,
        "showlegend": legend,
        "margin": {"l": 10, "r": 16, "t": 56 if title else 28, "b": 10},  # r: half of "3000", which would be cut at an axis's end
        "title": {"text": title},
        "xaxis": {"title": {"text": x_title}},
        "yaxis": {"title": {"text": y_title}, **({"type": "log", "exponentformat": "power"} if log_y else {})},
    }
    return go.Figure(layout=layout)  # in one call: Plotly validates every later update again


def add_line(
    drawing: go.Figure, name: str, x: Any, y: Any, colour: str, *, width: float = 2.0, dash: str = "solid", **more: Any
) -> None:
    """Add a line to a figure.

    Args:
        drawing: the figure.
        name: in the legend.
        x, y: (N,) coordinates; nan or None breaks the line.
        colour: one of this file's.
        width: pixels.
        dash: "solid", "dash", "dot", "dashdot" or "longdash".
        more: other attributes of a Plotly scatter trace, such as `hovertemplate`.
    """
    more = {"mode": "lines", **more}
    drawing.add_scatter(name=name, x=x, y=y, line={"color": colour, "width": width, "dash": dash}, **more)


def literal(text: str) -> str:
    """Text from a user for a title, label or hover text, escaped so that Plotly does not interpret tags."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def for_paper(drawing: go.Figure, dark: bool = False) -> go.Figure:
    """A copy with text and background colours fixed, for a PNG, SVG or HTML file outside the app."""
    ink, paper = ("#FAFAFA", "#14171C") if dark else ("#1F2328", "#FFFFFF")
    copy = go.Figure(drawing)
    copy.update_layout(paper_bgcolor=paper, plot_bgcolor=paper, font={"color": ink})
    return copy
