"""Finished and running trainings side by side: their curves in one figure, and the settings in which they differ."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.shared import guard, labels, run_picker, shell
from pages.shared.kept_steps import Moment, moment
from pages.shared.labels import duration, score
from pages.shared.session import key
from pages.shared.words import plain
from rnn_core import data
from rnn_core.figures import compare, theme
from rnn_core.spec.experiment import FIELDS
from rnn_core.store.run import ACTIVE, RunInfo

MOST = 6  # runs in one figure
TICK = 2.0  # seconds, while one of them trains
CLOCKS = {"step": "training steps", "seconds": "seconds of computing"}


def beside(run: Any) -> None:
    """The current run (a RunRecord or None) and those chosen to stand beside it."""
    infos = {info.id: info for info in run_picker.store().list() if info.step > 0}
    run_id = run.id if run is not None else ""
    if run_id not in infos:
        words = "Choose a run in the sidebar: its curves appear here, and any other run of the same task can stand beside them."
        if run is not None:
            words = f"**{plain(run.name)}** has no training step yet: its curves appear here with the first. Choose another run in the sidebar, or watch this one under Train."
        st.info(words, icon=":material/info:")
        return
    task = infos[run_id].experiment.data.task
    others = [key for key, info in infos.items() if key != run_id and info.experiment.data.task == task]
    if not others:
        words = (
            f"No other run of the task “{plain(data.task(task).title)}” yet. Train it with one setting changed, then come back."
        )
        st.info(words, icon=":material/info:")
    lines = run_picker.labels(list(infos.values()))
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    chosen = left.multiselect(
        "Beside it", others, others[:1], format_func=lines.__getitem__, max_selections=MOST - 1, key=key("compare", "runs_beside", run_id),
        help="Runs of the same task. Their validation parts are the same only where seed and data settings are.",
    )  # fmt: skip
    clock = right.segmented_control("Over", list(CLOCKS), default="step", required=True, format_func={"step": "steps", "seconds": "time"}.__getitem__, key=key("compare", "clock"))  # fmt: skip
    shown = [run_id, *chosen]
    going = any(_status(infos[key]) in ACTIVE for key in shown)
    st.fragment(_drawn, run_every=TICK if going else None)(shown, clock or "step", going)


@guard.section("The runs side by side")
def _drawn(shown: list[str], clock: str, going: bool) -> None:
    try:
        found = [moment(key) for key in shown]
    except LookupError:
        words = "One of these runs was deleted while you looked. Choose another one in the sidebar."
        st.warning(words, icon=":material/link_off:")
        return
    active = [now.run_id for now in found if now.status in ACTIVE]
    if service := run_picker.running_service():
        for run_id in active:
            service.viewed(run_id)  # who compares it watches it: it is not stopped as unwatched
    if going and not active:
        st.rerun()  # the last one ended: a run of the whole page ends the ticks
    names = _names(found)
    tracks = [
        (theme.literal(name), now.experiment.model.cell, now.history[clock], now.history)
        for name, now in zip(names, found, strict=True)
    ]
    metric = data.task(found[0].experiment.data.task).metric
    for column, part in zip(st.columns(2), ("loss", "metric"), strict=True):
        with column:
            drawing = compare.histories(tracks, part, metric, CLOCKS[clock])
            shell.chart(
                drawing,
                key("compare", "beside", part),
                f"The {part} of {len(found)} runs over {CLOCKS[clock]}",
                rev=f"{shown}{clock}",
            )
    st.caption(
        "**What am I seeing?** Thick: on the validation part, which no network trains on. Thin: on the training batches. "
        "Runs that differ in one setting only show what that setting does; another seed shows how much is luck."
    )
    st.dataframe(_table(names, found, metric), hide_index=True)


def _status(info: RunInfo) -> str:
    """As `moment` tells it."""
    known = run_picker.under_way(info.id)
    return str(known.status) if known else info.status


def _names(found: list[Moment]) -> list[str]:
    """What to call each run; those of one name are told apart by the end of their id."""
    names = [now.name for now in found]
    return [name if names.count(name) == 1 else f"{name} · {now.run_id[-6:]}" for name, now in zip(names, found, strict=True)]


def _table(names: list[str], found: list[Moment], metric: str) -> list[dict[str, Any]]:
    """One row per result, then one per setting that is not the same in all of them."""
    rows = {
        f"best validation {metric}": [score(now.best) for now in found],
        f"test {metric}": [score(now.test) for now in found],
        "epochs trained": [str(now.epoch) for now in found],
        "time": [duration(float(now.history["seconds"][-1])) if len(now.history["seconds"]) else "–" for now in found],
    }
    for field in FIELDS:
        values = [labels.value(now.experiment, field) for now in found]
        if len(set(map(repr, values))) > 1:
            rows[labels.LABELS[field]] = [
                labels.WORDS.get(str(value), "–" if value in (None, "") else str(value)) for value in values
            ]
    return [{"": what, **dict(zip(names, row, strict=True))} for what, row in rows.items()]
