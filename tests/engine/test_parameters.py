"""The computed numbers of parameters against models that are built."""

from __future__ import annotations

from itertools import product

import pytest

from rnn_core import data
from rnn_core.engine import model, parameters
from rnn_core.spec.experiment import Experiment

VARIANTS = [
    Experiment().replace(
        task=task, length=12, cell=cell, units=5, layers=layers, bidirectional=both, vocabulary=50, embedding=3, **extra
    )
    for task, cell, layers, both in product(("toy_reviews", "adding"), ("simple_rnn", "lstm", "gru"), (1, 2), (False, True))
    for extra in ({}, {"use_bias": False}, {"reset_after": False})
]


@pytest.mark.parametrize("experiment", VARIANTS, ids=lambda e: "-".join(f"{value}" for value in e.to_query().values()))
def test_the_recurrent_count_equals_that_of_the_built_model(experiment: Experiment) -> None:
    interface = data.interface(experiment)
    assert parameters.recurrent(experiment, interface) == model.build(experiment, interface).parameters


def test_only_the_feedforward_network_grows_with_the_window() -> None:
    short, long = (Experiment().replace(task="adding", length=length, units=5) for length in (10, 100))
    interface = data.interface(short)
    assert parameters.recurrent(short, interface) == parameters.recurrent(long, interface)
    assert parameters.feedforward(long, interface) - parameters.feedforward(short, interface) == 90 * interface.input_size * 5
