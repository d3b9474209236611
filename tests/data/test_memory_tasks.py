"""Memory tasks: inputs and targets, and the exact errors of predictors without memory (reference: science.md 3.1)."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest

from rnn_core import data
from rnn_core.data import memory_tasks, puzzles
from rnn_core.spec.experiment import Experiment


def build(task: str, **changes: object) -> data.Dataset:
    return data.build(Experiment().replace(task=task, **{"samples": 4000, "length": 40} | changes))


def as_array(part: data.Sequences) -> np.ndarray:
    return part.values.reshape(len(part), -1, part.values.shape[1])


def test_adding_marks_one_number_in_each_half_and_adds_them():
    part = build("adding").train
    numbers, marks = as_array(part)[..., 0], as_array(part)[..., 1]
    assert set(np.unique(marks)) == {0, 1}
    assert (marks[:, :20].sum(1) == 1).all()
    assert (marks[:, 20:].sum(1) == 1).all()
    np.testing.assert_allclose((numbers * marks).sum(1), part.targets[:, 0], rtol=1e-6)
    assert numbers.mean() == pytest.approx(0.5, abs=0.01)
    assert numbers.var() == pytest.approx(1 / 12, abs=0.001)
    assert np.bincount(marks.argmax(1), minlength=20)[:20].min() > 100  # every position is drawn


def test_always_answering_one_has_mean_squared_error_one_sixth():
    dataset = build("adding", samples=50_000, length=4)
    assert dataset.loss_baselines["always 1"] == 1 / 6
    assert dataset.baselines["always 1"] == pytest.approx(0.4082, abs=1e-4)
    assert np.mean((dataset.train.targets - 1) ** 2) == pytest.approx(1 / 6, abs=0.002)


@pytest.mark.parametrize(("delay", "expected"), [(100, 0.17329), (1000, 0.02039)])
def test_copying_without_memory_costs_ten_ln_eight(delay, expected):
    dataset = build("copying", samples=50, length=delay + 20)
    assert dataset.loss_baselines["knowing when, not what"] == pytest.approx(10 * math.log(8) / (delay + 20), rel=1e-12)
    assert dataset.loss_baselines["knowing when, not what"] == pytest.approx(expected, abs=1e-5)


def test_copying_has_symbols_blanks_and_a_signal():
    part = build("copying", length=50, samples=20).train
    symbols = as_array(part).argmax(2)
    np.testing.assert_array_equal(symbols[:, :10], part.targets[:, 40:])  # the symbols are the last targets
    assert (symbols[:, 10:39] == 8).all()  # T - 1 = 29 blanks
    assert (symbols[:, 39] == 9).all()  # the signal
    assert (symbols[:, 40:] == 8).all()
    assert (part.targets[:, :40] == 8).all()
    frequencies = np.bincount(part.targets.ravel(), minlength=9) / part.targets.size
    accuracy = frequencies[8] + (1 - frequencies[8]) / 8  # right about blanks, guessing the rest
    assert build("copying", length=50).baselines["knowing when, not what"] == pytest.approx(accuracy, abs=1e-12)


def test_temporal_order_has_its_two_symbols_in_the_second_and_sixth_tenth():
    part = build("temporal_order", length=100).train
    symbols = as_array(part).argmax(2)
    marks = symbols < 2
    assert (marks.sum(1) == 2).all()
    assert marks[:, 10:20].any(1).all()
    assert marks[:, 50:60].any(1).all()
    first, second = symbols[:, 10:20].min(1), symbols[:, 50:60].min(1)
    np.testing.assert_array_equal(2 * first + second, part.targets)
    np.testing.assert_allclose(np.bincount(part.targets) / len(part), 0.25, atol=0.03)
    assert build("temporal_order").loss_baselines["guessing"] == pytest.approx(math.log(4))


def test_the_first_token_is_the_target_and_occurs_nowhere_else():
    part = build("first_token").train
    symbols = as_array(part).argmax(2)
    np.testing.assert_array_equal(symbols[:, 0], part.targets[:, 0])
    assert (symbols[:, 1:] >= 2).all()
    assert part.targets.mean() == pytest.approx(0.5, abs=0.03)


def test_parity_is_the_last_bit_of_the_sum():
    part = build("parity", length=11).train
    np.testing.assert_array_equal(as_array(part)[..., 0].sum(1) % 2, part.targets[:, 0])
    assert part.targets.mean() == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize("delay", [1, 5, 39, 60])
def test_delayed_recall_has_the_symbol_of_an_earlier_step_as_target(delay):
    dataset = build("delayed_recall", horizon=delay, samples=200)
    symbols = as_array(dataset.train).argmax(2)
    targets = dataset.train.targets
    assert (targets[:, :delay] == 8).all()
    np.testing.assert_array_equal(targets[:, delay:], symbols[:, : max(40 - delay, 0)])
    known = min(delay, 40)
    assert dataset.baselines["knowing when, not what"] == pytest.approx((known + (40 - known) / 8) / 40)


@pytest.mark.parametrize(("task", "length", "least"), [("adding", 1, 2), ("temporal_order", 9, 10), ("copying", 2, 3)])
def test_a_length_below_the_smallest_is_refused(task, length, least):
    with pytest.raises(ValueError, match=f"{task} needs a length of at least {least}, got {length}"):
        build(task, length=length)
    assert len(build(task, length=least, samples=5).train) == 5


@pytest.mark.parametrize("name", [task.name for task in memory_tasks.TASKS])
def test_sequences_of_the_largest_length_fit_into_memory(name):
    dataset = data.build(Experiment().replace(task=name, length=2000))
    assert len(dataset.train) == 2000
    assert dataset.train.values.nbytes < 200e6
    assert dataset.train.lengths.max() == 2000


def test_data_do_not_depend_on_the_cell():
    experiments = [
        Experiment().replace(task="adding", cell=cell, units=units)
        for cell, units in (("lstm", 8), ("gru", 64), ("simple_rnn", 1))
    ]
    values = [data.build(experiment).resample(3).values for experiment in experiments]
    assert all(np.array_equal(first, second) for first, second in pairwise(values))


def test_puzzles_depend_on_their_generator_only():
    first, second = (puzzles.adding(3, 10, 1, np.random.default_rng(5)) for _ in range(2))
    np.testing.assert_array_equal(first[0], second[0])
