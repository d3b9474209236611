"""Sentence: paste a review and watch the hidden state read it, word by word."""

from __future__ import annotations

import streamlit as st

from pages.shared import closer, readers, runs, shell, texts
from pages.shared.player import player
from rnn_core.probes import reading

context = shell.page(
    "Sentence",
    ":material/chat:",
    "A recurrent network reads one word at a time. After each it has nothing but its **hidden state**, a list of numbers, and its opinion is "
    "computed from that list alone. Watch both move. These models learned from 22,500 real film reviews.",
)
space = st.container()
choice = readers.choose(context, runs.store())
with space:
    text = texts.text_box(choice.vocabulary)
if text.empty:
    st.info("Nothing to read yet: type or paste a few words of a film review, or choose an example.", icon=":material/edit:")
    st.stop()
second = {"word": texts.changed_word, "text": lambda text, size: texts.second_text(size)}.get(choice.compare, lambda *_: None)(
    text, choice.vocabulary
)


@st.fragment
def read() -> None:
    """The player and what was picked in it: a pick redraws only this."""
    panels = readers.panels(context, choice, text, second)
    parted = [reading.parting(*panel.readings) if second is not None else None for panel in panels]
    for panel, one in zip(panels, parted, strict=True):
        if second is not None and one is not None:
            st.markdown(readers.parting_words(panel, second, one))
    pick = player(panels, readers.sentences(text, second, parted[0]), key="player", focus=min(1, len(panels) - 1))
    closer.look(context, panels, text, pick)


read()
with st.expander(
    "What do the gates and units do over many reviews?", icon=":material/scatter_plot:", on_change="rerun", key="whole"
) as whole:
    if whole.open:
        closer.whole_model(readers.panels(context, choice, text, None))
with st.expander("Do the attribution methods agree?", icon=":material/rule:", on_change="rerun", key="agreement") as agree:
    if agree.open:
        closer.methods(context, readers.panels(context, choice, text, None)[-1], text)
