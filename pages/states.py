"""Hidden states: paths of many sequences on fixed axes, single units, and their saturation."""

from __future__ import annotations

import streamlit as st

from pages.parts import states
from pages.shared import shell
from pages.shared.guard import section
from pages.shared.session import linked
from pages.shared.widgets import choice

context = shell.page(
    "Hidden states",
    ":material/scatter_plot:",
    "A recurrent network carries one list of numbers from step to step: its **hidden state**. All that it remembers of its input is in this list. "
    "Here you see how the hidden state changes over sequences that the network was not trained on.",
)
VIEWS = {
    "Paths": states.draw_paths,
    "While it learned": states.draw_growth,
    "One sequence": states.draw_sequence,
    "Activations": states.draw_activations,
}
if not context.use.possible:
    if context.run is None:
        words = "There is nothing to show yet: train a network, or choose a run in the sidebar."
        st.info(words, icon=":material/play_circle:")
    st.page_link("pages/train.py", label="Train one", icon=":material/play_circle:")
else:
    with section("This view"):
        name = choice("View", {name: name for name in VIEWS}, "Paths", label_visibility="collapsed", **linked("view"))
        VIEWS[name](states.view_of(context))
