"""What a run on the user's own series says at its top: whether it beats a naive forecast, and if not why; and its forecast as a file."""

from __future__ import annotations

import streamlit as st

from pages.parts.train import controls
from pages.parts.train.drawings import Drawings
from pages.shared.session import key
from pages.shared.words import plain
from rnn_core.figures import beyond as beyond_figures
from rnn_core.probes import beyond


def headline(drawn: Drawings) -> None:
    """Say whether the forecast is better than the best naive one; if not, the likely reasons, and offer what may help."""
    found, run = drawn.beyond, drawn.run
    if found is None or run.is_past or run.active:
        return
    words = plain(beyond_figures.verdict(found), 600)
    if not found.worse_than:
        st.success(words, icon=":material/trending_up:")
        return
    reasons = [f"- Likely reason: {plain(beyond.REASONS[reason], 400)}." for reason in found.reasons]
    st.warning("\n".join([words, "", *reasons]), icon=":material/trending_down:")
    if "trend" in found.reasons:
        changed = run.experiment.replace(difference=found.difference)
        controls.offer(
            "Learn changes and train again",
            f"The same network learns the change against {found.difference} step{'s' * (found.difference > 1)} before.",
            changed,
        )


def download(drawn: Drawings) -> None:
    """Draw the download of the forecast after the last row."""
    st.download_button(
        "Forecast as CSV", beyond.to_csv(drawn.beyond), f"unrolled-{drawn.run.run_id}-forecast.csv", "text/csv",
        key=key("train", "take_forecast"), on_click="ignore", icon=":material/download:",
    )  # fmt: skip
