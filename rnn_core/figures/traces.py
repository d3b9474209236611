"""One unit over a text, saturation of gates over many reviews, correlation of units with the label."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from rnn_core.figures.states import add_gate_units
from rnn_core.figures.theme import CELL_COLOURS, GATE_COLOURS, GATE_NAMES, GREY, ROLE_COLOURS, add_line, figure, literal
from rnn_core.probes.sentence.reading import Reading
from rnn_core.probes.states.activations import GATE_HIGH, GATE_LOW
from rnn_core.probes.states.units import Profile


def name_tokens(drawing: go.Figure, words: tuple[str, ...]) -> tuple[list[int], list[str]]:
    """Write the words of a short text along the horizontal axis; return the number of every token, from 1, and its hover text."""
    steps = list(range(1, len(words) + 1))
    if len(words) <= 40:
        drawing.update_xaxes(tickmode="array", tickvals=steps, ticktext=[literal(word[:14]) for word in words], tickangle=-45)
    return steps, [f"{step}: {literal(word[:40])}" for step, word in enumerate(words, 1)]


def unit_over_text(reading: Reading, words: tuple[str, ...], unit: int) -> go.Figure:
    """One unit's state and gates after every token."""
    drawing = figure("token", f"unit {unit}", height=300)
    steps, labels = name_tokens(drawing, words)
    names = {**GATE_NAMES, "h": "hidden state h", "c": "cell state c"}
    colours = {**GATE_COLOURS, "h": CELL_COLOURS[reading.cell], "c": GREY}
    for name, values in reading.blocks.items():
        state, dash = name in reading.state_parts, "dot" if name == "c" else "solid"
        more = {"text": labels, "hovertemplate": "%{text}<br>%{y:.3f}", "visible": True if state else "legendonly"}
        y = [round(float(value), 4) for value in values[:, unit]]
        add_line(drawing, names[name], steps, y, colours[name], width=2.5 if state else 1.5, dash=dash, **more)
    return drawing


def saturation(profile: Profile) -> go.Figure:
    """For every gate unit, how often it is shut and how often open (Karpathy et al. 2015). Points have x + y ≤ 1."""
    axes = f"share of tokens with the gate above {GATE_HIGH}", f"share of tokens with the gate below {GATE_LOW}"
    drawing = figure(*axes, height=380)
    shares = {gate: (both[:, 1], both[:, 0]) for gate, both in profile.saturation.items()}
    add_gate_units(drawing, shares, "unit %{customdata}<br>open %{x:.1%}, shut %{y:.1%}")
    return drawing


def saturation_words(title: str, profile: Profile) -> str:
    """The saturation plot in words, with its numbers."""
    words = []
    for gate, shares in profile.saturation.items():
        keeps = {"forget": ", that is, keep what they hold", "update": ", that is, keep the old state"}.get(gate, "")
        words.append(
            f"{int((shares[:, 1] > 0.5).sum())} of {len(shares)} units have their {GATE_NAMES[gate]} open (> {GATE_HIGH}) on most tokens{keeps}, {int((shares[:, 0] > 0.5).sum())} have it shut (< {GATE_LOW})"
        )
    most = max(profile.saturation, key=lambda gate: float(profile.saturation[gate][:, 1].max()))
    unit = int(profile.saturation[most][:, 1].argmax())
    share = float(profile.saturation[most][unit, 1])
    return f"{title}, over {profile.tokens:,} tokens {f'of {profile.reviews:,} reviews' if profile.reviews else 'drawn at random'}: {'; '.join(words)}. Most often open: the {GATE_NAMES[most]} of unit {unit}, on {share:.0%} of the tokens. After Karpathy, Johnson & Fei-Fei 2015."


def correlations(profile: Profile) -> go.Figure:
    """Correlation of every unit with the label, largest first."""
    order = np.argsort(-profile.correlations[: len(profile.likeness)], kind="stable")
    values = profile.correlations[order]
    drawing = figure("unit, sorted", "correlation of the final h with the label", height=380, legend=False)
    colours = [ROLE_COLOURS["positive"] if value > 0 else ROLE_COLOURS["negative"] for value in values]
    drawing.add_bar(
        x=[str(unit) for unit in order], y=values.tolist(), marker_color=colours, hovertemplate="unit %{x}: %{y:+.2f}"
    )
    drawing.update_xaxes(type="category")
    drawing.update_yaxes(range=[-1, 1])
    return drawing


def correlations_words(title: str, profile: Profile) -> str:
    """The correlations in words, with their numbers."""
    values = profile.correlations[: len(profile.likeness)]
    best, strong = int(np.abs(values).argmax()), int((np.abs(values) > 0.5).sum())
    return (
        f"{title}: unit {best} goes with the label most closely (correlation {values[best]:+.2f}); {strong} of {len(values)} units reach 0.5 in size, so the opinion is "
        f"{'spread over many units' if strong > len(values) / 4 else 'carried by a few units'} and not in a single one (the sign of a unit is arbitrary). {profile.reviews:,} test reviews."
    )
