"""A series before anything is trained on it: its values, the parts into which it is split, its gaps and repeated dates."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from rnn_core.figures.theme import GREY, ROLE_COLOURS, SERIES_COLOURS, add_line, figure, literal

MOST_GAPS = 60  # gaps drawn
_GAP = "rgba(194,65,124,0.28)"


def series(
    places: np.ndarray,
    lines: Sequence[tuple[str, np.ndarray]],
    ends: Sequence[object],
    *,
    gaps: Sequence[tuple[str, str]] = (),
    repeats: Sequence[str] = (),
    height: int = 320,
) -> go.Figure:
    """Lines over rows or dates; the validation and the test part are shaded, gaps are marked.

    Args:
        places: (M,) rows, or datetime64.
        lines: name and (M,) values of each.
        ends: where the training part ends, where the validation part ends, and the last place.
        gaps: dates before and after each gap.
        repeats: dates that occur again.
        height: pixels.
    """
    unit = lines[0][0] if len(lines) == 1 else "value"
    drawing = figure("time" if places.dtype.kind == "M" else "row", literal(unit[:40]), title="The series as read", height=height)
    for number, (name, values) in enumerate(lines):
        add_line(drawing, literal(name[:40]), places, values, SERIES_COLOURS[number % len(SERIES_COLOURS)], width=1.5)
    train, validation, last = (str(end) if places.dtype.kind == "M" else end for end in ends)
    for start, end, words, colour in (
        (train, validation, "validation", ROLE_COLOURS["validation"]),
        (validation, last, "test", GREY),
    ):
        drawing.add_vrect(
            x0=start, x1=end, fillcolor=colour, opacity=0.14, line_width=0, annotation_text=words, annotation_position="top left"
        )
    shape = {
        "type": "rect",
        "xref": "x",
        "yref": "paper",
        "y0": 0,
        "y1": 1,
        "fillcolor": _GAP,
        "line": {"color": _GAP, "width": 1},
    }
    drawing.update_layout(
        shapes=[*drawing.layout.shapes, *({**shape, "x0": start, "x1": end} for start, end in gaps[:MOST_GAPS])]
    )
    if repeats:
        marker = {"symbol": "triangle-up", "size": 9, "color": ROLE_COLOURS["highlight"]}
        low = float(min(np.nanmin(values) for _, values in lines))
        drawing.add_scatter(x=list(repeats), y=[low] * len(repeats), mode="markers", name="date occurs again", marker=marker)
    return drawing


def describe(names: Sequence[str], rows: int, gaps: int, repeats: int) -> str:
    """The figure in words: its text alternative."""
    marks = f", with {gaps} gaps and {repeats} repeated dates marked" if gaps or repeats else ""
    return f"{', '.join(name[:40] for name in names[:4])} over {rows:,} rows{marks}; the validation part and the test part, the last rows, are shaded."
