"""Attributions of one text by several methods, and their correlation."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import plotly.graph_objects as go

from rnn_core.figures.theme import SERIES_COLOURS, add_line, figure
from rnn_core.figures.traces import name_tokens
from rnn_core.probes.sentence.attributions import METHODS
from rnn_core.probes.sentence.reading import Reading


def side_by_side(readings: dict[str, Reading], words: tuple[str, ...]) -> go.Figure:
    """Each method's value for every token, divided by that method's largest, so that their shapes can be compared."""
    drawing = figure("token", "attribution (largest = 1)", height=340)
    steps, labels = name_tokens(drawing, words)
    mode = "lines+markers" if len(words) <= 60 else "lines"
    for colour, (method, reading) in zip(SERIES_COLOURS, readings.items(), strict=False):
        values = (reading.attribution / max(1e-12, float(np.abs(reading.attribution).max()))).round(4).tolist()
        hover = "%{text}<br>%{y:.2f}"
        add_line(drawing, METHODS[method], steps, values, colour, width=1.6, mode=mode, text=labels, hovertemplate=hover)
    return drawing


def agreement(readings: dict[str, Reading]) -> dict[tuple[str, str], float]:
    """Pearson correlation of every two methods over the tokens; absolute values where one of them has no sign."""
    found = {}
    for first, second in combinations(readings, 2):
        a, b = readings[first].attribution.astype(np.float64), readings[second].attribution.astype(np.float64)
        if "gradient_norm" in (first, second):
            a, b = np.abs(a), np.abs(b)
        flat = len(a) < 2 or a.std() < 1e-12 or b.std() < 1e-12
        found[first, second] = float("nan") if flat else float(np.corrcoef(a, b)[0, 1])
    return found


def agreement_words(readings: dict[str, Reading]) -> str:
    """The correlations, completeness gaps and variants of the methods in words."""
    pairs = [f"{METHODS[a]} and {METHODS[b]} {value:+.2f}" for (a, b), value in agreement(readings).items() if np.isfinite(value)]
    gaps = [
        f"{METHODS[name]} adds up to the logit's change with a gap of {one.gap:.0e}"
        for name, one in readings.items()
        if np.isfinite(one.gap)
    ]
    variants = "; ".join(f"{METHODS[name]}: {one.variant}" for name, one in readings.items())
    return f"Correlation over the tokens: {'; '.join(pairs)}. {'; '.join(gaps)}. None of them is the truth: they answer different questions ({variants})."
