"""Three cards with thumbnails, each the way to a page. The thumbnails draw computed or recorded numbers."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import streamlit as st

from pages.parts.home.reading import STARTER, read
from pages.shared.session import key
from rnn_core.figures.theme import CELL_COLOURS, CELL_NAMES, ROLE_COLOURS
from rnn_core.store import run_file
from rnn_core.studies import remembering

WIDTH, HEIGHT, MARGIN = 300, 84, 8  # of a thumbnail, in units of its viewBox

DOORS = (
    ("pages/sentence.py", ":material/chat:", "Paste a sentence", "Watch the prediction change with every word."),
    ("pages/train.py", ":material/play_circle:", "Train one, live", "Press Play and see loss, states and gradients change."),
    (
        "pages/gradients.py",
        ":material/trending_down:",
        "Watch gradients vanish",
        "Why a vanilla RNN forgets, and what a gate changes.",
    ),
)


def draw() -> None:
    """Draw the cards beside each other."""
    for number, (column, (path, icon, title, what), picture) in enumerate(zip(st.columns(3), DOORS, thumbnails(), strict=True)):
        with column.container(border=True, height="stretch"):
            st.components.v2.component(f"unrolled_door_{number}", html=picture)(key=key("home", "door", number), height=HEIGHT)
            st.subheader(title, anchor=False)
            st.markdown(what)
            st.page_link(path, label=f"**{title}**", icon=icon)


@lru_cache(maxsize=1)
def thumbnails() -> tuple[str, str, str]:
    """SVG of P(positive) over the words of Home's sentence, of a starter model's training loss, and of two gradients over time steps."""
    answers, history = read()[0].answers, run_file.open_starter(STARTER).history
    loss = history["loss"][np.isfinite(history["loss"])]
    smooth = np.array([part.mean() for part in np.array_split(loss, 40)])
    vanilla, lstm = (np.clip(np.log10(one.relative), -4, 1) for one in remembering.strips(0)[:2])
    names = [CELL_NAMES[cell] for cell in ("simple_rnn", "lstm")]
    return (
        _svg("P(positive) rises at the last word of a sentence", _line(answers, 0, 1, CELL_COLOURS[read()[0].cell], dots=True)),
        _svg("A training loss that falls", _line(smooth, 0, smooth.max(), ROLE_COLOURS["positive"])),
        _svg(
            f"Going back over 100 steps, the gradient of the {names[0]} vanishes and that of the {names[1]} does not",
            _line(lstm, -4, 1, CELL_COLOURS["lstm"]) + _line(vanilla, -4, 1, CELL_COLOURS["simple_rnn"]),
        ),
    )


def _svg(words: str, body: str) -> str:
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" width="100%" height="{HEIGHT}" preserveAspectRatio="none" role="img" aria-label="{words}">{body}</svg>'


def _line(values: np.ndarray, low: float, high: float, colour: str, dots: bool = False) -> str:
    """A polyline over the whole thumbnail; `low` is its lower edge."""
    across = np.linspace(MARGIN, WIDTH - MARGIN, len(values))
    down = HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * (values - low) / (high - low)
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in zip(across, down, strict=True))
    marks = (
        "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>' for x, y in zip(across, down, strict=True))
        if dots
        else ""
    )
    return (
        f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="3" vector-effect="non-scaling-stroke"/>{marks}'
    )
