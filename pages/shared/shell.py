"""The frame of every page: title, navigation, run picker and state of the workers; and waiting for results of the workers."""

from __future__ import annotations

import time
from base64 import b64encode
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, TypeVar

import streamlit as st

from pages.shared import charts, glossary, guard, run_picker, session, usable
from pages.shared.session import key
from pages.shared.usable import Use
from pages.shared.words import advice, plain, sentence

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

# While the server does not answer, Streamlit's dialog says to restart a script in a terminal. This replaces its text for students.
SERVER_AWAY_STYLE = """<style>
[data-testid="stDialog"] section:has([data-testid="stErrorCodeBlock"]) {
  > h2 { font-size: 0; &::before { content: "The server does not answer"; font-size: 1.5rem; } }
  > h2 + div > * { display: none; }
  > h2 + div::before { content: "Nothing is lost: this page reconnects when the server is back. Then press Play on to continue an interrupted training."; }
}
</style>"""

# The dark theme's primary colour is made for white text on it; as text on the dark page it needs a lighter tone.
SELECTED_STYLE = """<style>
#root :is(button[data-selected="true"], [data-testid="stTab"][aria-selected="true"], [data-testid="stSliderThumbValue"]) {
  color: light-dark(#17679E, #6DB3E3);
}
</style>"""

# Less empty space above the title than Streamlit leaves, so that the picture of a page is in sight; on a stage the title is a line.
STAGE_STYLE = """<style>
[data-testid="stMainBlockContainer"] { padding-top: 4rem; }
.st-key-shell-stage h1 { font-size: 1.6rem; line-height: 1.3; padding: 0; }
</style>"""

# Inlined: Streamlit could drop the file of an interrupted script run while the browser still requests it.
ICON = "data:image/png;base64," + b64encode((charts.STATIC / "favicon.png").read_bytes()).decode()


# On a phone the sidebar covers the page: once a link of it was followed, it folds away.
FOLD = """export default ({ data }) => {
  const bar = document.querySelector("[data-testid=stSidebar][data-collapsed=false]");
  const moved = window.unrolledPage !== undefined && window.unrolledPage !== data.page;
  if (bar && moved && window.innerWidth < 768) bar.querySelector("[data-testid=stSidebarCollapseButton] button")?.click();
  window.unrolledPage = data.page;
};"""


@dataclass(frozen=True)
class Context:
    """The run of a page, and the service."""

    run_id: str | None  # id of the current run, or None
    run: Any  # rnn_core.store.store.RunRecord of it, or None
    use: Use  # whether and how this page can use it

    @property
    def service(self) -> Any:
        """rnn_core.service.service.Service; returned without waiting for a worker."""
        return run_picker.service()


def page(
    title: str, icon: str, intro: str, *, default: str | None = "starter", exclusive_link: bool = False, stage: bool = False
) -> Context:
    """Draw the title and the sidebar, and return the page's run. Every page calls this first.

    Args:
        title: the page's heading and, with the project's name, the browser tab's.
        icon: a Material symbol, as ":material/home:".
        intro: text under the heading: what this page shows. "" draws no heading.
        default: "starter" shows a starter model if no run was chosen; None shows no run.
        exclusive_link: the link holds either a run or an experiment, nothing else.
        stage: the page opens on a picture: a small title, with `intro` behind its question mark; the page says how it uses the run.
    """
    st.set_page_config(page_title=f"{title} · Unrolled", page_icon=ICON, layout="wide")
    run_picker.start_workers()
    run_picker.note_page(title)
    glossary.new_page()
    st.html(SERVER_AWAY_STYLE + SELECTED_STYLE + STAGE_STYLE + glossary.STYLE)
    st.logo(str(charts.STATIC / "wordmark.svg"), icon_image=str(charts.STATIC / "logo.svg"), size="large")
    run_id = sidebar(title, default, exclusive_link)
    if title not in ("Train", "Lessons"):  # these still have to read their link
        session.here().from_history = False
    with guard.section("The missing run"):
        run_picker.show_missing_run(title)
    if stage:
        with st.container(key=key("shell", "stage")):
            st.title(f"{icon} {title}", anchor=False, help=intro)
    elif intro:
        st.title(f"{icon} {title}", anchor=False)
        glossary.markdown(intro)
    run, use = None, Use("", False)
    with guard.section("The chosen run"):
        if run_id is not None:
            with guard.store_errors(":material/link_off:"):
                run = run_picker.store().open(run_id)
        use = usable.use(title, run, run_id == run_picker.chosen())
        if intro and not stage:
            show_use(use)
    return Context(run_id, run, use)


def show_use(use: Use) -> None:
    """Show how the page can use its run. A page that draws its own heading calls this below the heading."""
    if use.text and use.possible:
        st.caption(use.text)
    elif use.text:
        st.info(use.text, icon=":material/info:")


def sidebar(title: str, default: str | None, exclusive_link: bool) -> str | None:
    """Draw the links to the pages, the run picker and the state of the workers; return the id of the page's run."""
    with st.sidebar:
        links = st.container()
        run_id = None
        with guard.section("The choice of a run"):
            run_id = run_picker.pick_run(default, exclusive_link)
        with links:  # a starter model shown by default is not put into them
            navigation(run_id if run_id == run_picker.chosen() else None)
        workers()
        fold = st.components.v2.component("unrolled_fold", js=FOLD, isolate_styles=False)
        fold(key=key("shell", "fold"), data={"page": title}, height=1)
    return run_id


def navigation(run_id: str | None) -> None:
    """Draw a link to every page, with the chosen run in it, and the list of terms."""
    here = {"run": run_id} if run_id else None
    for group, pages in NAVIGATION.items():
        st.caption(group)
        for path, name, icon in pages:
            st.page_link(path, label=name, icon=icon, query_params=here, width="stretch")
        if group == "Learn":
            glossary.terms()


def workers() -> None:
    """Draw one line about the state of the workers, redrawn by a timer until they are ready."""
    service = run_picker.running_service()
    ready = service is not None and service.state == "ready"
    st.fragment(_workers, run_every=None if ready else 1.5)(ready)


@guard.section("The state of the workers")
def _workers(known_ready: bool) -> None:
    service = run_picker.running_service()
    state = service.state if service else "starting"
    if state == "ready":
        waiting = sum(job.status == "waiting" for job in service.queue())
        st.caption(f":material/check_circle: Workers ready{f' · {waiting} waiting' if waiting else ''}")
        if not known_ready:  # only from the timer: a rerun during the page's own run would lose a click
            guard.rerun()
    elif state == "failed":
        st.caption(f":material/error: {plain(service.message)}")
    else:
        st.caption(":material/hourglass_top: Workers are starting: the Sentence page works already, training in a few seconds.")


def wait(future: Future[Result], words: str, timeout: float = 120.0, late: Result | None = None) -> Result:
    """Wait for a computation on the workers and return its result; meanwhile `words` are shown.

    An error is shown as a warning and ends the section. An unexpected error is also counted. When the time is over, `late` is
    returned, if there is one.
    """
    placeholder = st.empty()
    deadline = time.monotonic() + timeout
    next_caption = time.monotonic() + 0.15  # a fast answer shows no placeholder
    while not future.done() and time.monotonic() < deadline:
        time.sleep(0.01)
        if time.monotonic() > next_caption:
            # Drawing also lets Streamlit stop the script when the user has left the page.
            placeholder.caption(f":material/hourglass_top: {words}")
            next_caption = time.monotonic() + 0.25
    if late is not None and not future.done():
        placeholder.empty()
        return late
    try:
        result = future.result(timeout=0)
    except Exception as error:
        if not advice(error):
            guard.report(f"A computation ({words})", error)
        placeholder.warning(sentence(error), icon=":material/info:")
        guard.end_section()
    placeholder.empty()
    return result


def compute(words: str, function: Callable[..., Any], *arguments: Any, timeout: float = 120.0, **named_arguments: Any) -> Any:
    """The result of a function of rnn_core, computed on the workers; meanwhile `words` are shown (see `wait`)."""
    return wait(run_picker.service().call(function, *arguments, **named_arguments), words, timeout)


def model(record: Any, step: int | None = None) -> Any:
    """The network (`rnn_core.engine.model.Model`) of a run at a kept step, or the newest; a damaged file ends the section with a warning."""
    with guard.store_errors():
        return record.model(step)
