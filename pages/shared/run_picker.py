"""The run that a page looks at: from the link (`?run=`), from the picker in the sidebar, or a starter model."""

from __future__ import annotations

import gc
import logging
import threading
from collections import Counter
from functools import cache
from importlib import import_module
from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from pages.shared import guard, session
from pages.shared.session import key as key_of
from pages.shared.words import plain, sentence

PICKER = key_of("shell", "run_picker")
SIGNS = {"waiting": "⏳", "running": "▶", "paused": "⏸", "finished": "✓", "stopped": "■", "interrupted": "⚠", "failed": "⚠"}
log = logging.getLogger("unrolled")


def store() -> Any:
    """The run store: the workers' own once they have begun to start, before that one that waits for nobody."""
    return _started[0].store if _started else _early_store()


@cache
def _early_store() -> Any:
    return import_module("rnn_core.store.store").Store()


def service() -> Any:
    """The workers of this process. The first call starts them in the background and returns at once."""
    return import_module("rnn_core.service.service").service()


def running_service() -> Any:
    """The workers if their start has begun, else None: never waits for the import of the cluster's library."""
    return _started[0] if _started else None


def under_way(run_id: str) -> Any:
    """What the workers know of a run, sooner than the store (a `rnn_core.service.job.Live`), or None."""
    service = running_service()
    return service.live(run_id) if service else None


_started: list[Any] = []


@cache
def warm() -> None:
    """Begin to start the workers without holding up the page."""

    def start() -> None:
        try:
            _started.append(service())
            gc.freeze()  # the libraries stay: to search them for garbage held every tick up for a tenth of a second
        except Exception:
            log.exception("the workers could not be started")

    threading.Thread(target=start, name="warm", daemon=True).start()


def viewer() -> str:
    """This browser session's name among the viewers of runs; secret, so nobody else can act for it."""
    return session.here().viewer


def mine() -> set[str]:
    """Runs that this session started."""
    return session.here().started


def labels(infos: list[Any]) -> dict[str, str]:
    """Run id → one line for the picker, which shows it as plain text. No two are alike: the browser sends back the line, not the id."""
    names = Counter(info.name for info in infos)
    return {
        info.id: f"{'★' if info.builtin else SIGNS.get(info.status, '')} {info.name}"
        + (f" · {info.id[-6:]}" if names[info.name] > 1 else "")
        for info in infos
    }


def chosen() -> str | None:
    """The id of the current run: the link's first, then the one last chosen in this session."""
    return st.query_params.get("run") or session.here().run


def choose(run_id: str | None, link: dict[str, str] | None = None) -> None:
    """Make `run_id` the current run here and in the link.

    Args:
        run_id: the run, or None to look at none.
        link: all that the link says from now on; None changes nothing in it but the run. Every change of the link is a step
            of the browser's Back button, so whoever changes more does it in one.
    """
    session.here().run = run_id
    session.here().missing = ""
    session.forget_value(PICKER)
    if link is not None:
        st.query_params.from_dict(link)
    elif run_id:
        st.query_params["run"] = run_id
    else:
        st.query_params.pop("run", None)


def arrive(page: str) -> None:
    """Note that the reader came from another page: until `form.follow` has read it, the link tells what to show."""
    here = session.here()
    if here.page != page:
        here.page, here.arrived = page, True


def returned() -> bool:
    """Whether the browser's Back or Forward led here: what the link does not name was not there then."""
    context = get_script_run_ctx()
    return context is not None and context.is_history_navigation


def missing(page: str) -> None:
    """Say why the run asked for cannot be opened, on this page only, until another one is chosen."""
    here = session.here()
    if not here.missing:
        return
    here.missing_page = here.missing_page or page
    if here.missing_page == page:
        st.warning(f"The run {plain(here.missing, 40)} {here.missing_words}", icon=":material/link_off:")
    else:
        here.missing = ""


def _miss(run_id: str) -> None:
    """Remember that a run is not in the list, and why."""
    here = session.here()
    here.run, here.missing, here.missing_page = None, run_id, ""
    here.missing_words = (
        "is not on this server: it was deleted, or belongs to another machine. Choose another one in the sidebar, or train one."
    )
    try:
        store().open(run_id)
    except ValueError as problem:
        here.missing_words = f"cannot be opened: {sentence(problem)} Choose another one in the sidebar, or train one."
    except (LookupError, OSError):
        pass


def _picked(whole: bool) -> None:
    picked = session.value(PICKER)
    # A run that changed or went since the page was drawn had another line then: Streamlit hands over that line, or None.
    # Nobody chose anything then.
    if picked in {info.id for info in store().list()}:
        choose(picked, {"run": str(picked)} if whole else None)


def picker(default: str | None, whole: bool = False) -> str | None:
    """Draw the run picker and return the id of the current run, or None when there is nothing to look at.

    Args:
        default: "starter" looks at the first starter model when nobody chose; None looks at nothing.
        whole: this page's link names either a run or an experiment, nothing else.
    """
    here = session.here()
    asked = whole and here.arrived and len(st.query_params)
    if "run" not in st.query_params and (asked or returned()):
        here.run = None
    infos = {info.id: info for info in store().list()}
    run_id = chosen()
    if run_id and run_id not in infos:
        _miss(run_id)
        run_id = None
    if run_id is None and default == "starter":
        run_id = next((key for key, info in infos.items() if info.builtin), None) or next(iter(infos), None)
    elif run_id:
        choose(run_id)
    lines = labels(list(infos.values()))
    order = sorted(infos, key=lambda key: (key not in mine(), infos[key].builtin))
    session.set_value(PICKER, run_id)
    st.selectbox(
        "Run", order, format_func=lines.__getitem__, key=PICKER, on_change=guard.callback("The choice of a run", _picked), args=(whole,),
        placeholder="Nothing trained yet" if not order else "Choose a run",
        help="★ starter models were trained beforehand and are read only. Your own runs come first.",
    )  # fmt: skip
    return run_id
