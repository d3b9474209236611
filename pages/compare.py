"""Compare: a live contest of three cells on one memory task; the map of how far back each cell remembers; runs side by side."""

from __future__ import annotations

import streamlit as st

from pages.parts.compare import contest, side_by_side, sweep
from pages.shared import shell, usable
from pages.shared.guard import section
from pages.shared.session import linked
from pages.shared.widgets import choice

context = shell.page(
    "Compare",
    ":material/compare_arrows:",
    "Train three cells on one puzzle that needs memory, see how far back each cell can remember, or compare your own runs side by side.",
    default=None,
    stage=True,
)
with section("The chosen run"):
    shell.show_use(context.use)
VIEWS = {
    "Contest": lambda: contest.show(context.service),
    "How far back can it remember?": lambda: sweep.show(context.service),
    "Runs side by side": lambda: side_by_side.show(None if usable.imported(context.run) else context.run),
}
with section("This view"):
    view = choice("View", {name: name for name in VIEWS}, "Contest", label_visibility="collapsed", **linked("compare"))
    places = {name: st.container() for name in VIEWS}  # each view has its own, because some are redrawn by a timer
    with places[view]:
        VIEWS[view]()
