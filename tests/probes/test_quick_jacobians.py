"""The quick Jacobians against `jacobians`, over every cell and variant, and the spectra of the laboratory."""

from __future__ import annotations

import numpy as np
import pytest

from rnn_core.probes.gradients import laboratory
from rnn_core.probes.jacobians.jacobians import jacobians
from rnn_core.probes.jacobians.quick_jacobians import quick_jacobians
from rnn_core.spec.experiment import CELLS, Experiment
from tests.probes.test_quick import VARIANTS


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_every_jacobian_equals_that_of_jacobians(variant: dict[str, object]) -> None:
    experiment = Experiment().replace(units=6, length=40, **variant)
    model, sequence = laboratory.untrained(experiment, str(variant["cell"])), laboratory.random_inputs(1, 1, 40, 0.5)[0]
    np.testing.assert_allclose(quick_jacobians(model, sequence), jacobians(model, sequence).steps, rtol=1e-9, atol=1e-14)


def test_the_laboratorys_spectra_equal_those_of_jacobians() -> None:
    experiment = Experiment().replace(units=8, length=120, gain=1.5)
    for cell, singular, exponents in zip(
        CELLS, laboratory.singular_values(experiment), laboratory.lyapunov(experiment), strict=True
    ):
        found = jacobians(laboratory.untrained(experiment, cell), laboratory.random_inputs(0, 1, 120, 0.03)[0])
        with np.errstate(divide="ignore"):
            logs = np.log(singular.values)
        expected = found.log_singular_values(singular.lags.tolist())
        np.testing.assert_allclose(logs[expected > -700], expected[expected > -700], rtol=1e-6, atol=1e-9)
        np.testing.assert_allclose(exponents.values, found.lyapunov(), rtol=1e-6)


def test_an_exploding_network_raises_no_warning() -> None:
    model = laboratory.untrained(Experiment().replace(gain=5.0, length=500, units=8, activation="relu"), "simple_rnn")
    assert quick_jacobians(model, laboratory.random_inputs(0, 1, 500, 1.0)[0]).shape == (500, 8, 8)
