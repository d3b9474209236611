"""Gradients of a run's kept models: one curve per model and layer, in the layer's order of processing."""

from __future__ import annotations

import numpy as np
import pytest

from rnn_core import data
from rnn_core.engine.model import build
from rnn_core.probes.gradients import run
from rnn_core.probes.gradients.state_gradients import state_gradients
from rnn_core.spec.experiment import Experiment


def test_curves_of_a_run_are_one_per_kept_model_and_layer_on_its_validation_sequences() -> None:
    experiment = Experiment().replace(task="toy_reviews", cell="gru", units=6, layers=2, embedding=5, length=25, samples=200)
    model = build(experiment, data.interface(experiment))
    found = run.run_curves((run.KeptModel(model, 0), run.KeptModel(model, 1200, "again")), experiment)
    labels = [(item.label, item.when) for item in found.curves["state"]]
    assert labels == [
        ("layer 2", "at init"),
        ("layer 1", "at init"),
        ("again, layer 2", "after 1,200 steps"),
        ("again, layer 1", "after 1,200 steps"),
    ]
    assert "32 validation sequences" in found.source
    absolute = run.run_curves((run.KeptModel(model, 0),), experiment, "loss", False)
    assert not absolute.curves["state"][0].relative
    singular, exponents = run.run_spectrum(run.KeptModel(model, 0), experiment)
    assert singular.values.shape[1] == len(exponents.values) == 6


def test_the_last_step_of_a_backward_half_is_the_first_of_the_sequence() -> None:
    experiment = Experiment().replace(
        task="toy_reviews", cell="gru", units=4, bidirectional=True, embedding=3, length=25, samples=200
    )
    model = build(experiment, data.interface(experiment))
    forwards, backwards = run.run_curves((run.KeptModel(model, 0),), experiment).curves["state"][::-1]
    assert (forwards.label, backwards.label) == ("forwards", "backwards")
    assert forwards.at(0) == backwards.at(0) == 1
    batch, _ = run.probe_batch(experiment)
    own = state_gradients(model, batch.inputs, mask=batch.mask, layer=1).norms
    first = batch.mask.argmax(axis=1)  # last step of the backward half
    rows = np.arange(len(first))
    for lag in (1, 5, 9):
        assert backwards.at(lag) == pytest.approx(np.median(own[rows, first + lag] / own[rows, first]))
