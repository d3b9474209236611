"""One bar that drives a training: play and pause, one batch, one epoch, stop, reset; and how far it is."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import streamlit as st

from pages.parts.train import form
from pages.shared import drafts, guard, run_picker, session
from pages.shared.kept_steps import Moment
from pages.shared.labels import duration, pace, score
from pages.shared.session import key as key_of
from pages.shared.words import plain, sentence
from rnn_core import data
from rnn_core.spec.experiment import FIELDS

FORETOLD = 10  # steps before the time left is worth telling: the first ones compile
MOST_EPOCHS = FIELDS["epochs"]["high"]


def bar(now: Moment | None) -> None:
    """Draw the bar for a run, or (None) for the experiment in the form."""
    status = now.status if now else ""
    problem = form.problem(drafts.draft()) if now is None else ""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=key_of("train", "transport")):
        _play(now, status, bool(problem))
        startable = now is None and not problem
        going = status in ("running", "paused", "waiting")
        _button("One batch", "B", ":material/skip_next:", _step, now, "step", enabled=going or startable)
        _button("One epoch", "E", ":material/fast_forward:", _step, now, "epoch", enabled=going or startable)
        _button("Stop", "S", ":material/stop:", _control, now, "stop", enabled=going)
        _button(
            "Reset",
            None,
            ":material/replay:",
            _reset,
            now,
            False,
            enabled=now is not None,
            help="Again from the same initial weights: a fair comparison.",
        )
        _button(
            "New weights",
            None,
            ":material/casino:",
            _reset,
            now,
            True,
            enabled=now is not None,
            help="Again from other initial weights: another seed.",
        )
    if refused := session.here().refused:
        session.here().refused = ""
        st.warning(refused, icon=":material/info:")
    if problem:
        st.error(plain(problem), icon=":material/error:")


def _play(now: Moment | None, status: str, blocked: bool) -> None:
    if status in ("running", "waiting"):
        _button("Pause", "P", ":material/pause:", _control, now, "pause", kind="primary", key="play")
    elif status == "paused":
        _button("Play", "P", ":material/play_arrow:", _control, now, "resume", kind="primary", key="play")
    elif status in ("stopped", "interrupted"):
        _button("Play on", "P", ":material/play_arrow:", _resume, now, kind="primary", key="play")
    elif now is not None and status == "finished" and now.experiment.training.epochs < MOST_EPOCHS and not now.builtin:
        words = "As many epochs again, from where it stands."
        _button("Train on", "P", ":material/play_arrow:", _longer, now, kind="primary", key="play", help=words)
    else:
        over = "" if now is None else "It is over: Reset trains the same network anew, from the same initial weights."
        startable = now is None and not blocked
        _button("Play", "P", ":material/play_arrow:", _start, kind="primary", key="play", enabled=startable, help=over or None)


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
    # A callback, because a click must not be lost when the page is drawn anew before it comes to this line.
    st.button(
        label, key=key_of("train", f"transport_{key or label.split()[-1].lower()}"), icon=icon, type=kind, disabled=not enabled,
        shortcut=shortcut, help=help, on_click=guard.callback(label, _do), args=(action, *args),
    )  # fmt: skip


def _do(action: Callable[..., None], *args: Any) -> None:
    try:
        action(*args)
    except (ValueError, LookupError, OSError) as error:
        session.here().refused = sentence(error)


def _start(first: str = "") -> None:
    experiment = drafts.draft()
    run_id = run_picker.service().submit(experiment, viewer=run_picker.viewer(), uploads=drafts.uploads_of(experiment))
    if first:
        run_picker.service().control(run_id, first)
    _show(run_id)


def _show(run_id: str) -> None:
    run_picker.mine().add(run_id)
    run_picker.choose(run_id, {"run": run_id})


def _step(now: Moment | None, command: str) -> None:
    if now is None:
        _start(command)
    else:
        _control(now, command)


def _control(now: Moment, command: str, value: float | None = None) -> None:
    run_picker.service().control(now.run_id, command, value)


def _resume(now: Moment) -> None:
    run_id = run_picker.service().submit(
        now.experiment, viewer=run_picker.viewer(), uploads=drafts.uploads_of(now.experiment), resume=now.run_id
    )
    _show(run_id)


def _switch(now: Moment) -> None:
    """The same experiment on data that need no download."""
    experiment = now.experiment.replace(**{**data.task("toy_reviews").defaults, "task": "toy_reviews"})
    drafts.take(experiment)
    _show(run_picker.service().submit(experiment, viewer=run_picker.viewer()))


def _clip(now: Moment) -> None:
    experiment = now.experiment.replace(clip=1.0)
    _show(run_picker.service().submit(experiment, viewer=run_picker.viewer(), uploads=drafts.uploads_of(experiment)))


def _longer(now: Moment) -> None:
    epochs = min(2 * now.experiment.training.epochs, MOST_EPOCHS)
    experiment = now.experiment.replace(epochs=epochs)
    _show(run_picker.service().submit(experiment, viewer=run_picker.viewer(), resume=now.run_id))


def _reset(now: Moment, fresh: bool) -> None:
    _show(run_picker.service().reset(now.run_id, viewer=run_picker.viewer(), fresh=fresh))


def progress(now: Moment) -> None:
    """How far the run is, or how it ended, in one line."""
    if now.status == "waiting":
        place = f"number {now.position} in the queue" if now.position else "a worker will take it"
        about = f", about {duration(now.estimate)}" if math.isfinite(now.estimate) else ""
        st.progress(0.0, text=f":material/hourglass_top: Waiting: {place}{about}.")
    elif now.active and now.snapshot is not None:
        _under_way(now, now.snapshot)
    elif now.active:
        st.progress(0.0, text=":material/hourglass_top: Preparing the data.")
    elif not now.rewound:
        st.markdown(ended(now))
    if now.message and not now.rewound:
        calm = now.active or now.status in ("finished", "stopped")
        (st.info if calm else st.warning)(plain(now.message, 500), icon=":material/info:")
        if now.status == "failed" and "clip the gradient" in now.message and not now.experiment.training.clip:
            words = "The same network from the same initial weights, its gradient never longer than 1."
            _button(
                "Clip at 1 and train again", None, ":material/content_cut:", _clip, now, kind="primary", key="clip", help=words
            )
        if now.status == "failed" and now.experiment.data.task == "imdb" and "UNROLLED_IMDB" in now.message:
            words = "The same network and training, on short reviews that Unrolled makes up itself."
            _button(
                "Train on the toy reviews", None, ":material/swap_horiz:", _switch, now, kind="primary", key="toy", help=words
            )


def _under_way(now: Moment, shot: Any) -> None:
    total = max(shot.epochs * shot.steps_per_epoch, 1)
    words = f"Epoch {min(shot.epoch + 1, shot.epochs)} of {shot.epochs} · step {shot.step:,} of {total:,}"
    if shot.steps_per_second:
        words += f" · {pace(shot.steps_per_second)} steps/s"
    if now.status == "paused":
        words += " · paused"
    elif math.isfinite(shot.seconds_left) and shot.step >= FORETOLD:
        words += f" · {duration(shot.seconds_left)} left"
    st.progress(min(shot.step / total, 1.0), text=words)


ENDS = {
    "finished": ":material/check_circle: Finished",
    "stopped": ":material/stop_circle: Stopped",
    "interrupted": ":material/warning: Interrupted",
    "failed": ":material/warning: Ended early",
}


def ended(now: Moment) -> str:
    """How a run ended: "Finished after 8 epochs (504 steps) in 12 s: test accuracy 0.998." Markdown."""
    metric, epochs = data.task(now.experiment.data.task).metric, now.epoch
    name = "error (root mean square)" if metric == "rmse" else metric
    seconds = now.history["seconds"][-1] if len(now.history["seconds"]) else 0.0
    words = f"{ENDS.get(now.status, now.status)} after {epochs} epoch{'s' * (epochs != 1)} ({now.step:,} steps) in {duration(float(seconds))}"
    found = [
        f"{part} {name} **{score(value)}**"
        for part, value in (("best validation", now.best), ("test", now.test))
        if math.isfinite(value)
    ]
    return f"{words}: {', '.join(found)}." if found else f"{words}."
