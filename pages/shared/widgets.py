"""Two widgets that several pages use: a row of buttons of which one is always chosen, and an expander that computes on demand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import streamlit as st

from pages.shared.guard import section

Option = TypeVar("Option")


def choice(label: str, options: Mapping[Option, str], default: Option, **more: Any) -> Option:
    """Draw a row of buttons; return the chosen option, which is `default` before a choice and where a link holds no valid one.

    Args:
        label: what is chosen.
        options: option → text of its button.
        default: one of the options.
        more: other arguments of `st.segmented_control`: its key, help, …
    """
    chosen = st.segmented_control(label, list(options), format_func=options.__getitem__, default=default, required=True, **more)
    return default if chosen is None else chosen


def expander(label: str, icon: str, key: str, draw: Callable[[], None]) -> None:
    """Draw an expander whose content is computed only when it is open."""
    with st.expander(label, icon=icon, on_change="rerun", key=key) as part, section(label):
        if part.open:
            draw()
