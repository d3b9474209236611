"""Hidden states: paths of many sequences in a frozen plane, single units, and how hard they saturate."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.shared import shell
from rnn_core import data
from rnn_core.data import text
from rnn_core.figures import states, theme, trajectories
from rnn_core.probes import dynamics

COLOURS = {"label": "what is true", "time": "time", "prediction": "what it would answer"}

context = shell.page(
    "Hidden states",
    ":material/scatter_plot:",
    "A recurrent network carries one list of numbers from step to step: its **hidden state**, all that it remembers of what it has read. "
    "Here you see where that list goes while the network reads sequences it was not trained on.",
)
if context.run is None or not context.run.snapshots:
    st.info(
        "There is nothing to look into yet: train a network for a moment, or choose a run in the sidebar.",
        icon=":material/play_circle:",
    )
    st.page_link("pages/train.py", label="Train one", icon=":material/play_circle:")
    st.stop()
run = context.run
task = data.task(run.experiment.data.task)
steps = [kept.step for kept in run.snapshots]


def portrait(step: int, count: int) -> dynamics.Portrait:
    """The network after `step` training steps, on the axes of its last kept moment."""
    last = shell.wait(
        context.service.call(dynamics.portrait, run.experiment, run.model(steps[-1]), count, step=steps[-1]),
        "Reading the sequences",
    )
    if step == steps[-1]:
        return last
    return shell.wait(
        context.service.call(dynamics.portrait, run.experiment, run.model(step), count, basis=last.basis, step=step),
        "Reading the sequences",
    )


def moment() -> int:
    """The training step that is looked at."""
    if len(steps) == 1:
        return steps[0]
    return st.select_slider(
        "After how many training steps", steps, steps[-1], format_func=lambda step: f"{step:,}", key=f"step_{run.id}"
    )


def paths() -> None:
    controls = st.columns([3, 2, 1.6, 2])
    with controls[0]:
        step = moment()
    colour = controls[1].selectbox(
        "Colour shows", list(COLOURS), index=0 if task.classes else 2, format_func=COLOURS.__getitem__, key="states_colour"
    )
    dimensions = controls[2].segmented_control(
        "Axes", [2, 3], default=2, required=True, format_func="{}-D".format, key="states_axes"
    )
    count = controls[3].slider("Sequences", 5, 60, 30, 5, key="states_count")
    seen = portrait(step, count)
    substitute(seen)
    st.caption(
        f"**What am I seeing?** Each line is one sequence; each point on it is the whole hidden state ({seen.states.shape[-1]} numbers) after one more "
        f"{task.input_label}, flattened onto the {dimensions} directions in which states differ most (**principal components**). "
        "Press ▶ and watch the states move."
    )
    drawing = trajectories.trajectories(seen, colour=colour, dimensions=dimensions, classes=task.classes)
    shell.chart(
        drawing, "paths", f"Paths of {len(seen.states)} hidden states in {dimensions} dimensions", rev=f"{run.id}{dimensions}"
    )
    st.markdown(
        f"These {dimensions} axes show **{seen.explained[:dimensions].sum():.0%}** of all the variance of this network's states. "
        f"Of {seen.states.shape[-1]} possible directions the cloud really uses about **{seen.dimension:.1f}** (participation ratio). "
        f"The axes were fitted once, on {seen.basis.count:,} states of *other*, real {task.input_label}s (no padding) after {steps[-1]:,} training steps, and stay put; "
        "axes of two networks cannot be compared."
    )


def growth() -> None:
    if len(steps) < 2:
        st.info("This run kept a single moment, so there is no history to play.", icon=":material/info:")
        return
    chosen = steps if len(steps) <= 12 else [steps[round(n * (len(steps) - 1) / 11)] for n in range(12)]
    dimensions = st.segmented_control("Axes", [2, 3], default=2, required=True, format_func="{}-D".format, key="growth_axes")
    models = (run.model(step) for step in chosen)
    grown = shell.wait(
        context.service.call(dynamics.growth, run.experiment, tuple(chosen), *models, count=30), "Reading with every kept network"
    )
    st.caption(
        "**What am I seeing?** The same sequences read by the network at several moments of its training, on the same axes. Press ▶: this time the slider is training, not reading. Large points are last states."
    )
    drawing = trajectories.growing(grown, dimensions=dimensions, classes=task.classes)
    shell.chart(
        drawing, "growth", f"Paths of the same sequences at {len(chosen)} moments of training", rev=f"{run.id}{dimensions}"
    )
    first, last = (f"{grown.explained[n, :dimensions].sum():.0%}" for n in (0, -1))
    st.markdown(
        f"The axes are those of step {chosen[-1]:,}. They show {last} of the variance there and {first} of it at step {chosen[0]:,}. "
        f"The cloud uses about {grown.dimension[0]:.1f} directions at the start and {grown.dimension[-1]:.1f} at the end."
    )


def sequence() -> None:
    controls = st.columns([3, 2, 2, 2])
    with controls[0]:
        step = moment()
    seen = portrait(step, 30)
    substitute(seen)
    number = controls[1].number_input("Sequence", 1, len(seen.states), 1, key=f"number_{run.id}") - 1
    order = controls[2].selectbox("Units in order of", ["unit", "spread", "correlation"], format_func={"unit": "their numbers", "spread": "how much they vary", "correlation": "correlation with the target"}.__getitem__, key="states_order")  # fmt: skip
    has_memory = seen.states.shape[-1] > seen.units
    part = controls[3].segmented_control("Part", ["h", "c"], default="h", required=True, key="states_part") if has_memory else "h"
    st.caption(
        f"**What am I seeing?** One row per unit, one column per {task.input_label}: orange is negative, blue positive. Click a cell to follow that unit through many sequences."
    )
    words = read_words(seen, number)
    st.markdown(answered(seen, number))
    if words:
        with st.expander("The text, as the network reads it", icon=":material/article:"):
            st.text(" ".join(words))
    clicked = shell.chart(
        states.heat_map(seen, number, words=words, part=part, by=order),
        "heat_map",
        f"Activation of {seen.units} units over one sequence",
        clickable=True,
    )
    if clicked:
        st.session_state[f"unit_{run.id}"] = int(clicked["y"])
    unit = st.slider("Unit", 0, seen.units - 1, key=f"unit_{run.id}")
    st.caption(
        "**What am I seeing?** This one unit in many sequences, lined up at their last step; thick lines are means. A unit that ends differently for different targets carries the answer."
    )
    shell.chart(
        states.unit(seen, unit, classes=task.classes, part=part), "unit", f"Unit {unit} over time in {len(seen.states)} sequences"
    )


def activations() -> None:
    seen = portrait(moment(), 30)
    substitute(seen)
    found = seen.activations
    share = found.saturated.mean()
    st.markdown(
        f"**{share:.1%}** of all activations lie beyond ±{dynamics.SATURATED}. There a unit is **saturated**: its curve is flat, and hardly any gradient passes."
    )
    left, right = st.columns(2)
    with left:
        st.caption("**What am I seeing?** One row per unit: which values it takes, the stronger the colour the more often.")
        shell.chart(states.distribution(found), "distribution", "Distribution of each unit's activation")
    with right:
        if found.open:
            st.caption(
                "**What am I seeing?** One point per unit and **gate**. Bottom right: always open; top left: always shut; bottom left: in between. "
                "An open forget (LSTM) or update (GRU) gate keeps the old state: a long memory."
            )
            shell.chart(states.gates(found), "gates", "How often each gate is open and shut")
        if share > 0:
            st.caption("**What am I seeing?** How often each unit is saturated.")
            shell.chart(
                states.saturation(found, theme.CELL_COLOURS[run.experiment.model.cell]),
                "saturation",
                "Share of saturated steps per unit",
            )


def substitute(seen: dynamics.Portrait) -> None:
    """Say so when other sequences stand in."""
    if seen.task != run.experiment.data.task:
        st.info("IMDB is not on this machine, so the network reads synthetic toy reviews here.", icon=":material/info:")


def answered(seen: dynamics.Portrait, number: int) -> str:
    """What is true of a sequence, and what the network says after its last step."""
    target, answer = seen.targets[number], float(seen.predictions[number, seen.mask[number]][-1])
    name = [shell.plain(each) for each in task.classes]
    if len(name) == 2:
        says = f"the network ends at P({name[1]}) = **{answer:.0%}**"
    else:
        says = f"the network answers **{name[int(answer)] if name else f'{answer:.3f}'}**"
    if target != target:  # every step has its own target
        return f"Sequence {number + 1}: after the last step {says}."
    return f"Sequence {number + 1}: true is **{name[int(target)] if name else f'{target:.3f}'}**; {says}."


def read_words(seen: dynamics.Portrait, number: int) -> tuple[Any, ...]:
    """The words of one sequence, where it has any."""
    if seen.inputs.ndim > 2:
        return ()
    return text.vocabulary(run.experiment.data.vocabulary).decode(seen.inputs[number, seen.mask[number]])


VIEWS = {"Paths": paths, "While it learned": growth, "One sequence": sequence, "Activations": activations}
view = st.segmented_control(
    "View", list(VIEWS), default="Paths", required=True, key="view", bind="query-params", label_visibility="collapsed"
)
VIEWS[view or "Paths"]()
