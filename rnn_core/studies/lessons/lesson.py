"""What a lesson is: a claim, where to look, what would disprove it, and facts whose numbers are measured."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from rnn_core.studies.lesson_measurements import Evidence

Numbers = Mapping[str, float]
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def _power(found: re.Match[str]) -> str:
    """A matched power of ten for the screen: 6e-08 → 6·10⁻⁸, 8e+04 → 80,000."""
    digits, exponent = found[1], int(found[2])
    if 0 <= exponent < 7:
        return f"{float(digits) * 10**exponent:,.0f}"
    return f"{digits}·10{str(exponent).translate(_SUPERSCRIPTS)}"


@dataclass(frozen=True)
class Fact:
    """One sentence about numbers."""

    words: str  # with fields {name:format} for the numbers
    holds: Callable[[Numbers], bool]  # whether the numbers support it

    def sentence(self, numbers: Numbers) -> str:
        """The words with their numbers, powers of ten as 6·10⁻⁸."""
        return re.sub(r"(\d[\d.]*)e([+-]\d+)", _power, self.words.format(**numbers))


@dataclass(frozen=True)
class Lesson:
    """One lesson, with the presets that show it."""

    name: str  # key in a link
    title: str  # a few words
    claim: str  # what is taught, in one or two sentences
    presets: tuple[str, ...]  # names in rnn_core.spec.presets to train
    where_to_look: str  # in the figure
    disproof: str  # an observation that would contradict the claim
    measure: Callable[[int], Evidence]  # seed → numbers and curves, in well under a second on a warm worker
    facts: tuple[Fact, ...]  # about `measure`'s numbers
    trained: tuple[Fact, ...] = ()  # about recorded trainings: the numbers of `lesson_measurements.trainings`
    background: str = ""  # sources; cited, not measured here
