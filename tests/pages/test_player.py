"""The token player and the text box: what is sent to the browser, and what is accepted from it."""

from __future__ import annotations

import json
import struct
from typing import Any

import numpy as np
import pytest

from pages.parts.sentence import text_box
from pages.parts.sentence.player import Panel, Pick, _checked, payload
from rnn_core.data.text.vocabulary import vocabulary
from rnn_core.service import sentence
from tests.probes.test_units import starter


def test_the_payload_contains_the_reading() -> None:
    text = text_box.encoded("A fine film.", "last", vocabulary(10_000))
    found = sentence.read(starter("lstm"), text.ids)
    data = payload([Panel("LSTM", (found,), starter("lstm"))], [{"words": text.words, "known": text.known}])
    length = struct.unpack("<I", data[:4])[0]
    header, numbers = json.loads(data[4 : 4 + length]), data[4 + length :]

    def unpacked(place: dict[str, Any]) -> np.ndarray:
        kind = {"int16": "<i2", "float32": "<f4"}[place["type"]]
        values = np.frombuffer(numbers, kind, int(np.prod(place["shape"])), place["at"]).reshape(place["shape"])
        return values / 32767 * place["scale"] if kind == "<i2" else values

    sent = header["panels"][0]["readings"][0]
    np.testing.assert_array_equal(unpacked(sent["probability"]), found.probability)
    np.testing.assert_array_equal(unpacked(sent["path"]), found.path)
    for name, values in found.blocks.items():
        np.testing.assert_allclose(unpacked(sent["blocks"][name]), values, atol=np.abs(values).max() / 32767)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ({"token": 2, "unit": 31, "panel": 0, "span": None}, Pick(2, 31, 0, None)),
        ({"token": 99, "unit": 32, "panel": 5, "span": [0, 99]}, Pick()),
        ({"token": "2", "unit": True, "panel": -1, "span": "ab"}, Pick()),
        ({"token": None, "unit": None, "panel": 0, "span": [1, 3]}, Pick(None, None, 0, (1, 3))),
        ({"token": None, "unit": None, "panel": 0, "span": [3, 1]}, Pick(None, None, 0, None)),
        ("nonsense", Pick()),
        (None, Pick()),
    ],
)
def test_invalid_picks_are_ignored(raw: Any, expected: Pick) -> None:
    text = text_box.encoded("A fine film.", "last", vocabulary(10_000))
    panels = [Panel("GRU", (sentence.read(starter("gru"), text.ids),), starter("gru"))]
    sent = {**raw, "rev": "now"} if isinstance(raw, dict) else raw
    assert _checked(sent, panels, [{"words": text.words}], "now") == expected
    assert _checked({"token": 1, "rev": "before"}, panels, [{"words": text.words}], "now") == Pick()


def test_words_that_the_box_does_not_split_are_one_token() -> None:
    """Other texts are tested in the browser."""
    for word in text_box.unsplit_words(vocabulary(10_000)):
        assert len(vocabulary().encode(word).ids) == 2
