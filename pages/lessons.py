"""Lessons: seven claims about gradients through time, each measured on the page, with what would disprove it."""

from __future__ import annotations

import streamlit as st

from pages.parts import lessons
from pages.shared import charts, glossary, shell
from pages.shared.guard import section
from pages.shared.session import key
from rnn_core.studies import lesson_measurements
from rnn_core.studies.lessons import Lesson, measure

context = shell.page(
    "Lessons",
    ":material/school:",
    "**What am I seeing?** Seven claims about memory and gradients, as a teacher would state them. Each is measured on this page: a tick means that the numbers "
    "confirm it, and every lesson says what would disprove it.",
    default=None,
)


@st.fragment
@section("The measurement of this lesson")
def measurement(lesson: Lesson) -> None:
    """Draw the lesson's measurement for the chosen seed."""
    seed = lessons.seed(lesson)
    found = shell.compute("Measuring", measure, lesson.name, seed)
    if figure := lessons.figure(lesson, found):
        charts.chart(figure, key("lessons", "figure", lesson.name), lessons.alt(found), rev=lesson.name)
    glossary.markdown(f":material/visibility: **What to look at.** {lesson.where_to_look}")
    lessons.facts(lesson.facts, found.numbers, lessons.provenance(lesson, seed))


with section("This lesson"):
    lesson = lessons.chosen()
    st.header(lesson.title, anchor=False, help=glossary.note(lesson.title))
    glossary.markdown(f"**The claim.** {lesson.claim}")
    figure_place = st.container()  # filled last, because only the measurement needs a worker
    if lesson.trained:
        with section("The recorded trainings of this lesson"):
            words = "Recorded from trainings of these presets, seeds 0 to 2. Train one yourself below."
            lessons.facts(lesson.trained, lesson_measurements.trainings(), words)
    glossary.markdown(f":material/help: **What would disprove it.** {lesson.disproof}")
    lessons.links(lesson)
    glossary.caption(lesson.background)
    with figure_place:
        measurement(lesson)
