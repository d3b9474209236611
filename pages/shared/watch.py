"""Watching a run: the transport, the progress, and every figure, renewed once a second while it trains."""

from __future__ import annotations

import streamlit as st

from pages.shared import live as charts
from pages.shared import moments, runs, settings, transport
from pages.shared.moments import Moment
from pages.shared.words import plain, sentence
from rnn_core import data

TICK = 1.0  # seconds
PAIRS = (("loss", "metric"), ("norms", "norm_map"), ("states", "eigenvalues"))


def current(run_id: str | None) -> Moment | None:
    """The run as it is now; None, with a calm sentence, when there is none to watch."""
    if run_id is None:
        return None
    try:
        return moments.moment(run_id)
    except (LookupError, OSError, ValueError) as error:
        st.warning(sentence(error), icon=":material/link_off:")
        return None


def live(now: Moment) -> None:
    """The part of the page that renews itself; without a timer once the run has ended."""
    st.fragment(_tick, run_every=TICK if now.active else None)(now.run_id, now.active)


def _tick(run_id: str, was_active: bool) -> None:
    service = runs.running_service()
    if service:
        service.seen(run_id)
    now = current(run_id)
    if now is None:
        st.caption("The run was deleted while you watched. Choose another one in the sidebar, or start a new one.")
        return
    if now.active != was_active:
        st.rerun()  # a full run starts or ends the timer and renews the picker
    name = runs.store().open(run_id).name
    st.subheader(plain(name), anchor=False)
    transport.bar(now)
    transport.progress(now)
    shown = _rewound(now)
    figures(shown)


def _rewound(now: Moment) -> Moment:
    """The moment that the slider asks for: now, or a kept snapshot of the past."""
    kept = {item.step: item.epoch for item in runs.store().open(now.run_id).snapshots}
    if len(kept) < 2:
        return now
    steps = [*sorted(kept), -1]
    key = f"rewind_{now.run_id}"
    if st.session_state.get(key, -1) not in steps:
        st.session_state[key] = -1
    words = {step: f"epoch {epoch}, step {step:,}" for step, epoch in kept.items()} | {-1: "now"}
    chosen = st.select_slider(
        "Rewind", steps, -1, format_func=words.__getitem__, key=key, help="Look at the weights that were kept along the way."
    )
    return now if chosen == -1 else moments.moment(now.run_id, chosen)


def figures(now: Moment) -> None:
    """Every drawing of a moment, two in a row; a place is kept for those that are still to come."""
    drawn = moments.drawings(now)
    for pair in PAIRS:
        for column, name in zip(st.columns(2), pair, strict=True):
            with column:
                if name in drawn:
                    charts.draw(drawn[name], name)
                elif now.active:
                    st.skeleton(height=270)


def described(now: Moment) -> None:
    """What was trained, in a few lines of text."""
    task = data.task(now.experiment.data.task)
    st.markdown(f"**{plain(task.title)}.** {plain(task.description, 600)}")
    changed = now.experiment.to_query()
    st.markdown(
        " · ".join(f"{settings.LABELS[name]}: **{plain(value)}**" for name, value in changed.items() if name != "source")
        or "All settings at their defaults."
    )
