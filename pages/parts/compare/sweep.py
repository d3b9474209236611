"""The map of how far back each cell remembers, and the sweep that computes missing squares of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from pages.shared import charts, guard, session
from pages.shared.session import key
from pages.shared.words import plain
from rnn_core import data
from rnn_core.figures import compare, theme
from rnn_core.studies import sweep
from rnn_core.studies.sweep_on_cluster import Sweep

LENGTHS = [10, 25, 50, 100, 200, 400]
TICK = 0.7  # seconds between two redraws while a contest or a sweep runs
PUZZLES = {
    "adding": "Adding two marked numbers",
    "temporal_order": "Order of two signs",
    "first_token": "Recall the first symbol",
    "delayed_recall": "Recall with a delay",
    "copying": "Copying ten symbols",
    "parity": "Odd number of ones?",
}


def show(service: Any) -> None:
    """Draw the map from shipped and own results, and the sweep."""
    st.caption(
        "**What am I seeing?** One square per cell and length: how many runs, each from another seed, solved the puzzle within "
        f"{sweep.STEPS:,} training steps, and how many steps they took. Grey: none did; “best” is the median of the best held-out results (adding: an error, else the share of right answers). The vanilla RNN was tried at two learning rates and keeps the better."
    )
    map_place, sweep_place = st.container(), st.container()  # a timer redraws the second, however many maps there are
    found = map_rows(service)
    for task in dict.fromkeys(row.task for row in found):
        bias = f" Gate bias {sweep.GATE_BIAS[task]:g}." if task in sweep.GATE_BIAS else ""
        map_place.subheader(data.task(task).title, anchor=False)
        map_place.markdown(f"{sweep.summary(sweep.cells_of_map(found, task))}{bias}")
        with map_place:
            words = f"Share of runs that solved {task} by cell and length"
            charts.chart(compare.memory_map(found, task), key("compare", "map", task), words)
    with sweep_place:
        st.divider()
        _sweep(service, found)


def _sweep(service: Any, found: Sequence[sweep.Outcome]) -> None:
    """Draw the choice of trials, their start, and their progress."""
    st.subheader("Fill in more of it", anchor=False)
    columns = st.columns([3, 3, 2])
    titles = {name: data.task(name).title for name in PUZZLES}
    tasks = columns[0].multiselect(
        "Puzzles", list(titles), ["adding"], format_func=titles.__getitem__, key=key("compare", "sweep_tasks")
    )
    lengths = columns[1].multiselect("Lengths", LENGTHS, [10], key=key("compare", "sweep_lengths"))
    seeds = columns[2].slider("Seeds", 1, 10, 5, key=key("compare", "sweep_seeds"))
    missing = sweep.remaining(sweep.grid(tasks, lengths, seeds), found)
    sweeping: Sweep | None = session.here().sweep
    running = sweeping is not None and not sweeping.progress().over
    words = f"Run {len(missing)} missing trial{'s' if len(missing) > 1 else ''}" if missing else "Nothing is missing"
    if st.button(words, icon=":material/grid_on:", disabled=running or not missing, key=key("compare", "sweep_start")):
        session.here().sweep = Sweep(service, missing, _own_map(service), session.here().viewer)
        st.rerun()
    with st.container():
        if sweeping is not None:
            st.fragment(_progress, run_every=TICK if running else None)(sweeping)
    st.caption("Results are kept as they come: stop at any time, and press again to go on with what is missing.")


@guard.section("The trials")
def _progress(sweeping: Sweep) -> None:
    """Draw the progress of a sweep and its Stop button."""
    now = sweeping.progress()
    running_words = "; ".join(f"{theme.CELL_NAMES[lap.cell]}, seed {lap.seed}, step {lap.step:,}" for lap in now.running)
    more = f" Now: {running_words}." if running_words else " It waits for a worker." if now.waiting else ""
    words = f"{now.done} of {now.total} trials {'run' if now.over else f'done.{more}'}"
    st.progress(min(now.done / max(now.total, 1), 1.0), words)
    if now.message:
        st.warning(plain(now.message), icon=":material/info:")
    if not now.over and st.button("Stop", icon=":material/stop:", key=key("compare", "sweep_stop")):
        sweeping.stop()
    progress = (id(sweeping), now.done, now.over)
    if session.here().drawn_sweep != progress:
        session.here().drawn_sweep = progress
        guard.rerun()  # redraws the map with new results, or the page without the timer


def map_rows(service: Any) -> list[sweep.Outcome]:
    """The results in the shipped map and those computed on this server."""
    return [*sweep.read(), *sweep.read(_own_map(service))]


def _own_map(service: Any) -> Path:
    return Path(service.store.home) / "contests" / "map.csv"
