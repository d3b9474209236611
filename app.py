"""Unrolled's home page: what a recurrent network is, and three doors into it."""

from __future__ import annotations

import streamlit as st

from pages.parts import home
from pages.shared import shell
from pages.shared.guard import section

context = shell.page("Home", ":material/home:", "")

st.title("A network that reads one step at a time", anchor=False)
st.markdown(
    "A recurrent network reads a sequence word by word, or value by value, and carries a **state** from each step to the next. "
    "Unrolled trains one before your eyes and shows what that state holds, and how learning reaches back through it."
)
shell.about(context.use)
with section("The picture"):
    home.unrolled()

doors = [
    ("pages/sentence.py", ":material/chat:", "Paste a sentence", "Watch a trained network change its mind, word by word."),
    ("pages/train.py", ":material/play_circle:", "Train one, live", "Press play and see loss, states and gradients move."),
    (
        "pages/gradients.py",
        ":material/trending_down:",
        "Watch gradients vanish",
        "Why a vanilla RNN forgets, and what a gate changes.",
    ),
]
with section("The way to the pages"):
    for column, (path, icon, title, what) in zip(st.columns(3), doors, strict=True):
        with column.container(border=True, height="stretch"):
            st.subheader(f"{icon} {title}", anchor=False)
            st.markdown(what)
            st.page_link(path, label=f"**{title}**", icon=":material/arrow_forward:")
