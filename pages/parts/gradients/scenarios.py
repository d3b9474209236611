"""The strip of the Gradients page: scenarios as buttons, their knobs, and what the curves say in a sentence."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.parts.gradients import laboratory, run
from pages.shared import shell, strip, verdict
from pages.shared.session import key, linked, set_value, value
from pages.shared.widgets import choice
from rnn_core.figures.verdicts import gradients as verdicts
from rnn_core.probes.gradients.run import run_strips
from rnn_core.probes.strip import shown
from rnn_core.studies import remembering
from rnn_core.studies.contest_words import NAMES, listed
from rnn_core.studies.scenarios import ALL, SCENARIOS, Scenario, Untrained, untrained_strips

REMEMBER, OWN, RUN = "remember", "own", "run"
NAMED = {REMEMBER: "Learned to remember", **{name: one.name for name, one in SCENARIOS.items()}, OWN: "Own settings"}
WITH_KNOBS = (*SCENARIOS, OWN)  # scenarios in which the strip has the laboratory's sliders
WHY = {
    "shrinks": "The recurrent weights were multiplied by the gain of 0.7, and the derivative of tanh takes away a little more.",
    "gates": "A forget gate of σ(3) = 0.95 keeps nearly all of the old state at each step, and with it the gradient.",
    "keras": "The vanilla RNN’s recurrent weights start orthogonal, so with small inputs a gradient keeps its length; "
    "the forget gate starts at σ(1) = 0.73 and the update gate at σ(0) = 0.5, and their products over many steps vanish. Training opens them.",
    "explodes": "Its recurrent weights were multiplied by the gain of 1.5. One such batch would throw the weights far off: that is what clipping is for.",
}


def choose(context: Any) -> str:
    """Draw the buttons; return the key of the scenario. It sets the knobs."""
    names = dict(NAMED)
    if context.use.possible:
        names[RUN] = "This run"
    default = REMEMBER
    if any(name.startswith("lab_") for name in st.query_params):
        default = OWN
    elif RUN in names and "run" in st.query_params:
        default = RUN
    chosen = choice("Scenario", names, default, label_visibility="collapsed", **linked("scene"))
    if chosen in SCENARIOS:
        _move_knobs(SCENARIOS[chosen])
    return chosen


def _move_knobs(scenario: Scenario) -> None:
    bias = "default" if scenario.gate_bias is None else int(scenario.gate_bias)
    for name, position in (("gain", scenario.gain), ("bias", bias), ("length", scenario.length), ("scale", scenario.scale)):
        set_value(f"lab_{name}", position)


def _own_settings() -> None:
    """A knob was moved: none of the scenarios any more. The link gets the other knobs, too."""
    set_value("scene", OWN)
    for name in ("gain", "bias", "length", "scale"):
        set_value(f"lab_{name}", value(f"lab_{name}"))


def recorded() -> None:
    """Draw the recorded networks, before or after training."""
    with st.container(horizontal=True, vertical_alignment="center", gap="large"):
        options = {True: "After 1,500 training steps", False: "Before"}
        trained = choice("When", options, True, key=key("gradients", "recorded_when"), label_visibility="collapsed")
        seeds = {seed: f"seed {seed}" for seed in remembering.SEEDS}
        seed = choice("Seed", seeds, 0, key=key("gradients", "recorded_seed"), label_visibility="collapsed")
    strips = remembering.strips(seed, trained)
    verdict.show(verdicts.verdict(strips), key("gradients", "verdict"))
    strip.draw(strips, shown(remembering.sequence()[0]), key("gradients", "strip"), answer="answer", inputs="numbers")
    reaches = remembering.reaches(trained)
    others = "; ".join(f"{NAMES[cell]} {listed([str(reach) for reach in found])}" for cell, found in reaches.items())
    when = "after training" if trained else "before training"
    st.caption(
        "The task: add the two marked numbers at the end. Three networks of 32 units, trained here for this page and recorded; "
        f"this sequence was not among their examples. How much the seed matters: {when}, learning reaches back, with seeds 0, 1 and 2, {others} steps."
    )


def untrained(scenario: str) -> None:
    """Draw untrained networks with the knobs' settings."""
    knobs, picture, more = st.container(), st.container(), st.container()
    with knobs:
        experiment, scale = laboratory.settings(_own_settings, more)
    cells = SCENARIOS[scenario].cells if scenario in SCENARIOS else ALL
    with picture:
        found: Untrained = shell.compute("Unrolling the networks", untrained_strips, experiment, scale, cells)
        words = []
        if scenario == "shrinks":
            words.append(verdicts.factor(found.strips[0]))
        if found.usual:
            usual = listed([f"{reach} ({NAMES[cell]})" for cell, reach in found.usual.items()])
            words.append(f"With the gate bias as Keras starts it: {usual}.")
        verdict.show(verdicts.verdict(found.strips, *words), key("gradients", "verdict"))
        strip.draw(found.strips, found.shown, key("gradients", "strip"), answer="answer", inputs="1st of 32 inputs")
        why = "Untrained networks, so their answers mean nothing yet; their inputs are random numbers."
        st.caption(f"{WHY.get(scenario, '')} {why}".strip())


def chosen_run(context: Any) -> None:
    """Draw the chosen run over one of its validation sequences, at a kept step."""
    networks = run.strip_networks(context)
    found = shell.compute("Unrolling the run", run_strips, networks, context.run.experiment, context.run.uploads)
    verdict.show(verdicts.verdict(found.strips), key("gradients", "verdict"))
    strip.draw(found.strips, found.shown, key("gradients", "strip"), answer=found.answer, inputs=found.inputs)
    of = "the last step’s loss" if found.strips[0].of == "loss" else "the answer before its squashing"
    st.caption(f"Input: {found.source}. The gradient is of {of}.")
