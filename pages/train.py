"""Train: choose an experiment, press play, and watch it learn."""

from __future__ import annotations

import streamlit as st

from pages.parts.train import controls, form, live_view
from pages.shared import charts, drafts, guard, share, shell
from pages.shared.guard import section
from pages.shared.session import key
from pages.shared.words import plain

context = shell.page("Train", ":material/play_circle:", "", default=None, whole=True)
board = now = None
with section("The run"):
    board = live_view.current(context.run_id)
    now = board.now if board else None
with section("The link to this page"):
    for note in form.follow(now.experiment if now else None, context.run_id):
        st.info(plain(note), icon=":material/link:")

if board is None or now is None:
    st.title("Train a network, live", anchor=False)
    st.markdown(
        "Choose what to learn and with which network, then press Play: the loss, the states and the gradients move while it learns."
    )
    with section("The controls"):
        controls.bar(None)
    with section("The presets"):
        st.subheader("Start from something known", anchor=False)
        form.cards()
    with section("The form"):
        st.subheader("Or set it up", anchor=False)
        form.form()
        form.size(drafts.draft())
    with section("What you can take away"):
        share.panel(None, drafts.draft())
    charts.fetch_plotly()
else:
    live_view.live(board)
    shell.about(context.use)
    with section("What you can take away"):
        share.panel(now, now.experiment)
    with (
        st.expander("The experiment", icon=":material/tune:", key=key("train", "experiment")),
        section("The experiment"),
    ):
        live_view.described(now)
        st.button(
            "Change it and train again", icon=":material/edit:", on_click=guard.callback("Change it and train again", drafts.anew),
            key=key("train", "edit_experiment"),
        )  # fmt: skip
