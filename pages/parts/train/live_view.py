"""Watching a run: the transport, the progress, and every figure, renewed once a second while it trains."""

from __future__ import annotations

import streamlit as st

from pages.parts.train import controls, drawings
from pages.parts.train.drawings import Board
from pages.shared import charts, drafts, guard, labels, run_picker, session
from pages.shared.kept_steps import Moment
from pages.shared.session import key
from pages.shared.words import plain, sentence
from rnn_core import data
from rnn_core.figures import live as figures_live

EAGER = 0.25  # seconds, until the first step is there: who pressed Play does not like to wait for the first point
SLIDER = 68  # pixels of the rewind slider
NOW = -1  # the rewind slider's last place
ROWS = (("loss", "metric"), ("reading",), ("faults",), ("norms", "norm_map"), ("states", "eigenvalues"))

ABOUT = {
    "loss": "How wrong the network is. Validation rising while training falls: it memorises instead of learning.",
    "metric": "How good it is, on batches it learns from and on data it never sees. Grey lines: what naive predictors reach; point at one for its name.",
    "reviews": "Four reviews it was not trained on, and its verdict had each ended there. Blue: really positive; orange: really negative.",
    "forecast": "**One step**: it reads the true past before every value. **Free-running**: behind the shaded context it reads only its own forecasts. "
    "Click a grey name in the legend to see a naive forecast. rmse is the root mean squared error, in standard deviations of the training part.",
    "faults": "Faults planted in a stretch it never saw, and how far its forecast misses at each step.",
    "norms": "How much the loss would change if the state at each time step did. A steep fall to the left: the early steps are not heard.",
    "norm_map": "The same curve at every training step, as colours: bright is a strong gradient, dark a vanished one, grey a step before the first.",
    "states": "What it holds in mind while it reads one fixed sequence: one row per unit, blue positive, orange negative.",
    "eigenvalues": "The recurrent weights alone: they shrink a state inside the circle and stretch it outside, at every step again.",
}


def current(run_id: str | None) -> Board | None:
    """The run as it is now; None, with a calm sentence, when there is none to watch."""
    if run_id is None:
        return None
    try:
        return drawings.board(run_id)
    except (LookupError, OSError, ValueError) as error:
        st.warning(sentence(error), icon=":material/link_off:")
        return None


def live(board: Board) -> None:
    """The part of the page that renews itself; without a timer once there is nothing more to come."""
    every = _every(board)
    st.fragment(_tick, run_every=every)(board.now.run_id, board.now.status, every)


def _every(board: Board) -> float | None:
    """Seconds between two looks at a run; None when nothing more will come."""
    if not (board.now.active or board.pending):
        return None
    if board.now.status == "running" and board.now.begins and board.now.run_id in run_picker.mine():
        return EAGER
    return session.here().tick


@guard.section("The training")
def _tick(run_id: str, status: str, every: float | None) -> None:
    if run_picker.chosen() != run_id:
        st.rerun()  # a button led to another run
    service = run_picker.running_service()
    if service:
        service.viewed(run_id)
    board = current(run_id)
    if board is None:
        session.here().refused = ""
        st.rerun()  # deleted while it was watched: the whole page says so
    now = board.now
    renew = (now.status, _every(board)) != (status, every)  # a run of the whole page sets the timer and renews the picker
    if renew and now.status != status:
        st.rerun()
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title(plain(now.name), anchor=False)
        words = "Back to the presets and the form, filled with this experiment. The run stays in the sidebar."
        st.button(
            "New experiment",
            icon=":material/add:",
            on_click=guard.callback("New experiment", drafts.anew),
            key=key("train", "new_experiment"),
            help=words,
        )
    controls.bar(now)
    controls.progress(now)
    figures(_rewound(board))
    if renew:
        st.rerun()  # after the figures: the first point is on screen before the page is drawn anew


def _rewound(board: Board) -> Board:
    """The board that the slider asks for: now, or a kept moment of the past."""
    now = board.now
    if len(now.kept) < 2:
        if now.active:
            st.container(height=SLIDER, border=False)  # its place, so that nothing moves down when it comes
        return board
    steps, name = [*sorted(now.kept), NOW], key("train", "rewind", now.run_id)
    # A slider forgets its place when a kept snapshot joins it, so the place is held apart.
    held = session.here().kept_steps.get(now.run_id, NOW)
    session.set_value(name, held if held in steps else NOW)
    words = {step: f"epoch {epoch}, step {step:,}" for step, epoch in now.kept.items()} | {NOW: "now"}
    help = "Look through the weights that were kept along the way."
    chosen = st.select_slider(
        "Rewind", steps, format_func=words.__getitem__, key=name, help=help,
        on_change=guard.callback("Rewind", _hold), args=(now.run_id, name),
    )  # fmt: skip
    return board if chosen == NOW else drawings.board(now.run_id, chosen)


def _hold(run_id: str, name: str) -> None:
    session.here().kept_steps[run_id] = session.value(name, NOW)


def figures(board: Board) -> None:
    """Every drawing of a moment; a place is kept for those that are still to come."""
    for row in ROWS:
        if len(row) == 1:
            place = st.empty()  # one place, filled or not: what stands below keeps its own, and its charts their nodes
            if row[0] in board.drawings or _awaited(board, row[0]):
                with place.container():
                    _drawing(board, row[0])
            continue
        for column, name in zip(st.columns(2), row, strict=True):
            with column:
                _drawing(board, name)


def _awaited(board: Board, name: str) -> bool:
    """Whether a look at real data will come: as soon as weights are kept, or as a worker has read with those of a run that ended."""
    if name != "reading" or not (board.now.active or (board.pending and board.now.kept)):
        return False
    experiment = board.now.experiment
    group = data.task(experiment.data.task).group
    return group == "series" or (group == "text" and not experiment.model.bidirectional)


def about(now: Moment, name: str) -> str:
    """What a drawing shows, in a sentence or two."""
    if name == "reading":
        name = "reviews" if data.task(now.experiment.data.task).group == "text" else "forecast"
    return ABOUT[name]


def _drawing(board: Board, name: str) -> None:
    if name in board.drawings:
        charts.draw(board.drawings[name], key("train", "drawing", name))
    elif board.now.active or name == "reading":
        series = name == "reading" and data.task(board.now.experiment.data.task).group == "series"
        # Its place; a shimmering skeleton would take from the trainer what it waits for.
        st.container(height=drawings.FORECAST if series else figures_live.HEIGHT, border=False)
    if name in board.drawings or name == "reading":
        st.caption(about(board.now, name))


def described(now: Moment) -> None:
    """What was trained, in a few lines of text."""
    task = data.task(now.experiment.data.task)
    st.markdown(f"**{plain(task.title)}.** {plain(task.description, 600)}")
    changed = {name: value for name, value in now.experiment.to_query().items() if name != "source"}
    st.markdown(
        " · ".join(f"{labels.LABELS[name]}: **{plain(value)}**" for name, value in changed.items())
        or "All settings at their defaults."
    )
