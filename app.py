"""The home page: a network reads a sentence, three pages to start with, a path through the app, and how a cell is unrolled."""

from __future__ import annotations

import streamlit as st

from pages.parts.home import chain, doors, path, reading
from pages.shared import glossary, shell
from pages.shared.guard import section

context = shell.page("Home", ":material/home:", "")

st.title("A network that reads one step at a time", anchor=False)
with section("The reading"):
    reading.draw()
shell.show_use(context.use)
with section("The way to the pages"):
    doors.draw()
with section("The path"):
    path.draw()
with section("The picture"):
    st.subheader("Why it is called unrolled", anchor=False)
    glossary.markdown(
        "A recurrent network carries a **state** from each step to the next. It is one cell with a loop; drawn once per step, the loop "
        "becomes a chain. Unrolled trains such networks while you watch, and shows what the state contains and how the gradient flows back."
    )
    chain.unrolled()
