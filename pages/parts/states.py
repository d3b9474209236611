"""The four views of the Hidden states page: each gets the states of many sequences from a worker and draws them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import streamlit as st

from pages.shared import charts, glossary, session, shell, usable
from pages.shared.session import key, linked
from pages.shared.widgets import choice
from pages.shared.words import plain
from rnn_core import data
from rnn_core.data.imported import description, vocabulary_of
from rnn_core.data.task import Task
from rnn_core.figures import states, theme, trajectories
from rnn_core.probes import layers
from rnn_core.probes.states import paths
from rnn_core.probes.states.activations import SATURATED

COLOURS = {"label": "the true answer", "time": "time", "prediction": "the network's answer"}
ORDERS = {"unit": "their numbers", "spread": "how much they vary", "correlation": "correlation with the target"}
MAX_FRAMES = 12  # most kept steps in one animation
WINDOWS, STRETCH = "windows", "one stretch"


@dataclass(frozen=True)
class View:
    """The run and the layer on screen."""

    run: Any  # rnn_core.store.store.RunRecord with at least one kept step
    task: Task
    steps: list[int]  # its kept steps, in training steps
    part: layers.NamedLayer  # the recurrent layer on screen

    def states_at(self, step: int, count: int = 30, long: bool = False) -> paths.StatePaths:
        """States of `count` sequences at a kept step, with the axes of the last kept step."""
        last = self._states_at(self.steps[-1], count, long)
        return last if step == self.steps[-1] else self._states_at(step, count, long, basis=last.basis)

    def _states_at(self, step: int, count: int, long: bool, **more: Any) -> paths.StatePaths:
        more |= {"long": long, "uploads": self.run.uploads, "step": step, "layer": self.part.index}
        network = shell.model(self.run, step)
        found = shell.compute("Computing the states", paths.state_paths, self.run.experiment, network, count, **more)
        if found.task != self.run.experiment.data.task:
            st.info("IMDB is not on this machine, so its input here are synthetic toy reviews.", icon=":material/info:")
        return found


def view_of(context: shell.Context) -> View:
    """The view of the page's current run; draws the choice of its layer."""
    run: Any = context.run
    return View(run, data.task(run.experiment.data.task), [kept.step for kept in run.snapshots], _choose_layer(run))


def _choose_layer(run: Any) -> layers.NamedLayer:
    """Draw the choice of a recurrent layer; return the chosen one. Draws nothing if there is only one."""
    spec = run.experiment.model
    choices, default = layers.named_layers(spec), layers.default_layer(spec)
    if len(choices) == 1:
        return default
    words = "The input of each layer is the output of the layer below; the last layer gives the answer." * (spec.layers > 1)
    words += " The backward half reads from the end of the sequence to its beginning." * spec.bidirectional
    names = {part.index: part.name.capitalize() for part in choices}
    part = choices[choice("Recurrent layer", names, default.index, help=words.strip(), **linked("layer"))]
    if part.backwards:
        st.caption(
            "This half reads **backwards**: its first step is the sequence's last, and its last state depends on the whole sequence."
        )
    return part


def _choose_step(view: View) -> int:
    """Draw the choice of a kept step; return it in training steps."""
    if len(view.steps) == 1:
        only = f"Its only kept step: after {view.steps[0]:,} training steps"
        st.caption("As it was imported" if usable.imported(view.run) else only)
        return view.steps[0]
    words = "After how many training steps"
    return st.select_slider(words, view.steps, view.steps[-1], format_func="{:,}".format, **linked("step"))


def _axes(name: str) -> int:
    return choice("Axes", {2: "2-D", 3: "3-D"}, 2, **linked(name))


def draw_paths(view: View) -> None:
    """Draw the paths of the state over the time steps of many sequences."""
    controls = st.columns([3, 2, 1.5, 2.4])
    with controls[0]:
        step = _choose_step(view)
    first = 0 if view.task.classes else 2
    colours = [name for name in COLOURS if name != "label" or not usable.imported(view.run)]  # which has no true answers
    colour = controls[1].selectbox(
        "Colour shows",
        colours,
        min(first, len(colours) - 1),
        format_func=COLOURS.__getitem__,
        **linked(f"colour_{view.task.group}"),
    )
    with controls[2]:
        dimensions = _axes("states_axes")
    with controls[3]:
        series = view.task.group == "series"
        long = series and choice("Read", {STRETCH: STRETCH, WINDOWS: WINDOWS}, STRETCH, **linked("states_long")) == STRETCH
        count = 1 if long else st.slider("Sequences", 4, 60, 16, 4, **linked("states_count"))
    found = view.states_at(step, count, long)
    size = found.states.shape[-1]
    st.caption(
        f"**What am I seeing?** {'The line is one long stretch of the series' if long else 'Each line is one sequence'}; each point is the whole hidden "
        f"state ({size} numbers) after one more {view.task.input_label}, projected onto the {dimensions} directions in which states vary most "
        "(**principal components**). Press ▶ to see them step by step; the grey tail shows the last few steps."
    )
    drawing = trajectories.trajectories(found, colour=colour, dimensions=dimensions, classes=view.task.classes)
    words = f"Paths of {len(found.states)} hidden states in {dimensions} dimensions"
    charts.chart(drawing, key("states", "paths"), words, rev=f"{view.run.id}{view.part.index}{dimensions}{long}")
    imported = usable.imported(view.run)
    when = "" if imported else f", after {view.steps[-1]:,} training steps"
    given = imported and description(view.run.experiment, view.run.uploads).sequences is not None
    glossary.markdown(
        f"These axes show **{found.explained[:dimensions].sum():.0%}** of all the variance of this network's states. "
        f"Of {size} possible directions the states use about **{found.dimension:.1f}** (participation ratio). "
        f"The axes were fitted once{when}, on {found.basis.count:,} states of {'these' if given else '*other*'} sequences, padding left out, "
        "and then fixed. Axes of two networks cannot be compared."
    )


def draw_growth(view: View) -> None:
    """Draw the paths of the same sequences at several kept steps."""
    if len(view.steps) < 2:
        words = "This run has a single kept step, so there is no history to play."
        imported = "This model was imported, so how it learned is not known here: there is no history to play."
        st.info(imported if usable.imported(view.run) else words, icon=":material/info:")
        return
    last = len(view.steps) - 1
    chosen = [view.steps[n] for n in sorted({round(k * last / (MAX_FRAMES - 1)) for k in range(MAX_FRAMES)})]
    dimensions = _axes("growth_axes")
    models = [shell.model(view.run, step) for step in chosen]
    grown = shell.compute(
        "Computing the states at every kept step", paths.paths_over_training, view.run.experiment, tuple(chosen), *models,
        count=30, uploads=view.run.uploads, layer=view.part.index,
    )  # fmt: skip
    st.caption(
        "**What am I seeing?** The states for the same sequences at several kept steps of the training, on the same axes. "
        "Press ▶: here the slider moves through the training, not through the sequence. Large points are last states."
    )
    drawing = trajectories.over_training(grown, dimensions=dimensions, classes=view.task.classes)
    words = f"Paths of the same sequences at {len(chosen)} kept steps"
    charts.chart(drawing, key("states", "growth"), words, rev=f"{view.run.id}{view.part.index}{dimensions}")
    before, after = (f"{grown.explained[n, :dimensions].sum():.0%}" for n in (0, -1))
    st.markdown(
        f"The axes are those of step {chosen[-1]:,}. They show **{after}** of the variance there and **{before}** of it at step {chosen[0]:,}. "
        f"The states use about {grown.dimension[0]:.1f} directions at step {chosen[0]:,} and {grown.dimension[-1]:.1f} at the end."
    )


def draw_sequence(view: View) -> None:
    """Draw every unit over one sequence, then one unit over many sequences."""
    controls = st.columns([3, 2, 2, 2])
    with controls[0]:
        step = _choose_step(view)
    found = view.states_at(step)
    number = int(controls[1].number_input("Sequence", 1, len(found.states), 1, key=key("states", "sequence", view.run.id))) - 1
    order = controls[2].selectbox("Units in order of", list(ORDERS), format_func=ORDERS.__getitem__, **linked("states_order"))
    part = "h"
    if found.states.shape[-1] > found.units:
        with controls[3]:
            help = "h is the output of the LSTM, c its cell state."
            part = choice("Part", {"h": "h", "c": "c"}, "h", help=help, **linked("states_part"))
    st.caption(
        f"**What am I seeing?** One row per unit, one column per {view.task.input_label}: orange is negative, blue positive. "
        "Click a cell to follow that unit through many sequences."
    )
    words = _words(view, found, number)
    st.markdown(_answer_words(view, found, number))
    if words:
        with st.expander("The text, as the network reads it", icon=":material/article:"):
            st.text(" ".join(words))
    drawing = states.heat_map(found, number, words=words, part=part, by=order)
    unit_key = key("states", "unit", view.run.id)
    alt = f"Activation of {found.units} units over one sequence"
    if clicked := charts.chart(drawing, key("states", "heat_map"), alt, clickable=True):
        session.set_value(unit_key, int(clicked["y"]))
    unit = st.slider("Unit", 0, found.units - 1, key=unit_key) if found.units > 1 else 0
    st.caption(
        "**What am I seeing?** This one unit in many sequences, lined up at their last step; thick lines are means. "
        "A unit that ends differently for different targets carries information about the answer."
    )
    drawing = states.unit(found, unit, classes=view.task.classes, part=part)
    charts.chart(drawing, key("states", "unit_over_time"), f"Unit {unit} over time in {len(found.states)} sequences")


def _words(view: View, found: paths.StatePaths, number: int) -> tuple[str, ...]:
    """The words of one sequence; () if it is not text."""
    if found.inputs.ndim > 2:
        return ()
    return vocabulary_of(view.run.experiment, view.run.uploads).decode(found.inputs[number, found.mask[number]])


def _answer_words(view: View, found: paths.StatePaths, number: int) -> str:
    """The target of a sequence and the network's answer after its last step, in Markdown."""
    target, answer = found.targets[number], float(found.predictions[number, found.mask[number]][-1])
    name = [plain(each) for each in view.task.classes]
    if len(name) == 2:
        answer_text = f"the network ends at P({name[1]}) = **{answer:.0%}**"
    else:
        answer_text = f"the network answers **{name[int(answer)] if name else f'{answer:.3f}'}**"
    if target != target:  # every step has its own target
        return f"Sequence {number + 1}: after the last step {answer_text}."
    return f"Sequence {number + 1}: true is **{name[int(target)] if name else f'{target:.3f}'}**; {answer_text}."


def draw_activations(view: View) -> None:
    """Draw which values the units take, how often they saturate, and how often the gates are open."""
    found = view.states_at(_choose_step(view)).activations
    share = float(found.saturated.mean())
    glossary.markdown(
        f"**{share:.1%}** of all activations lie beyond ±{SATURATED}. There a unit is **saturated**: the activation function is flat, and its gradient is almost zero."
    )
    left, right = st.columns(2)
    with left:
        st.caption("**What am I seeing?** One row per unit: the values it takes; a stronger colour means more often.")
        charts.chart(states.distribution(found), key("states", "distribution"), "Distribution of each unit's activation")
    with right:
        if found.open:
            glossary.caption(
                "**What am I seeing?** One point per unit and **gate**. Bottom right: always open; top left: always shut; bottom left: in between. "
                "An open forget (LSTM) or update (GRU) gate keeps the old state: a long memory."
            )
            charts.chart(states.gates(found), key("states", "gates"), "How often each gate is open and shut")
        if share > 0 or not found.open:
            st.caption("**What am I seeing?** How often each unit is saturated.")
            colour = theme.CELL_COLOURS[view.run.experiment.model.cell]
            charts.chart(states.saturation(found, colour), key("states", "saturation"), "Share of saturated steps per unit")
