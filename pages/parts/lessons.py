"""The parts of the Lessons page: the choice of a lesson, its figure, its facts with their verdicts, and links to try it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from pages.shared import session
from pages.shared.session import key
from rnn_core.figures import gradients as figures
from rnn_core.figures.accuracy import by_last_tokens
from rnn_core.probes.gradients.curves import factor_words
from rnn_core.spec import presets
from rnn_core.studies.lesson_measurements import Evidence
from rnn_core.studies.lessons import LESSONS, Fact, Lesson

RECORDED = ("training", "vanilla")  # lessons measured on trained models, without a seed


def chosen() -> Lesson:
    """Draw the choice of a lesson; return the chosen one, by default the one in the link or the first."""
    numbered = {name: f"{n}. {lesson.title}" for n, (name, lesson) in enumerate(LESSONS.items(), 1)}
    asked, first = st.query_params.get("lesson", ""), next(iter(LESSONS))
    pills = key("lessons", "chosen")
    if session.value(pills) is None or session.here().from_history:
        session.set_value(pills, asked if asked in LESSONS else first)
        session.here().from_history = False
    name = st.pills(
        "Lesson", list(LESSONS), format_func=numbered.__getitem__, required=True, key=pills, label_visibility="collapsed"
    )
    name = name if name in LESSONS else first
    if st.query_params.get("lesson") != name:
        st.query_params["lesson"] = name
    return LESSONS[name]


def seed(lesson: Lesson) -> int:
    """Draw the choice of the seed of weights and inputs; return it, 0 for a recorded lesson."""
    if lesson.name in RECORDED:
        return 0
    words = "Another seed draws other random weights and inputs. A claim that holds for one seed only may be chance."
    return int(st.number_input("Seed", 0, 999, 0, key=key("lessons", "seed", lesson.name), help=words, width=140))


def figure(lesson: Lesson, found: Evidence) -> go.Figure | None:
    """The lesson's curves with their theoretical bounds; None if there is nothing to draw."""
    if lesson.name == "vanilla":
        return by_last_tokens(found.numbers) if found.numbers else None
    if not found.curves:
        return None
    drawing = figures.norm_by_step(found.curves)
    for factor, words in found.bound.items():
        figures.add_power(drawing, factor, len(found.curves[0].median), words)
    return drawing


def alt(found: Evidence) -> str:
    """Describe the figure in one sentence for a screen reader."""
    return "; ".join(f"{figures.name_of(item)} {factor_words(item.factor)}" for item in found.curves) or "Accuracy by tokens read"


def provenance(lesson: Lesson, seed: int) -> str:
    """Where the numbers come from, a sentence."""
    if lesson.name in RECORDED:
        return "Recorded from the models that ship with Unrolled and real IMDB reviews."
    return f"Measured just now on untrained networks, seed {seed}."


def facts(items: Sequence[Fact], numbers: Mapping[str, float], source: str) -> None:
    """Draw each fact with its numbers, and whether they confirm it."""
    for item in items:
        try:
            holds, words = item.holds(numbers), item.sentence(numbers)
        except KeyError:
            st.markdown(":material/hourglass_empty: These numbers were not recorded on this machine.")
            continue
        sign = ":green[:material/check_circle:]" if holds else ":orange[:material/cancel:]"
        st.markdown(f"{sign} {words}{'' if holds else ' **Not so here**: the claim does not hold for these numbers.'}")
    st.caption(source)


def links(lesson: Lesson) -> None:
    """Draw a link to each preset of the lesson, and to the laboratory."""
    with st.container(horizontal=True):
        for name in lesson.presets:
            preset = presets.presets()[name]
            link: dict[str, Any] = {
                "query_params": preset.experiment.to_query(),
                "icon": ":material/play_circle:",
                "help": preset.claim,
            }
            st.page_link("pages/train.py", label=f"Train: {preset.title}", width="content", **link)
        st.page_link("pages/gradients.py", label="Try it in the laboratory", icon=":material/science:", width="content")
