"""What every page shares: its head, the navigation, the run it looks at, the workers' state, and how results are awaited."""

from __future__ import annotations

import time
from base64 import b64encode
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, TypeVar

import plotly.graph_objects as go
import streamlit as st

from pages.shared import charts as live
from pages.shared import guard, run_picker, usable
from pages.shared.session import key
from pages.shared.usable import Use
from pages.shared.words import advice, plain, sentence

__all__ = ["Context", "chart", "key", "model", "page", "plain", "wait"]

Result = TypeVar("Result")

NAVIGATION = {
    "Learn": [("app.py", "Home", ":material/home:"), ("pages/lessons.py", "Lessons", ":material/school:")],
    "Train": [
        ("pages/train.py", "Train", ":material/play_circle:"),
        ("pages/compare.py", "Compare", ":material/compare_arrows:"),
    ],
    "Look inside": [
        ("pages/sentence.py", "Sentence", ":material/chat:"),
        ("pages/states.py", "Hidden states", ":material/scatter_plot:"),
        ("pages/gradients.py", "Gradients", ":material/trending_down:"),
    ],
}

# While the server is away, Streamlit's own dialog tells the reader to restart a script in a terminal. Ours is for students.
AWAY = """<style>
[data-testid="stDialog"] section:has([data-testid="stErrorCodeBlock"]) {
  > h2 { font-size: 0; &::before { content: "The server does not answer"; font-size: 1.5rem; } }
  > h2 + div > * { display: none; }
  > h2 + div::before { content: "Nothing is lost: this page goes on by itself when the server is back. A training that was interrupted can then be played on."; }
}
</style>"""

# The dark theme's main colour is dark enough to carry white words; as words on the dark page it needs its lighter tone.
CHOSEN = """<style>
#root :is(button[data-selected="true"], [data-testid="stTab"][aria-selected="true"], [data-testid="stSliderThumbValue"]) {
  color: light-dark(#17679E, #6DB3E3);
}
</style>"""


# In the page itself: as a file it could be forgotten, and asked for, while one drawing of the page interrupts another.
ICON = "data:image/png;base64," + b64encode((live.STATIC / "favicon.png").read_bytes()).decode()


@dataclass(frozen=True)
class Context:
    """What a page works with."""

    run_id: str | None  # the current run, or None
    run: Any  # rnn_core.store.store.RunRecord of it, or None
    use: Use  # what this page can do with it

    @property
    def service(self) -> Any:
        """rnn_core.service.service.Service; asking for it never waits for a worker."""
        return run_picker.service()


def page(title: str, icon: str, what: str, *, default: str | None = "starter", whole: bool = False) -> Context:
    """Call first on every page: its head, the sidebar, and the run it looks at.

    Args:
        title: the page's heading and, with the project's name, the browser tab's.
        icon: a Material symbol, as ":material/home:".
        what: one sentence under the heading: what this page shows. Empty draws no heading at all.
        default: "starter" looks at a starter model when no run was chosen; None looks at none.
        whole: the link names either a run or an experiment, nothing else.
    """
    st.set_page_config(page_title=f"{title} · Unrolled", page_icon=ICON, layout="wide")
    run_picker.warm()
    run_picker.arrive(title)
    st.html(AWAY + CHOSEN)
    st.logo(str(live.STATIC / "wordmark.svg"), icon_image=str(live.STATIC / "logo.svg"), size="large")
    run_id = sidebar(default, whole)
    run_picker.missing(title)
    if what:
        st.title(f"{icon} {title}", anchor=False)
        st.markdown(what)
    run, use = None, Use("", False)
    with guard.section("The chosen run"):
        run = opened(run_id)
        use = usable.use(title, run, run_id == run_picker.chosen())
        if what:
            about(use)
    return Context(run_id, run, use)


def about(use: Use) -> None:
    """What the page can do with its run; a page that draws its own heading calls this below it."""
    if use.words and use.possible:
        st.caption(use.words)
    elif use.words:
        st.info(use.words, icon=":material/info:")


def sidebar(default: str | None, whole: bool) -> str | None:
    """Links to the pages, the run picker, the state of the workers; the id of the run that the page looks at."""
    with st.sidebar:
        links = st.container()
        run_id = None
        with guard.section("The choice of a run"):
            run_id = run_picker.picker(default, whole)
        with links:
            navigation(run_id if run_id == run_picker.chosen() else None)  # a starter that nobody chose opens no page for itself
        workers()
    return run_id


def navigation(run_id: str | None) -> None:
    """Links to every page that carry the chosen run along."""
    here = {"run": run_id} if run_id else None
    for group, pages in NAVIGATION.items():
        st.caption(group)
        for path, name, icon in pages:
            st.page_link(path, label=name, icon=icon, query_params=here, width="stretch")


def opened(run_id: str | None) -> Any:
    """The record of a run, or None with a calm sentence when it went away."""
    if run_id is None:
        return None
    try:
        return run_picker.store().open(run_id)
    except (LookupError, OSError, ValueError) as error:
        st.warning(sentence(error), icon=":material/link_off:")
        return None


def workers() -> None:
    """One line on the state of the workers; it looks again by itself only until they are ready."""
    service = run_picker.running_service()
    ready = service is not None and service.state == "ready"
    st.fragment(_workers, run_every=None if ready else 1.5)(ready)


@guard.section("The state of the workers")
def _workers(known_ready: bool) -> None:
    service = run_picker.running_service()
    state = service.state if service else "starting"
    if state == "ready":
        waiting = sum(live.status == "waiting" for live in service.queue())
        st.caption(f":material/check_circle: Workers ready{f' · {waiting} waiting' if waiting else ''}")
        if not known_ready:  # only a tick comes here: to draw the whole page anew from within itself would lose a click
            st.rerun()
    elif state == "failed":
        st.caption(f":material/error: {plain(service.message)}")
    else:
        st.caption(":material/hourglass_top: Workers are starting: reading works already, training in a few seconds.")


def wait(future: Future[Result], words: str, timeout: float = 120.0) -> Result:
    """The result of a computation on the workers; until then a calm placeholder, and a calm sentence when it fails.

    A failure ends the section here: what follows needs the result. One that nobody expected is counted.
    """
    place = st.empty()
    deadline = time.monotonic() + timeout
    shown = time.monotonic() + 0.15  # a fast answer never flashes a placeholder
    while not future.done() and time.monotonic() < deadline:
        time.sleep(0.01)
        if time.monotonic() > shown:
            place.caption(f":material/hourglass_top: {words}")  # also lets Streamlit interrupt a page that was left
            shown = time.monotonic() + 0.25
    try:
        result = future.result(timeout=0)
    except Exception as error:
        if not advice(error):
            guard.count(f"A computation ({words})", error)
        place.warning(sentence(error), icon=":material/info:")
        guard.leave()
    place.empty()
    return result


def model(record: Any, step: int | None = None) -> Any:
    """The network (`rnn_core.engine.model.Model`) of a run at a kept step, or the newest; a damaged file ends the section with a sentence."""
    with guard.refusal():
        return record.model(step)


def chart(figure: go.Figure, key: str, alt: str, *, rev: str = "", clickable: bool = False) -> dict[str, Any] | None:
    """Draw any figure in the project's look; a point's click comes back when `clickable` (see `live.live_chart`)."""
    return live.live_chart(figure, key, rev, alt=alt, clickable=clickable)
