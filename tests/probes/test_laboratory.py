"""Gradients of untrained networks: shapes, agreement with `state_gradients` and `jacobians`, and the initialisation table."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from rnn_core.probes.gradients import laboratory
from rnn_core.probes.gradients.state_gradients import state_gradients
from rnn_core.probes.jacobians.jacobians import jacobians
from rnn_core.spec.experiment import CELLS, Experiment
from tests.referee import gate_memory

SMALL = Experiment().replace(length=30, units=8)


def test_every_cell_has_every_curve() -> None:
    lab = laboratory.untrained_curves(SMALL)
    assert set(lab.curves) == {"state", "input", "component"}
    for quantity, curves in lab.curves.items():
        assert [item.cell for item in curves] == list(CELLS)
        assert all(len(item.median) == 30 and item.quantity == quantity and item.when == "at init" for item in curves)
    assert lab.parameters == {"simple_rnn": 8 * (32 + 8 + 1), "lstm": 4 * 8 * (32 + 8 + 1), "gru": 3 * 8 * (32 + 8 + 2)}
    assert pickle.loads(pickle.dumps(lab)).parameters == lab.parameters


def test_a_linear_orthogonal_network_changes_the_gradient_by_its_gain() -> None:
    for gain in (0.8, 1.0, 1.2):
        lab = laboratory.untrained_curves(SMALL.replace(activation="linear", gain=gain), 1.0, ("simple_rnn",))
        assert lab.curves["state"][0].factor == pytest.approx(gain, rel=1e-5)


def test_without_weights_and_inputs_the_gate_product_follows_from_the_bias() -> None:
    total, product = laboratory.gates(SMALL.replace(cell="gru", gain=0.0, gate_bias=2.0), 0.0) or (None, None)
    assert product is not None
    np.testing.assert_allclose(product.median, gate_memory(2.0, product.lags), rtol=1e-5)
    assert total is not None
    np.testing.assert_allclose(total.median, product.median, rtol=1e-5)
    assert laboratory.gates(SMALL.replace(cell="simple_rnn")) is None


def test_the_singular_values_equal_those_of_the_product() -> None:
    found = laboratory.singular_values(SMALL, 1.0, ("lstm",))[0]
    model = laboratory.untrained(SMALL, "lstm")
    flows = jacobians(model, laboratory.random_inputs(0, 1, 30, 1.0)[0])
    for row, lag in enumerate(found.lags):
        expected = np.linalg.svd(flows.product(29 - lag, 29), compute_uv=False)
        np.testing.assert_allclose(found.values[row], expected, rtol=1e-6, atol=1e-12 * expected[0])
    assert laboratory.lyapunov(SMALL, 1.0, ("lstm",))[0].values.shape == (16,)


def test_the_largest_singular_value_bounds_the_gradient() -> None:
    model, inputs = laboratory.untrained(SMALL, "gru"), laboratory.random_inputs(0, 1, 30, 1.0)
    norms = state_gradients(model, inputs).norms[0]
    found = laboratory.singular_values(SMALL, 1.0, ("gru",))[0]
    for lag, values in zip(found.lags, found.values, strict=True):
        assert norms[29 - lag] <= values[0] * norms[-1] * (1 + 1e-6)


def test_the_batch_gradient_has_a_norm_for_every_weight_and_grows_with_the_gain() -> None:
    quiet, loud = (
        laboratory.batch_gradient(SMALL.replace(cell="simple_rnn", activation="linear", gain=gain)) for gain in (1.0, 1.5)
    )
    assert list(quiet) == ["input weights W", "recurrent weights U", "bias b", "output weights", "output bias"]
    assert loud["recurrent weights U"] > 100 * quiet["recurrent weights U"]


@pytest.mark.parametrize(
    ("row", "tolerance"),
    [
        ("SimpleRNN, orthogonal", 0.02),
        ("LSTM, forget bias 1", 0.02),
        ("LSTM, forget bias 0", 0.02),
        ("GRU, update bias 0", 0.02),
        ("GRU, update bias 3", 0.02),
    ],
)
def test_the_initialisation_table_is_reproduced(row: str, tolerance: float) -> None:
    from tests.benchmarks.initialisation import TABLE, measure

    fields, small, large, *_ = TABLE[row]
    assert measure(fields, False, 0)[0] == pytest.approx(small, abs=tolerance)
    assert measure(fields, True, 0)[0] == pytest.approx(large, abs=tolerance + 0.01)
