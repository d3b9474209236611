"""What one browser session remembers, as typed attributes; and the names of its widgets. Only this file uses `st.session_state`.

Streamlit keeps values of the app, values of widgets and values of components in one flat dictionary. Here the app's own values
are one object, `Session`; a widget that stands in the page's address has a name from `LINK`; every other widget or component has
a name made by `key`, which holds a "-" and the page, so that the three never meet.
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
TICK = 0.9, 1.1  # seconds between two updates: each session draws its own, so that a class does not tick at once

# Names in the address, by the page whose widgets carry them. Links made by earlier versions use them: they stay.
LINK: dict[str, tuple[str, ...]] = {
    "compare": (
        *("compare", "puzzle", "length", "budget", "seeds", "rate_simple_rnn", "rate_lstm", "rate_gru"),
        *("bias_adding", "bias_temporal_order", "bias_first_token", "bias_delayed_recall", "bias_copying", "bias_parity"),
    ),
    "sentence": ("example", "who", "against", "method"),
    "states": (
        *("view", "layer", "step", "states_axes", "growth_axes", "states_long", "states_count", "states_order", "states_part"),
        *("colour_text", "colour_series", "colour_memory"),
    ),
    "gradients": (
        *("lab_gain", "lab_bias", "lab_length", "lab_scale", "lab_more", "lab_activation", "lab_initialiser", "lab_units"),
        *("lab_seed", "lab_view", "run_view"),
    ),
}
LINK_VALUES = ("run", "contest", "lesson")  # names in the address that no widget carries; Train adds the experiment's fields
_SESSION = "-session"  # no page: no widget can have this key


@dataclass(eq=False)
class Session:
    """Everything that outlives one run of the script and is no widget's value."""

    viewer: str = field(default_factory=lambda: secrets.token_urlsafe(9))  # name among a run's viewers; secret
    tick: float = field(default_factory=lambda: random.uniform(*TICK))  # seconds between two updates
    started: set[str] = field(default_factory=set)  # ids of the runs that this session started
    run: str | None = None  # id of the chosen run
    page: str = ""  # title of the page drawn last
    arrived: bool = False  # the page is another one than before, and its link was not followed yet
    missing: str = ""  # id of a run that was asked for and cannot be opened
    missing_words: str = ""  # why, in a sentence
    missing_page: str = ""  # title of the page that says so
    draft: Experiment = field(default_factory=Experiment)  # what the form of Train describes
    draft_run: str | None = None  # the run that the form was filled from
    complaints: dict[str, str] = field(default_factory=dict)  # field of the form → why its proposed value was refused
    uploads: dict[str, bytes] = field(default_factory=dict)  # SHA-256 → content of the files brought here
    refused: str = ""  # why the last click on the transport had no effect
    trouble: str = ""  # what the next section drawn has to say: a click failed in a way that nobody expected
    kept_steps: dict[str, int] = field(default_factory=dict)  # run id → the kept step that the rewind slider stands at
    reader: str | None = None  # own run that the Sentence page offered last
    text: str = ""  # what stood in the text box of the Sentence page
    contest: str | None = None  # id of the contest that is watched
    contest_over: str | None = None  # id of the contest that was drawn after its end
    sweep: Any = None  # rnn_core.studies.sweep_on_cluster.Sweep started here
    sweep_seen: tuple[Any, ...] = ()  # how far it was when the map was drawn


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
        purpose: what it is on that page, in the letters a to z, digits and "_".
        of: what tells it from its like: a run, a cell, a number.
    """
    if page not in PAGES or not re.fullmatch("[a-z0-9_]+", purpose):
        raise ValueError(
            f"a key needs one of the pages {', '.join(PAGES)} and a purpose like transport_play, got {page!r}, {purpose!r}"
        )
    return "-".join([page, purpose, *map(str, of)])


def linked(name: str) -> dict[str, Any]:
    """Arguments of a widget whose value stands in the page's address under `name`, one of the names of `LINK`."""
    if not any(name in names for names in LINK.values()):
        raise ValueError(f"{name!r} is not among the names in the address: add it to LINK")
    return {"key": name, "bind": "query-params"}


def value(key: str, default: Any = None) -> Any:
    """What the widget with this key holds, as the browser sent it; `default` before it was drawn."""
    return st.session_state.get(key, default)


def set_value(key: str, value: Any) -> None:
    """Give a widget its value, before it is drawn."""
    st.session_state[key] = value


def forget_value(key: str) -> None:
    """Let a widget start from its default again."""
    st.session_state.pop(key, None)
