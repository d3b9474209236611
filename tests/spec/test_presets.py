"""Presets: each is valid and complete, and every word of its claim is proved by a test or a benchmark."""

from __future__ import annotations

import dataclasses
import re
from urllib.parse import urlencode

import pytest

from rnn_core import data
from rnn_core.export.keras_program import keras_program
from rnn_core.spec import presets
from rnn_core.spec.experiment import Experiment
from tests.benchmarks.presets import IMDB, MEASURES, ROWS, SIGNS
from tests.spec import test_presets_memory, test_presets_reviews, test_presets_series
from tests.spec.claims import PROVED

PROOFS = (test_presets_memory, test_presets_reviews, test_presets_series)  # their import fills PROVED


@pytest.mark.parametrize("preset", presets.presets().values(), ids=lambda preset: preset.name)
def test_every_word_of_a_claim_is_proved(preset: presets.Preset):
    left = preset.claim
    for words in sorted(PROVED[preset.name], key=len, reverse=True):
        assert words in preset.claim, "proved words that are not in the claim"
        left = left.replace(words, "")
    assert not re.search(r"\w", left), f"nothing proves: {left}"


def test_an_unknown_preset_is_refused():
    with pytest.raises(ValueError, match=r"preset must be one of toy, textbook, .*, got 'best'"):
        presets.get("best")


def test_the_benchmarks_rows_name_measures_and_presets_that_exist():
    for row in ROWS + IMDB:
        assert row.measure in MEASURES
        assert row.sign in SIGNS
        presets.get(row.preset).replace(**row.changes)
        if isinstance(row.bound, str) and row.bound not in presets.presets():
            assert row.bound.split(" ", 1)[1] in data.build(presets.get(row.preset)).baselines


@pytest.mark.parametrize("name", list(presets.presets()))
def test_a_preset_is_complete(name):
    preset = presets.presets()[name]
    assert preset.title
    assert preset.claim.endswith(".")
    assert data.interface(preset.experiment).outputs >= 1
    assert Experiment.from_query(preset.experiment.to_query()) == preset.experiment
    assert len(urlencode(preset.experiment.to_query())) < 200
    compile(keras_program(preset.experiment), name, "exec")


def test_presets_are_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        presets.get("toy").seed = 3
