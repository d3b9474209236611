"""Measuring in parts, two in parallel, gives the result of the whole."""

from __future__ import annotations

import numpy as np
import pytest

from rnn_core import data
from rnn_core.engine import model
from rnn_core.spec.experiment import Experiment
from rnn_core.training import validation
from rnn_core.training.step import TrainingStep
from rnn_core.training.validation import Validation, as_trained


@pytest.mark.parametrize(("cell", "both"), [("simple_rnn", False), ("lstm", False), ("lstm", True), ("gru", False)])
@pytest.mark.parametrize("task", ["toy_reviews", "sine"])
def test_the_result_does_not_depend_on_the_number_of_parts(task: str, cell: str, both: bool, monkeypatch: pytest.MonkeyPatch):
    experiment = Experiment().replace(task=task, length=20, samples=900, units=4, cell=cell, bidirectional=both)
    dataset = data.build(experiment)
    training_step = TrainingStep(model.build(experiment, dataset.interface), experiment.training)
    sequences = as_trained(dataset.train, experiment.data)
    whole = training_step.evaluate(sequences, len(sequences))
    monkeypatch.setattr(validation, "MAX_PROJECTED", 32 * 20 * 4 * {"simple_rnn": 1, "gru": 3, "lstm": 4}[cell] * (1 + both))
    parts = Validation(training_step, sequences, lambda: False)
    assert parts.capacity > 0, "parts run in a program compiled for their size"
    assert [len(part) for part in parts.parts[1:3]] == [32, 32]
    first = parts.measure()
    assert first == pytest.approx(whole, rel=1e-5)
    assert parts.measure() == first, "in any order of the parts"
    assert np.isnan(Validation(training_step, sequences, lambda: True).measure()).all()


def test_long_sequences_of_wide_networks_are_measured_in_small_parts():
    wide = Experiment().replace(cell="lstm", units=256).model
    assert validation._part(wide, 500) == 32
    assert validation._part(Experiment().replace(cell="simple_rnn", units=32).model, 500) == 512
