"""States of single sequences and units: heat map, one unit over time, distributions and saturation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from rnn_core.figures import theme
from rnn_core.figures.trajectories import groups
from rnn_core.probes.states.activations import GATE_HIGH, GATE_LOW, SATURATED, Activations
from rnn_core.probes.states.paths import StatePaths

INK = [[0, "rgba(31,120,180,0)"], [1, theme.ROLE_COLOURS["train"]]]  # from transparent to blue, on white and on black


def heat_map(shown: StatePaths, number: int, *, words: Sequence[str] = (), part: str = "h", by: str = "unit") -> go.Figure:
    """One sequence's states, units × time: orange below zero, blue above.

    Args:
        shown: from `paths.state_paths`.
        number: which of its sequences.
        words: name of each real step, shown on hover.
        part: "h", or "c" for the memory of an LSTM.
        by: order of the units: "unit" (their numbers), "spread" or "correlation" with the target.
    """
    start = 0 if part == "h" else shown.units
    real = shown.states[number, shown.mask[number], start : start + shown.units].T  # (H, real steps)
    order = _order(shown.activations, by)
    widest = float(np.abs(real).max(initial=1e-6))
    drawing = _rows_of_units("time step (padding left out)", f"unit of {part}", len(order))
    labels = [theme.literal(word) for word in words] or [str(step + 1) for step in range(real.shape[1])]
    drawing.add_heatmap(
        hoverongaps=False,
        z=real[order], x=np.arange(1, real.shape[1] + 1), y=[str(unit) for unit in order], zmin=-widest, zmax=widest,
        colorscale=theme.DIVERGING, colorbar={"title": {"text": part}, "thickness": 12},
        customdata=np.broadcast_to(np.array(labels, object), real.shape), hovertemplate="step %{x}: %{customdata}<br>unit %{y}: %{z:.3f}<extra></extra>",
    )  # fmt: skip
    return drawing


def _rows_of_units(x_title: str, y_title: str, units: int) -> go.Figure:
    """An empty figure for a heat map with one row per unit, the first at the top."""
    drawing = theme.figure(x_title, y_title, height=60 + max(220, min(12 * units, 520)), legend=False)
    drawing.update_yaxes(type="category", autorange="reversed", nticks=20)
    return drawing


def unit(shown: StatePaths, number: int, *, classes: Sequence[str] = (), part: str = "h") -> go.Figure:
    """One unit over time, aligned at the last step: every sequence thin, the mean of each class thick."""
    start = 0 if part == "h" else shown.units
    of_unit = zip(shown.states[..., start + number], shown.mask, strict=True)
    values = np.stack([np.pad(row[real], ((~real).sum(), 0), constant_values=np.nan) for row, real in of_unit])
    lags = np.arange(values.shape[1]) - values.shape[1] + 1
    drawing = theme.figure("steps before the end", f"unit {number} of {part}")
    for name, shade, rows in groups(shown.targets, classes):
        group = values[rows][:40]
        separated = np.pad(group, ((0, 0), (0, 1)), constant_values=np.nan).ravel()
        more: dict[str, Any] = {"opacity": 0.35, "showlegend": False, "hoverinfo": "skip"}
        theme.add_line(drawing, "", np.tile(np.append(lags, 1), len(group)), separated, shade, width=0.7, **more)
        enough = np.isfinite(values[rows]).sum(axis=0) >= max(1, len(rows) // 4)
        mean = np.nansum(values[rows], axis=0) / np.maximum(np.isfinite(values[rows]).sum(axis=0), 1)
        theme.add_line(drawing, f"mean, {name}", lags[enough], mean[enough], shade, width=3)
    return drawing


def distribution(found: Activations) -> go.Figure:
    """Distribution of h: one row per unit, the most varied first, darker where its value is more often."""
    order = _order(found, "spread")
    middles = (found.edges[:-1] + found.edges[1:]) / 2
    drawing = _rows_of_units("value of h", "unit", len(order))
    drawing.add_heatmap(
        hoverongaps=False,
        z=np.sqrt(found.shares[order]), x=middles, y=[str(unit) for unit in order], customdata=found.shares[order], zmin=0,
        colorscale=INK, showscale=False, hovertemplate="unit %{y}: %{customdata:.1%} of tokens near %{x:.2f}<extra></extra>",
    )  # fmt: skip
    return drawing


def saturation(found: Activations, colour: str = theme.GREY) -> go.Figure:
    """Share of real tokens at which each unit is saturated, largest first."""
    order = np.argsort(-found.saturated, kind="stable")
    drawing = theme.figure("unit, most saturated first", f"share of tokens with |h| > {SATURATED}", legend=False, height=300)
    drawing.add_bar(x=[str(unit) for unit in order], y=found.saturated[order], marker_color=colour, hovertemplate="unit %{x}: %{y:.1%}<extra></extra>")  # fmt: skip
    drawing.update_xaxes(type="category", nticks=20)
    drawing.update_yaxes(tickformat=".0%", range=[0, max(0.05, float(found.saturated.max(initial=0)) * 1.05)])
    return drawing


def gates(found: Activations) -> go.Figure:
    """One point per unit and gate: how often it is open and how often shut (Karpathy et al. 2015)."""
    drawing = theme.figure(
        f"share of tokens with the gate open (> {GATE_HIGH})", f"share with the gate shut (< {GATE_LOW})", height=380
    )
    shares = {gate: (found.open[gate], found.shut[gate]) for gate in found.open}
    add_gate_units(drawing, shares, "unit %{customdata}: open %{x:.0%}, shut %{y:.0%}<extra></extra>")
    return drawing


def add_gate_units(drawing: go.Figure, shares: Mapping[str, tuple[np.ndarray, np.ndarray]], hover: str) -> None:
    """Draw one point per unit and gate. `shares`: gate → (H,) share of tokens with it open, and (H,) with it shut; x + y ≤ 1."""
    theme.add_line(drawing, "", [0, 1], [1, 0], theme.GREY, width=1, dash="dot", hoverinfo="skip", showlegend=False)
    for gate, (opened, shut) in shares.items():
        drawing.add_scatter(
            x=opened, y=shut, customdata=np.arange(len(opened)), mode="markers", name=theme.GATE_NAMES[gate],
            marker={"color": theme.GATE_COLOURS[gate], "size": 9, "opacity": 0.75}, hovertemplate=hover,
        )  # fmt: skip
    drawing.update_xaxes(range=[-0.03, 1.03], tickformat=".0%")
    drawing.update_yaxes(range=[-0.03, 1.03], tickformat=".0%")


def _order(found: Activations, by: str) -> np.ndarray:
    """(H,) unit numbers from the top row down."""
    keys = {"unit": np.arange(len(found.spread)), "spread": -found.spread, "correlation": -np.nan_to_num(found.correlation)}
    return np.argsort(keys[by], kind="stable")
