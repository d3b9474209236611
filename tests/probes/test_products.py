"""Products with known singular values; rare QRs against a QR after every step; dropped directions."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from rnn_core.probes.gradients import laboratory
from rnn_core.probes.jacobians import products
from rnn_core.probes.jacobians.jacobians import jacobians
from rnn_core.spec.experiment import CELLS, Experiment

LAGS = [0, 1, 7, 40, 119]


def rotated(stretch: np.ndarray, count: int) -> np.ndarray:
    """Steps whose product over n has the singular values stretchⁿ exactly: the same stretching between random rotations."""
    rng, size = np.random.default_rng(0), len(stretch)
    frames = [np.linalg.qr(rng.normal(size=(size, size)))[0] for _ in range(count + 1)]
    return np.stack([(after * stretch) @ before.T for before, after in itertools.pairwise(frames)])


def test_close_singular_values_far_below_the_largest_are_resolved() -> None:
    """Pairs closer than 1 %, over 30 decades: also where one block of rows ends and the next begins."""
    logs = -np.repeat(np.linspace(0, 0.6, 8), 2) - np.tile([0, 1e-4], 8)
    found = products.log_singular_values(rotated(np.exp(logs), 119), LAGS)
    np.testing.assert_allclose(found, np.array(LAGS)[:, None] * logs, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(products.lyapunov(rotated(np.exp(logs), 400), skip=300), logs, atol=5e-3)


@pytest.mark.parametrize("scale", [0.03, 1.0])
@pytest.mark.parametrize("gain", [0.5, 1.5])
@pytest.mark.parametrize("cell", CELLS)
def test_rare_qrs_give_the_numbers_of_a_qr_after_every_step(
    cell: str, gain: float, scale: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    experiment = Experiment().replace(length=120, gain=gain, units=16)
    steps = jacobians(laboratory.untrained(experiment, cell), laboratory.random_inputs(0, 1, 120, scale)[0]).steps
    fast = products.log_singular_values(products.backwards(steps), LAGS), products.lyapunov(steps)
    monkeypatch.setattr(products, "MAX_STEPS", 1)
    slow = products.log_singular_values(products.backwards(steps), LAGS), products.lyapunov(steps)
    np.testing.assert_allclose(fast[0], slow[0], rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(fast[1], slow[1], rtol=1e-6)
    volume = np.linalg.slogdet(steps)[1]  # log |det| is the sum of all exponents
    assert fast[1].sum() == pytest.approx(volume.mean(), rel=1e-6)
    assert fast[0][-1].sum() == pytest.approx(volume[1:].sum(), rel=1e-6)


def test_only_directions_that_cannot_rise_above_the_floor_are_dropped() -> None:
    steps = rotated(np.exp(-np.array([0.1, 0.1, 1.0, 8.0, 9.0])), 119)
    whole, cut = (products.log_singular_values(steps, LAGS, floor) for floor in (-np.inf, -200.0))
    np.testing.assert_allclose(cut[whole > -200], whole[whole > -200], rtol=1e-9, atol=1e-9)
    assert np.all(cut[-1, 3:] == -np.inf)
    growing = np.concatenate([steps[:60], np.linalg.inv(steps[:59])])  # down by e⁻⁵⁴⁰ and up again
    np.testing.assert_allclose(
        products.log_singular_values(growing, LAGS, -200.0)[-1], products.log_singular_values(growing, LAGS)[-1], rtol=1e-9
    )


def test_a_lost_direction_is_minus_infinity() -> None:
    steps = np.stack([np.diag([0.5, 0.0])] * 5)
    assert products.log_singular_values(steps, [5]).tolist() == [[pytest.approx(5 * np.log(0.5)), -np.inf]]
    assert products.lyapunov(steps).tolist() == [pytest.approx(np.log(0.5)), -np.inf]
