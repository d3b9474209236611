"""The last line of defence: an exception that nobody expected costs one section of a page, never the page.

    with section("The laboratory"):
        ...

A condition that can be foreseen is handled before it comes here. So every catch is counted, and any catch fails the tests.
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

from pages.shared import session
from pages.shared.words import sentence

log = logging.getLogger("unrolled")
caught: Counter[str] = Counter()  # section → exceptions caught there since the process started
QUIET = 60.0  # seconds in which the same failure is not logged again: a section that ticks fails once a second
_logged: dict[tuple[str, str], float] = {}  # (section, exception) → time.monotonic() of its last log entry


class Left(Exception):  # noqa: N818 control flow, not an error
    """Raised by `leave`."""


def leave() -> None:
    """End the section that is being drawn: what it had to say is on the page. The other sections are drawn."""
    raise Left


@contextmanager
def section(name: str) -> Iterator[None]:
    """Draw one section of a page; also a decorator. A failure becomes a sentence in the section's place.

    Args:
        name: the section as a reader would call it, first word capitalised: "The laboratory".
    """
    told = session.here()
    if told.trouble:
        st.warning(told.trouble, icon=":material/error:")
        told.trouble = ""
    try:
        yield
    except Left:
        pass
    except Exception as error:
        count(name, error)
        words = f"{name} could not be shown, because of an error in Unrolled. The rest of this page works. Reload the page to try again; the server's log has the details."
        st.warning(words, icon=":material/error:")


@contextmanager
def refusal() -> Iterator[None]:
    """Around what the store may refuse (a run that was deleted, a damaged file): its sentence ends the section, uncounted."""
    try:
        yield
    except (ValueError, LookupError, OSError) as problem:
        st.warning(sentence(problem), icon=":material/info:")
        leave()


def callback(name: str, action: Callable[..., None]) -> Callable[..., None]:
    """`action` for `on_click` or `on_change`: if it fails, the click is lost, and the next section drawn says so."""

    @wraps(action)
    def guarded(*args: Any, **kwargs: Any) -> None:
        try:
            action(*args, **kwargs)
        except Exception as error:
            count(name, error)
            session.here().trouble = f"{name} had no effect, because of an error in Unrolled. Nothing else was changed: try again; the server's log has the details."

    return guarded


def count(name: str, error: BaseException) -> None:
    """Count and log an exception that nobody expected."""
    caught[name] += 1
    kind, now = (name, repr(error)[:200]), time.monotonic()
    if now - _logged.get(kind, -QUIET) >= QUIET:
        while len(_logged) >= 1000:
            _logged.pop(next(iter(_logged)))
        _logged[kind] = now
        log.error("caught in section %r (%d so far)", name, caught[name], exc_info=error)
