"""Train: choose an experiment, press play, and watch it learn."""

from __future__ import annotations

import streamlit as st

from pages.shared import live, settings, share, shell, transport, watch
from pages.shared.words import plain

context = shell.page("Train", ":material/play_circle:", "", default=None, whole=True)
board = watch.current(context.run_id)
now = board.now if board else None
notes = settings.follow(now.experiment if now else None, context.run_id)
for note in notes:
    st.info(plain(note), icon=":material/link:")

if board is None or now is None:
    st.title("Train a network, live", anchor=False)
    st.markdown(
        "Choose what to learn and with which network, then press Play: the loss, the states and the gradients move while it learns."
    )
    transport.bar(None)
    st.subheader("Start from something known", anchor=False)
    settings.cards()
    st.subheader("Or set it up", anchor=False)
    settings.form()
    settings.size(settings.draft())
    share.panel(None, settings.draft())
    live.fetch_plotly()
else:
    watch.live(board)
    share.panel(now, now.experiment)
    with st.expander("The experiment", icon=":material/tune:", key="experiment"):
        watch.described(now)
        st.button("Change it and train again", icon=":material/edit:", on_click=settings.anew, key="edit_experiment")
