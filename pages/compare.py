"""Compare: a contest of three cells on one memory task, live, and the map of how far back each can remember."""

from __future__ import annotations

import streamlit as st

from pages.shared import contests, shell, sweeps

context = shell.page(
    "Compare",
    ":material/compare_arrows:",
    "Three kinds of memory, one puzzle that only memory solves. They start from the same seed and read the same sequences, a few training steps each in turn.",
    default=None,
)
VIEWS = {"Contest": contests.contest, "How far back can it remember?": sweeps.memory}
view = st.segmented_control(
    "View", list(VIEWS), default="Contest", required=True, key="compare", bind="query-params", label_visibility="collapsed"
)
VIEWS[view or "Contest"](context.service)
