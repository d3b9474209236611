"""Products of Jacobians: their singular values by lag, the Lyapunov spectrum, and two recurrences in closed form."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from rnn_core.figures.gradients import fit_log_axis, positive
from rnn_core.figures.theme import CELL_COLOURS, CELL_NAMES, GREY, ROLE_COLOURS, add_line, figure

if TYPE_CHECKING:
    from rnn_core.probes.jacobians.closed_forms import ProductNorms
    from rnn_core.probes.jacobians.spectra import LyapunovExponents, SingularValues


def singular_values(spectra: Sequence[SingularValues]) -> go.Figure:
    """Singular values of ∂s_T/∂sₜ by lag: the largest as a thick line, the middle one dashed, the smallest dotted.

    Curves far apart mean that a few directions of the state are kept while most are lost.
    """
    drawing = figure("time steps before the last one", "singular values of ∂s<sub>T</sub>/∂sₜ", height=420, log_y=True)
    for item in spectra:
        cell, colour, middle = CELL_NAMES[item.cell], CELL_COLOURS[item.cell], item.values.shape[1] // 2
        rows = ((0, "largest", "solid", 3.0), (middle, "middle", "dash", 1.6), (-1, "smallest", "dot", 1.2))
        for column, word, dash, width in rows:
            hover = "%{x} steps before the end: %{y:.2e}<extra>" + f"{cell}, {word}</extra>"
            more = {"legendgroup": cell, "showlegend": column == 0 or len(spectra) == 1, "hovertemplate": hover}
            values = positive(item.values[:, column])
            add_line(drawing, f"{cell}: {word}", item.lags.tolist(), values, colour, width=width, dash=dash, **more)
    drawing.update_xaxes(autorange="reversed", zeroline=False)
    fit_log_axis(drawing, np.concatenate([item.values.ravel() for item in spectra]))
    return drawing


def lyapunov(spectra: Sequence[LyapunovExponents]) -> go.Figure:
    """All Lyapunov exponents, largest first: mean logarithm of the growth per step of each direction. Below 0 shrinks, above 0 grows."""
    drawing = figure("direction, the longest-lived first", "Lyapunov exponent per step", height=360)
    for item in spectra:
        name, order = CELL_NAMES[item.cell], list(range(1, len(item.values) + 1))
        hover = "direction %{x}: %{y:.4f} per step<extra>" + name + "</extra>"
        more: dict[str, Any] = {"mode": "lines+markers", "marker": {"size": 5}, "hovertemplate": hover}
        add_line(drawing, name, order, item.values.round(5).tolist(), CELL_COLOURS[item.cell], width=1.5, **more)
    words = {"text": "0: kept for ever", "font": {"size": 11}}
    drawing.add_hline(y=0, line={"color": GREY, "width": 1.5, "dash": "dash"}, annotation=words)
    return drawing


def product_norms(result: ProductNorms) -> go.Figure:
    """Norm of a product of equal Jacobians beside two rules of thumb: the spectral radius (not a bound) and the largest singular value (a bound)."""
    drawing = figure("n: steps back", "size of the gradient", height=360, log_y=True)
    radius = f"spectral radius ({result.spectral_radius:g}) to the power n: not a bound"
    rows = (
        ("what happens", result.norm, ROLE_COLOURS["train"], "solid", 3.0),
        (radius, result.by_radius, ROLE_COLOURS["validation"], "dash", 2.0),
        ("largest singular value to the power n: a bound", result.by_singular, GREY, "dot", 2.0),
    )
    for name, values, colour, dash, width in rows:
        hover = "n = %{x}: %{y:.4g}<extra></extra>"
        add_line(drawing, name, result.steps.tolist(), positive(values), colour, width=width, dash=dash, hovertemplate=hover)
    fit_log_axis(drawing, np.array([max(result.norm.min(), 1e-3), result.norm.max() * 4]))
    return drawing
