"""Gradients: how far back through time they reach, in untrained networks and during a training, and what this depends on."""

from __future__ import annotations

import streamlit as st

from pages.parts.gradients import bptt_animation, laboratory, quantities, run
from pages.shared import shell
from pages.shared.guard import section
from pages.shared.session import key
from rnn_core.figures import gradients as gradient_figures
from rnn_core.figures import jacobians as jacobian_figures
from rnn_core.figures.theme import CELL_NAMES
from rnn_core.probes.gradients import laboratory as gradient_probes
from rnn_core.probes.gradients import run as run_probes
from rnn_core.probes.gradients import walkthrough
from rnn_core.probes.jacobians import closed_forms
from rnn_core.spec.experiment import CELLS, Experiment

context = shell.page(
    "Gradients",
    ":material/trending_down:",
    "**What am I seeing?** To learn from early inputs, a network needs a gradient: how much its answer depends on each time step. Every curve here shows that dependence, "
    "step by step backwards from the end (right) to the beginning (left). Where it falls to almost zero, the network cannot learn: the gradient has *vanished*.",
)


@st.fragment
@section("The laboratory")
def laboratory_section() -> None:
    """Draw the gradients of untrained networks; each position of the sliders is one call to a worker."""
    experiment, scale = laboratory.settings()
    quantity = quantities.choose_quantity()
    if quantity in ("state", "input", "component"):
        lab = shell.wait(
            context.service.call(gradient_probes.untrained_curves, experiment, scale), "Computing the gradients of 3 networks"
        )
        curves = lab.curves[quantity]
        shell.chart(gradient_figures.norm_by_step(curves), key("gradients", "lab"), quantities.alt(curves), rev="lab")
        quantities.say_if_empty(curves)
        quantities.cards(curves)
        quantities.explain(quantity)
    elif quantity == "gates":
        chosen = quantities.choose_cell(CELLS[1:], key("gradients", "lab_gate_cell"))
        total, product = shell.wait(
            context.service.call(gradient_probes.gates, experiment.replace(cell=chosen), scale), "Computing the gates"
        )
        shell.chart(gradient_figures.gates(total, product), key("gradients", "lab"), quantities.alt([total]), rev="gates")
        quantities.explain("gates")
    else:
        probe, draw = (
            (gradient_probes.singular_values, jacobian_figures.singular_values)
            if quantity == "singular"
            else (gradient_probes.lyapunov, jacobian_figures.lyapunov)
        )
        found = shell.wait(context.service.call(probe, experiment, scale), "Multiplying the Jacobians of 3 networks")
        shell.chart(draw(found), key("gradients", "lab"), "Product of Jacobians of three untrained networks", rev=quantity)
        quantities.explain(quantity)


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
        quantity = quantities.choose_quantity("run_view", ("state", "input", "component"))
        result = shell.wait(
            context.service.call(run_probes.run_curves, networks, record.experiment, of, relative, record.uploads),
            "Computing the gradients of the kept steps",
        )
        shell.chart(
            gradient_figures.norm_by_step(result.curves[quantity]),
            key("gradients", "run"),
            quantities.alt(result.curves[quantity]),
            rev=record.id,
        )
        quantities.say_if_empty(result.curves[quantity])
        st.caption(f"Input: {result.source}. The line is the median, the band covers the middle 80% of the sequences.")
        quantities.cards(result.curves[quantity])
        with st.expander(
            "Singular values and Lyapunov exponents of this run's network",
            icon=":material/blur_linear:",
            on_change="rerun",
            key=key("gradients", "run_spectrum"),
        ) as details:
            if details.open:
                own = [network for network in networks if not network.label][-1]  # the others belong to other runs
                singular, exponents = shell.wait(
                    context.service.call(run_probes.run_spectrum, own, record.experiment, record.uploads),
                    "Multiplying its Jacobians",
                )
                shell.chart(
                    jacobian_figures.singular_values([singular]),
                    key("gradients", "run_singular"),
                    "Singular values by lag",
                    rev=record.id,
                )
                shell.chart(
                    jacobian_figures.lyapunov([exponents]), key("gradients", "run_lyapunov"), "Lyapunov exponents", rev=record.id
                )
                quantities.explain("singular")
    run.history_section(record)


@st.fragment
@section("Step by step")
def animation_section() -> None:
    """Draw backpropagation through time in five stages, with the numbers of a small network."""
    cell, gain, length = laboratory.animation_settings()
    experiment = Experiment().replace(cell=cell, gain=gain)
    example = shell.wait(
        context.service.call(walkthrough.walkthrough, experiment, length), "Running a small network forwards and backwards"
    )
    bptt_animation.animation(example)
    st.caption(
        f"A real {CELL_NAMES[cell]} with 4 units, untrained; its task is to name the sign of the first number. Blue squares are positive, orange ones negative. "
        "Focus the picture and use ← → and space."
    )


@st.fragment
@section("Clipping")
def clipping_section() -> None:
    """Draw one batch's gradient before clipping and under both rules."""
    experiment, limit = laboratory.clipping_settings()
    norms = shell.wait(context.service.call(gradient_probes.batch_gradient, experiment), "Computing one batch's gradient")
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
        shell.chart(jacobian_figures.product_norms(result), key("gradients", "growth", len(result.steps)), result.title)


SECTIONS = {
    ":material/science: Laboratory": laboratory_section,
    ":material/model_training: This run": run_section,
    ":material/animation: Step by step": animation_section,
    ":material/content_cut: Clipping": clipping_section,
    ":material/edit: On paper": paper_section,
}
tabs = st.tabs(list(SECTIONS), on_change="rerun", key=key("gradients", "section"))
for tab, draw_section in zip(tabs, SECTIONS.values(), strict=True):
    if tab.open:
        with tab:
            draw_section()
