"""Sentence: paste a review and watch the hidden state read it, word by word."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.parts.sentence import details, models, text_box
from pages.parts.sentence.player import player
from pages.shared import run_picker, shell
from pages.shared.guard import section
from pages.shared.session import key
from rnn_core.probes.sentence import reading

context = shell.page(
    "Sentence",
    ":material/chat:",
    "A recurrent network reads one word at a time. After each it has nothing but its **hidden state**, a list of numbers, and its opinion is "
    "computed from that list alone. Watch both move. These models learned from 22,500 real film reviews.",
)


@st.fragment
@section("The reading")
def read(choice: models.Choice, text: text_box.Text, second: text_box.Text | None) -> None:
    """The player and what was picked in it: a pick redraws only this."""
    panels = models.panels(context, choice, text, second)
    parted = [reading.compare(*panel.readings) if second is not None else None for panel in panels]
    for panel, one in zip(panels, parted, strict=True):
        if second is not None and one is not None:
            st.markdown(models.parting_words(panel, second, one))
    focus = min(1, len(panels) - 1)
    pick = player(panels, models.sentences(text, second, parted[0]), key=key("sentence", "player"), focus=focus)
    details.look(context, panels, text, pick)


def folded(words: str, icon: str, purpose: str, draw: Any) -> None:
    """A part that is computed only once it is opened."""
    with st.expander(words, icon=icon, on_change="rerun", key=key("sentence", purpose)) as part, section(words):
        if part.open:
            draw()


with section("The choice of models and text"):
    space = st.container()
    choice = models.choose(context, run_picker.store())
    with space:
        text = text_box.text_box(choice.vocabulary)
    if text.empty:
        st.info("Nothing to read yet: type or paste a few words of a film review, or choose an example.", icon=":material/edit:")
    else:
        ways = {"word": text_box.changed_word, "text": lambda text, size: text_box.second_text(size)}
        second = ways.get(choice.compare, lambda *_: None)(text, choice.vocabulary)
        read(choice, text, second)
        folded(
            "What do the gates and units do over many reviews?", ":material/scatter_plot:", "whole",
            lambda: details.whole_model(models.panels(context, choice, text, None)),
        )  # fmt: skip
        folded(
            "Do the attribution methods agree?", ":material/rule:", "agreement",
            lambda: details.methods(context, models.panels(context, choice, text, None)[-1], text),
        )  # fmt: skip
