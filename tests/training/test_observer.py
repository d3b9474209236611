"""The observer's states agree with traces."""

from __future__ import annotations

import numpy as np
import pytest

from rnn_core import data
from rnn_core.data.sequences import Sequences
from rnn_core.engine import model as models
from rnn_core.probes.states.traces import trace
from rnn_core.spec.experiment import Experiment
from rnn_core.training.observer import probe_inputs, states


@pytest.mark.parametrize("cell", ["simple_rnn", "lstm", "gru"])
@pytest.mark.parametrize(
    "shape",
    [
        {"task": "toy_reviews"},
        {"task": "adding", "layers": 2},
        {"task": "adding", "bidirectional": True},
        {"task": "toy_reviews", "bidirectional": True, "layers": 2},
    ],
)
def test_observed_states_agree_with_a_trace(cell: str, shape: dict[str, object]):
    experiment = Experiment().replace(cell=cell, length=30, samples=60, units=8, **shape)
    dataset = data.build(experiment)
    model = models.build(experiment, dataset.interface)
    inputs = probe_inputs(dataset.validation, 30).copy()
    if model.mask:
        inputs[3] = 0  # padding is skipped at any step
    found = states(model, inputs)
    assert found.dtype == np.float32
    assert found == pytest.approx(trace(model, inputs[None]).states[0], abs=1e-5)


def test_the_observed_sequence_has_median_length_and_keeps_its_last_steps():
    sequences = Sequences(np.arange(12), np.array([0, 2, 9, 12]), np.zeros(3))
    assert probe_inputs(sequences, 100).tolist() == [9, 10, 11]
    assert probe_inputs(sequences, 2).tolist() == [10, 11]
