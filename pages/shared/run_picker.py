"""The run that a page shows: from the link (`?run=`), from the picker in the sidebar, or a starter model."""

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
STATUS_SIGNS = {
    "waiting": "⏳",
    "running": "▶",
    "paused": "⏸",
    "finished": "✓",
    "stopped": "■",
    "interrupted": "⚠",
    "failed": "⚠",
    "imported": "↧",
}
log = logging.getLogger("unrolled")


def store() -> Any:
    """The run store: the service's once the service exists, until then a store of this module's own."""
    return _started[0].store if _started else _early_store()


@cache
def _early_store() -> Any:
    return import_module("rnn_core.store.store").Store()


def service() -> Any:
    """The training service of this process. The first call starts its workers in the background and returns at once."""
    return import_module("rnn_core.service.service").service()


def running_service() -> Any:
    """The training service if it exists, else None. Never waits for the import of Dask."""
    return _started[0] if _started else None


def live_run(run_id: str) -> Any:
    """The live state of a run (`rnn_core.service.job.Live`), newer than the store; None for a run without one."""
    service = running_service()
    return service.live(run_id) if service else None


_started: list[Any] = []


@cache
def start_workers() -> None:
    """Start the workers in a background thread; returns at once."""

    def start() -> None:
        try:
            _started.append(service())
            gc.freeze()  # excludes the loaded libraries from garbage collection, which took 0.1 s of every tick
        except Exception:
            log.exception("the workers could not be started")

    threading.Thread(target=start, name="start-workers", daemon=True).start()


def labels(infos: list[Any]) -> dict[str, str]:
    """Run id → its line in the picker, shown as plain text. Lines are unique, because the browser sends back the line, not the id."""
    names = Counter(info.name for info in infos)
    return {
        info.id: f"{'★' if info.builtin else STATUS_SIGNS.get(info.status, '')} {info.name}"
        + (f" · {info.id[-6:]}" if names[info.name] > 1 else "")
        for info in infos
    }


def chosen() -> str | None:
    """The id of the current run: the one in the link, else the one last chosen in this session."""
    return st.query_params.get("run") or session.here().run


def choose(run_id: str | None, link: dict[str, str] | None = None) -> None:
    """Make `run_id` the current run here and in the link.

    Args:
        run_id: the run, or None for no run.
        link: the new query of the link; None changes only `run` in it. Every change of the link is one step of the browser's
            Back button, so several changes are made in one call.
    """
    session.here().run = run_id
    session.here().missing_run = ""
    session.forget_value(PICKER)
    if link is not None:
        st.query_params.from_dict(link)
    elif run_id:
        st.query_params["run"] = run_id
    else:
        st.query_params.pop("run", None)


def note_page(page: str) -> None:
    """Record which page is drawn. On a change of page the link decides what Train shows, until `form.sync_with_link` reads it."""
    here = session.here()
    here.from_history = is_history_navigation() or (here.from_history and here.page == page)
    if here.page != page:
        here.page, here.link_pending = page, True


def is_history_navigation() -> bool:
    """Whether the browser's Back or Forward button led here; values that are not in the link are then unset."""
    context = get_script_run_ctx()
    return context is not None and context.is_history_navigation


def show_missing_run(page: str) -> None:
    """Show why the requested run cannot be opened: on this page only, until another run is chosen."""
    here = session.here()
    if not here.missing_run:
        return
    here.missing_page = here.missing_page or page
    if here.missing_page == page:
        st.warning(f"The run {plain(here.missing_run, 40)} {here.missing_reason}", icon=":material/link_off:")
    else:
        here.missing_run = ""


def _set_missing_run(run_id: str) -> None:
    """Record that a run is not in the list, and why."""
    here = session.here()
    here.run, here.missing_run, here.missing_page = None, run_id, ""
    here.missing_reason = (
        "is not on this server: it was deleted, or belongs to another machine. Choose another one in the sidebar, or train one."
    )
    try:
        store().open(run_id)
    except ValueError as problem:
        here.missing_reason = f"cannot be opened: {sentence(problem)} Choose another one in the sidebar, or train one."
    except (LookupError, OSError):
        pass


def _on_pick(exclusive_link: bool) -> None:
    picked = session.value(PICKER)
    # If a run changed or was deleted since the page was drawn, Streamlit passes its old label or None: ignore that.
    if picked in {info.id for info in store().list()}:
        choose(picked, {"run": str(picked)} if exclusive_link else None)


def pick_run(default: str | None, exclusive_link: bool = False) -> str | None:
    """Draw the run picker and return the id of the current run, or None if there is none.

    Args:
        default: "starter" shows the first starter model if no run was chosen; None shows no run.
        exclusive_link: this page's link holds either a run or an experiment, nothing else.
    """
    here = session.here()
    asked = exclusive_link and here.link_pending and len(st.query_params)
    if "run" not in st.query_params and (asked or here.from_history):
        here.run = None
    infos = {info.id: info for info in store().list()}
    run_id = chosen()
    if run_id and run_id not in infos:
        _set_missing_run(run_id)
        run_id = None
    if run_id is None and default == "starter":
        run_id = next((key for key, info in infos.items() if info.builtin), None) or next(iter(infos), None)
    elif run_id:
        choose(run_id)
    lines = labels(list(infos.values()))
    order = sorted(infos, key=lambda key: (key not in here.started, infos[key].builtin))
    session.set_value(PICKER, run_id)
    st.selectbox(
        "Run", order, format_func=lines.__getitem__, key=PICKER, on_change=guard.callback("The choice of a run", _on_pick), args=(exclusive_link,),
        placeholder="Nothing trained yet" if not order else "Choose a run",
        help="★ starter models were trained beforehand and are read only. Your own runs come first.",
    )  # fmt: skip
    return run_id
