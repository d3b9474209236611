"""Test accuracy by the number of last tokens of each review."""

from __future__ import annotations

from collections.abc import Mapping

import plotly.graph_objects as go

from rnn_core.figures.theme import CELL_COLOURS, CELL_NAMES, ROLE_COLOURS, figure


def by_last_tokens(numbers: Mapping[str, float], longest: int = 500, *, height: int = 380) -> go.Figure:
    """Accuracy of each cell on the last k tokens of a review, beside a bag of all its words.

    Args:
        numbers: "gru" → accuracy in [0, 1] on whole reviews (at most `longest` tokens), "gru_25" → on the last 25; "bag" → bag of words.
    """
    drawing = figure("last tokens of the review that are given", "right, % of the test reviews", height=height)
    for cell, colour in CELL_COLOURS.items():
        points = sorted(
            (int(name.removeprefix(f"{cell}_")), value) for name, value in numbers.items() if name.startswith(f"{cell}_")
        )
        points += [(longest, numbers[cell])] if cell in numbers else []
        drawing.add_scatter(
            x=[last for last, _ in points],
            y=[round(100 * value, 2) for _, value in points],
            name=CELL_NAMES[cell],
            mode="lines+markers",
            line={"color": colour, "width": 2.5},
            hovertemplate="last %{x} tokens: %{y:.1f}%<extra>" + CELL_NAMES[cell] + "</extra>",
        )
    drawing.add_hline(
        y=50, line={"dash": "dot", "color": ROLE_COLOURS["baseline"]}, annotation={"text": "guessing", "font": {"size": 11}}
    )
    if "bag" in numbers:
        place = {"text": "bag of words, no order", "font": {"size": 11}}
        drawing.add_hline(
            y=100 * numbers["bag"],
            line={"dash": "dash", "color": ROLE_COLOURS["baseline"]},
            annotation=place,
            annotation_position="top left",
        )
    drawing.update_xaxes(type="log", tickvals=[10, 25, 50, 100, 200, 500])
    drawing.update_yaxes(range=[48, 92])
    return drawing
