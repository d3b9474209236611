"""Hidden states: paths of many sequences in a frozen plane, single units, and how hard they saturate."""

from __future__ import annotations

import streamlit as st

from pages.parts import states
from pages.shared import shell
from pages.shared.guard import section
from pages.shared.session import linked

context = shell.page(
    "Hidden states",
    ":material/scatter_plot:",
    "A recurrent network carries one list of numbers from step to step: its **hidden state**, all that it remembers of what it has read. "
    "Here you see where that list goes while the network reads sequences it was not trained on.",
)
VIEWS = {
    "Paths": states.paths,
    "While it learned": states.growth,
    "One sequence": states.sequence,
    "Activations": states.activations,
}
if not context.use.possible:
    if context.run is None:
        words = "There is nothing to look into yet: train a network for a moment, or choose a run in the sidebar."
        st.info(words, icon=":material/play_circle:")
    st.page_link("pages/train.py", label="Train one", icon=":material/play_circle:")
else:
    with section("This view"):
        view = st.segmented_control(
            "View", list(VIEWS), default="Paths", required=True, label_visibility="collapsed", **linked("view")
        )
        VIEWS[view or "Paths"](states.look(context))
