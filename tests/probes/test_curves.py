"""Curves over examples: medians, spreads, masks, and the fitted factor per step against exact geometric decay."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rnn_core.probes.gradients.curves import curve, decay, factor_words, half_life


def geometric(factor: float, length: int = 60, examples: int = 5) -> np.ndarray:
    scale = np.arange(1, examples + 1)[:, None]
    return scale * factor ** np.arange(length)[::-1][None, :]


@pytest.mark.parametrize("factor", [0.3, 0.9, 1.0, 1.1])
def test_the_fitted_factor_of_a_geometric_decay_is_its_factor(factor: float) -> None:
    assert curve(geometric(factor), "state", "gru", "at init").factor == pytest.approx(factor, rel=1e-9)


def test_median_and_spread_are_numpys_percentiles() -> None:
    norms = np.random.default_rng(0).lognormal(size=(11, 7))
    found = curve(norms, "state", "gru", "at init")
    for values, share in ((found.low, 10), (found.median, 50), (found.high, 90)):
        np.testing.assert_allclose(values, np.percentile(norms, share, axis=0), rtol=1e-12)


def test_relative_divides_each_example_by_its_last_step() -> None:
    found = curve(geometric(0.5), "state", "gru", "at init", relative=True)
    np.testing.assert_allclose(found.low, found.high)
    assert found.at(0) == 1
    assert found.at(3) == pytest.approx(0.125)


def test_padding_is_ignored() -> None:
    norms, mask = geometric(0.5, 6, 4), np.ones((4, 6), bool)
    mask[:3, :2] = False
    mask[3, :1] = False
    norms[~mask] = 1e9
    found = curve(norms, "state", "gru", "at init", mask=mask)
    assert np.isnan(found.median[0])
    assert found.median[1] == norms[3, 1]


def test_a_gradient_of_zero_is_not_fitted() -> None:
    assert math.isnan(decay(np.zeros(60)))
    assert "too" in factor_words(math.nan)


def test_the_mean_of_norms_is_not_the_norm_of_the_mean() -> None:
    """Signed gradients of opposite examples cancel, their norms do not."""
    signed = np.array([[[1.0, 0.0]], [[-1.0, 0.0]]])
    assert curve(np.linalg.norm(signed, axis=-1), "state", "gru", "").median[0] == 1
    assert np.linalg.norm(signed.mean(axis=0)) == 0


@pytest.mark.parametrize(
    ("factor", "words"),
    [
        (0.5, "halves every 1.0 steps"),
        (0.982, "halves every 38 steps"),
        (2.0, "doubles every 1.0 steps"),
        (1.0, "keeps its size"),
    ],
)
def test_factors_in_words(factor: float, words: str) -> None:
    assert words in factor_words(factor)


def test_half_life_of_the_forget_gate_at_bias_one() -> None:
    assert half_life(1 / (1 + math.exp(-1))) == pytest.approx(2.2, abs=0.05)
