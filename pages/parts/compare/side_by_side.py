"""Runs side by side: their curves in one figure, and the settings in which they differ."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.shared import charts, guard, labels, run_picker
from pages.shared.kept_steps import RunView, run_view
from pages.shared.session import key
from pages.shared.widgets import choice
from pages.shared.words import plain
from rnn_core import data
from rnn_core.figures import compare, theme
from rnn_core.figures.numbers import duration, score
from rnn_core.spec.experiment import FIELDS
from rnn_core.store.run import ACTIVE, RunInfo

MAX_RUNS = 6  # runs in one figure
TICK = 2.0  # seconds between two redraws while one of them trains
CLOCKS = {"step": "training steps", "seconds": "seconds of computing"}


def show(run: Any) -> None:
    """Draw the current run (a RunRecord or None) and the runs chosen to compare with it."""
    message_place, choice_place, figures_place = st.container(), st.container(), st.container()  # a timer redraws the last
    infos = {info.id: info for info in run_picker.store().list() if info.step > 0}
    run_id = run.id if run is not None else ""
    if run_id not in infos:
        words = (
            "Choose a run in the sidebar: its curves appear here, and you can compare them with any other run of the same task."
        )
        if run is not None:
            words = f"**{plain(run.name)}** has no training step yet: its curves appear here with the first. Choose another run in the sidebar, or watch this one under Train."
        message_place.info(words, icon=":material/info:")
        return
    task = infos[run_id].experiment.data.task
    others = [key for key, info in infos.items() if key != run_id and info.experiment.data.task == task]
    if not others:
        words = (
            f"No other run of the task “{plain(data.task(task).title)}” yet. Train it with one setting changed, then come back."
        )
        message_place.info(words, icon=":material/info:")
    lines = run_picker.labels(list(infos.values()))
    left, right = choice_place.columns([3, 1], vertical_alignment="bottom")
    chosen = left.multiselect(
        "Beside it", others, others[:1], format_func=lines.__getitem__, max_selections=MAX_RUNS - 1, key=key("compare", "runs_beside", run_id),
        help="Runs of the same task. Their validation parts are the same only where seed and data settings are.",
    )  # fmt: skip
    with right:
        clock = choice("Over", {"step": "steps", "seconds": "time"}, "step", key=key("compare", "clock"))
    run_ids = [run_id, *chosen]
    any_active = any(_status(infos[key]) in ACTIVE for key in run_ids)
    with figures_place:
        st.fragment(_figures, run_every=TICK if any_active else None)(run_ids, clock, any_active)


@guard.section("The runs side by side")
def _figures(run_ids: list[str], clock: str, any_active: bool) -> None:
    try:
        runs = [run_view(key) for key in run_ids]
    except LookupError:
        words = "One of these runs was deleted in the meantime. Choose another one in the sidebar."
        st.warning(words, icon=":material/link_off:")
        return
    active = [run.run_id for run in runs if run.status in ACTIVE]
    if service := run_picker.running_service():
        for run_id in active:
            service.viewed(run_id)  # counts as viewed, so that the idle timeout does not stop it
    if any_active and not active:
        guard.rerun()  # the last one ended: a rerun of the whole page ends the timer
    names = _names(runs)
    curves = [
        (theme.literal(name), run.experiment.model.cell, run.history[clock], run.history)
        for name, run in zip(names, runs, strict=True)
    ]
    metric = data.task(runs[0].experiment.data.task).metric
    for column, quantity in zip(st.columns(2), ("loss", "metric"), strict=True):
        with column:
            drawing = compare.histories(curves, quantity, metric, CLOCKS[clock])
            alt = f"The {quantity} of {len(runs)} runs over {CLOCKS[clock]}"
            charts.chart(drawing, key("compare", "beside", quantity), alt, rev=f"{run_ids}{clock}")
    st.caption(
        "**What am I seeing?** Thick: on the validation part, which no network trains on. Thin: on the training batches. "
        "Runs that differ in one setting only show what that setting does; another seed shows how much is luck."
    )
    st.dataframe(_table(names, runs, metric), hide_index=True)


def _status(info: RunInfo) -> str:
    """The same status as in `run_view`, without reading the run."""
    live = run_picker.live_run(info.id)
    return str(live.status) if live else info.status


def _names(runs: list[RunView]) -> list[str]:
    """A name for each run; runs of the same name get the end of their id."""
    names = [run.name for run in runs]
    return [name if names.count(name) == 1 else f"{name} · {run.run_id[-6:]}" for name, run in zip(names, runs, strict=True)]


def _table(names: list[str], runs: list[RunView], metric: str) -> list[dict[str, Any]]:
    """One row per result, then one per setting that differs between the runs."""
    rows = {
        f"best validation {metric}": [score(run.best_metric) for run in runs],
        f"test {metric}": [score(run.test_metric) for run in runs],
        "epochs trained": [str(run.epoch) for run in runs],
        "time": [duration(float(run.history["seconds"][-1])) if len(run.history["seconds"]) else "–" for run in runs],
    }
    for field in FIELDS:
        values = [labels.field_value(run.experiment, field) for run in runs]
        if len(set(map(repr, values))) > 1:
            rows[labels.LABELS[field]] = [
                labels.OPTION_NAMES.get(str(value), "–" if value in (None, "") else str(value)) for value in values
            ]
    return [{"": what, **dict(zip(names, row, strict=True))} for what, row in rows.items()]
