"""The Gradients page's knobs, cards and words. Knobs bind to the link, so that a teacher can share a position."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import streamlit as st

from pages.shared import shell
from pages.shared.words import plain
from rnn_core.experiment import CELLS, Experiment
from rnn_core.figures import gradients as figures
from rnn_core.figures.theme import CELL_NAMES
from rnn_core.probes.clipping import compare
from rnn_core.probes.curves import QUANTITIES, Curve, curve, half_life, in_words
from rnn_core.probes.flow import Moment

VIEWS = {
    "state": "Memory",
    "input": "Input",
    "component": "Share of the update",
    "gates": "Gates alone",
    "singular": "Singular values",
    "lyapunov": "Lyapunov exponents",
}
MEANING = {
    "state": "**Memory**, ‖∂y/∂sₜ‖: nudge the state (the network's memory) at one step; how much does the answer *y* (before the sigmoid) change? "
    "For the LSTM the state is both its vectors, [h; c]. The gradient of the loss has the same shape here, because the loss only scales each sequence's curve.",
    "input": "**Input**, ‖∂y/∂xₜ‖: nudge what is read at one step instead. This is the memory curve times what the input can do to the state.",
    "component": "**Share of the update**, ‖∂y/∂U at step t‖: all steps share the recurrent weights U, and their gradient is a sum over steps; this is the size of each term. "
    "Steps whose term is tiny teach the network nothing. (The first step has no term: the state before it is zero.)",
    "gates": "A gate between 0 and 1 multiplies the old state at each step, so the gates alone would let through their product (dashed). "
    "The total gradient also takes the paths through the output and the other gates: it is a *different curve*, sometimes larger.",
    "singular": r"$\partial s_T/\partial s_t$ is the product of the Jacobians of all steps between. Its **largest singular value** (solid) is the most that any nudge of the memory can still do: "
    "the worst case over directions. The middle one (dashed) and the smallest (dotted) show how many directions are already lost. (An untrained LSTM loses half of [h; c] at once, because h is made from c.)",
    "lyapunov": "The **Lyapunov exponents** are the average growth per step of independent nudges, on a log scale: 0 keeps, below 0 forgets, above 0 explodes. exp(exponent) is the factor per step.",
}
COUNTEREXAMPLE = (
    "It is often said that gradients vanish when the *spectral radius* (the largest eigenvalue's size) of the recurrent weights is below 1. "
    "Here it is **0**, and yet the gradient doubles with every step: y ← tanh(W y + b) with W = [[8, 8], [−8, −8]] rests at y = (0, ½), "
    "where its Jacobian K satisfies K² = 2 K. What does bound the gradient of a tanh network is the largest *singular value* of W, here 16, to the power n."
)
JORDAN = (
    "A linear network with W = [[0.9, 1], [0, 0.9]]. Both eigenvalues are 0.9, so in the long run the gradient vanishes; "
    "but first it grows to 3.9 times its size. One curve that goes up for a few steps does not mean that a network explodes."
)
BIASES = ("default", *range(-2, 9))
INITIALISERS = ("orthogonal", "glorot_uniform", "identity", "random_normal")


def knobs() -> tuple[Experiment, float]:
    """The laboratory's sliders: an untrained experiment and the standard deviation of its inputs."""
    keep: dict[str, Any] = {"bind": "query-params", "persist_state": "session"}
    first, second, third, fourth = st.columns(4)
    help = "Multiplies the initial recurrent weights: below 1 they forget, above 1 they explode."
    gain = first.slider("Recurrent gain", 0.0, 2.0, 1.0, 0.05, key="lab_gain", help=help, **keep)
    help = "Initial bias of the forget gate (LSTM; Keras: 1) and the update gate (GRU; Keras: 0). High keeps the memory."
    bias = second.select_slider("Gate bias", BIASES, "default", key="lab_bias", help=help, **keep)
    length = third.select_slider(
        "Length", (10, 25, 50, 100, 200, 500), 100, key="lab_length", help="Time steps of the sequences.", **keep
    )
    help = "Standard deviation of the inputs: 0.03 is a fresh embedding of words, 1 a normalised series."
    scale = fourth.select_slider("Input scale", (0.0, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0), 0.03, key="lab_scale", help=help, **keep)
    with st.expander("Activation, initialiser, units, seed", key="lab_more", bind="query-params"):
        first, second, third, fourth = st.columns(4)
    activation = first.selectbox(
        "Activation", ("tanh", "relu", "linear", "sigmoid"), key="lab_activation", help="The nonlinearity of the state.", **keep
    )
    help = "How the recurrent weights start. Keras: orthogonal."
    initialiser = second.selectbox("Recurrent initialiser", INITIALISERS, key="lab_initialiser", help=help, **keep)
    units = third.select_slider("Units", (4, 8, 16, 32, 64), 32, key="lab_units", help="Numbers in the hidden state.", **keep)
    seed = fourth.number_input("Seed", 0, 9999, 0, key="lab_seed", help="Another seed draws other weights and inputs.", **keep)
    fields = {
        "gain": gain,
        "length": length,
        "activation": activation,
        "initialiser": initialiser,
        "units": units,
        "seed": int(seed),
    }
    return Experiment().replace(**fields, gate_bias=None if bias == "default" else float(bias)), float(scale)


def view(key: str = "lab_view", options: Sequence[str] = tuple(VIEWS)) -> str:
    """Which quantity to look at."""
    return st.segmented_control(
        "Look at", options, default="state", format_func=VIEWS.__getitem__, required=True, key=key, bind="query-params", label_visibility="collapsed"
    ) or "state"  # fmt: skip


def cell(options: Sequence[str], key: str) -> str:
    """One cell type."""
    return (
        st.segmented_control("Cell", options, default=options[0], format_func=CELL_NAMES.__getitem__, required=True, key=key)
        or options[0]
    )


def alt(curves: Sequence[Curve]) -> str:
    """The figure in a sentence, for a screen reader."""
    return f"{QUANTITIES[curves[0].quantity][0]} by time step: " + "; ".join(
        f"{figures.name_of(item)} {in_words(item.factor)}" for item in curves
    )


def cards(curves: Sequence[Curve]) -> None:
    """The fitted factor of each curve as a half-life, with the number of weights."""
    for row in range(0, len(curves), 4):
        for column, item in zip(st.columns(max(3, len(curves[row : row + 4]))), curves[row : row + 4], strict=False):
            steps = half_life(item.factor)
            verb = (
                "no fit"
                if not np.isfinite(item.factor)
                else "keeps its size"
                if abs(steps) > 2000
                else "halves every"
                if steps > 0
                else "doubles every"
            )
            value = f"{abs(steps):.{int(abs(steps) < 10)}f} steps" if verb.endswith("every") else "–"
            column.metric(
                f"{plain(figures.name_of(item))}: {verb}",
                value,
                help="Least-squares fit of the median, 5 to 45 steps before the end.",
            )
            facts = [f"× {item.factor:.3f} per step"] * bool(np.isfinite(item.factor)) + [f"{item.parameters:,} weights"] * bool(
                item.parameters
            )
            column.caption(" · ".join(facts))


def meaning(view: str) -> None:
    """What the present view measures, in plain words."""
    st.markdown(MEANING[view])


def moments(context: Any) -> tuple[tuple[Moment, ...], str, bool]:
    """Kept models to draw (start, chosen moment, other runs), the gradient's origin, and whether curves are relative."""
    run = context.run
    steps = [kept.step for kept in run.snapshots]
    if not steps:
        st.info(
            "No weights of this run were kept yet: the first are kept when its training starts.", icon=":material/hourglass_top:"
        )
        return (), "output", True
    left, right = st.columns(2)
    step = steps[0]
    if len(steps) == 1:
        left.caption(f"Its only kept moment: {_moment(step)}")
    else:
        step = left.select_slider("Moment of training", steps, steps[-1], format_func=_moment, key=f"moment_{run.id}")
    help = "Runs that read the same kind of data. They are run on this run's sequences."
    named = names(context)
    others = right.multiselect("Beside it", comparable(context), format_func=named.__getitem__, key=f"beside_{run.id}", help=help)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="large"):
        help = "The answer before the sigmoid, or the loss. A network that is right has a tiny loss gradient everywhere: that is not vanishing."
        of = st.segmented_control("Gradient of", ("output", "loss"), default="output", required=True, key="run_of", help=help)
        relative = st.toggle("Relative to the last step", True, key="run_relative")
    chosen = [Moment(run.model(step), step)]
    if step != steps[0] and not others:
        chosen.insert(0, Moment(run.model(steps[0]), steps[0]))
    for other in others:
        record = context.service.store.open(other)
        chosen.append(Moment(record.model(), record.snapshots[-1].step, record.name))
    return tuple(chosen), of or "output", bool(relative)


def _moment(step: int) -> str:
    return "untrained" if step == 0 else f"{step:,} steps"


def comparable(context: Any) -> list[str]:
    """Ids of other runs that can read this run's sequences."""
    mine, store = context.run.experiment.data, context.service.store
    kinds = {info.id: (info.experiment.data.task, info.experiment.data.vocabulary) for info in store.list() if info.step > 0}
    return [key for key, kind in kinds.items() if key != context.run.id and kind == (mine.task, mine.vocabulary)]


def names(context: Any) -> dict[str, str]:
    """Names of all runs by id."""
    return {info.id: info.name for info in context.service.store.list()}


UNDER_WAY = ("waiting", "running", "paused")


def live(context: Any) -> None:
    """While the run trains: the gradient of the batch that was just read, redrawn once a second."""
    now = context.service.live(context.run_id)
    if now is not None and now.status in UNDER_WAY:
        st.fragment(_live, run_every=1.0)(context)


def _live(context: Any) -> None:
    now = context.service.live(context.run_id)
    if now is None:
        return
    context.service.seen(context.run_id)
    snapshot, name = now.snapshot, context.run.experiment.model.cell
    if snapshot is None or not np.size(snapshot.state_norms):
        st.caption(f"Live: no batch has been read yet · status: {now.status}")
    else:
        item = curve(snapshot.state_norms[None], "loss", name, f"now, step {snapshot.step:,}")
        drawing = figures.norm_by_step(item, height=300)
        shell.chart(drawing, "live", "Gradient norm by time step of the last batch", rev=context.run_id)
        st.caption(f"Live, mean over the batch · status: {now.status}")
    first_kept = not context.run.snapshots and bool(context.service.store.open(context.run_id).snapshots)
    if first_kept or now.status not in UNDER_WAY:
        st.rerun()  # what the page could not draw when it was opened


def history(run: Any) -> None:
    """Over the whole training: gradient norm by time step as a heat map, and the global norm before and after clipping."""
    steps, norms = run.norm_history
    if len(steps) < 2:
        return
    st.subheader("Over the whole training", anchor=False)
    shell.chart(figures.over_training(steps, norms), "over_training", "Gradient norm by time step over training", rev=run.id)
    st.caption(
        "Each row is one training step, the first at the bottom; bright: the loss depends strongly on the memory there; short rows: batches of short sequences. Mean over the batch of ‖∂L/∂sₜ‖."
    )
    columns = run.history
    if {"step", "gradient_norm", "clipped_norm"} <= columns.keys():
        shell.chart(
            figures.clip_history(columns["step"], columns["gradient_norm"], columns["clipped_norm"]),
            "clip_history",
            "Global gradient norm over training",
            rev=run.id,
        )
        clip = run.experiment.training.clip
        st.caption(
            "The norm of all weights' gradients together. "
            + (f"This run clips it at {clip:g}." if clip else "This run does not clip.")
        )


def small_network() -> tuple[str, float, int]:
    """Cell, gain and length of the animation's network."""
    columns = st.columns([2, 2, 2])
    with columns[0]:
        chosen = cell(CELLS, "walk_cell")
    with columns[1]:
        gain = st.select_slider(
            "Recurrent gain",
            (0.3, 0.6, 1.0, 1.5, 2.5),
            0.6,
            key="walk_gain",
            help="0.3: the gradient vanishes; 2.5: it explodes.",
        )
    with columns[2]:
        length = st.select_slider("Time steps", (4, 5, 6, 7, 8), 6, key="walk_length")
    return chosen, gain, length


def exploding() -> tuple[Experiment, float]:
    """An untrained network with large recurrent weights, and the largest gradient norm allowed."""
    columns = st.columns([5, 4, 4, 4])
    with columns[0]:
        chosen = cell(CELLS, "clip_cell")
    with columns[1]:
        gain = st.select_slider("Recurrent gain", (0.5, 1.0, 1.2, 1.5, 2.0, 3.0), 1.5, key="clip_gain")
    with columns[2]:
        length = st.select_slider("Length", (10, 25, 50, 100, 200), 50, key="clip_length")
    with columns[3]:
        limit = st.select_slider(
            "Limit", (0.01, 0.1, 0.5, 1.0, 2.0, 5.0, 10.0), 1.0, key="clip_limit", help="The largest norm that clipping allows."
        )
    return Experiment().replace(cell=chosen, gain=gain, length=length), limit


def clip_result(norms: dict[str, float], limit: float) -> None:
    """One batch's gradient under both clipping rules, drawn and said."""
    if not np.isfinite(list(norms.values())).all():
        st.warning(
            "The gradient overflowed: it is larger than a 32-bit number can hold. Clipping cannot save this step; a smaller gain can.",
            icon=":material/warning:",
        )
        return
    result = compare(np.array(list(norms.values())), tuple(norms), limit)
    shell.chart(figures.clipping(result), "clipping", f"Gradient norms before and after clipping at {limit:g}")
    cards = st.columns(3)
    cards[0].metric("Before", f"{result.norm:.3g}", help="Norm of all weights' gradients together.")
    cards[1].metric(
        "Global clip",
        f"{result.norm_global:.3g}",
        help="All gradients times one factor (Pascanu et al. 2013; Keras: global_clipnorm).",
    )
    cards[2].metric(
        "Per-variable clip", f"{result.norm_variable:.3g}", help="Each weight's gradient shortened by itself (Keras: clipnorm)."
    )
    turned = np.degrees(np.arccos(np.clip(result.cosine_variable, -1, 1)))
    if result.norm <= limit and turned < 0.01:
        st.markdown("This gradient is below the limit: neither rule changes it.")
    else:
        st.markdown(
            f"The **global** rule multiplies all gradients by one factor: the step gets shorter and keeps its direction (0° turned). "
            f"The **per-variable** rule shortens each weight's gradient by itself: here it turns the step by **{turned:.1f}°**, and the joint norm may be above the limit."
        )
