"""Planted faults, and the measures of their detection."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnn_core import data
from rnn_core.data.series import faults
from rnn_core.data.series.faults import area_under_curve, detection
from rnn_core.spec.experiment import Experiment


def plant(kind: str, seed: int = 0):
    wave = np.sin(2 * np.pi * np.arange(1000) / 25)[:, None]
    return wave, *faults.plant(wave, 500, kind, np.random.default_rng(seed))


def test_spikes_are_one_step_four_deviations_off():
    wave, changed, marked, rows = plant("spikes")
    assert len(changed) == 1000
    off = np.abs(changed - wave)[:, 0]
    np.testing.assert_array_equal(off > 0, marked)
    np.testing.assert_allclose(off[marked], 4 * wave[:500].std())
    np.testing.assert_array_equal(rows, np.arange(1000))


def test_level_shifts_last_thirty_steps_and_both_jumps_are_marked():
    wave, changed, marked, _ = plant("level_shifts")
    off = (changed - wave)[:, 0].round(9)
    assert np.isclose(np.abs(off[off != 0]), 3 * wave[:500].std()).all()
    jumps = np.flatnonzero(np.diff(off) != 0) + 1
    assert marked.sum() == 3 * len(jumps)
    assert all(marked[jump : jump + 3].all() for jump in jumps)


def test_frequency_changes_run_twice_as_fast_without_a_jump():
    wave, changed, marked, rows = plant("frequency_changes")
    assert len(changed) < 1000
    np.testing.assert_array_equal(changed, wave[rows])
    strides = np.diff(rows)
    assert set(strides[marked[:-1]]) == {2} | ({1} if 1 in strides[marked[:-1]] else set())
    assert (strides == 2).sum() == 30 * ((np.diff(marked.astype(int)) == 1).sum())


@pytest.mark.parametrize("kind", [*faults.KINDS, "mixed"])
def test_nothing_is_planted_before_the_test_part(kind):
    wave, changed, marked, _ = plant(kind)
    np.testing.assert_array_equal(changed[:500], wave[:500])
    assert not marked[:500].any()
    assert marked.any()
    first, second = plant(kind), plant(kind, seed=1)
    assert not np.array_equal(first[2], second[2])


def test_a_test_part_too_short_for_faults_is_refused():
    with pytest.raises(ValueError, match="the test part has 60 steps, too few to plant faults: at least 110 are needed"):
        faults.plant(np.zeros((560, 1)), 500, "spikes", np.random.default_rng(0))


def test_planting_changes_the_test_part_only():
    clean = data.build(Experiment().replace(task="sines", length=50))
    planted = data.build(Experiment().replace(task="sines", length=50, anomalies="mixed"))
    np.testing.assert_array_equal(clean.train.values, planted.train.values)
    np.testing.assert_array_equal(clean.validation.values, planted.validation.values)
    assert planted.series.faults.any()
    assert not planted.series.faults[: planted.series.ends[1]].any()


def test_a_perfect_detector_scores_one():
    truth = np.zeros(200, bool)
    truth[[50, 51, 120]] = True
    found = detection(truth.astype(float), truth, 0.5)
    assert (found.precision, found.recall, found.auc, found.faults, found.alarms) == (1, 1, 1, 2, 3)


def test_alarms_just_after_a_fault_find_it_and_later_ones_do_not():
    truth = np.zeros(200, bool)
    truth[[50, 120]] = True
    scores = np.zeros(200)
    scores[[55, 140]] = 1
    found = detection(scores, truth, 0.5)
    assert (found.precision, found.recall, found.alarms) == (0.5, 0.5, 2)


def test_measures_are_nan_without_alarms_or_faults():
    silent = detection(np.zeros(50), np.arange(50) == 20, 0.5)
    assert np.isnan(silent.precision)
    assert silent.recall == 0
    healthy = detection(np.zeros(50), np.zeros(50, bool), 0.5)
    assert np.isnan([healthy.recall, healthy.auc, healthy.precision]).all()


@given(st.lists(st.integers(0, 5), min_size=1, max_size=30), st.lists(st.integers(0, 5), min_size=1, max_size=30))
@settings(deadline=None)
def test_area_under_curve_is_the_share_of_pairs_in_the_right_order(positives, negatives):
    pairs = [(a > b) + 0.5 * (a == b) for a in positives for b in negatives]
    assert area_under_curve(np.array(positives, float), np.array(negatives, float)) == pytest.approx(np.mean(pairs))
