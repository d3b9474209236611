"""A verdict over its picture: a sentence in larger letters, and a button for the next experiment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from pages.shared import drafts, guard
from pages.shared.words import plain
from rnn_core.figures.verdicts import Verdict
from rnn_core.spec.experiment import Experiment

# A sign beside the words, never in their place.
SIGNS = {
    "good": ":green[:material/check_circle:]",
    "bad": ":orange[:material/error:]",
    "undecided": ":gray[:material/help:]",
}


def show(verdict: Verdict, key: str, take: Callable[[Mapping[str, Any]], None] | None = None) -> None:
    """Draw a verdict.

    Args:
        verdict: what the picture below shows.
        key: of the button.
        take: a callback with the suggested changes; None for words without a button.
    """
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.subheader(f"{SIGNS[verdict.tone]} {plain(verdict.words, 600)}", anchor=False)
        if verdict.next and take:
            action = guard.callback(verdict.next.label, take)
            st.button(verdict.next.label, icon=":material/arrow_forward:", key=key, on_click=action, args=(verdict.next.changes,))


def fill_form(experiment: Experiment) -> Callable[[Mapping[str, Any]], None]:
    """A callback that shows the form, filled with this experiment and the suggested changes."""

    def fill(changes: Mapping[str, Any]) -> None:
        drafts.set_draft(experiment.replace(**changes))
        drafts.back_to_form()

    return fill
