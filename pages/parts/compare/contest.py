"""A contest of three cells on one puzzle: chosen, started, and watched while it runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from pages.parts.compare import sweep as sweeps
from pages.parts.compare.sweep import LENGTHS, PUZZLES, TICK
from pages.shared import guard, run_picker, session, shell
from pages.shared.session import key, linked
from rnn_core import data
from rnn_core.figures import compare, theme
from rnn_core.spec.experiment import CELLS, Experiment
from rnn_core.studies import contest as contests
from rnn_core.studies import contest_words, sweep
from rnn_core.studies import recorded as shipped
from rnn_core.studies.sweep_on_cluster import ENDED

RATES = [0.0003, 0.001, 0.003, 0.01, 0.03]
BUDGETS = [500, 1000, 1500, 2000, 4000]


def contest(service: Any) -> None:
    """Choose, start, watch."""
    st.markdown("The three cells start from the same seed and read the same sequences, a few training steps each in turn.")
    entries, steps = _chosen()
    squares = sweep.cells_of_map(sweeps.rows(service), entries[0].data.task)
    known = sweep.at_length(squares, entries[0].data.length)
    if known:
        st.caption(f":material/map: Tried before at this length, within {sweep.STEPS:,} training steps: {known}")
    job: str | None = st.query_params.get("contest") or session.here().contest
    state = service.streamed(job) if job else None
    running = state is not None and state.status not in ENDED
    if st.button(
        "Start the contest", icon=":material/flag:", type="primary", disabled=running, key=key("compare", "contest_start")
    ):
        job = service.stream(contests.contest, entries, steps, viewer=run_picker.viewer())
        session.here().contest = st.query_params["contest"] = job
        st.rerun()
    if state is None:
        if job:
            st.info(
                "That contest is not known here any more. Start it again: the same seed gives the same contest.",
                icon=":material/link_off:",
            )
        _earlier()
        return
    if job:
        st.query_params["contest"] = job  # a link for whoever wants to watch too
        st.fragment(watch, run_every=TICK if running else None)(service, job)


def _earlier() -> None:
    """Before the first contest: one that we ran, so that the page is never empty."""
    aim, *laps = shipped.recorded()
    assert isinstance(aim, contests.Goal)
    st.markdown(f"##### A contest that we ran before: {PUZZLES[aim.task].lower()}, {aim.length} steps, seed 0")
    _result(aim, [lap for lap in laps if isinstance(lap, contests.Lap)], "recorded", over=True)


def _chosen() -> tuple[list[Experiment], int]:
    """The contestants that the widgets describe, and their budget of training steps."""
    offered = [name for name in PUZZLES if name in data.tasks()]
    columns = st.columns([4, 2, 2, 2])
    task = columns[0].selectbox(
        "Puzzle",
        offered,
        format_func=PUZZLES.__getitem__,
        **linked("puzzle"),
        help="\n\n".join(f"**{data.task(name).title}**: {data.task(name).description}" for name in offered),
    )
    length = columns[1].select_slider("Length, in time steps", LENGTHS, 100, **linked("length"))
    steps = columns[2].select_slider(
        "Training steps, at most",
        BUDGETS,
        1500,
        format_func="{:,}".format,
        **linked("budget"),
    )
    seeds = columns[3].slider(
        "Seeds",
        1,
        5,
        1,
        **linked("seeds"),
        help="Other initial weights and other sequences. Several seeds run one after the other; one seed is an anecdote.",
    )
    with st.expander("Learning rates and gate bias", icon=":material/tune:"):
        knobs = st.columns(4)
        rates = {
            cell: column.select_slider(f"Learning rate, {theme.CELL_NAMES[cell]}", RATES, 0.01, **linked(f"rate_{cell}"))
            for cell, column in zip(CELLS, knobs, strict=False)
        }
        default = sweep.GATE_BIAS.get(task, 0.0)
        own = knobs[3].slider(
            "Gate bias at the start",
            0.0,
            6.0,
            default,
            0.5,
            **linked(f"bias_{task}"),
            help="Of the LSTM's forget and the GRU's update gate: larger keeps the old state longer. 0 takes Keras's own (1 and 0).",
        )
    bias = own or None
    entries = [
        contests.entry(task, length, cell, seed=seed, learning_rate=rates[cell], gate_bias=None if cell == "simple_rnn" else bias)
        for seed in range(seeds) for cell in CELLS
    ]  # fmt: skip
    return entries, steps


@guard.section("The contest")
def watch(service: Any, job: str) -> None:
    """One look at a contest: its verdict so far, its curves, and the buttons that hold or end it."""
    state = service.streamed(job)
    if state is None:
        return
    service.viewed(job)
    over = state.status in ENDED
    aims = [value for value in state.values if isinstance(value, contests.Goal)]
    laps = [value for value in state.values if isinstance(value, contests.Lap)]
    if not over:
        _buttons(service, job, state)
    elif session.here().contest_over != job:
        session.here().contest_over = job
        st.rerun()  # the whole page once more, now without the timer
    if state.status in ("failed", "interrupted"):
        st.warning(shell.plain(state.message), icon=":material/info:")
    if not laps:
        return
    _result(aims[0], laps, job, over)


def _buttons(service: Any, job: str, state: Any) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        paused = state.status == "paused"
        if st.button(
            "Go on" if paused else "Pause",
            icon=":material/play_arrow:" if paused else ":material/pause:",
            key=key("compare", "contest_pause"),
        ):
            service.control(job, "resume" if paused else "pause")
        if st.button("Stop", icon=":material/stop:", key=key("compare", "contest_stop")):
            service.control(job, "stop")
        words = {"waiting": f"Waiting: place {state.position} in the queue.", "paused": "Paused."}.get(
            state.status, "Running." if state.values else "Getting ready: the networks are being compiled."
        )
        st.caption(words)


def _result(aim: contests.Goal, laps: Sequence[contests.Lap], job: str, over: bool) -> None:
    table = contest_words.standings(laps)
    words = contest_words.verdict(aim, table, stopped=over)
    with st.container(border=True):
        st.markdown("#### Verdict" if over else "#### So far")
        st.markdown("\n".join(f"- {sentence}" for sentence in words))
    left, right = st.columns(2)
    with left:
        st.caption(
            "**What am I seeing?** How well each does on 512 sequences it never trains on. At the dashed line it only guesses; at the dotted one the puzzle counts as solved (★)."
        )
        shell.chart(
            compare.curves(laps, aim),
            key("compare", "contest_curves"),
            "Held-out metric of each cell over training steps",
            rev=job,
        )
    with right:
        st.caption(
            "**What am I seeing?** How large the loss gradient still is, so many steps before the end. A step it does not reach cannot be learned from. Dotted: before training."
        )
        shell.chart(
            compare.reach(laps, aim), key("compare", "contest_reach"), "Relative gradient norm of each cell by time step", rev=job
        )
    st.dataframe(_table(aim, table), hide_index=True)


def _table(aim: contests.Goal, table: Sequence[contest_words.Standing]) -> list[dict[str, Any]]:
    return [
        {
            "Cell": theme.CELL_NAMES[row.cell], "Solved": f"{row.solved} of {row.seeds}", "Training steps": f"{row.steps:,.0f}", "Computing": f"{row.seconds:.1f} s",
            "Best accuracy" if aim.metric == "accuracy" else "Best error": f"{row.best:.1%}" if aim.metric == "accuracy" else f"{row.best:.3f}",
            "Guessing": f"{aim.baseline:.1%}" if aim.metric == "accuracy" else f"{aim.baseline:.3f}",
            "Gradient reach": f"{row.reach:.0f} steps", "Learning rate": f"{row.learning_rate:g}",
        }
        for row in table
    ]  # fmt: skip
