"""Measuring part by part, two parts at once, is measuring the whole."""

from __future__ import annotations

import numpy as np
import pytest

from rnn_core import data
from rnn_core.engine import model
from rnn_core.spec.experiment import Experiment
from rnn_core.training import validation
from rnn_core.training.step import Stepper
from rnn_core.training.validation import Validation, as_read


@pytest.mark.parametrize(("cell", "both"), [("simple_rnn", False), ("lstm", False), ("lstm", True), ("gru", False)])
@pytest.mark.parametrize("task", ["toy_reviews", "sine"])
def test_parts_add_up_to_the_whole_in_any_number(task: str, cell: str, both: bool, monkeypatch: pytest.MonkeyPatch):
    experiment = Experiment().replace(task=task, length=20, samples=900, units=4, cell=cell, bidirectional=both)
    dataset = data.build(experiment)
    stepper = Stepper(model.build(experiment, dataset.interface), experiment.training)
    sequences = as_read(dataset.train, experiment.data)
    whole = stepper.evaluate(sequences, len(sequences))
    monkeypatch.setattr(validation, "ROOM", 32 * 20 * 4 * {"simple_rnn": 1, "gru": 3, "lstm": 4}[cell] * (1 + both))
    parts = Validation(stepper, sequences, lambda: False)
    assert parts.room > 0, "parts go through a program compiled for their size"
    assert [len(part) for part in parts.parts[1:3]] == [32, 32]
    first = parts.measure()
    assert first == pytest.approx(whole, rel=1e-5)
    assert parts.measure() == first, "whichever part was ready first"
    assert np.isnan(Validation(stepper, sequences, lambda: True).measure()).all()


def test_long_sequences_of_wide_networks_are_measured_in_small_parts():
    wide = Experiment().replace(cell="lstm", units=256).model
    assert validation._part(wide, 500) == 32
    assert validation._part(Experiment().replace(cell="simple_rnn", units=32).model, 500) == 512
