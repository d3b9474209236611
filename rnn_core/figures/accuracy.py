"""Test accuracy by the number of last tokens of each review."""

from __future__ import annotations

from collections.abc import Mapping

import plotly.graph_objects as go

from rnn_core.figures.theme import CELL_COLOURS, CELL_NAMES, GREY, add_line, figure

LONGEST = 500  # tokens of a whole review, at most


def by_last_tokens(numbers: Mapping[str, float]) -> go.Figure:
    """Accuracy of each cell on the last k tokens of a review, beside a bag of all its words.

    Args:
        numbers: "gru" → accuracy in [0, 1] on whole reviews (at most LONGEST tokens), "gru_25" → on the last 25; "bag" → bag of words.
    """
    drawing = figure("last tokens of the review that are given", "right, % of the test reviews", height=380)
    for cell, name in CELL_NAMES.items():
        by_tokens = {int(key.removeprefix(f"{cell}_")): value for key, value in numbers.items() if key.startswith(f"{cell}_")}
        if cell in numbers:
            by_tokens[LONGEST] = numbers[cell]
        x, y = sorted(by_tokens), [round(100 * by_tokens[last], 2) for last in sorted(by_tokens)]
        hover = "last %{x} tokens: %{y:.1f}%<extra>" + name + "</extra>"
        add_line(drawing, name, x, y, CELL_COLOURS[cell], width=2.5, mode="lines+markers", hovertemplate=hover)
    guessing = {"text": "guessing", "font": {"size": 11}}
    drawing.add_hline(y=50, line={"dash": "dot", "color": GREY}, annotation=guessing)
    if "bag" in numbers:
        bag = {"text": "bag of words, no order", "font": {"size": 11}}
        drawing.add_hline(
            y=100 * numbers["bag"], line={"dash": "dash", "color": GREY}, annotation=bag, annotation_position="top left"
        )
    drawing.update_xaxes(type="log", tickvals=[10, 25, 50, 100, 200, 500])
    drawing.update_yaxes(range=[48, 92])
    return drawing
