"""The example texts of the Sentence page: their notes hold for every starter model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pages.parts.sentence import text_box
from rnn_core.data.text.vocabulary import vocabulary
from rnn_core.probes.sentence import reading
from rnn_core.service import sentence
from tests.probes.test_units import starter

CELLS = ("simple_rnn", "lstm", "gru")
EXAMPLES = {example.name: example for example in text_box.EXAMPLES}


@pytest.fixture(scope="module", params=CELLS)
def read(request: pytest.FixtureRequest) -> Callable[[str], tuple[list[str], reading.Reading]]:
    def reader(name: str) -> tuple[list[str], reading.Reading]:
        text = text_box.encoded(EXAMPLES[name].text, "last", vocabulary(10_000))
        return [word.lower() for word in text.words], sentence.read(starter(request.param), text.ids)

    return reader


def test_contrast(read: Callable[..., Any]) -> None:
    words, found = read("Contrast")
    assert found.probability[: words.index("but")].max() > 0.85
    assert found.probability[-1] < 0.5
    assert {words[n] for n in np.argsort(found.deltas)[:2]} == {"drags", "terrible"}


def test_negation(read: Callable[..., Any]) -> None:
    words, found = read("Negation")
    change = dict(zip(words, found.deltas, strict=True))
    assert change["not"] < 0
    assert change["bad"] < -0.5
    assert abs(change["at"] + change["all"]) < 0.25
    assert change["loved"] > 1
    assert found.probability[words.index("loved") - 1] < 0.3 < 0.5 < found.probability[-1]


def test_sarcasm(read: Callable[..., Any]) -> None:
    words, found = read("Sarcasm")
    change = dict(zip(words, found.deltas, strict=True))
    assert change["wasted"] < -1
    assert change["brilliant"] > 1
    assert found.probability[-1] > 0.5


def test_a_long_aside(read: Callable[..., Any]) -> None:
    words, found = read("A long aside")
    assert words.index("wonderful") == 4
    assert len(words) - words.index("wonderful") > 50
    assert found.probability[-1] > 0.5
    assert found.deltas[words.index("coast")] < -0.2
    assert found.deltas[words.index("talked")] < -0.2


def test_double_negative(read: Callable[..., Any]) -> None:
    words, found = read("Double negative")
    change = dict(zip(words, found.deltas, strict=True))
    assert change["can't"] < -0.1
    assert change["enjoy"] > 0.5
    assert change["didn't"] < 0.1


def test_unknown_word(read: Callable[..., Any]) -> None:
    words, found = read("Unknown word")
    at = [words.index("zorgblatt"), words.index("flumpets")]
    assert (found.ids[at] == 2).all()
    assert (np.abs(found.deltas[at]) < 0.3).all()
    assert found.probability[-1] > 0.8
