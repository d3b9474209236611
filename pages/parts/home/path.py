"""A path of six stops through the app: each a sentence and a link to the page that shows it."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from rnn_core.spec import presets
from rnn_core.spec.experiment import Experiment


@dataclass(frozen=True)
class Stop:
    """One stop."""

    title: str  # a verb or two, of the link
    words: str  # a sentence
    page: str  # its file
    query: tuple[tuple[str, str], ...] = ()  # names and values of the link


STOPS = (
    Stop("Reads", "It takes in one word at a time; its state is all it keeps.", "pages/sentence.py", (("example", "Contrast"),)),
    Stop("Learns", "An LSTM learns 4,000 made-up reviews while you watch.", "pages/train.py", tuple(presets.get("toy").to_query().items())),
    Stop("Forgets", "Over many steps its gradient vanishes: early words teach it nothing.", "pages/gradients.py", (("scene", "As Keras starts"),)),
    Stop("Gates", "A gate that stays open keeps the state, and with it the gradient.", "pages/gradients.py", (("scene", "Gates opened"),)),
    Stop("Your data", "Upload a table; a network learns to forecast it.", "pages/train.py", tuple(Experiment().replace(task="csv").to_query().items())),
    Stop("Prove it", "Three cells on one puzzle, several seeds: which one solves it?", "pages/compare.py"),
)  # fmt: skip


def draw() -> None:
    """Draw the stops in rows of three."""
    st.subheader("A path of six stops", anchor=False)
    for first in range(0, len(STOPS), 3):
        for number, (column, stop) in enumerate(zip(st.columns(3), STOPS[first : first + 3], strict=True), first + 1):
            with column:
                st.page_link(
                    stop.page, label=f"**{number}. {stop.title}**", icon=":material/arrow_forward:", query_params=dict(stop.query)
                )
                st.caption(stop.words)
