"""The map of how far back each cell remembers, and the sweep that fills it square by square."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from pages.shared import runs, shell
from rnn_core import contest, data, sweep
from rnn_core.figures import compare, theme

LENGTHS = [10, 25, 50, 100, 200, 400]
TICK = 0.7  # seconds between two looks at running work
OVER = ("finished", "stopped", "failed", "interrupted")
PUZZLES = {
    "adding": "Adding two marked numbers",
    "temporal_order": "Order of two signs",
    "first_token": "Recall the first symbol",
    "delayed_recall": "Recall with a delay",
    "copying": "Copying ten symbols",
    "parity": "Odd number of ones?",
}


def memory(service: Any) -> None:
    """The map: what ships, what was run here, and the sweep that fills more of it."""
    st.caption(
        "**What am I seeing?** One square per cell and length: how many runs, each from another seed, solved the puzzle within "
        f"{sweep.STEPS:,} training steps, and how many steps they took. The vanilla RNN was tried at two learning rates and keeps the better."
    )
    found = rows(service)
    for task in dict.fromkeys(row.task for row in found):
        bias = f" Gate bias {sweep.GATE_BIAS[task]:g}." if task in sweep.GATE_BIAS else ""
        st.subheader(data.task(task).title, anchor=False)
        st.markdown(f"{sweep.summary(sweep.cells_of_map(found, task))}{bias}")
        shell.chart(compare.memory_map(found, task), f"map_{task}", f"Share of runs that solved {task} by cell and length")
    st.divider()
    _sweep(service, found)


def _sweep(service: Any, found: Sequence[sweep.Outcome]) -> None:
    """Choose squares, fill them."""
    st.subheader("Fill in more of it", anchor=False)
    offered = [name for name in PUZZLES if name in data.tasks()]
    columns = st.columns([3, 3, 2])
    tasks = columns[0].multiselect(
        "Puzzles", offered, ["adding"], format_func=lambda name: data.task(name).title, key="sweep_tasks"
    )
    lengths = columns[1].multiselect("Lengths", LENGTHS, [10], key="sweep_lengths")
    seeds = columns[2].slider("Seeds", 1, 10, 5, key="sweep_seeds")
    missing = sweep.left(sweep.grid(tasks, lengths, seeds), found)
    job: str = st.session_state.get("sweep", "")
    state = service.streamed(job) if job else None
    running = state is not None and state.status not in OVER
    words = f"Run {len(missing)} missing trial{'s' if len(missing) > 1 else ''}" if missing else "Nothing is missing"
    if st.button(words, icon=":material/grid_on:", disabled=running or not missing):
        keep = _keeper(service)
        st.session_state["sweep"] = service.stream(sweep.run, missing, viewer=runs.viewer(), each=keep)
        st.session_state["sweep_trials"] = len(missing)
        st.rerun()
    if state is not None:
        st.fragment(_progress, run_every=TICK if running else None)(service, job)
    st.caption("Results are kept as they come: stop at any time, and press again to go on with what is missing.")


def _progress(service: Any, job: str) -> None:
    """How far a sweep has come, and its button."""
    state = service.streamed(job)
    if state is None:
        return
    service.seen(job)
    done = [value for value in state.values if isinstance(value, sweep.Outcome)]
    total = max(st.session_state.get("sweep_trials", 1), 1)
    now = next((value for value in reversed(state.values) if isinstance(value, contest.Lap)), None)
    doing = f" Now: {theme.CELL_NAMES[now.cell]}, seed {now.seed}, step {now.step:,}." if now else ""
    over = state.status in OVER
    st.progress(min(len(done) / total, 1.0), f"{len(done)} of {total} trials {'run' if over else 'done.'}{'' if over else doing}")
    if state.status in ("failed", "interrupted"):
        st.warning(shell.plain(state.message), icon=":material/info:")
    if not over:
        if st.button("Stop", icon=":material/stop:", key="sweep_stop"):
            service.control(job, "stop")
        if len(done) != st.session_state.get("sweep_seen"):
            st.session_state["sweep_seen"] = len(done)
            st.rerun()  # draw the map with the new square
    elif st.session_state.get("sweep_over") != job:
        st.session_state["sweep_over"] = job
        st.rerun()


def rows(service: Any) -> list[sweep.Outcome]:
    """The shipped map and what was run on this server."""
    return [*sweep.read(), *sweep.read(_own(service))]


def _own(service: Any) -> Path:
    return Path(service.store.home) / "contests" / "map.csv"


def _keeper(service: Any) -> Callable[[Any], None]:
    path = _own(service)

    def keep(value: Any) -> None:
        if isinstance(value, sweep.Outcome):
            sweep.append(path, value)

    return keep
