"""The four views of the Hidden states page: each asks a worker for a portrait and draws it with its words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import streamlit as st

from pages.shared import session, shell
from pages.shared.session import key, linked
from rnn_core import data
from rnn_core.data.task import Task
from rnn_core.data.text import vocabulary
from rnn_core.engine.model import Model
from rnn_core.figures import states, theme, trajectories
from rnn_core.probes import layers
from rnn_core.probes.states import paths as dynamics
from rnn_core.probes.states.activations import SATURATED

COLOURS = {"label": "the true answer", "time": "time", "prediction": "the network's answer"}
ORDERS = {"unit": "their numbers", "spread": "how much they vary", "correlation": "correlation with the target"}
MOMENTS = 12  # most kept moments in one animation
WINDOWS, STRETCH = "windows", "one stretch"


@dataclass(frozen=True)
class Look:
    """The run that is looked at."""

    service: Any  # rnn_core.service.service.Service
    run: Any  # rnn_core.store.store.RunRecord with at least one kept moment
    task: Task
    steps: list[int]  # training steps of its kept moments
    part: layers.NamedLayer  # the recurrent layer that is looked at

    def model(self, step: int) -> Model:
        """The network at a kept moment; a damaged one ends the section with a sentence."""
        return shell.model(self.run, step)

    def portrait(self, step: int, count: int = 30, long: bool = False) -> dynamics.StatePaths:
        """The network after `step` training steps, on the axes of its last kept moment."""
        last = self._portrait(self.steps[-1], count, long)
        return last if step == self.steps[-1] else self._portrait(step, count, long, basis=last.basis)

    def _portrait(self, step: int, count: int, long: bool, **more: Any) -> dynamics.StatePaths:
        request = self.service.call(
            dynamics.state_paths,
            self.run.experiment,
            self.model(step),
            count,
            long=long,
            uploads=self.run.uploads,
            step=step,
            layer=self.part.index,
            **more,
        )
        seen = shell.wait(request, "Reading the sequences")
        if seen.task != self.run.experiment.data.task:
            st.info("IMDB is not on this machine, so the network reads synthetic toy reviews here.", icon=":material/info:")
        return seen


def look(context: shell.Context) -> Look:
    """What the page's current run offers to look at, and which of its layers."""
    run: Any = context.run
    return Look(context.service, run, data.task(run.experiment.data.task), [kept.step for kept in run.snapshots], _layer(run))


def _layer(run: Any) -> layers.NamedLayer:
    """The layer that the viewer chose; nothing to choose where there is one."""
    spec = run.experiment.model
    choices, default = layers.named_layers(spec), layers.default_layer(spec)
    if len(choices) == 1:
        return default
    words = "Each layer reads what the one below says; the last one makes the answer." if spec.layers > 1 else ""
    words += " The half that goes backwards reads from the end of the sequence to its beginning." * spec.bidirectional
    chosen = st.segmented_control(
        "Recurrent layer", [part.index for part in choices], default=default.index, required=True, **linked("layer"),
        format_func=lambda index: choices[index].name.capitalize(), help=words.strip(),
    )  # fmt: skip
    part = choices[default.index if chosen is None else chosen]
    if part.backwards:
        st.caption(
            "This half reads **backwards**: its first step is the sequence's last, and its last state has read everything."
        )
    return part


def _moment(at: Look) -> int:
    """The training step that the viewer chose."""
    if len(at.steps) == 1:
        st.caption(f"Its only kept moment: {at.steps[0]:,} training steps")
        return at.steps[0]
    words = "After how many training steps"
    return st.select_slider(words, at.steps, at.steps[-1], format_func="{:,}".format, **linked("step"))


def _axes(name: str) -> int:
    return st.segmented_control("Axes", [2, 3], default=2, required=True, format_func="{}-D".format, **linked(name)) or 2


def paths(at: Look) -> None:
    """Where the state goes while sequences are read."""
    controls = st.columns([3, 2, 1.5, 2.4])
    with controls[0]:
        step = _moment(at)
    first = 0 if at.task.classes else 2
    colour = controls[1].selectbox(
        "Colour shows", list(COLOURS), first, format_func=COLOURS.__getitem__, **linked(f"colour_{at.task.group}")
    )
    with controls[2]:
        dimensions = _axes("states_axes")
    with controls[3]:
        long = (
            at.task.group == "series"
            and st.segmented_control("Read", [STRETCH, WINDOWS], default=STRETCH, required=True, **linked("states_long"))
            == STRETCH
        )
        count = 1 if long else st.slider("Sequences", 4, 60, 16, 4, **linked("states_count"))
    seen = at.portrait(step, count, long)
    size = seen.states.shape[-1]
    st.caption(
        f"**What am I seeing?** {'The line is one long stretch of the series' if long else 'Each line is one sequence'}; each point is the whole hidden "
        f"state ({size} numbers) after one more {at.task.input_label}, flattened onto the {dimensions} directions in which states differ most "
        "(**principal components**). Press ▶ and watch the states move; the grey tail is their last few steps."
    )
    drawing = trajectories.trajectories(seen, colour=colour, dimensions=dimensions, classes=at.task.classes)
    shell.chart(
        drawing,
        key("states", "paths"),
        f"Paths of {len(seen.states)} hidden states in {dimensions} dimensions",
        rev=f"{at.run.id}{at.part.index}{dimensions}{long}",
    )
    st.markdown(
        f"These axes show **{seen.explained[:dimensions].sum():.0%}** of all the variance of this network's states. "
        f"Of {size} possible directions the cloud really uses about **{seen.dimension:.1f}** (participation ratio). "
        f"The axes were fitted once, after {at.steps[-1]:,} training steps, on {seen.basis.count:,} states of *other* sequences, padding left out, "
        "and then frozen. Axes of two networks cannot be compared."
    )


def growth(at: Look) -> None:
    """Where the same sequences lead at several moments of training."""
    if len(at.steps) < 2:
        st.info("This run kept a single moment, so there is no history to play.", icon=":material/info:")
        return
    last = len(at.steps) - 1
    chosen = [at.steps[n] for n in sorted({round(k * last / (MOMENTS - 1)) for k in range(MOMENTS)})]
    dimensions = _axes("growth_axes")
    models = [at.model(step) for step in chosen]
    request = at.service.call(
        dynamics.paths_over_training,
        at.run.experiment,
        tuple(chosen),
        *models,
        count=30,
        uploads=at.run.uploads,
        layer=at.part.index,
    )
    grown = shell.wait(request, "Reading with every kept network")
    st.caption(
        "**What am I seeing?** The same sequences read by the network at several moments of its training, on the same axes. "
        "Press ▶: this time the slider is training, not reading. Large points are last states."
    )
    drawing = trajectories.over_training(grown, dimensions=dimensions, classes=at.task.classes)
    shell.chart(
        drawing,
        key("states", "growth"),
        f"Paths of the same sequences at {len(chosen)} moments of training",
        rev=f"{at.run.id}{at.part.index}{dimensions}",
    )
    before, after = (f"{grown.explained[n, :dimensions].sum():.0%}" for n in (0, -1))
    st.markdown(
        f"The axes are those of step {chosen[-1]:,}. They show **{after}** of the variance there and **{before}** of it at step {chosen[0]:,}. "
        f"The cloud uses about {grown.dimension[0]:.1f} directions at step {chosen[0]:,} and {grown.dimension[-1]:.1f} at the end."
    )


def sequence(at: Look) -> None:
    """Every unit over one sequence, then one unit over many."""
    controls = st.columns([3, 2, 2, 2])
    with controls[0]:
        step = _moment(at)
    seen = at.portrait(step)
    number = int(controls[1].number_input("Sequence", 1, len(seen.states), 1, key=key("states", "sequence", at.run.id))) - 1
    order = controls[2].selectbox("Units in order of", list(ORDERS), format_func=ORDERS.__getitem__, **linked("states_order"))
    part = "h"
    if seen.states.shape[-1] > seen.units:
        part = controls[3].segmented_control("Part", ["h", "c"], default="h", required=True, **linked("states_part"), help="h is what the LSTM says, c what it keeps.") or "h"  # fmt: skip
    st.caption(
        f"**What am I seeing?** One row per unit, one column per {at.task.input_label}: orange is negative, blue positive. "
        "Click a cell to follow that unit through many sequences."
    )
    words = _words(at, seen, number)
    st.markdown(_answered(at, seen, number))
    if words:
        with st.expander("The text, as the network reads it", icon=":material/article:"):
            st.text(" ".join(words))
    drawing = states.heat_map(seen, number, words=words, part=part, by=order)
    clicked = shell.chart(
        drawing, key("states", "heat_map"), f"Activation of {seen.units} units over one sequence", clickable=True
    )
    if clicked:
        session.set_value(key("states", "unit", at.run.id), int(clicked["y"]))
    unit = st.slider("Unit", 0, seen.units - 1, key=key("states", "unit", at.run.id)) if seen.units > 1 else 0
    st.caption(
        "**What am I seeing?** This one unit in many sequences, lined up at their last step; thick lines are means. "
        "A unit that ends differently for different targets carries the answer."
    )
    drawing = states.unit(seen, unit, classes=at.task.classes, part=part)
    shell.chart(drawing, key("states", "unit_over_time"), f"Unit {unit} over time in {len(seen.states)} sequences")


def _words(at: Look, seen: dynamics.StatePaths, number: int) -> tuple[str, ...]:
    """The words of one sequence, where it has any."""
    if seen.inputs.ndim > 2:
        return ()
    return vocabulary.vocabulary(at.run.experiment.data.vocabulary).decode(seen.inputs[number, seen.mask[number]])


def _answered(at: Look, seen: dynamics.StatePaths, number: int) -> str:
    """What is true of a sequence, and what the network says after its last step."""
    target, answer = seen.targets[number], float(seen.predictions[number, seen.mask[number]][-1])
    name = [shell.plain(each) for each in at.task.classes]
    if len(name) == 2:
        says = f"the network ends at P({name[1]}) = **{answer:.0%}**"
    else:
        says = f"the network answers **{name[int(answer)] if name else f'{answer:.3f}'}**"
    if target != target:  # every step has its own target
        return f"Sequence {number + 1}: after the last step {says}."
    return f"Sequence {number + 1}: true is **{name[int(target)] if name else f'{target:.3f}'}**; {says}."


def activations(at: Look) -> None:
    """Which values the units take, how often they saturate, how the gates stand."""
    seen = at.portrait(_moment(at))
    found = seen.activations
    share = float(found.saturated.mean())
    st.markdown(
        f"**{share:.1%}** of all activations lie beyond ±{SATURATED}. There a unit is **saturated**: its curve is flat, and hardly any gradient passes."
    )
    left, right = st.columns(2)
    with left:
        st.caption("**What am I seeing?** One row per unit: which values it takes, the stronger the colour the more often.")
        shell.chart(states.distribution(found), key("states", "distribution"), "Distribution of each unit's activation")
    with right:
        if found.open:
            st.caption(
                "**What am I seeing?** One point per unit and **gate**. Bottom right: always open; top left: always shut; bottom left: in between. "
                "An open forget (LSTM) or update (GRU) gate keeps the old state: a long memory."
            )
            shell.chart(states.gates(found), key("states", "gates"), "How often each gate is open and shut")
        if share > 0 or not found.open:
            st.caption("**What am I seeing?** How often each unit is saturated.")
            colour = theme.CELL_COLOURS[at.run.experiment.model.cell]
            shell.chart(states.saturation(found, colour), key("states", "saturation"), "Share of saturated steps per unit")
