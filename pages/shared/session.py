"""The state of one browser session as typed attributes, and the keys of its widgets. Only this file uses `st.session_state`.

Streamlit keeps the app's values and the values of widgets and components in one flat dictionary. Here the app's values are one
object, `Session`; a widget whose value is in the link has a name from `LINK`; every other widget or component has a key made by
`key`, which contains a "-" and the page. So the three kinds of keys cannot collide.
"""

from __future__ import annotations

import random
import re
import secrets
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from rnn_core.spec.experiment import Experiment

PAGES = ("shell", "home", "lessons", "train", "compare", "sentence", "states", "gradients")  # "shell": on every page
# Seconds between two redraws: each session picks its own interval at random, so that a class does not redraw all at once.
TICK = (0.9, 1.1)

# Names in the link, by the page whose widgets carry them. Links made by earlier versions use them, so they must not change.
LINK: dict[str, tuple[str, ...]] = {
    "compare": (
        *("compare", "puzzle", "length", "budget", "seeds", "rate_simple_rnn", "rate_lstm", "rate_gru"),
        *("bias_adding", "bias_temporal_order", "bias_first_token", "bias_delayed_recall", "bias_copying", "bias_parity"),
    ),
    "sentence": ("example", "who", "against", "method"),
    "states": (
        *("view", "layer", "step", "states_axes", "growth_axes", "states_long", "states_count", "states_order", "states_part"),
        *("colour_text", "colour_series", "colour_imported", "colour_memory"),
    ),
    "gradients": (
        *("lab_gain", "lab_bias", "lab_length", "lab_scale", "lab_more", "lab_activation", "lab_initialiser", "lab_units"),
        *("lab_seed", "lab_view", "run_view", "scene"),
    ),
}
LINK_VALUES = ("run", "contest", "lesson")  # names in the link without a widget; Train adds the fields of the experiment
_SESSION = "-session"  # begins with no page's name, so no widget can have this key


@dataclass(eq=False)
class Session:
    """Values of a session that are kept between runs of the script and are not a widget's value."""

    viewer: str = field(
        default_factory=lambda: secrets.token_urlsafe(9)
    )  # viewer id for the service; secret, so that no other session can use it
    tick: float = field(default_factory=lambda: random.uniform(*TICK))  # seconds between two redraws
    started: set[str] = field(default_factory=set)  # ids of the runs that this session started
    run: str | None = None  # id of the chosen run
    page: str = ""  # title of the page drawn last
    link_pending: bool = False  # the page has changed, and `form.sync_with_link` has not read its link yet
    from_history: bool = (
        False  # Back or Forward led here, and the page has not read its link yet: true although the script was interrupted
    )
    missing_run: str = ""  # id of a requested run that cannot be opened
    missing_reason: str = ""  # why it cannot be opened, a sentence
    missing_page: str = ""  # title of the page that shows it
    draft: Experiment = field(default_factory=Experiment)  # the experiment in the Train form
    draft_run: str | None = None  # id of the run that the form was filled from
    field_errors: dict[str, str] = field(default_factory=dict)  # field of the form → why its new value is invalid
    uploads: dict[str, bytes] = field(default_factory=dict)  # SHA-256 → content of the uploaded files
    looks: dict[tuple[str, str], Any] = field(
        default_factory=dict
    )  # (SHA-256, decisions) → rnn_core.data.series.look.Look of that file
    to_suggest: bool = False  # a file was uploaded or read anew, and the fields that suit it are not set yet
    suggested: dict[str, Any] = field(default_factory=dict)  # fields that suited the last uploaded file
    command_error: str = ""  # why the last click on the training controls had no effect
    callback_error: str = ""  # warning about a failed callback, shown by the next section drawn
    rewind_steps: dict[str, int] = field(default_factory=dict)  # run id → the rewind slider's kept step
    explained: dict[str, str] = field(default_factory=dict)  # term → the text in which this page explains it
    sentence_run: str | None = None  # id of the run that the Sentence page offered last
    sentence_text: str = ""  # text in the box of the Sentence page
    contest: str | None = None  # id of the contest on screen
    ended_contest: str | None = None  # id of the contest whose end was drawn
    sweep: Any = None  # rnn_core.studies.sweep_on_cluster.Sweep started here
    drawn_sweep: tuple[Any, ...] = ()  # progress of the sweep when the map was drawn


def here() -> Session:
    """The session whose script runs in this thread."""
    return of(st.session_state)


def of(state: Any) -> Session:
    """The session in a session state: Streamlit's, or an AppTest's."""
    if _SESSION not in state:
        state[_SESSION] = Session()
    return state[_SESSION]


def key(page: str, purpose: str, *of: object) -> str:
    """The key of a widget, a component or a container: `key("states", "unit", run.id)` is "states-unit-<run id>".

    Args:
        page: one of `PAGES`.
        purpose: what it is for, in the letters a to z, digits and "_".
        of: what distinguishes it from others of the same purpose: a run, a cell, a number.
    """
    if page not in PAGES or not re.fullmatch("[a-z0-9_]+", purpose):
        pages = ", ".join(PAGES)
        raise ValueError(f"a key needs one of the pages {pages} and a purpose like transport_play, got {page!r}, {purpose!r}")
    return "-".join([page, purpose, *map(str, of)])


def linked(name: str) -> dict[str, Any]:
    """Arguments of a widget whose value is in the link under `name`, one of the names in `LINK`."""
    if not any(name in names for names in LINK.values()):
        raise ValueError(f"expected one of the names in the link, got {name!r}: add it to LINK")
    return {"key": name, "bind": "query-params"}


def value(key: str, default: Any = None) -> Any:
    """The value of the widget with this key, as the browser sent it; `default` before it is drawn."""
    return st.session_state.get(key, default)


def set_value(key: str, value: Any) -> None:
    """Set a widget's value, before it is drawn."""
    st.session_state[key] = value


def forget_value(key: str) -> None:
    """Reset a widget to its default."""
    st.session_state.pop(key, None)
