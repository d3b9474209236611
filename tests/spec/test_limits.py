"""Products of fields that would exhaust the machine: reduced in a link, refused elsewhere."""

from __future__ import annotations

import pytest

from rnn_core.spec.experiment import Experiment


def test_products_of_fields_are_limited():
    largest = {"units": "512", "layers": "4", "length": "2000", "batch": "1024", "cell": "lstm", "bidirectional": "1"}
    experiment, messages = Experiment.read_query(largest)
    assert (experiment.model.units, experiment.data.length) == (512, 2000)
    assert experiment.training.batch < 64
    assert any("batch must be at most" in message for message in messages)
    with pytest.raises(ValueError, match=r"one training step may keep 2 GiB of states: batch must be at most"):
        experiment.replace(batch=1024)
    with pytest.raises(ValueError, match="the embedding may have 20 million numbers"):
        Experiment().replace(vocabulary=88_587, embedding=512)
    with pytest.raises(ValueError, match="the data may have 20 million time steps"):
        Experiment().replace(samples=100_000, length=2000)
