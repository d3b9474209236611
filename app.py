"""The home page: what a recurrent network is, and links to three pages to start with."""

from __future__ import annotations

import streamlit as st

from pages.parts import home
from pages.shared import shell
from pages.shared.guard import section

context = shell.page("Home", ":material/home:", "")

st.title("A network that reads one step at a time", anchor=False)
st.markdown(
    "A recurrent network reads a sequence word by word, or value by value, and carries a **state** from each step to the next. "
    "Unrolled trains one while you watch, and shows what this state contains and how the gradient flows back through the steps."
)
shell.show_use(context.use)
with section("The picture"):
    home.unrolled()

links = [
    ("pages/sentence.py", ":material/chat:", "Paste a sentence", "Watch the prediction change with every word."),
    ("pages/train.py", ":material/play_circle:", "Train one, live", "Press Play and see loss, states and gradients change."),
    (
        "pages/gradients.py",
        ":material/trending_down:",
        "Watch gradients vanish",
        "Why a vanilla RNN forgets, and what a gate changes.",
    ),
]
with section("The way to the pages"):
    for column, (path, icon, title, what) in zip(st.columns(3), links, strict=True):
        with column.container(border=True, height="stretch"):
            st.subheader(f"{icon} {title}", anchor=False)
            st.markdown(what)
            st.page_link(path, label=f"**{title}**", icon=":material/arrow_forward:")
