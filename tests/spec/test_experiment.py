"""Experiments: invalid values are refused or replaced, and dict, JSON and link keep every field."""

from __future__ import annotations

import contextlib
import json
import pickle
import re
from urllib.parse import urlencode

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnn_core.spec.experiment import FIELDS, Experiment


def _values(rule):
    """Valid values of one field."""
    if rule["type"] is bool:
        return st.booleans()
    if "options" in rule:
        return st.sampled_from(rule["options"])
    if rule["type"] is str:
        return st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=rule["longest"])
    if rule["type"] is int:
        return st.integers(rule["low"], rule["high"])
    numbers = st.floats(rule["low"], rule["high"])
    return st.none() | numbers if rule["optional"] else numbers


_changes = st.fixed_dictionaries({}, optional={name: _values(rule) for name, rule in FIELDS.items()})


def _made(changes):
    """The experiment with those of the changes that are valid together."""
    experiment = Experiment()
    for name, value in changes.items():
        with contextlib.suppress(ValueError):
            experiment = experiment.replace(**{name: value})
    return experiment


@given(_changes)
@settings(max_examples=200, deadline=None)
def test_dict_json_link_and_pickle_keep_every_field(changes):
    experiment = _made(changes)
    assert Experiment.from_dict(experiment.to_dict()) == experiment
    assert Experiment.from_json(experiment.to_json()) == experiment
    assert Experiment.from_query(experiment.to_query()) == experiment
    assert Experiment.from_query("?" + urlencode(experiment.to_query())) == experiment
    assert pickle.loads(pickle.dumps(experiment)) == experiment


def test_links_leave_defaults_out():
    assert Experiment().to_query() == {}
    assert Experiment().replace(cell="lstm", units=64, gate_bias=3.0, mask=False).to_query() == {
        "cell": "lstm",
        "units": "64",
        "gate_bias": "3.0",
        "mask": "0",
    }


@given(
    st.dictionaries(st.sampled_from([*FIELDS, "unknown", "__class__"]), st.text() | st.floats().map(str) | st.integers().map(str))
)
@settings(max_examples=300, deadline=None)
def test_no_link_gives_an_invalid_experiment(query):
    experiment, messages = Experiment.read_query(query)
    assert Experiment.from_dict(experiment.to_dict()) == experiment  # from_dict refuses what is out of range
    assert all("\n" not in message and len(message) < 300 for message in messages)
    assert set(query) <= set(FIELDS) or messages


@pytest.mark.parametrize("written", ["1e9", "1000000000", "9" * 5000, "inf", "1e999"])
def test_too_many_units_become_the_largest_allowed(written):
    with pytest.warns(UserWarning, match="units must be between 1 and 512"):
        assert Experiment.from_query({"units": written}).model.units == 512


@pytest.mark.parametrize(
    ("name", "written", "becomes"), [("units", "-3", 1), ("units", "64.6", 65), ("units", "many", 32), ("gain", "nan", 1.0)]
)
def test_numbers_in_a_link_are_clamped_or_replaced(name, written, becomes):
    experiment, messages = Experiment.read_query({name: written})
    assert getattr(experiment.model, name) == becomes
    assert len(messages) == 1
    assert name in messages[0]


def test_unknown_keys_are_ignored_with_a_warning():
    with pytest.warns(UserWarning, match="unknown experiment field 'run' ignored"):
        assert Experiment.from_query({"run": "7", "seed": "3"}).seed == 3
    with pytest.warns(UserWarning, match="unknown experiment field 'colour' ignored"):
        assert Experiment.from_dict({"colour": 1, "model": {"units": 8}}).model.units == 8
    with pytest.raises(ValueError, match="no experiment field is called 'colour'"):
        Experiment().replace(colour=1)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"units": -3}, "units must be between 1 and 512, got -3"),
        ({"units": 10**400}, "units must be a number between 1 and 512, got inf"),
        ({"units": True}, "units must be a number"),
        ({"units": 2.5}, "units must be a whole number"),
        ({"cell": "elman"}, "cell must be one of simple_rnn, lstm, gru, got 'elman'"),
        ({"cell": "x" * 10**6}, "cell must be one of"),
        ({"learning_rate": float("nan")}, "learning_rate must be a number"),
        ({"mask": 1}, "mask must be true or false, got 1"),
        ({"gate_bias": "3"}, "gate_bias must be a number"),
        ({"length": None}, "length must be a number"),
        ({"seed": 2**31}, "seed must be between 0 and 2147483647"),
        ({"task": 3}, "task must be a text, got 3"),
        ({"column": "\ud800"}, "column must be readable text"),
    ],
)
def test_errors_have_what_was_expected_and_what_came(changes, words):
    with pytest.raises(ValueError, match=re.escape(words)) as caught:
        Experiment().replace(**changes)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    "text", ["", "[]", "{", "7", "null", "[" * 100_000, '{"units": 1e99}', '{"units": NaN}', '{"units": [1]}']
)
def test_json_that_is_no_experiment_is_refused(text):
    with pytest.raises(ValueError, match="must be"):
        Experiment.from_json(text)


def test_numpy_numbers_are_accepted():
    experiment = Experiment().replace(units=np.int64(8), gain=np.float32(0.5))
    assert type(experiment.model.units) is int
    assert type(experiment.model.gain) is float
    assert json.loads(experiment.to_json())["model"]["units"] == 8


def test_an_empty_gate_bias_is_none():
    assert Experiment().model.gate_bias is None
    assert Experiment.from_query({"gate_bias": ""}).model.gate_bias is None
    assert Experiment.from_dict({"gate_bias": 0}).model.gate_bias == 0.0


def test_every_field_has_a_help_text():
    assert all(rule["help"].endswith(".") for rule in FIELDS.values())
