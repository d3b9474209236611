"""Gradients: how far back through time they reach, in untrained networks and during a training, and what this depends on."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.parts.gradients import bptt_animation, laboratory, quantities, run, scenarios
from pages.shared import charts, shell
from pages.shared.guard import section
from pages.shared.session import key
from pages.shared.widgets import expander
from rnn_core.figures import gradients as gradient_figures
from rnn_core.figures import jacobians as jacobian_figures
from rnn_core.figures.theme import CELL_NAMES
from rnn_core.probes.gradients import laboratory as gradient_probes
from rnn_core.probes.gradients import run as run_probes
from rnn_core.probes.gradients import walkthrough
from rnn_core.probes.jacobians import closed_forms
from rnn_core.spec.experiment import CELLS, Experiment

CURVES = ("state", "input", "component")  # quantities with a norm by time step for every network
PRODUCTS: dict[str, tuple[Any, Any]] = {  # quantity → probe and figure
    "singular": (gradient_probes.singular_values, jacobian_figures.singular_values),
    "lyapunov": (gradient_probes.lyapunov, jacobian_figures.lyapunov),
}

context = shell.page(
    "Gradients",
    ":material/trending_down:",
    "How far back does learning reach? The ribbon is the gradient: how much the answer depends on the state at each step, back from the last. "
    "Where it is thinner than a line, those steps teach the network nothing: the gradient has *vanished*.",
    stage=True,
)


@section("The choice of a scenario")
def choice_section() -> str:
    """Draw the choice of what is unrolled; return the scenario's key."""
    return scenarios.choose(context)


@section("The strip")
def strip_section() -> None:
    """Draw one sequence unrolled."""
    if unrolled == scenarios.REMEMBER:
        scenarios.recorded()
    elif unrolled == scenarios.RUN and context.use.possible:
        scenarios.chosen_run(context)
    elif unrolled:
        scenarios.untrained(unrolled)


@st.fragment
@section("The laboratory")
def laboratory_section() -> None:
    """Draw the gradients of untrained networks; each position of the sliders is one call to a worker."""
    experiment, scale = laboratory.settled() if unrolled in scenarios.WITH_KNOBS else laboratory.settings()
    quantity = quantities.choose_quantity()
    chart_key = key("gradients", "lab")
    if quantity in CURVES:
        words = "Computing the gradients of 3 networks"
        lab = shell.compute(words, gradient_probes.untrained_curves, experiment, scale)
        quantities.show(lab.curves[quantity], chart_key, rev="lab")
    elif quantity == "gates":
        chosen = quantities.choose_cell(CELLS[1:], key("gradients", "lab_gate_cell"))
        total, product = shell.compute("Computing the gates", gradient_probes.gates, experiment.replace(cell=chosen), scale)
        charts.chart(gradient_figures.gates(total, product), chart_key, quantities.alt([total]), rev="gates")
    else:
        probe, draw = PRODUCTS[quantity]
        found = shell.compute("Multiplying the Jacobians of 3 networks", probe, experiment, scale)
        charts.chart(draw(found), chart_key, "Product of Jacobians of three untrained networks", rev=quantity)
    st.markdown(quantities.MEANING[quantity])


@st.fragment
@section("This run")
def run_section() -> None:
    """Draw the gradients of the chosen run at a kept step, beside its first kept step or other runs."""
    record = context.run
    if record is None:
        st.info("Choose a run in the sidebar, or train one: its gradients appear here.", icon=":material/info:")
        return
    run.live_section(context)
    if context.use.possible:
        networks, of, relative = run.chosen_networks(context)
        quantity = quantities.choose_quantity("run_view", CURVES)
        words = "Computing the gradients of the kept steps"
        result = shell.compute(words, run_probes.run_curves, networks, record.experiment, of, relative, record.uploads)
        note = f"Input: {result.source}. The line is the median, the band covers the middle 80% of the sequences."
        quantities.show(result.curves[quantity], key("gradients", "run"), rev=record.id, note=note)
        own = [network for network in networks if not network.label][-1]  # the others belong to other runs
        title = "Singular values and Lyapunov exponents of this run's network"
        expander(title, ":material/blur_linear:", key("gradients", "run_spectrum"), lambda: run.spectrum(record, own))
    run.history_section(record)


@st.fragment
@section("Step by step")
def animation_section() -> None:
    """Draw backpropagation through time in five stages, with the numbers of a small network."""
    cell, gain, length = laboratory.animation_settings()
    experiment = Experiment().replace(cell=cell, gain=gain)
    words = "Running a small network forwards and backwards"
    bptt_animation.animation(shell.compute(words, walkthrough.walkthrough, experiment, length))
    st.caption(
        f"A real {CELL_NAMES[cell]} with 4 units, untrained; its task is to name the sign of the first number. Blue squares are positive, orange ones negative. "
        "Focus the picture and use ← → and space."
    )


@st.fragment
@section("Clipping")
def clipping_section() -> None:
    """Draw one batch's gradient before clipping and under both rules."""
    experiment, limit = laboratory.clipping_settings()
    norms = shell.compute("Computing one batch's gradient", gradient_probes.batch_gradient, experiment)
    laboratory.clip_result(norms, limit)


@st.fragment
@section("On paper")
def paper_section() -> None:
    """Draw two recurrences with known solutions."""
    for result, words in (
        (closed_forms.counterexample(), quantities.COUNTEREXAMPLE),
        (closed_forms.jordan_block(), quantities.JORDAN),
    ):
        st.subheader(result.title, anchor=False)
        st.markdown(words)
        charts.chart(jacobian_figures.product_norms(result), key("gradients", "growth", len(result.steps)), result.title)


@section("The heading")
def heading_section() -> None:
    """Say what follows the strip, for whom, and whether the chosen run can be part of it."""
    st.subheader("Measure it: curves, singular values, clipping. For a second lesson, and for engineers", anchor=False)
    shell.show_use(context.use)


SECTIONS = {
    ":material/science: Laboratory": laboratory_section,
    ":material/model_training: This run": run_section,
    ":material/animation: Step by step": animation_section,
    ":material/content_cut: Clipping": clipping_section,
    ":material/edit: On paper": paper_section,
}
unrolled = choice_section()
strip_section()
heading_section()
tabs = st.tabs(list(SECTIONS), on_change="rerun", key=key("gradients", "section"))
for tab, draw_section in zip(tabs, SECTIONS.values(), strict=True):
    if tab.open:
        with tab:
            draw_section()
