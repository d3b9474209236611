"""A run on the Train page: controls, progress and figures, redrawn about once a second while it trains."""

from __future__ import annotations

import streamlit as st

from pages.parts.train import controls, drawings, own_series
from pages.parts.train.drawings import Drawings
from pages.shared import charts, drafts, glossary, guard, labels, run_picker, session, strip, verdict
from pages.shared.kept_steps import RunView
from pages.shared.session import key
from pages.shared.words import plain
from rnn_core import data
from rnn_core.figures import live as live_figures

FIRST_STEP_TICK = 0.25  # seconds between two redraws before the first step, so that its point appears soon after Play
SLIDER_HEIGHT = 68  # height of the rewind slider in pixels
VERDICT_HEIGHT = 40  # height of a verdict of one line in pixels
LATEST = -1  # the rewind slider's last position: the newest state
ROWS = (
    *((name,) for name in drawings.BEYOND),
    ("strip", "metric"),
    ("norm_map",),
    ("reading",),
    ("faults",),
    ("confusion", "errors"),
    ("loss", "norms"),
    ("states", "eigenvalues"),
)
WIDTHS = {"strip": (5, 4), "confusion": (2, 3)}  # of a row that begins with this figure
LATE = ("confusion", "errors")  # no space is kept for them: only some tasks have them

ERRORS_STYLE = """<style>
.unrolled-errors { max-height: 340px; overflow: auto; }
.unrolled-errors :is(th, td) { text-align: left; vertical-align: top; padding: 3px 14px 3px 0; }
.unrolled-errors td:not(:last-child) { white-space: nowrap; }
</style>"""

CAPTIONS = {
    "loss": "How wrong the network is. If the validation loss rises while the training loss falls, it overfits: it memorises its training data.",
    "metric": "How good it is, on training batches and on validation data. Grey lines: what naive predictors reach; point at one for its name.",
    "reviews": "Four validation reviews, and the prediction after each word. Blue: labelled positive; orange: labelled negative.",
    "forecast": "**One step**: its inputs are the true values before each forecast. **Free-running**: after the shaded part its inputs are its own forecasts. "
    "Click a grey name in the legend to see a naive forecast. rmse is the root mean squared error, in standard deviations of the training part.",
    "strip": "One validation sequence, at the newest kept step: states, answer, and as a ribbon the gradient that reaches back from the last step.",
    "beyond": "What comes after the last row. The band held four of five truths of past forecasts, each as many steps ahead, in rows that it was not trained on. "
    "Click a grey name to see a naive forecast.",
    "faults": "The series where it was not trained on it, and the error of its forecast at each step. Shaded: planted faults, or else the stretches with the largest errors.",
    "confusion": "Validation sequences at the newest kept step: which class it answers (columns) for which right class (rows). Off the diagonal are its errors.",
    "errors": "The ten errors it is surest of, with the probability of its answer. Of a long sequence, the last 40 inputs.",
    "norms": "How much the loss depends on the state at each time step. A steep fall to the left: the gradient vanishes, and the network learns almost nothing from the early steps.",
    "norm_map": "How much the loss depends on the state at each time step, for every training step: bright is a large gradient. Dark red: vanished, below 10⁻⁸. Grey: no such step in that batch.",
    "states": "Its hidden state at each step of one fixed sequence: one row per unit, blue positive, orange negative.",
    "eigenvalues": "Eigenvalues of the recurrent weights. Inside the circle, they shrink the state at every step; outside, they make it grow.",
}


def live(drawn: Drawings) -> None:
    """Draw the part of the page that redraws itself by a timer, as long as the run can still change."""
    tick_seconds = _tick_seconds(drawn)
    st.fragment(_tick, run_every=tick_seconds)(drawn.run.run_id, drawn.run.status, tick_seconds)


def _tick_seconds(drawn: Drawings) -> float | None:
    """Seconds between two redraws; None if nothing can change any more."""
    if not (drawn.run.active or drawn.pending):
        return None
    if drawn.run.status == "running" and drawn.run.before_first_step and drawn.run.run_id in session.here().started:
        return FIRST_STEP_TICK
    return session.here().tick


@guard.section("The training")
def _tick(run_id: str, status: str, tick_seconds: float | None) -> None:
    if run_picker.chosen() != run_id:
        guard.rerun()  # a button has opened another run
    if service := run_picker.running_service():
        service.viewed(run_id)
    try:
        drawn = drawings.of_run(run_id)
    except (LookupError, OSError, ValueError):  # the run was deleted: the page then shows the message
        session.here().command_error = ""
        guard.rerun()
    run = drawn.run
    # A rerun of the whole page sets the timer and updates the picker.
    rerun = (run.status, _tick_seconds(drawn)) != (status, tick_seconds)
    if rerun and run.status != status:
        guard.rerun()
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title(plain(run.name), anchor=False)
        words = "Back to the presets and the form, filled with this experiment. The run stays in the sidebar."
        back = guard.callback("New experiment", drafts.back_to_form)
        st.button("New experiment", icon=":material/add:", on_click=back, key=key("train", "new_experiment"), help=words)
    with st.container():
        controls.bar(run)
    with st.container():
        controls.progress(run)
    with st.container():
        own_series.headline(drawn)
    with st.container():
        selected = _selected(drawn)
    with st.container():
        _verdict(selected)
    figures(selected)
    if rerun:
        guard.rerun()  # after the figures, so that the first point is on screen before the page reruns


def _selected(drawn: Drawings) -> Drawings:
    """The drawings at the rewind slider's position: the newest state, or a kept step."""
    run = drawn.run
    if len(run.kept_steps) < 2:
        if run.active:
            st.container(height=SLIDER_HEIGHT, border=False)  # the slider's place: nothing moves when it appears
        return drawn
    steps, name = [*sorted(run.kept_steps), LATEST], key("train", "rewind", run.run_id)
    # Streamlit resets a slider whose options change, as with each new kept step, so its position is stored in the session.
    last_step = session.here().rewind_steps.get(run.run_id, LATEST)
    session.set_value(name, last_step if last_step in steps else LATEST)
    words = {step: f"epoch {epoch}, step {step:,}" for step, epoch in run.kept_steps.items()} | {LATEST: "now"}
    chosen = st.select_slider(
        "Rewind", steps, format_func=words.__getitem__, key=name, help="Shows the run at an earlier kept step.",
        on_change=guard.callback("Rewind", _save_step), args=(run.run_id, name),
    )  # fmt: skip
    return drawn if chosen == LATEST else drawings.of_run(run.run_id, chosen)


def _save_step(run_id: str, name: str) -> None:
    session.here().rewind_steps[run_id] = session.value(name, LATEST)


def _verdict(drawn: Drawings) -> None:
    """Draw what the curves say, and the next experiment; a failed run already has its own button."""
    if (found := drawn.verdicts.get("training")) is not None:
        take = None if drawn.run.status == "failed" else verdict.fill_form(drawn.run.experiment)
        verdict.show(found, key("train", "suggestion"), take)
    elif drawn.run.active:
        st.container(height=VERDICT_HEIGHT, border=False)  # the verdict's place


def figures(drawn: Drawings) -> None:
    """Draw every figure of a run view; space is kept for figures that are still to come."""
    for row in ROWS:
        if len(row) == 1:
            slot = st.empty()  # one element, filled or not, so that the charts below keep their DOM nodes
            if row[0] in drawn.payloads or _is_coming(drawn, row[0]):
                with slot.container():
                    _figure(drawn, row[0])
            continue
        for column, name in zip(st.columns(WIDTHS.get(row[0], 2)), row, strict=True):
            with column:
                _figure(drawn, name)


def _is_coming(drawn: Drawings, name: str) -> bool:
    """Whether the figure on validation data will appear: after the next kept step, or when its probe has finished."""
    if name not in ("reading", "beyond") or not (drawn.run.active or (drawn.pending and drawn.run.kept_steps)):
        return False
    experiment = drawn.run.experiment
    if name == "beyond":
        return experiment.data.task == "csv"
    group = data.task(experiment.data.task).group
    return group == "series" or (group == "text" and not experiment.model.bidirectional)


def _figure(drawn: Drawings, name: str) -> None:
    """Draw a figure, or keep its space; and what it shows, in a sentence or two."""
    group = data.task(drawn.run.experiment.data.task).group
    if name in drawn.payloads:
        if name in drawn.verdicts:
            verdict.show(drawn.verdicts[name], key("train", "suggestion", name))
        if name == "errors":
            st.html(ERRORS_STYLE + drawn.payloads[name].decode())
        else:
            (strip.draw_payload if name == "strip" else charts.draw)(drawn.payloads[name], key("train", "drawing", name))
    elif (drawn.run.active or name in ("reading", "beyond")) and name not in LATE:
        forecast = name == "beyond" or (name == "reading" and group == "series")
        # An empty container: an animated skeleton takes processor time from the training.
        st.container(height=drawings.FORECAST_HEIGHT if forecast else live_figures.HEIGHT, border=False)
    if name == "reading":
        glossary.caption(CAPTIONS["reviews" if group == "text" else "forecast"])
    elif name in drawn.payloads:
        glossary.caption(CAPTIONS.get(name, ""))
    if name == "beyond" and name in drawn.payloads:
        own_series.download(drawn)


def experiment_text(run: RunView) -> None:
    """Describe the experiment in a few lines of text."""
    task = data.task(run.experiment.data.task)
    st.markdown(f"**{plain(task.title)}.** {plain(task.description, 600)}")
    changed = {name: value for name, value in run.experiment.to_query().items() if name != "source"}
    words = " · ".join(f"{labels.LABELS[name]}: **{plain(value)}**" for name, value in changed.items())
    st.markdown(words or "All settings at their defaults.")
