"""Every fact of every lesson, measured again; and for each some numbers make it false."""

from __future__ import annotations

import math
import string

import pytest

from rnn_core.spec import presets
from rnn_core.studies import lesson_measurements, lessons
from rnn_core.studies.lessons import LESSONS, Fact, Lesson

LIVE = [lesson for lesson in LESSONS.values() if lesson.name not in ("training", "vanilla")]
FACTS = [
    pytest.param(lesson, fact, id=f"{lesson.name}-{n}")
    for lesson in LESSONS.values()
    for n, fact in enumerate((*lesson.facts, *lesson.trained), 1)
]


def fields(fact: Fact) -> list[str]:
    return [name for _, name, _, _ in string.Formatter().parse(fact.words) if name]


@pytest.fixture(scope="module")
def numbers() -> dict[str, dict[str, float]]:
    """Lesson → all numbers in its sentences, measured with seed 0 or recorded."""
    return {lesson.name: {**lesson_measurements.trainings(), **lesson.measure(0).numbers} for lesson in LESSONS.values()}


def test_there_are_seven_lessons_and_each_is_complete() -> None:
    assert len(LESSONS) == 7
    for lesson in LESSONS.values():
        assert all((lesson.title, lesson.claim, lesson.where_to_look, lesson.disproof, lesson.facts, lesson.background)), (
            lesson.name
        )
        assert set(lesson.presets) <= set(presets.presets())


@pytest.mark.parametrize(("lesson", "fact"), FACTS)
def test_the_sentence_is_true(lesson: Lesson, fact: Fact, numbers: dict[str, dict[str, float]]) -> None:
    assert fact.holds(numbers[lesson.name]), fact.sentence(numbers[lesson.name])
    assert "nan" not in fact.sentence(numbers[lesson.name])


@pytest.mark.parametrize(("lesson", "fact"), FACTS)
def test_the_sentence_could_be_false(lesson: Lesson, fact: Fact, numbers: dict[str, dict[str, float]]) -> None:
    """Some large change of a quoted number must make the fact false: a check that accepts every number checks nothing."""
    found = numbers[lesson.name]
    quoted = [name for name in fields(fact) if name not in ("gain", "lag", "words", "pads", "clipped_steps")]
    assert quoted
    for name in quoted:
        values = [found[name] * factor + shift for factor, shift in ((1e-9, 0), (1e9, 1e9), (1, 0.5), (1, -0.5))]
        values += [found[other] for other in quoted if other != name]  # or equal to another one
        moved = [fact.holds({**found, name: value}) for value in values]
        if not all(moved):
            return
    pytest.fail(f"no value of {quoted} would make this false: {fact.words}")


@pytest.mark.parametrize("lesson", LIVE, ids=lambda lesson: lesson.name)
@pytest.mark.parametrize("seed", [1, 2])
def test_facts_hold_for_other_seeds(lesson: Lesson, seed: int) -> None:
    found = lesson.measure(seed).numbers
    for fact in lesson.facts:
        assert fact.holds(found), fact.sentence(found)


def test_no_lesson_uses_the_word_solve() -> None:
    words = " ".join(
        text
        for lesson in LESSONS.values()
        for text in (lesson.title, lesson.claim, lesson.where_to_look, *(fact.words for fact in (*lesson.facts, *lesson.trained)))
    )
    assert "solve" not in words.lower()


def test_an_unknown_lesson_is_refused() -> None:
    with pytest.raises(ValueError, match="lesson must be one of vanishing"):
        lessons.measure("nonsense")


@pytest.mark.parametrize(("name", "learns"), [("contractive", False), ("orthogonal", True)])
def test_the_vanilla_pair_trains_as_recorded(name: str, learns: bool) -> None:
    result = lesson_measurements.outcome(presets.get(name).replace(epochs=8 if not learns else 2, seed=5))
    assert (result["last"] > 0.98) == learns
    assert learns or result["highest"] < 0.6


def test_the_gate_pair_trains_as_recorded() -> None:
    closed, opened = (
        lesson_measurements.outcome(presets.get(name).replace(epochs=2, seed=5)) for name in ("closed_gates", "open_gates")
    )
    assert closed["last"] < 0.6
    assert opened["last"] > 0.98


def test_the_runaway_pair_trains_as_recorded() -> None:
    loose, clipped = (
        lesson_measurements.outcome(presets.get(name).replace(epochs=1, seed=5)) for name in ("runaway", "runaway_clipped")
    )
    assert loose["diverged"] == 1
    assert loose["steps"] == 2, "it diverges at the second step"
    assert clipped["diverged"] == 0
    assert clipped["last"] < math.sqrt(clipped["first_loss"])


def test_the_shipped_models_open_and_close_as_recorded() -> None:
    """Where IMDB is present, measured again on fewer reviews."""
    from tests.benchmarks import imdb_gradients

    try:
        found = imdb_gradients.starters(24)["numbers"]
    except (OSError, RuntimeError) as error:
        pytest.skip(f"no IMDB here: {error}")
    for fact in LESSONS["training"].facts:
        assert fact.holds(found), fact.sentence(found)
