"""A contest of the three cells on one puzzle: its settings, its start, and its results while it runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import streamlit as st

from pages.parts.compare.sweep import LENGTHS, PUZZLES, TICK, map_rows
from pages.shared import charts, guard, session, strip, verdict
from pages.shared.session import key, linked
from pages.shared.widgets import expander
from pages.shared.words import plain
from rnn_core import data
from rnn_core.figures import compare, theme
from rnn_core.figures.numbers import metric_words
from rnn_core.figures.verdicts import contest as contest_verdicts
from rnn_core.spec.experiment import CELLS, Experiment
from rnn_core.studies import contest, contest_words, recorded, sweep
from rnn_core.studies.sweep_on_cluster import ENDED

RATES = [0.0003, 0.001, 0.003, 0.01, 0.03]
BUDGETS = [500, 1000, 1500, 2000, 4000]


def show(service: Any) -> None:
    """Draw the settings, the start button, and the current contest. Before the start no result is shown: guess first."""
    job: str | None = st.query_params.get("contest") or session.here().contest
    state = service.streamed(job) if job else None
    running = state is not None and state.status not in ENDED
    if running:  # the settings fold away
        with st.expander("The settings of this contest", icon=":material/tune:"):
            entries, steps = _settings(st.container())
    else:
        st.markdown(
            "The three cells start from the same seed and train on the same sequences, a few training steps each in turn."
        )
        entries, steps = _settings(None)
    start = key("compare", "contest_start")
    if not running and st.button("Start the contest", icon=":material/flag:", type="primary", key=start):
        job = service.stream(contest.contest, entries, steps, viewer=session.here().viewer)
        session.here().contest = st.query_params["contest"] = job
        st.rerun()
    recorded_place, watched_place = st.container(), st.container()  # what a timer redraws keeps its place
    if state is None:
        if job:
            words = "That contest is not known here any more. Start it again: the same seed gives the same contest."
            recorded_place.info(words, icon=":material/link_off:")
        with recorded_place:
            expander("A contest that we ran before", ":material/history:", key("compare", "contest_recorded"), _recorded_contest)
        return
    if job:
        st.query_params["contest"] = job  # so that the link shows this contest to others
        with watched_place:
            st.fragment(watch, run_every=TICK if running else None)(service, job)
    if not running:
        _earlier(service, entries[0].data.task, entries[0].data.length)


def _earlier(service: Any, task: str, length: int) -> None:
    """Draw what the map says about this task and length, below the contest's own result."""
    if found := sweep.at_length(sweep.cells_of_map(map_rows(service), task), length):
        st.caption(f":material/map: Tried before over {length} steps, within {sweep.STEPS:,} training steps: {found}")


def _recorded_contest() -> None:
    """Draw the recorded contest."""
    goal, *laps = recorded.recorded()
    assert isinstance(goal, contest.Goal)
    st.markdown(f"{PUZZLES[goal.task]}, {goal.length} steps, seed 0.")
    _results(goal, [lap for lap in laps if isinstance(lap, contest.Lap)], "recorded", ended=True)


def _settings(more: Any) -> tuple[list[Experiment], int]:
    """Draw the settings; return the experiments of the contest and the number of training steps.

    Args:
        more: where the rarer settings are drawn; None behind an expander.
    """
    columns = st.columns([4, 2, 2, 2])
    help = "\n\n".join(f"**{data.task(name).title}**: {data.task(name).description}" for name in PUZZLES)
    task = columns[0].selectbox("Puzzle", list(PUZZLES), format_func=PUZZLES.__getitem__, **linked("puzzle"), help=help)
    length = columns[1].select_slider("Length, in time steps", LENGTHS, 100, **linked("length"))
    steps = columns[2].select_slider("Training steps, at most", BUDGETS, 1500, format_func="{:,}".format, **linked("budget"))
    help = (
        "Other initial weights and other sequences. Several seeds run one after the other; the result of one seed may be chance."
    )
    seeds = columns[3].slider("Seeds", 1, 5, 1, **linked("seeds"), help=help)
    with more or st.expander("Learning rates and gate bias", icon=":material/tune:"):
        more_columns = st.columns(4)
        rates = {
            cell: column.select_slider(f"Learning rate, {theme.CELL_NAMES[cell]}", RATES, 0.01, **linked(f"rate_{cell}"))
            for cell, column in zip(CELLS, more_columns, strict=False)
        }
        help = "Of the LSTM's forget and the GRU's update gate: larger keeps the old state longer. 0 uses Keras's defaults (1 and 0)."
        default = sweep.GATE_BIAS.get(task, 0.0)
        gate_bias = more_columns[3].slider("Gate bias at the start", 0.0, 6.0, default, 0.5, **linked(f"bias_{task}"), help=help)
    bias = gate_bias or None
    entries = [
        contest.entry(task, length, cell, seed=seed, learning_rate=rates[cell], gate_bias=None if cell == "simple_rnn" else bias)
        for seed in range(seeds) for cell in CELLS
    ]  # fmt: skip
    return entries, steps


@guard.section("The contest")
def watch(service: Any, job: str) -> None:
    """Draw a contest: its buttons while it runs, its verdict and its curves."""
    state = service.streamed(job)
    if state is None:
        return
    service.viewed(job)
    ended = state.status in ENDED
    goals = [value for value in state.values if isinstance(value, contest.Goal)]
    laps = [value for value in state.values if isinstance(value, contest.Lap)]
    if not ended:
        _buttons(service, job, state)
    elif session.here().ended_contest != job:
        session.here().ended_contest = job
        guard.rerun()  # redraws the whole page without the timer
    if state.status in ("failed", "interrupted"):
        st.warning(plain(state.message), icon=":material/info:")
    if not laps:
        return
    _results(goals[0], laps, job, ended)


def _buttons(service: Any, job: str, state: Any) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        label, icon, command = "Pause", ":material/pause:", "pause"
        if state.status == "paused":
            label, icon, command = "Go on", ":material/play_arrow:", "resume"
        if st.button(label, icon=icon, key=key("compare", "contest_pause")):
            service.control(job, command)
        if st.button("Stop", icon=":material/stop:", key=key("compare", "contest_stop")):
            service.control(job, "stop")
        words = {"waiting": f"Waiting: place {state.position} in the queue.", "paused": "Paused."}.get(
            state.status, "Running." if state.values else "Getting ready: the networks are being compiled."
        )
        st.caption(words)


def _results(goal: contest.Goal, laps: Sequence[contest.Lap], job: str, ended: bool) -> None:
    table = contest_words.standings(laps)
    found = contest_verdicts.contest(goal, laps, ended, LENGTHS)
    verdict.show(found, key("compare", "suggestion", job), _take)
    _race(goal, laps)
    left, right = st.columns(2)
    with left:
        alt = "Held-out metric of each cell over training steps"
        charts.chart(compare.curves(laps, goal), key("compare", "contest_curves"), alt, rev=job)
        st.caption(
            "**What am I seeing?** How well each does on 512 sequences it never trains on. At the dashed line it only guesses; at the dotted one the puzzle counts as solved (★)."
        )
    with right:
        alt = "Relative gradient norm of each cell by time step"
        charts.chart(compare.reach(laps, goal), key("compare", "contest_reach"), alt, rev=job)
        st.caption(
            "**What am I seeing?** How large the gradient of the loss is, by the number of steps before the end. Where it is almost zero, nothing is learned from that step. Dotted: before training. **Reach** in the table: the steps counted back from the last, itself included, before the first below the dashed line."
        )
    st.markdown("\n".join(f"- {sentence}" for sentence in contest_words.verdict(goal, table, stopped=ended)))
    st.dataframe(_table(goal, table), hide_index=True)


def _race(goal: contest.Goal, laps: Sequence[contest.Lap]) -> None:
    """Draw the newest lap of each cell of the last seed: its states, its answer and how far back it learns, on one held-out sequence."""
    newest = {lap.cell: lap for lap in laps if lap.seed == laps[-1].seed and lap.strip is not None}
    if not newest:
        return
    name = "error" if goal.metric == "rmse" else goal.metric
    strips = [replace(lap.strip, label=f"{name} {metric_words(lap.metric, goal.metric)}") for lap in newest.values() if lap.strip]
    shown = laps[-1].shown
    if shown is not None:
        strip.draw(strips, shown, key("compare", "strip"), answer="answer", inputs="one sequence", live=True)


def _take(changes: Mapping[str, Any]) -> None:
    """Callback: set the widgets to the suggested contest; `watch` then draws the whole page."""
    for name in ("length", "seeds"):
        if name in changes:
            session.set_value(name, changes[name])
    if "learning_rate" in changes:
        for cell in CELLS:
            session.set_value(f"rate_{cell}", changes["learning_rate"])
    session.here().ended_contest = None


def _table(goal: contest.Goal, table: Sequence[contest_words.Standing]) -> list[dict[str, Any]]:
    best = "Best accuracy" if goal.metric == "accuracy" else "Best error"
    return [
        {
            "Cell": theme.CELL_NAMES[row.cell], "Solved": f"{row.solved} of {row.seeds}", "Training steps": f"{row.steps:,.0f}", "Computing": f"{row.seconds:.1f} s",
            best: metric_words(row.best, goal.metric), "Guessing": metric_words(goal.baseline, goal.metric), "Reach of the loss gradient": f"{row.reach:.0f} of {goal.length} steps", "Learning rate": f"{row.learning_rate:g}",
        }
        for row in table
    ]  # fmt: skip
