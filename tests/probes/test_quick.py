"""The quick norms against `state_gradients`, over every cell and variant; norms of tiny and huge vectors."""

from __future__ import annotations

import numpy as np
import pytest

from rnn_core.probes.gradients import laboratory
from rnn_core.probes.gradients.norms import norm
from rnn_core.probes.gradients.quick import quick_norms
from rnn_core.probes.gradients.state_gradients import state_gradients
from rnn_core.spec.experiment import Experiment

VARIANTS = [
    {"cell": "simple_rnn"},
    {"cell": "simple_rnn", "activation": "relu", "gain": 1.5},
    {"cell": "simple_rnn", "activation": "linear", "gain": 1.2},
    {"cell": "lstm", "gate_bias": 3.0},
    {"cell": "lstm", "layers": 2, "use_bias": False},
    {"cell": "lstm", "activation": "sigmoid"},
    {"cell": "gru", "gate_bias": 3.0},
    {"cell": "gru", "reset_after": False, "layers": 2},
    {"cell": "gru", "activation": "relu", "use_bias": False},
]


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_every_norm_equals_that_of_state_gradients(variant: dict[str, object]) -> None:
    experiment = Experiment().replace(units=6, length=40, **variant)
    model, inputs = laboratory.untrained(experiment, str(variant["cell"])), laboratory.random_inputs(1, 3, 40, 0.5)
    found, expected = quick_norms(model, inputs), state_gradients(model, inputs)
    np.testing.assert_allclose(found.state, expected.norms, rtol=1e-9)
    np.testing.assert_allclose(found.input, expected.inputs, rtol=1e-9)
    np.testing.assert_allclose(found.component, expected.components["recurrent_kernel"], rtol=1e-9)


def test_the_gradient_of_five_hundred_steps_does_not_underflow() -> None:
    experiment = Experiment().replace(gain=0.2, length=500, units=8)
    model, inputs = laboratory.untrained(experiment, "gru"), laboratory.random_inputs(0, 2, 500, 0.03)
    found = quick_norms(model, inputs).state
    assert 1e-200 < found[:, 0].min() < 1e-100
    np.testing.assert_allclose(found, state_gradients(model, inputs).norms, rtol=1e-6)


def test_an_exploding_network_raises_no_warning() -> None:
    model = laboratory.untrained(Experiment().replace(gain=5.0, length=500, units=8, activation="linear"), "simple_rnn")
    assert not np.isfinite(quick_norms(model, laboratory.random_inputs(0, 2, 500, 1.0)).state).all()


def test_norms_of_tiny_and_huge_vectors_are_exact() -> None:
    unit = np.array([3.0, 0.0, -4.0])
    sizes = np.array([0.0, 1e-320, 1e-300, 1e-170, 1e-90, 1.0, 1e90, 1e170, 1e300])
    np.testing.assert_allclose(norm(sizes[:, None] * unit), 5 * sizes, rtol=1e-3)  # 1e-320 has three digits left
    np.testing.assert_allclose(norm(sizes[2:, None] * unit), 5 * sizes[2:], rtol=1e-14)
