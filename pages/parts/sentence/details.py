"""Under the player: the arithmetic of one token, one unit, similar spans of other reviews, and the model over many reviews."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from pages.parts.sentence.player import Panel, Pick
from pages.parts.sentence.text_box import Text
from pages.shared import charts, shell
from pages.shared.session import key
from pages.shared.words import plain
from rnn_core.figures import attributions as attribution_figures
from rnn_core.figures import traces as figures
from rnn_core.figures.theme import GATE_NAMES
from rnn_core.probes.sentence import arithmetic
from rnn_core.probes.sentence.attributions import METHODS
from rnn_core.probes.states import similar_spans
from rnn_core.probes.states.corpus import Passage
from rnn_core.service import sentence

FIRST_TIMEOUT = 240.0  # seconds: other reviews are read once, on first use
HINT = (
    "Click a **word** for the arithmetic of its step, a **row** of a heat map for its unit; drag over words (or Shift + arrow keys) "
    "for spans of other reviews in which the same units are on. Space plays, arrow keys step."
)


def show(panels: list[Panel], text: Text, pick: Pick) -> None:
    """Draw the details of what was picked in the player."""
    panel = panels[pick.panel or 0]
    with st.container(key=key("sentence", "details")):
        if pick.token is None and pick.unit is None and pick.span is None:
            st.caption(f":material/touch_app: {HINT}")
        if pick.token is not None:
            show_token(panel, text, pick.token, pick.unit)
        if pick.unit is not None:
            show_unit(panel, text, pick.unit)
        if pick.span is not None:
            show_span(panel, text, pick.span)


def show_token(panel: Panel, text: Text, step: int, chosen: int | None) -> None:
    """Draw the equations of one step with their numbers."""
    st.subheader(f"Token {step + 1}, “{plain(text.words[step])}”: what {panel.title} computes", anchor=False)
    found = shell.compute("Computing the step", sentence.step_of, panel.source, panel.readings[0].ids, step)
    largest_change = int(np.abs(found.after - found.before).argmax())
    shown = largest_change if chosen is None else chosen
    unit_key = key("sentence", "arithmetic", step, chosen)
    number = st.number_input("Unit", 0, len(found.after) - 1, shown, key=unit_key, width=160)
    if chosen is None and number == largest_change:
        st.caption(f"Unit {largest_change} changed most at this token.")
    for line in arithmetic.formulas(found, int(number)):
        st.latex(line)
    before, after = found.logits
    st.markdown(f"All units together: logit {before:+.3f} → {after:+.3f}, so this token changed it by **{after - before:+.3f}**.")
    with st.expander("Every unit of this step", icon=":material/table:"):
        st.dataframe(_table(found), hide_index=True)


def _table(step: arithmetic.Step) -> pd.DataFrame:
    """One row per unit: the terms of every gate, and the state before and after."""
    columns: dict[str, Any] = {"unit": np.arange(len(step.after))}
    for name, part in step.parts.items():
        title = GATE_NAMES.get(name, "state")
        columns |= {
            f"{title}: token": part.input,
            f"{title}: old state": part.recurrent,
            f"{title}: bias": part.bias,
            title: part.activation,
        }
    if step.memory:
        columns |= {"c before": step.memory[0], "c after": step.memory[1]}
    return pd.DataFrame(columns | {"h before": step.before, "h after": step.after}).round(4)


def show_unit(panel: Panel, text: Text, number: int) -> None:
    """Draw one unit over the text, and the tokens of other reviews with its largest and smallest values."""
    first = panel.readings[0]
    correlation = first.profile.correlations[number]
    st.subheader(f"Unit {number} of {panel.title}", anchor=False)
    if first.profile.reviews:
        st.markdown(
            f"Its final value correlates with a review's label by **{correlation:+.2f}** (over {first.profile.reviews:,} reviews)."
        )
    drawing, words = figures.unit_over_text(first, text.words, number), f"Activation of unit {number} over the text"
    charts.chart(drawing, key("sentence", "unit_over_text"), words, rev=f"{panel.title}{number}")
    words = "Reading other reviews (the first time takes a few seconds)"
    found = shell.compute(words, sentence.contexts, panel.source, number, timeout=FIRST_TIMEOUT)
    low, *_, high = found.quantiles
    st.caption(
        f"Strongest and weakest among {found.tokens:,} tokens of other reviews ({', '.join(found.origins)}); all values lie between {low:.2f} and {high:.2f}."
    )
    values = {f"h of unit {number}": [f"{value:.3f}" for value in found.values]}
    st.dataframe(_passages(values, found.passages, "token"), hide_index=True)


def _passages(measures: dict[str, list[Any]], passages: Sequence[Passage], found: str) -> pd.DataFrame:
    """One row per passage: its measures, what was found, and where."""
    places = pd.DataFrame(passages, columns=["before", "words", "after", "label", "origin"])
    return pd.DataFrame(measures).join(places.rename(columns={"words": found, "origin": "from"}))


def show_span(panel: Panel, text: Text, ends: tuple[int, int]) -> None:
    """Draw spans of other reviews in which the same units are on."""
    words = " ".join(text.words[ends[0] : ends[1] + 1])
    st.subheader(f"Spans like “{plain(words, 80)}” for {panel.title}", anchor=False)
    hidden = panel.readings[0].blocks["h"]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        suitable, threshold_key = (
            similar_spans.suitable_threshold(hidden, *ends),
            key("sentence", "threshold", *ends, panel.title),
        )
        threshold = st.slider("A unit is on when h reaches", 0.01, 0.99, suitable, 0.01, key=threshold_key, width=320)
        before = st.checkbox("off just before", key=key("sentence", "span_before"))
        after = st.checkbox("off just after", key=key("sentence", "span_after"))
    request = (panel.source, hidden, *ends, threshold, before, after)
    words = "Searching other reviews (the first time takes a few seconds)"
    found = shell.compute(words, sentence.similar, *request, timeout=FIRST_TIMEOUT)
    selected = np.flatnonzero(found.selected)
    if not len(selected):
        st.info("No unit is on over the whole span: lower the threshold, or choose fewer words.", icon=":material/info:")
        return
    st.caption(
        f"On over the whole span: {len(selected)} units ({', '.join(map(str, selected[:12]))}{' …' if len(selected) > 12 else ''}). Searched {found.tokens:,} tokens of "
        f"{', '.join(found.origins)}; ranked by the Jaccard index of the units on, then by length, as LSTMVis does."
    )
    measures: dict[str, list[Any]] = {
        "Jaccard": [f"{match.jaccard:.2f}" for match in found.found],
        "tokens": [match.length for match in found.found],
    }
    st.dataframe(_passages(measures, [match.passage for match in found.found], "span"), hide_index=True)


def show_profiles(panels: list[Panel]) -> None:
    """Draw gates and units over many reviews: Karpathy's saturation plot, and the correlation of each unit with the label."""
    for panel in panels:
        profile = panel.readings[0].profile
        left, right = st.columns(2)
        with left:
            if profile.saturation:
                words = f"Saturation of the gates of {panel.title}"
                charts.chart(figures.saturation(profile), key("sentence", "saturation", panel.title), words, rev=panel.title)
                st.caption(figures.saturation_words(panel.title, profile))
            else:
                st.caption(f"{panel.title} has no gates that could saturate.")
        with right:
            if profile.reviews:
                words = f"Correlation of the units of {panel.title} with the label"
                charts.chart(figures.correlations(profile), key("sentence", "correlations", panel.title), words, rev=panel.title)
                st.caption(figures.correlations_words(panel.title, profile))
            else:
                st.caption("The words of this model are not known, so there are no labelled reviews to correlate its units with.")


def show_methods(panel: Panel, text: Text) -> None:
    """Draw all attribution methods side by side, and how far they agree."""
    found = {
        method: shell.compute("Computing the attributions", sentence.read, panel.source, panel.readings[0].ids, method)
        for method in METHODS
    }
    drawing = attribution_figures.side_by_side(found, text.words)
    charts.chart(drawing, key("sentence", "methods"), "Attributions by four methods", rev=panel.title)
    st.caption(attribution_figures.agreement_words(found))
