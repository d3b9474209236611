"""Products of Jacobians: their singular values by lag, the Lyapunov spectrum, and two recurrences in closed form."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from rnn_core.figures.gradients import log_range, positive
from rnn_core.figures.theme import CELL_COLOURS, CELL_NAMES, GREY, ROLE_COLOURS, figure

if TYPE_CHECKING:
    from rnn_core.probes.jacobians.closed_forms import ProductNorms
    from rnn_core.probes.jacobians.spectra import LyapunovExponents, SingularValues


def singular_values(spectra: Sequence[SingularValues], *, height: int = 420) -> go.Figure:
    """Singular values of ∂s_T/∂sₜ by lag: the largest as a thick line, the middle one dashed, the smallest dotted.

    Curves far apart mean that a few directions of the state are kept while most are lost.
    """
    drawing = figure("time steps before the last one", "singular values of ∂s<sub>T</sub>/∂sₜ", height=height, log_y=True)
    for item in spectra:
        middle = item.values.shape[1] // 2
        for column, word, dash, width in (
            (0, "largest", "solid", 3.0),
            (middle, "middle", "dash", 1.6),
            (-1, "smallest", "dot", 1.2),
        ):
            name = CELL_NAMES[item.cell]
            drawing.add_scatter(
                x=item.lags.tolist(),
                y=positive(item.values[:, column]),
                name=f"{name}: {word}",
                legendgroup=name,
                showlegend=column == 0 or len(spectra) == 1,
                mode="lines",
                line={"color": CELL_COLOURS[item.cell], "dash": dash, "width": width},
                hovertemplate="%{x} steps before the end: %{y:.2e}<extra>" + f"{name}, {word}</extra>",
            )
    drawing.update_xaxes(autorange="reversed", zeroline=False)
    values = np.concatenate([item.values.ravel() for item in spectra])
    values = values[np.isfinite(values) & (values > 0)]
    log_range(drawing, *((values.min(), values.max()) if len(values) else (1e-3, 1.0)))
    return drawing


def lyapunov(spectra: Sequence[LyapunovExponents], *, height: int = 360) -> go.Figure:
    """All Lyapunov exponents, largest first: mean logarithm of the growth per step of each direction. Below 0 shrinks, above 0 grows."""
    drawing = figure("direction, the longest-lived first", "Lyapunov exponent per step", height=height)
    for item in spectra:
        order = np.arange(1, len(item.values) + 1)
        drawing.add_scatter(
            x=order.tolist(),
            y=[round(float(value), 5) for value in item.values],
            name=CELL_NAMES[item.cell],
            mode="lines+markers",
            marker={"size": 5},
            line={"color": CELL_COLOURS[item.cell], "width": 1.5},
            hovertemplate="direction %{x}: %{y:.4f} per step<extra>" + CELL_NAMES[item.cell] + "</extra>",
        )
    drawing.add_hline(
        y=0, line={"color": GREY, "width": 1.5, "dash": "dash"}, annotation={"text": "0: kept for ever", "font": {"size": 11}}
    )
    return drawing


def product_norms(result: ProductNorms, *, height: int = 360) -> go.Figure:
    """Norm of a product of equal Jacobians beside two rules of thumb: the spectral radius (not a bound) and the largest singular value (a bound)."""
    drawing = figure("n: steps back", "size of the gradient", height=height, log_y=True)
    rows = (
        ("what happens", result.norm, ROLE_COLOURS["train"], "solid", 3.0),
        (
            f"spectral radius ({result.spectral_radius:g}) to the power n: not a bound",
            result.by_radius,
            ROLE_COLOURS["validation"],
            "dash",
            2.0,
        ),
        ("largest singular value to the power n: a bound", result.by_singular, GREY, "dot", 2.0),
    )
    for name, values, colour, dash, width in rows:
        drawing.add_scatter(
            x=result.steps.tolist(),
            y=positive(values),
            name=name,
            mode="lines",
            line={"color": colour, "dash": dash, "width": width},
            hovertemplate="n = %{x}: %{y:.4g}<extra></extra>",
        )
    log_range(drawing, max(result.norm.min(), 1e-3), result.norm.max() * 4)
    return drawing
