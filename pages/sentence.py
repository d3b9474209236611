"""Sentence: a text and the hidden states and predictions of models, word by word."""

from __future__ import annotations

import streamlit as st

from pages.parts.sentence import details, models, text_box
from pages.parts.sentence.player import player
from pages.shared import run_picker, shell
from pages.shared.guard import section
from pages.shared.session import key
from pages.shared.widgets import expander
from rnn_core.probes.sentence import reading

context = shell.page(
    "Sentence",
    ":material/chat:",
    "A recurrent network reads one word at a time. After each it has nothing but its **hidden state**, a list of numbers, and its prediction is "
    "computed from that list alone. Watch both change. The starter models learned from 22,500 real film reviews.",
)


@st.fragment
@section("The reading")
def show_readings(choice: models.Choice, text: text_box.Text, second: text_box.Text | None) -> None:
    """Draw the player and the details of what is picked in it; a pick redraws only this fragment."""
    panels = models.panels(context, choice, text, second)
    differences = [reading.compare(*panel.readings) if second is not None else None for panel in panels]
    for panel, difference in zip(panels, differences, strict=True):
        if second is not None and difference is not None:
            st.markdown(models.difference_words(panel, second, difference))
    focus = min(1, len(panels) - 1)
    pick = player(panels, models.sentences(text, second, differences[0]), key=key("sentence", "player"), focus=focus)
    details.show(panels, text, pick)


with section("The choice of models and text"):
    text_place = st.container()
    choice = models.choose(context, run_picker.store())
    with text_place:
        text = text_box.text_box(choice.vocabulary)
    if text.empty:
        st.info("Nothing to read yet: type or paste a few words of a film review, or choose an example.", icon=":material/edit:")
    else:
        second_texts = {"word": text_box.changed_word, "text": lambda text, words: text_box.second_text(words)}
        second = second_texts.get(choice.compare, lambda *_: None)(text, choice.vocabulary)
        show_readings(choice, text, second)
        expander(
            "What do the gates and units do over many reviews?", ":material/scatter_plot:", key("sentence", "whole"),
            lambda: details.show_profiles(models.panels(context, choice, text, None)),
        )  # fmt: skip
        expander(
            "Do the attribution methods agree?", ":material/rule:", key("sentence", "agreement"),
            lambda: details.show_methods(models.panels(context, choice, text, None)[-1], text),
        )  # fmt: skip
