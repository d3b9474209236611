"""The controls of a training: play and pause, one batch, one epoch, stop, reset; and its progress."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import streamlit as st

from pages.parts.train import form
from pages.shared import drafts, guard, run_picker, session
from pages.shared.kept_steps import RunView
from pages.shared.session import key as key_of
from pages.shared.words import plain, sentence
from rnn_core import data
from rnn_core.figures.numbers import duration, pace, score
from rnn_core.spec.experiment import FIELDS, Experiment

STEPS_BEFORE_ESTIMATE = 10  # steps before the time left is shown: the first steps include compilation
MAX_EPOCHS = FIELDS["epochs"]["high"]


def bar(run: RunView | None) -> None:
    """Draw the buttons for a run; with None, those for the experiment in the form."""
    status = run.status if run else ""
    problem = form.problem(drafts.draft()) if run is None else ""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=key_of("train", "transport")):
        _play(run, status, bool(problem))
        startable = run is None and not problem
        going = status in ("running", "paused", "waiting")
        _button("One batch", "B", ":material/skip_next:", _step, run, "step", enabled=going or startable)
        _button("One epoch", "E", ":material/fast_forward:", _step, run, "epoch", enabled=going or startable)
        _button("Stop", "S", ":material/stop:", _control, run, "stop", enabled=going)
        help = "Starts again from the same initial weights: a fair comparison."
        _button("Reset", None, ":material/replay:", _reset, run, False, enabled=run is not None, help=help)
        help = "Starts again from other initial weights: another seed."
        _button("New weights", None, ":material/casino:", _reset, run, True, enabled=run is not None, help=help)
    if command_error := session.here().command_error:
        session.here().command_error = ""
        st.warning(command_error, icon=":material/info:")
    if problem:
        st.error(plain(problem), icon=":material/error:")


def _play(run: RunView | None, status: str, blocked: bool) -> None:
    if run is None:
        _button("Play", "P", ":material/play_arrow:", _start, kind="primary", key="play", enabled=not blocked)
    elif status in ("running", "waiting"):
        _button("Pause", "P", ":material/pause:", _control, run, "pause", kind="primary", key="play")
    elif status == "paused":
        _button("Play", "P", ":material/play_arrow:", _control, run, "resume", kind="primary", key="play")
    elif status in ("stopped", "interrupted"):
        _button("Play on", "P", ":material/play_arrow:", _submit, run.experiment, run.run_id, kind="primary", key="play")
    elif status == "finished" and run.experiment.training.epochs < MAX_EPOCHS and not run.builtin:
        words = "Trains as many epochs again, from the present weights."
        _button("Train on", "P", ":material/play_arrow:", _train_longer, run, kind="primary", key="play", help=words)
    else:
        words = "This training has ended: Reset trains the same network again, from the same initial weights."
        _button("Play", "P", ":material/play_arrow:", _start, kind="primary", key="play", enabled=False, help=words)


def _button(
    label: str,
    shortcut: str | None,
    icon: str,
    action: Callable[..., None],
    *args: Any,
    kind: Any = "secondary",
    enabled: bool = True,
    key: str = "",
    help: str | None = None,
) -> None:
    # A callback runs at the start of a rerun, so a click is not lost if the page reruns before it reaches this line.
    st.button(
        label, key=key_of("train", f"transport_{key or label.split()[-1].lower()}"), icon=icon, type=kind, disabled=not enabled,
        shortcut=shortcut, help=help, on_click=guard.callback(label, _run_command), args=(action, *args),
    )  # fmt: skip


def _run_command(action: Callable[..., None], *args: Any) -> None:
    try:
        action(*args)
    except (ValueError, LookupError, OSError) as error:
        session.here().command_error = sentence(error)


def offer(label: str, words: str, experiment: Experiment) -> None:
    """Draw a button that trains another experiment; `words` is its help."""
    _button(label, None, ":material/replay:", _submit, experiment, kind="primary", key="offer", help=words)


def _start(first: str = "") -> None:
    _submit(drafts.draft(), first=first)


def _submit(experiment: Experiment, resume: str | None = None, first: str = "") -> None:
    """Start a training, or continue the run `resume`, and open it; `first` is its first command."""
    service, uploads = run_picker.service(), drafts.uploads_of(experiment)
    run_id = service.submit(experiment, viewer=session.here().viewer, uploads=uploads, resume=resume)
    if first:
        service.control(run_id, first)
    _open(run_id)


def _open(run_id: str) -> None:
    session.here().started.add(run_id)
    run_picker.choose(run_id, {"run": run_id})


def _step(run: RunView | None, command: str) -> None:
    if run is None:
        _start(command)
    else:
        _control(run, command)


def _control(run: RunView, command: str) -> None:
    run_picker.service().control(run.run_id, command)


def _train_toy_reviews(run: RunView) -> None:
    """Start the same experiment on the toy reviews, which need no download."""
    experiment = run.experiment.replace(**{**data.task("toy_reviews").defaults, "task": "toy_reviews"})
    drafts.set_draft(experiment)
    _submit(experiment)


def _train_longer(run: RunView) -> None:
    """Continue a finished run for as many epochs again."""
    epochs = min(2 * run.experiment.training.epochs, MAX_EPOCHS)
    _submit(run.experiment.replace(epochs=epochs), run.run_id)


def _reset(run: RunView, fresh: bool) -> None:
    _open(run_picker.service().reset(run.run_id, viewer=session.here().viewer, fresh=fresh))


def progress(run: RunView) -> None:
    """Draw the progress of the run, or how it ended, in one line; and its message."""
    if run.status == "waiting":
        place = f"number {run.queue_position} in the queue" if run.queue_position else "a worker will start it"
        about = f", about {duration(run.seconds_to_start)}" if math.isfinite(run.seconds_to_start) else ""
        st.progress(0.0, text=f":material/hourglass_top: Waiting: {place}{about}.")
    elif run.active and run.snapshot is not None:
        _training_progress(run, run.snapshot)
    elif run.active:
        st.progress(0.0, text=":material/hourglass_top: Preparing the data.")
    elif not run.is_past:
        st.markdown(ending(run))
    if run.message and not run.is_past:
        expected = run.active or run.status in ("finished", "stopped")
        (st.info if expected else st.warning)(plain(run.message, 500), icon=":material/info:")
        if run.status == "failed" and "clip the gradient" in run.message and not run.experiment.training.clip:
            label, words = (
                "Clip at 1 and train again",
                "The same network from the same initial weights, with its gradient clipped at norm 1.",
            )
            clipped = run.experiment.replace(clip=1.0)
            _button(label, None, ":material/content_cut:", _submit, clipped, kind="primary", key="clip", help=words)
        if run.status == "failed" and run.experiment.data.task == "imdb" and "UNROLLED_IMDB" in run.message:
            label, words = "Train on the toy reviews", "The same network and training, on short synthetic reviews."
            _button(label, None, ":material/swap_horiz:", _train_toy_reviews, run, kind="primary", key="toy", help=words)


def _training_progress(run: RunView, snapshot: Any) -> None:
    total = max(snapshot.epochs * snapshot.steps_per_epoch, 1)
    words = f"Epoch {min(snapshot.epoch + 1, snapshot.epochs)} of {snapshot.epochs} · step {snapshot.step:,} of {total:,}"
    if snapshot.steps_per_second:
        words += f" · {pace(snapshot.steps_per_second)} steps/s"
    if run.status == "paused":
        words += " · paused"
    elif math.isfinite(snapshot.seconds_left) and snapshot.step >= STEPS_BEFORE_ESTIMATE:
        words += f" · {duration(snapshot.seconds_left)} left"
    st.progress(min(snapshot.step / total, 1.0), text=words)


ENDINGS = {
    "finished": ":material/flag: Finished",
    "stopped": ":material/stop_circle: Stopped",
    "interrupted": ":material/warning: Interrupted",
    "failed": ":material/warning: Ended early",
}


def ending(run: RunView) -> str:
    """How a run ended, in Markdown: "Finished after 8 epochs (504 steps) in 12 s: test accuracy 0.998"."""
    metric, epochs = data.task(run.experiment.data.task).metric, run.epoch
    name = "error (root mean square)" if metric == "rmse" else metric
    seconds = run.history["seconds"][-1] if len(run.history["seconds"]) else 0.0
    words = f"{ENDINGS.get(run.status, run.status)} after {epochs} epoch{'s' * (epochs != 1)} ({run.step:,} steps) in {duration(float(seconds))}"
    metrics = {"best validation": run.best_metric, "test": run.test_metric}
    found = [f"{part} {name} **{score(value)}**" for part, value in metrics.items() if math.isfinite(value)]
    return f"{words}: {', '.join(found)}." if found else f"{words}."
