"""A classifier's confusion matrix, and its surest errors as a table of text."""

from __future__ import annotations

import html

import numpy as np
import plotly.graph_objects as go

from rnn_core.figures.theme import SEQUENTIAL, figure, literal
from rnn_core.probes.confusion import Confusion

HEIGHT = 330  # pixels
FEW = 4  # classes up to which a cell shows count and share


def matrix(found: Confusion) -> go.Figure:
    """Right classes as rows, the first on top; answered classes as columns. Colours are shares of a row."""
    names, totals = [literal(name) for name in found.classes], found.counts.sum(1, keepdims=True)
    shares = found.counts / np.maximum(totals, 1)
    few = len(names) <= FEW
    texts = [
        [f"{count:,}<br>{share:.0%}" if few else f"{count:,}" for count, share in zip(counts, row, strict=True)]
        for counts, row in zip(found.counts.tolist(), shares.tolist(), strict=True)
    ]
    drawing = figure("answered", "right class", height=HEIGHT, legend=False)
    drawing.add_heatmap(
        x=names, y=names, z=shares.astype(np.float32), text=texts, texttemplate="%{text}", zmin=0, zmax=1, colorscale=SEQUENTIAL, xgap=2, ygap=2,
        textfont={"size": 17 if few else 15}, showscale=False,
        hovertemplate="right: %{y}<br>answered: %{x}<br>%{text}<extra></extra>",
    )  # fmt: skip
    drawing.update_xaxes(type="category", showgrid=False)
    drawing.update_yaxes(type="category", autorange="reversed", showgrid=False)
    return drawing


def describe(found: Confusion) -> str:
    """How many answers are right, and the commonest error, in a sentence or two."""
    wrong = found.counts.copy()
    np.fill_diagonal(wrong, 0)
    read = "all" if found.sequences == found.available else f"the first {found.sequences:,} of {found.available:,}"
    said = f"Of {found.answers:,} answers to {read} validation sequences, {found.right:,} are right ({found.right / max(found.answers, 1):.1%})."
    if not wrong.any():
        return said
    right, answered = (int(place) for place in np.unravel_index(int(wrong.argmax()), wrong.shape))
    total = int(found.counts[right].sum())
    return f"{said} Its commonest error: “{found.classes[answered]}” for “{found.classes[right]}”, {wrong[right, answered]:,} of {total:,}."


def errors(found: Confusion) -> str:
    """HTML: what the matrix says, and the surest errors with the answer's probability, the right class, and the input as text."""
    said = f"<p><b>{html.escape(describe(found))}</b></p>"
    if not found.mistakes:
        return said
    rows = "".join(
        f"<tr><td>{html.escape(found.classes[one.answered])}, {one.probability:.1%}</td><td>{html.escape(found.classes[one.right])}</td>"
        f"<td>{html.escape(one.text)}{f' (step {one.step})' if one.step else ''}</td></tr>"
        for one in found.mistakes
    )
    head = "<tr><th>answered</th><th>right</th><th>input</th></tr>"
    return f'{said}<div class="unrolled-errors"><table><thead>{head}</thead><tbody>{rows}</tbody></table></div>'
