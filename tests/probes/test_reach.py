"""The reach of a gradient: closed forms, and what is no number."""

from __future__ import annotations

import numpy as np
import pytest

from rnn_core.probes.gradients.reach import median_reach, reach

NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("norms", "expected"),
    [
        ([1, 1, 1, 1], 4),  # constant: all T steps
        ([7.0], 1),  # T = 1
        ([1e-9, 1e-3, 0.02, 1], 2),
        ([0.02, 1e-9, 1e-9, 1], 1),  # the first step below the limit ends it, whatever lies before
        ([0.01, 1], 2),  # exactly 1 % is not below
        ([0.0099, 1], 1),
        ([1e9, 1e6, 1e3, 1], 4),  # growing
        ([0.0, 1], 1),
        ([INF, 5, 1], 3),  # overflow is growth
        ([1, NAN, 1], 1),
        ([NAN, NAN, 1, 1], 2),  # in front of a shorter sequence
        ([1, 1, 1, 0], 0),  # nothing to compare with
        ([1, NAN], 0),
        ([1, INF], 0),
        ([], 0),
        ([1e-310, 1e-309], 2),  # subnormal, and still compared
    ],
)
def test_reach(norms: list[float], expected: int) -> None:
    assert reach(np.array(norms, float)) == expected


@pytest.mark.parametrize("factor", [0.5, 0.9, 0.97, 0.999])
def test_reach_of_a_geometric_decay_follows_the_closed_form(factor: float) -> None:
    """factor^k ≥ 0.01 for k = 0 … floor(ln 0.01 / ln factor)."""
    norms = 3.0 * factor ** np.arange(199, -1, -1.0)
    assert reach(norms) == min(200, int(np.log(0.01) / np.log(factor)) + 1)


@pytest.mark.parametrize("scale", [1e-12, 1e12])
def test_the_scale_does_not_matter(scale: float) -> None:
    assert reach(scale * np.array([1e-9, 1e-3, 0.02, 1])) == 2


def test_the_median_leaves_out_sequences_without_a_reach() -> None:
    batch = np.array([[1, 1, 1.0], [0, 1, 1], [0, 0, 1], [1, 1, 0], [1, 1, NAN]])
    assert median_reach(batch) == 2
    assert np.isnan(median_reach(batch[3:]))
    assert np.isnan(median_reach(np.zeros((0, 5))))
