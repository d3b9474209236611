"""The refined line integral of functions whose integral is known, steep ones included."""

from __future__ import annotations

import numpy as np
import pytest

from rnn_core.probes.sentence.quadrature import MAX_POINTS, line_integral


@pytest.mark.parametrize("steepness", [1.0, 50.0, 3000.0])
def test_a_steep_change_is_integrated_within_the_tolerance(steepness: float) -> None:
    def answer(at: np.ndarray) -> np.ndarray:
        return np.tanh(steepness * (at - 0.37))

    def gradient(at: np.ndarray) -> np.ndarray:  # of f(α v) in v = (1, 2), where f depends on the first number alone
        slope = steepness / np.cosh(np.clip(steepness * (at - 0.37), -300, 300)) ** 2
        return np.stack([slope, np.zeros_like(slope)], axis=1)

    found = line_integral(lambda at: (answer(at), gradient(at)), np.array([1.0, 2.0]), 5e-4)
    change = float(np.diff(answer(np.array([0.0, 1.0])))[0])
    assert found.gap <= 5e-4 * max(1.0, abs(change))
    np.testing.assert_allclose(found.mean, [change, 0], atol=1e-3)
    assert found.points <= MAX_POINTS


def test_a_linear_function_needs_only_the_first_points() -> None:
    found = line_integral(lambda at: (3 * at, np.ones((len(at), 3))), np.ones(3), 1e-6)
    assert found.points == 19  # twice eight, and the ends of the pieces
    assert found.gap < 1e-12


def test_an_integral_that_cannot_be_complete_reports_its_gap() -> None:
    """A wrong gradient: the number of points is bounded, and the gap reported."""
    found = line_integral(lambda at: (at, np.zeros((len(at), 1))), np.ones(1), 1e-6)
    assert found.gap == pytest.approx(1.0)
    assert found.points <= MAX_POINTS
