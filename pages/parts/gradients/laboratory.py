"""Settings of the untrained networks on the Gradients page, and one batch's gradient under both clipping rules.

The laboratory's sliders are in the link, so that a teacher can share their positions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import streamlit as st

from pages.parts.gradients import quantities
from pages.shared import charts
from pages.shared.session import key, linked, value
from rnn_core.figures import gradients as figures
from rnn_core.probes.gradients.clipping import compare
from rnn_core.spec.experiment import CELLS, Experiment

BIASES = ("default", *range(-2, 9))
SCALES = (0.0, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
LIMITS = (0.01, 0.1, 0.5, 1.0, 2.0, 5.0, 10.0)
ACTIVATIONS = ("tanh", "relu", "linear", "sigmoid")
INITIALISERS = ("orthogonal", "glorot_uniform", "identity", "random_normal")


def settings(on_change: Callable[[], None] | None = None, more: Any = st) -> tuple[Experiment, float]:
    """Draw the laboratory's sliders; return the experiment and the standard deviation of its inputs.

    Args:
        on_change: called when one of them was moved.
        more: where the rarer ones are drawn, behind an expander.
    """
    keep: dict[str, Any] = {"persist_state": "session", "on_change": on_change}
    first, second, third, fourth = st.columns(4)
    help = "Multiplies the initial recurrent weights: a small gain makes gradients vanish, a large one can make them explode."
    gain = first.slider("Recurrent gain", 0.0, 2.0, 1.0, 0.05, help=help, **linked("lab_gain"), **keep)
    help = "Initial bias of the forget gate (LSTM; Keras: 1) and the update gate (GRU; Keras: 0). A high bias keeps the old state longer."
    bias = second.select_slider("Gate bias", BIASES, "default", **linked("lab_bias"), help=help, **keep)
    help = "Time steps of the sequences."
    length = third.select_slider("Length", (6, 10, 25, 50, 100, 200, 500), 100, **linked("lab_length"), help=help, **keep)
    help = "Standard deviation of the inputs: 0.03 is a fresh embedding of words, 1 a normalised series."
    scale = fourth.select_slider("Input scale", SCALES, 0.03, **linked("lab_scale"), help=help, **keep)
    with more.expander("Activation, initialiser, units, seed", **linked("lab_more")):
        first, second, third, fourth = st.columns(4)
    help = "Activation function of the state."
    activation = first.selectbox("Activation", ACTIVATIONS, **linked("lab_activation"), help=help, **keep)
    help = "How the recurrent weights start. Keras: orthogonal."
    initialiser = second.selectbox("Recurrent initialiser", INITIALISERS, **linked("lab_initialiser"), help=help, **keep)
    help = "Numbers in the hidden state."
    units = third.select_slider("Units", (4, 8, 16, 32, 64), 32, **linked("lab_units"), help=help, **keep)
    help = "Another seed draws other weights and inputs."
    seed = int(fourth.number_input("Seed", 0, 9999, 0, **linked("lab_seed"), help=help, **keep))
    return _experiment(gain, bias, length, scale, activation, initialiser, units, seed)


def settled() -> tuple[Experiment, float]:
    """The same from sliders that another part of the page has drawn."""
    names = ("gain", "bias", "length", "scale", "activation", "initialiser", "units", "seed")
    return _experiment(*(value(f"lab_{name}") for name in names))


def _experiment(
    gain: float, bias: str | int, length: int, scale: float, activation: str, initialiser: str, units: int, seed: int
) -> tuple[Experiment, float]:
    gate_bias = None if bias == "default" else float(bias)
    network = {"units": units, "activation": activation, "initialiser": initialiser, "gain": gain, "gate_bias": gate_bias}
    return Experiment().replace(**network, length=length, seed=seed), float(scale)


def animation_settings() -> tuple[str, float, int]:
    """Draw the settings of the animation; return cell, gain and length of its network."""
    columns = st.columns([2, 2, 2])
    with columns[0]:
        chosen = quantities.choose_cell(CELLS, key("gradients", "walk_cell"))
    help, walk_gain = "0.3: the gradient vanishes; 2.5: it explodes.", key("gradients", "walk_gain")
    gain = columns[1].select_slider("Recurrent gain", (0.3, 0.6, 1.0, 1.5, 2.5), 0.6, key=walk_gain, help=help)
    length = columns[2].select_slider("Time steps", (4, 5, 6, 7, 8), 6, key=key("gradients", "walk_length"))
    return chosen, gain, length


def clipping_settings() -> tuple[Experiment, float]:
    """Draw the settings of the clipping section; return an untrained experiment and the largest norm allowed."""
    columns = st.columns([5, 4, 4, 4])
    with columns[0]:
        chosen = quantities.choose_cell(CELLS, key("gradients", "clip_cell"))
    gains = (0.5, 1.0, 1.2, 1.5, 2.0, 3.0)
    gain = columns[1].select_slider("Recurrent gain", gains, 1.5, key=key("gradients", "clip_gain"))
    length = columns[2].select_slider("Length", (10, 25, 50, 100, 200), 50, key=key("gradients", "clip_length"))
    help = "The largest norm that clipping allows."
    limit = columns[3].select_slider("Limit", LIMITS, 1.0, key=key("gradients", "clip_limit"), help=help)
    return Experiment().replace(cell=chosen, gain=gain, length=length), limit


def clip_result(norms: dict[str, float], limit: float) -> None:
    """Draw one batch's gradient before clipping and under both rules, and describe it."""
    if not np.isfinite(list(norms.values())).all():
        words = "The gradient overflowed: it is larger than a 32-bit number can hold. Clipping does not help here; a smaller gain does."
        st.warning(words, icon=":material/warning:")
        return
    result = compare(np.array(list(norms.values())), tuple(norms), limit)
    charts.chart(figures.clipping(result), key("gradients", "clipping"), f"Gradient norms before and after clipping at {limit:g}")
    cards = (
        ("Before", result.norm, "Norm of all weights' gradients together."),
        ("Global clip", result.norm_global, "All gradients times one factor (Pascanu et al. 2013; Keras: global_clipnorm)."),
        ("Per-variable clip", result.norm_variable, "Each variable's gradient clipped separately (Keras: clipnorm)."),
    )
    for column, (name, norm, help) in zip(st.columns(3), cards, strict=True):
        column.metric(name, f"{norm:.3g}", help=help)
    angle = np.degrees(np.arccos(np.clip(result.cosine_variable, -1, 1)))
    if result.norm <= limit and angle < 0.01:
        st.markdown("This gradient is below the limit: neither rule changes it.")
    else:
        st.markdown(
            f"The **global** rule multiplies all gradients by one factor: the step gets shorter and keeps its direction (0° turned). "
            f"The **per-variable** rule clips the gradient of each variable separately: here it turns the step by **{angle:.1f}°**, and the joint norm may be above the limit."
        )
