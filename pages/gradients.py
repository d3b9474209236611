"""Gradients: how far back a network can feel, at initialisation and through its training, and what decides it."""

from __future__ import annotations

import streamlit as st

from pages.parts.gradients import bptt_animation, quantities
from pages.parts.gradients import laboratory as untrained
from pages.parts.gradients import run as run_gradients
from pages.shared import shell
from pages.shared.guard import section
from pages.shared.session import key
from rnn_core.figures import gradients as figures
from rnn_core.figures import jacobians as products
from rnn_core.figures.theme import CELL_NAMES
from rnn_core.probes.gradients import laboratory as flow
from rnn_core.probes.gradients import run as run_probes
from rnn_core.probes.gradients import walkthrough
from rnn_core.probes.jacobians import closed_forms
from rnn_core.spec.experiment import CELLS, Experiment

context = shell.page(
    "Gradients",
    ":material/trending_down:",
    "**What am I seeing?** To learn from the past, a network must feel how its answer depends on the past. Every curve here shows that dependence, "
    "step by step backwards from the end (right) to the beginning (left). Where it falls to nothing, the network cannot learn: the gradient has *vanished*.",
)


@st.fragment
@section("The laboratory")
def laboratory() -> None:
    """Untrained networks under sliders: one worker call per position."""
    experiment, scale = untrained.knobs()
    view = quantities.view()
    if view in ("state", "input", "component"):
        lab = shell.wait(context.service.call(flow.untrained_curves, experiment, scale), "Running 3 networks backwards")
        curves = lab.curves[view]
        shell.chart(figures.norm_by_step(curves), key("gradients", "lab"), quantities.alt(curves), rev="lab")
        quantities.cards(curves)
        quantities.meaning(view)
    elif view == "gates":
        chosen = quantities.cell(CELLS[1:], key("gradients", "lab_gate_cell"))
        total, product = shell.wait(context.service.call(flow.gates, experiment.replace(cell=chosen), scale), "Reading the gates")
        shell.chart(figures.gates(total, product), key("gradients", "lab"), quantities.alt([total]), rev="gates")
        quantities.meaning("gates")
    else:
        probe, draw = (
            (flow.singular_values, products.singular_values) if view == "singular" else (flow.lyapunov, products.lyapunov)
        )
        found = shell.wait(context.service.call(probe, experiment, scale), "Multiplying the Jacobians of 3 networks")
        shell.chart(draw(found), key("gradients", "lab"), "Product of Jacobians of three untrained networks", rev=view)
        quantities.meaning(view)


@st.fragment
@section("This run")
def of_this_run() -> None:
    """The chosen run at any kept moment, beside its start and beside other runs."""
    run = context.run
    if run is None:
        st.info("Choose a run in the sidebar, or train one: its gradients appear here.", icon=":material/info:")
        return
    run_gradients.live(context)
    if context.use.possible:
        moments, of, relative = run_gradients.moments(context)
        view = quantities.view("run_view", ("state", "input", "component"))
        result = shell.wait(
            context.service.call(run_probes.run_curves, moments, run.experiment, of, relative, run.uploads),
            "Running the kept networks backwards",
        )
        shell.chart(
            figures.norm_by_step(result.curves[view]), key("gradients", "run"), quantities.alt(result.curves[view]), rev=run.id
        )
        st.caption(f"Read: {result.source}. The line is the median, the band holds the middle 80% of the sequences.")
        quantities.cards(result.curves[view])
        with st.expander(
            "Singular values and Lyapunov exponents of the last moment",
            icon=":material/blur_linear:",
            on_change="rerun",
            key=key("gradients", "run_spectrum"),
        ) as closer:
            if closer.open:
                singular, exponents = shell.wait(
                    context.service.call(run_probes.run_spectrum, moments[-1], run.experiment, run.uploads),
                    "Multiplying its Jacobians",
                )
                shell.chart(
                    products.singular_values([singular]), key("gradients", "run_singular"), "Singular values by lag", rev=run.id
                )
                shell.chart(products.lyapunov([exponents]), key("gradients", "run_lyapunov"), "Lyapunov exponents", rev=run.id)
                quantities.meaning("singular")
    run_gradients.history(run)


@st.fragment
@section("Step by step")
def step_by_step() -> None:
    """Backpropagation through time in five stages, with a small network's real numbers."""
    cell, gain, length = untrained.small_network()
    experiment = Experiment().replace(cell=cell, gain=gain)
    walk = shell.wait(
        context.service.call(walkthrough.walkthrough, experiment, length), "Running a small network forwards and backwards"
    )
    bptt_animation.animation(walk)
    st.caption(
        f"A real {CELL_NAMES[cell]} with 4 units, untrained; its task is to name the sign of the first number. Blue squares are positive, orange ones negative. "
        "Focus the picture and use ← → and space."
    )


@st.fragment
@section("Clipping")
def clip() -> None:
    """The same batch's gradient before clipping and under both rules."""
    experiment, limit = untrained.exploding()
    norms = shell.wait(context.service.call(flow.batch_gradient, experiment), "Computing one batch's gradient")
    untrained.clip_result(norms, limit)


@st.fragment
@section("On paper")
def paper() -> None:
    """Two recurrences solved on paper."""
    for result, words in (
        (closed_forms.counterexample(), quantities.COUNTEREXAMPLE),
        (closed_forms.jordan_block(), quantities.JORDAN),
    ):
        st.subheader(result.title, anchor=False)
        st.markdown(words)
        shell.chart(products.product_norms(result), key("gradients", "growth", len(result.steps)), result.title)


SECTIONS = {
    ":material/science: Laboratory": laboratory,
    ":material/model_training: This run": of_this_run,
    ":material/animation: Step by step": step_by_step,
    ":material/content_cut: Clipping": clip,
    ":material/edit: On paper": paper,
}
tabs = st.tabs(list(SECTIONS), on_change="rerun", key=key("gradients", "section"))
for tab, draw_section in zip(tabs, SECTIONS.values(), strict=True):
    if tab.open:
        with tab:
            draw_section()
