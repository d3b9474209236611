"""Lessons: seven claims about gradients through time, each measured in front of the student and open to be disproved."""

from __future__ import annotations

import streamlit as st

from pages.parts import lessons as teaching
from pages.shared import shell
from pages.shared.guard import section
from pages.shared.session import key
from rnn_core.studies import lesson_measurements, lessons

context = shell.page(
    "Lessons",
    ":material/school:",
    "**What am I seeing?** Seven claims about memory and gradients, as a teacher would put them. Each is measured here and now: a tick means that the numbers "
    "bear it out, and every lesson says what would prove it wrong.",
    default=None,
)


@st.fragment
@section("The measurement of this lesson")
def measured(lesson: lessons.Lesson) -> None:
    """The lesson's own measurement, for any seed."""
    seed = teaching.seed(lesson)
    found = shell.wait(context.service.call(lessons.measure, lesson.name, seed), "Measuring")
    if drawing := teaching.figure(lesson, found):
        shell.chart(drawing, key("lessons", "figure", lesson.name), teaching.alt(found), rev=lesson.name)
    st.markdown(f":material/visibility: **What to look at.** {lesson.where_to_look}")
    teaching.facts(lesson.facts, found.numbers, teaching.provenance(lesson, seed))


with section("This lesson"):
    lesson = teaching.chosen()
    st.header(lesson.title, anchor=False)
    st.markdown(f"**The claim.** {lesson.claim}")
    figure = st.container()  # drawn last: the words need no worker
    if lesson.trained:
        with section("The recorded trainings of this lesson"):
            words = "Recorded from trainings of these presets, seeds 0 to 2. Train one yourself below."
            teaching.facts(lesson.trained, lesson_measurements.trainings(), words)
    st.markdown(f":material/help: **What would disprove it.** {lesson.disproof}")
    teaching.links(lesson)
    st.caption(lesson.background)
    with figure:
        measured(lesson)
