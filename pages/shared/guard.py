"""Error boundaries: an unexpected exception replaces one section of a page by a sentence; the other sections are drawn.

    with section("The laboratory"):
        ...

Expected errors are handled before they reach a section. So every exception caught here is counted, and makes the tests fail.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

import streamlit as st
from streamlit import runtime

from pages.shared import session
from pages.shared.words import sentence

log = logging.getLogger("unrolled")
caught: Counter[str] = Counter()  # section → exceptions caught in it since the process started
LOG_INTERVAL = 60.0  # seconds before the same error is logged again: a section that redraws may fail once a second
_last_logged: dict[tuple[str, str], float] = {}  # (section, exception) → time.monotonic() of its last log entry


class SectionEnded(Exception):  # noqa: N818 control flow, not an error
    """Raised by `end_section`; caught by `section`."""


def end_section() -> None:
    """Stop drawing the current section, keeping what it has drawn. The other sections are drawn."""
    raise SectionEnded


@contextmanager
def section(name: str) -> Iterator[None]:
    """Draw one section of a page; also usable as a decorator. An exception becomes a warning in the section's place.

    A section is a container of its own: whatever it draws, what follows keeps its place on the page. (Streamlit addresses what a
    timer draws by its place; where a page that was interrupted has put something else there, the browser cannot draw it.)

    Args:
        name: the section's name in that warning and in the log, first word capitalised: "The laboratory".
    """
    with st.container():
        here = session.here()
        if here.callback_error:
            st.warning(here.callback_error, icon=":material/error:")
            here.callback_error = ""
        try:
            yield
        except SectionEnded:
            pass
        except Exception as error:
            report(name, error)
            words = f"{name} could not be shown, because of an error in Unrolled. The rest of this page works. Reload the page to try again; the server's log has the details."
            st.warning(words, icon=":material/error:")


@contextmanager
def store_errors(icon: str = ":material/info:") -> Iterator[None]:
    """Show an expected error of the store (a deleted run, a damaged file) as a warning, and end the section. Not counted."""
    try:
        yield
    except (ValueError, LookupError, OSError) as problem:
        st.warning(sentence(problem), icon=icon)
        end_section()


def callback(name: str, action: Callable[..., None]) -> Callable[..., None]:
    """Wrap `action` for `on_click` or `on_change`: if it fails, the next section drawn shows a warning."""

    @wraps(action)
    def guarded(*args: Any, **kwargs: Any) -> None:
        try:
            action(*args, **kwargs)
        except Exception as error:
            report(name, error)
            session.here().callback_error = f"{name} had no effect, because of an error in Unrolled. Nothing else was changed: try again; the server's log has the details."

    return guarded


def rerun() -> None:
    """Run the page's script again, from a timer. A click, or Back, that has arrived meanwhile comes first: a rerun would replace it."""
    st.empty()  # Streamlit takes what has arrived whenever something is drawn
    st.rerun()


def report(name: str, error: BaseException) -> None:
    """Count an unexpected exception and log it, at most once per LOG_INTERVAL. While the app ends, any import may fail: nothing counts."""
    if runtime.exists() and runtime.get_instance().state.name in ("STOPPING", "STOPPED"):
        return
    caught[name] += 1
    kind, now = (name, repr(error)[:200]), time.monotonic()
    if now - _last_logged.get(kind, -LOG_INTERVAL) >= LOG_INTERVAL:
        while len(_last_logged) >= 1000:
            _last_logged.pop(next(iter(_last_logged)))
        _last_logged[kind] = now
        log.error("caught in section %r (%d so far)", name, caught[name], exc_info=error)
