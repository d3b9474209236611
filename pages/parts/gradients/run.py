"""The chosen run on the Gradients page: the choice of its kept steps, its live gradient, its whole training."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from pages.parts.gradients.quantities import MEANING
from pages.shared import charts, guard, shell, usable
from pages.shared.session import key
from pages.shared.widgets import choice
from rnn_core.figures import gradients as figures
from rnn_core.figures import jacobians as jacobian_figures
from rnn_core.figures import live as live_figures
from rnn_core.probes.gradients.curves import curve
from rnn_core.probes.gradients.run import KeptModel, run_spectrum
from rnn_core.spec.experiment import Experiment
from rnn_core.store.run import ACTIVE


def chosen_networks(context: Any) -> tuple[tuple[KeptModel, ...], str, bool]:
    """Draw the choice of networks (a kept step, beside the first one or other runs), of the gradient's origin, and of relative curves."""
    run, imported = context.run, usable.imported(context.run)
    steps = [kept.step for kept in run.snapshots]
    left, right = st.columns(2)
    step = steps[0]
    if len(steps) == 1:
        left.caption("As it was imported" if imported else f"Its only kept step: {_step_label(step)}")
    else:
        step = left.select_slider(
            "Kept step", steps, steps[-1], format_func=_step_label, key=key("gradients", "kept_step", run.id)
        )
    help = "Runs with the same kind of data. They get this run's sequences as input."
    named = comparable(context)
    others = right.multiselect(
        "Beside it", list(named), format_func=named.__getitem__, key=key("gradients", "beside", run.id), help=help
    )
    with st.container(horizontal=True, vertical_alignment="bottom", gap="large"):
        help = "The answer before the sigmoid, or the loss. A network that is right has a tiny loss gradient everywhere: that is not vanishing."
        origins = {"output": "output"} if imported else {"output": "output", "loss": "loss"}  # without targets there is no loss
        of = choice("Gradient of", origins, "output", key=key("gradients", "run_of"), help=help)
        relative = st.toggle("Relative to the last step", True, key=key("gradients", "run_relative"))
    chosen = [KeptModel(shell.model(run, step), -1 if imported else step)]
    if step != steps[0] and not others:
        chosen.insert(0, KeptModel(shell.model(run, steps[0]), steps[0]))
    for other in others:
        with guard.store_errors():
            record = context.service.store.open(other)
        chosen.append(KeptModel(shell.model(record), record.snapshots[-1].step, record.name))
    return tuple(chosen), of, bool(relative)


def strip_networks(context: Any) -> tuple[KeptModel, ...]:
    """Draw the choice of a kept step; return that network, below the one before training."""
    run = context.run
    steps = [kept.step for kept in run.snapshots]
    step = steps[0]
    if len(steps) > 1:
        step_key = key("gradients", "strip_step", run.id)
        step = st.select_slider("Kept step", steps, steps[-1], format_func=_step_label, key=step_key)
    return tuple(KeptModel(shell.model(run, each), each) for each in dict.fromkeys((steps[0], step)))


def _step_label(step: int) -> str:
    return "untrained" if step == 0 else f"{step:,} steps"


def comparable(context: Any) -> dict[str, str]:
    """Id → name of other trained runs with the same task and vocabulary."""

    def kind(experiment: Experiment) -> tuple[str, int]:
        return experiment.data.task, experiment.data.vocabulary

    own = kind(context.run.experiment)
    others = [info for info in context.service.store.list() if info.step > 0 and info.id != context.run.id]
    return {info.id: info.name for info in others if kind(info.experiment) == own}


def live_section(context: Any) -> None:
    """While the run trains: draw the gradient of its latest batch, once a second."""
    training = context.service.live(context.run_id)
    with st.container():
        if training is not None and training.status in ACTIVE:
            st.fragment(_live, run_every=1.0)(context)


@guard.section("The live gradient")
def _live(context: Any) -> None:
    training = context.service.live(context.run_id)
    if training is None:
        return
    context.service.viewed(context.run_id)
    snapshot, name = training.snapshot, context.run.experiment.model.cell
    if snapshot is None or not np.size(snapshot.state_norms):
        st.caption(f"Live: no batch has been trained yet · status: {training.status}")
    else:
        item = curve(snapshot.state_norms[None], "loss", name, f"now, step {snapshot.step:,}")
        drawing = figures.norm_by_step(item, height=300)
        charts.chart(drawing, key("gradients", "live"), "Gradient norm by time step of the last batch", rev=context.run_id)
        st.caption(f"Live, mean over the batch · status: {training.status}")
    with guard.store_errors():
        first_kept = not context.run.snapshots and bool(context.service.store.open(context.run_id).snapshots)
    if first_kept or training.status not in ACTIVE:
        guard.rerun()  # redraws the page: its first kept step, or the end of the run


def spectrum(run: Any, network: KeptModel) -> None:
    """Draw the singular values and Lyapunov exponents of one of its networks."""
    words = "Multiplying its Jacobians"
    singular, exponents = shell.compute(words, run_spectrum, network, run.experiment, run.uploads)
    singular_key, lyapunov_key = key("gradients", "run_singular"), key("gradients", "run_lyapunov")
    charts.chart(jacobian_figures.singular_values([singular]), singular_key, "Singular values by lag", rev=run.id)
    charts.chart(jacobian_figures.lyapunov([exponents]), lyapunov_key, "Lyapunov exponents", rev=run.id)
    st.markdown(MEANING["singular"])


def history_section(run: Any) -> None:
    """Draw, over the whole training, the gradient norm by time step and the global norm before and after clipping."""
    steps, norms = run.norm_history
    if len(steps) < 2:
        return
    st.subheader("Over the whole training", anchor=False)
    words = "Gradient norm by time step over training"
    charts.chart(live_figures.norm_heat_map(steps, norms, 380), key("gradients", "over_training"), words, rev=run.id)
    st.caption(
        "Each row is one training step, the first at the bottom; bright: the loss depends strongly on the state there; grey: batches of shorter sequences. Mean over the batch of ‖∂L/∂sₜ‖."
    )
    columns = run.history
    if {"step", "gradient_norm", "clipped_norm"} <= columns.keys():
        drawing = figures.clip_history(columns["step"], columns["gradient_norm"], columns["clipped_norm"])
        charts.chart(drawing, key("gradients", "clip_history"), "Global gradient norm over training", rev=run.id)
        clip = run.experiment.training.clip
        words = f"This run clips it at {clip:g}." if clip else "This run does not clip."
        st.caption(f"The norm of all weights' gradients together. {words}")
