"""A text box that counts tokens while the user types, and sends the text on Enter."""

from __future__ import annotations

import hashlib
from pathlib import Path

import streamlit as st

LONGEST_TEXT = 200_000  # characters taken from the browser
_HERE = Path(__file__).parent
_HTML, _CSS, _JS = ((_HERE / f"composer.{part}").read_text("utf-8") for part in ("html", "css", "js"))
_component = st.components.v2.component("composer", html=_HTML, css=_CSS, js=_JS)


def composer(label: str, text: str, *, limit: int, part: str, whole: tuple[str, ...], key: str) -> str:
    """Show the box with `text` in it; return the text last sent, or `text` if none was sent.

    Args:
        label: what the box is for.
        text: initial text; a new one replaces what was typed.
        limit: largest number of tokens.
        part: "first" or "last": which tokens are used if there are more.
        whole: known words that count as one token, although the box would split them.
        key: identity of the element.
    """
    revision = hashlib.sha1(text.encode("utf-8", "replace")).hexdigest()[:12]
    data = {
        "label": label,
        "text": text,
        "limit": limit,
        "part": part,
        "longest": LONGEST_TEXT,
        "whole": list(whole),
        "rev": revision,
    }
    answer = _component(
        key=key, data=data, default={"sent": None}, on_sent_change=lambda: None, width="stretch", height="content"
    )
    sent = answer.sent
    valid = isinstance(sent, dict) and isinstance(sent.get("text"), str)
    return sent["text"][:LONGEST_TEXT] if valid and sent.get("rev", revision) == revision else text
