"""The quantities of the Gradients page: their choice, their meaning, cards with fitted factors, and two analytic examples."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from pages.shared import charts
from pages.shared.session import linked
from pages.shared.widgets import choice
from pages.shared.words import plain
from rnn_core.figures import gradients as figures
from rnn_core.figures.theme import CELL_NAMES
from rnn_core.probes.gradients.curves import QUANTITIES, Curve, factor_words, half_life

NAMES = {
    "state": "Memory",
    "input": "Input",
    "component": "Share of the update",
    "gates": "Gates alone",
    "singular": "Singular values",
    "lyapunov": "Lyapunov exponents",
}
MEANING = {
    "state": "**Memory**, ‖∂y/∂sₜ‖: how much the answer *y* (before the sigmoid) changes with a small change of the state (the network's memory) at one step. "
    "For the LSTM the state is both its vectors, [h; c]. The gradient of the loss has the same shape here, because the loss only scales each sequence's curve.",
    "input": "**Input**, ‖∂y/∂xₜ‖: how much the answer changes with a small change of the input at one step. This is the memory curve times the effect of the input on the state.",
    "component": "**Share of the update**, ‖∂y/∂U at step t‖: all steps share the recurrent weights U, and their gradient is a sum over steps; this is the size of each term. "
    "From steps whose term is tiny, the network learns almost nothing. (The first step has no term: the state before it is zero.)",
    "gates": "A gate between 0 and 1 multiplies the old state at each step, so through the gates alone, the gradient is multiplied by their product (dashed). "
    "The total gradient also takes the paths through the output and the other gates: it is a *different curve*, sometimes larger.",
    "singular": r"$\partial s_T/\partial s_t$ is the product of the Jacobians of all steps between. Its **largest singular value** (solid) is the largest factor by which a small change of the state at step t can change the last state: "
    "the worst case over directions. The middle one (dashed) and the smallest (dotted) show how many directions have almost no effect any more. (An untrained LSTM loses half of [h; c] at once, because h is made from c.)",
    "lyapunov": "The **Lyapunov exponents** are the average growth per step of small, independent changes of the state, on a log scale: at 0 a change keeps its size, below 0 it dies out, above 0 it grows. exp(exponent) is the factor per step.",
}
COUNTEREXAMPLE = (
    "It is often said that gradients vanish when the *spectral radius* (the largest eigenvalue's size) of the recurrent weights is below 1. "
    "Here it is **0** (no power of it is on the chart, whose axis has no 0), and yet the gradient doubles with every step: y ← tanh(W y + b) with W = [[8, 8], [−8, −8]] rests at y = (0, ½), "
    "where its Jacobian K satisfies K² = 2 K. What does bound the gradient of a tanh network is the largest *singular value* of W, here 16, to the power n."
)
JORDAN = (
    "A linear network with W = [[0.9, 1], [0, 0.9]]. Both eigenvalues are 0.9, so in the long run the gradient vanishes; "
    "but first it grows to 3.9 times its size. One curve that goes up for a few steps does not mean that a network explodes."
)


def choose_quantity(name: str = "lab_view", quantities: Sequence[str] = tuple(NAMES)) -> str:
    """Draw the choice of a quantity; return its key."""
    options = {quantity: NAMES[quantity] for quantity in quantities}
    return choice("Look at", options, "state", label_visibility="collapsed", **linked(name))


def choose_cell(cells: Sequence[str], key: str) -> str:
    """Draw the choice of a cell; return it."""
    return choice("Cell", {cell: CELL_NAMES[cell] for cell in cells}, cells[0], key=key)


def show(curves: Sequence[Curve], key: str, rev: str, note: str = "") -> None:
    """Draw the figure of some curves, a note below it, and a card per curve."""
    charts.chart(figures.norm_by_step(curves), key, alt(curves), rev=rev)
    say_if_empty(curves)
    if note:
        st.caption(note)
    cards(curves)


def alt(curves: Sequence[Curve]) -> str:
    """Describe the figure in one sentence for a screen reader."""
    return f"{QUANTITIES[curves[0].quantity][0]} by time step: " + "; ".join(
        f"{figures.name_of(item)} {factor_words(item.factor)}" for item in curves
    )


def say_if_empty(curves: Sequence[Curve]) -> None:
    """Say why a figure with a logarithmic axis shows no point."""
    values = np.concatenate([np.ravel(item.median) for item in curves])
    if not (np.isfinite(values) & (values > 0)).any():
        words = (
            "There is no value above 0 that this logarithmic axis could show: with inputs or recurrent weights of 0, "
            "no step changes the answer or the weights. Raise the input scale or the gain."
        )
        st.info(words, icon=":material/info:")


def cards(curves: Sequence[Curve]) -> None:
    """Draw a card per curve: the half-life of its fitted factor, and the number of weights."""
    help = "Least-squares fit of the median, 5 to 45 steps before the end."
    for row in range(0, len(curves), 4):
        for column, item in zip(st.columns(max(3, len(curves[row : row + 4]))), curves[row : row + 4], strict=False):
            behaviour, value = _behaviour(item.factor)
            column.metric(f"{plain(figures.name_of(item))}: {behaviour}", value, help=help)
            facts = [f"× {item.factor:.3f} per step"] if np.isfinite(item.factor) else []
            facts += [f"{item.parameters:,} weights"] if item.parameters else []
            column.caption(" · ".join(facts))


def _behaviour(factor: float) -> tuple[str, str]:
    """What a gradient with this factor per step does, and its half-life."""
    if not np.isfinite(factor):
        return "no fit", "–"
    steps = half_life(factor)
    if abs(steps) > 2000:
        return "keeps its size", "–"
    return "halves every" if steps > 0 else "doubles every", f"{abs(steps):.{int(abs(steps) < 10)}f} steps"
