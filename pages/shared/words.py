"""Text for the screen: other people's words shown as they are, and what an error means to the person who meets it."""

from __future__ import annotations

import re
import unicodedata

_MARKS = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~$:&^=@/])")


def plain(text: object, longest: int = 300) -> str:
    """`text` so that Streamlit's Markdown shows it literally, on one line, without control characters."""
    kept = "".join(
        " " if letter.isspace() else letter
        for letter in str(text)[: 4 * longest]
        if not unicodedata.category(letter).startswith("C") or letter.isspace()
    )
    kept = " ".join(kept.split())
    kept = kept if len(kept) <= longest else kept[: longest - 1] + "…"
    return _MARKS.sub(r"\\\1", kept)


def advice(error: BaseException) -> str:
    """What an error that was foreseen says to a student, ready for Markdown; "" for one that nobody expected."""
    if (
        isinstance(error, (ValueError, LookupError, FileNotFoundError, ConnectionError))
        and error.args
        and len(str(error.args[0])) > 12
    ):
        return plain(error.args[0])
    if isinstance(error, TimeoutError):
        return "This took longer than it should. The workers may be busy with other students: try again in a moment."
    if isinstance(error, OSError):
        return f"A file could not be read or written ({plain(error.strerror or type(error).__name__)}). Try again in a moment."
    return ""


def sentence(error: BaseException) -> str:
    """As `advice`, with the next step for an error that nobody expected."""
    return (
        advice(error)
        or "Something went wrong while computing this. Try again, or choose another run in the sidebar; the server's log has the details."
    )
