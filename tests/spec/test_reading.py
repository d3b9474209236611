"""Decisions about a file's reading as one text."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnn_core.spec import reading
from rnn_core.spec.experiment import Experiment

_decisions = st.dictionaries(
    st.sampled_from(reading.OPTIONS), st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=8)
)


@given(_decisions)
@settings(max_examples=200, deadline=None)
def test_text_and_decisions_are_inverse(decisions):
    assert reading.from_text(reading.to_text(decisions)) == decisions


def test_the_text_reads_plainly():
    assert reading.to_text({"format": "%d/%m/%Y", "decimal": ","}) == "decimal=,&format=%25d/%25m/%25Y"
    assert reading.to_text({"dates": "", "order": "file"}) == "order=file"
    assert reading.from_text("") == {}


@pytest.mark.parametrize("text", ["decimals=,", "a", "=", "&&", "order=file&x=1"])
def test_anything_else_is_refused_in_the_experiment_and_replaced_in_a_link(text):
    with pytest.raises(ValueError, match="reading must be decisions such as decimal=,"):
        Experiment().replace(reading=text)
    experiment, messages = Experiment.read_query({"reading": text, "cell": "gru"})
    assert experiment == Experiment().replace(cell="gru")
    assert len(messages) == 1
