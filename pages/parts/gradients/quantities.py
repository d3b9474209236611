"""What all sections of the Gradients page share: the views and their meaning, cards, and the words of what is known on paper."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from pages.shared.session import linked
from pages.shared.words import plain
from rnn_core.figures import gradients as figures
from rnn_core.figures.theme import CELL_NAMES
from rnn_core.probes.gradients.curves import QUANTITIES, Curve, factor_words, half_life

VIEWS = {
    "state": "Memory",
    "input": "Input",
    "component": "Share of the update",
    "gates": "Gates alone",
    "singular": "Singular values",
    "lyapunov": "Lyapunov exponents",
}
MEANING = {
    "state": "**Memory**, ‖∂y/∂sₜ‖: nudge the state (the network's memory) at one step; how much does the answer *y* (before the sigmoid) change? "
    "For the LSTM the state is both its vectors, [h; c]. The gradient of the loss has the same shape here, because the loss only scales each sequence's curve.",
    "input": "**Input**, ‖∂y/∂xₜ‖: nudge what is read at one step instead. This is the memory curve times what the input can do to the state.",
    "component": "**Share of the update**, ‖∂y/∂U at step t‖: all steps share the recurrent weights U, and their gradient is a sum over steps; this is the size of each term. "
    "Steps whose term is tiny teach the network nothing. (The first step has no term: the state before it is zero.)",
    "gates": "A gate between 0 and 1 multiplies the old state at each step, so the gates alone would let through their product (dashed). "
    "The total gradient also takes the paths through the output and the other gates: it is a *different curve*, sometimes larger.",
    "singular": r"$\partial s_T/\partial s_t$ is the product of the Jacobians of all steps between. Its **largest singular value** (solid) is the most that any nudge of the memory can still do: "
    "the worst case over directions. The middle one (dashed) and the smallest (dotted) show how many directions are already lost. (An untrained LSTM loses half of [h; c] at once, because h is made from c.)",
    "lyapunov": "The **Lyapunov exponents** are the average growth per step of independent nudges, on a log scale: 0 keeps, below 0 forgets, above 0 explodes. exp(exponent) is the factor per step.",
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


def view(name: str = "lab_view", options: Sequence[str] = tuple(VIEWS)) -> str:
    """Which quantity to look at."""
    return st.segmented_control(
        "Look at", options, default="state", format_func=VIEWS.__getitem__, required=True, label_visibility="collapsed", **linked(name)
    ) or "state"  # fmt: skip


def cell(options: Sequence[str], key: str) -> str:
    """One cell type."""
    return (
        st.segmented_control("Cell", options, default=options[0], format_func=CELL_NAMES.__getitem__, required=True, key=key)
        or options[0]
    )


def alt(curves: Sequence[Curve]) -> str:
    """The figure in a sentence, for a screen reader."""
    return f"{QUANTITIES[curves[0].quantity][0]} by time step: " + "; ".join(
        f"{figures.name_of(item)} {factor_words(item.factor)}" for item in curves
    )


def cards(curves: Sequence[Curve]) -> None:
    """The fitted factor of each curve as a half-life, with the number of weights."""
    for row in range(0, len(curves), 4):
        for column, item in zip(st.columns(max(3, len(curves[row : row + 4]))), curves[row : row + 4], strict=False):
            steps = half_life(item.factor)
            verb = (
                "no fit"
                if not np.isfinite(item.factor)
                else "keeps its size"
                if abs(steps) > 2000
                else "halves every"
                if steps > 0
                else "doubles every"
            )
            value = f"{abs(steps):.{int(abs(steps) < 10)}f} steps" if verb.endswith("every") else "–"
            column.metric(
                f"{plain(figures.name_of(item))}: {verb}",
                value,
                help="Least-squares fit of the median, 5 to 45 steps before the end.",
            )
            facts = [f"× {item.factor:.3f} per step"] * bool(np.isfinite(item.factor)) + [f"{item.parameters:,} weights"] * bool(
                item.parameters
            )
            column.caption(" · ".join(facts))


def meaning(view: str) -> None:
    """What the present view measures, in plain words."""
    st.markdown(MEANING[view])
