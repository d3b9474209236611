"""Text for the screen: user text escaped for Markdown, and errors as sentences."""

from __future__ import annotations

import re
import unicodedata

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~$:&^=@/])")


def plain(text: object, longest: int = 300) -> str:
    """Escape `text` so that Streamlit's Markdown shows it literally: one line, no control characters, at most `longest` characters."""
    start = str(text)[: 4 * longest]
    visible = "".join(letter for letter in start if letter.isspace() or not unicodedata.category(letter).startswith("C"))
    cleaned = " ".join(visible.split())
    cleaned = cleaned if len(cleaned) <= longest else cleaned[: longest - 1] + "…"
    return _MARKDOWN.sub(r"\\\1", cleaned)


def advice(error: BaseException) -> str:
    """The message of an expected error, escaped for Markdown; "" for an unexpected one."""
    expected = isinstance(error, (ValueError, LookupError, FileNotFoundError, ConnectionError))
    if expected and error.args and len(str(error.args[0])) > 12:
        return plain(error.args[0])
    if isinstance(error, TimeoutError):
        return "This took longer than it should. The workers may be busy with other students: try again in a moment."
    if isinstance(error, OSError):
        return f"A file could not be read or written ({plain(error.strerror or type(error).__name__)}). Try again in a moment."
    return ""


def sentence(error: BaseException) -> str:
    """The message of an error, escaped for Markdown; for an unexpected error a general one with what to do."""
    unexpected = "Something went wrong while computing this. Try again, or choose another run in the sidebar; the server's log has the details."
    return advice(error) or unexpected
