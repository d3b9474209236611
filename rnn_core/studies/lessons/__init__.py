"""Seven lessons on gradients through time, one per file. Each states a claim, what to look at, and what would disprove it.

In: the name of a lesson and a seed. Out: `Evidence`, the numbers of its `Fact`s: sentences with a check whether the numbers support them.
The page shows both; tests/studies/test_lessons.py measures and checks every fact, and that each check can fail.
Open first: `lesson.py` for the types, then `vanishing.py`. A new lesson is one file here, and its name in `LESSONS`.
"""

from __future__ import annotations

from rnn_core.studies.lesson_measurements import Evidence
from rnn_core.studies.lessons.exploding import EXPLODING
from rnn_core.studies.lessons.gate_bias import GATE_BIAS
from rnn_core.studies.lessons.lesson import Fact, Lesson
from rnn_core.studies.lessons.orthogonal import ORTHOGONAL
from rnn_core.studies.lessons.padding import PADDING
from rnn_core.studies.lessons.training import TRAINING
from rnn_core.studies.lessons.vanilla import VANILLA
from rnn_core.studies.lessons.vanishing import VANISHING

__all__ = ["LESSONS", "Fact", "Lesson", "get", "measure"]

LESSONS: dict[str, Lesson] = {
    lesson.name: lesson for lesson in (VANISHING, EXPLODING, ORTHOGONAL, GATE_BIAS, PADDING, TRAINING, VANILLA)
}


def measure(name: str, seed: int = 0) -> Evidence:
    """The evidence of one lesson, measured now. Raises ValueError for an unknown name."""
    return get(name).measure(seed)


def get(name: str) -> Lesson:
    """One lesson. Raises ValueError for an unknown name."""
    if name not in LESSONS:
        raise ValueError(f"lesson must be one of {', '.join(LESSONS)}, got {name!r}")
    return LESSONS[name]
