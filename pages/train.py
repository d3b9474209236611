"""Train: choose an experiment, start it, and watch it train."""

from __future__ import annotations

import streamlit as st

from pages.parts.train import controls, drawings, form, live_view
from pages.shared import charts, drafts, guard, share, shell, usable
from pages.shared.guard import section
from pages.shared.session import key
from pages.shared.words import plain

context = shell.page("Train", ":material/play_circle:", "", default=None, exclusive_link=True)
drawn = run = None
imported = False
with section("The run"), guard.store_errors(":material/link_off:"):
    if context.run_id is not None:
        drawn = drawings.of_run(context.run_id)
        run = drawn.run
        imported = usable.imported(run)
with section("The link to this page"):
    for note in form.sync_with_link(run.experiment if run else None, context.run_id):
        st.info(plain(note), icon=":material/link:")

form_place, run_place = st.container(), st.container()  # each has its own, because the run is redrawn by a timer
if drawn is None or run is None:
    with form_place:
        st.title("Train a network, live", anchor=False)
        st.markdown(
            "Choose what to learn and with which network, then press Play: you see the loss, the states and the gradients change while it learns."
        )
        with section("The controls"):
            controls.bar(None)
        with section("The presets"):
            st.subheader("Start from a preset", anchor=False)
            form.cards()
        with section("The form"):
            st.subheader("Or set it up", anchor=False)
            form.form()
            form.parameter_count(drafts.draft())
        with section("What you can take away"):
            share.panel(None, drafts.draft())
        charts.fetch_plotly()
elif imported:
    with run_place:
        with section("The imported model"):
            st.title(plain(run.name), anchor=False)
            shell.show_use(context.use)
        with section("What you can take away"):
            share.panel(run, run.experiment)
else:
    with run_place:
        live_view.live(drawn)
        shell.show_use(context.use)
        with section("What you can take away"):
            share.panel(run, run.experiment)
        with st.expander("The experiment", icon=":material/tune:", key=key("train", "experiment")), section("The experiment"):
            live_view.experiment_text(run)
            words = "Change it and train again"
            change = guard.callback(words, drafts.back_to_form)
            st.button(words, icon=":material/edit:", on_click=change, key=key("train", "edit_experiment"))
