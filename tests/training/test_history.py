"""Rows and gradient norms: exact, bounded, and safe to read while they are appended."""

from __future__ import annotations

import pickle
import threading

import numpy as np
import pytest

from rnn_core.training.history import COLUMNS, History, NormHistory, logarithms


def _row(step: int) -> tuple[float, ...]:
    return (step, step // 10, *[float(step)] * (len(COLUMNS) - 2))


def test_columns_have_their_types():
    history = History()
    for step in range(1, 6):
        history.append(_row(step))
    columns = history.columns()
    assert list(columns) == list(COLUMNS)
    assert columns["step"].dtype == np.int64
    assert columns["loss"].tolist() == [1, 2, 3, 4, 5]
    assert history.last == 5


def test_truncating_removes_later_steps_only():
    history = History()
    for step in range(1, 11):
        history.append(_row(step))
    history.truncate(7)
    assert history.columns()["step"].tolist() == list(range(1, 8))
    history.truncate(-1)
    assert len(history) == 0
    assert history.last == -1


def test_a_history_can_be_pickled():
    history = History()
    history.append(_row(3))
    assert pickle.loads(pickle.dumps(history)).columns()["step"].tolist() == [3]


def test_columns_have_equal_lengths_while_rows_are_appended():
    history, unequal = History(), []

    def read() -> None:
        while len(history) < 20_000:
            columns = history.columns()
            if len({len(column) for column in columns.values()}) != 1:
                unequal.append(columns)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for step in range(1, 20_001):
        history.append(_row(step))
    for reader in readers:
        reader.join()
    assert not unequal


def test_kept_norms_are_bounded_and_depend_on_the_step_alone():
    whole, resumed = NormHistory(limit=64), NormHistory(limit=64)
    for step in range(1, 1001):
        whole.add(step, np.full(3, step, np.float32))
    for step in range(1, 501):
        resumed.add(step, np.full(3, step, np.float32))
    resumed.truncate(300)
    for step in range(301, 1001):
        resumed.add(step, np.full(3, step, np.float32))
    assert 32 <= len(whole.rows) <= 64
    assert sorted(whole.rows) == sorted(resumed.rows)
    assert whole.stride == resumed.stride == 16


def test_matrix_is_aligned_at_the_last_time_step():
    norms = NormHistory()
    norms.add(1, logarithms(np.array([1e-200, 1.0])))
    norms.add(2, logarithms(np.array([0.0, 1e-3, 10.0])))
    steps, matrix = norms.matrix()
    assert steps.tolist() == [1, 2]
    assert np.isnan(matrix[0, 0])
    assert matrix[0, 1:] == pytest.approx([1e-200, 1.0], rel=1e-4)
    assert matrix[1] == pytest.approx([0.0, 1e-3, 10.0], rel=1e-6)
    assert NormHistory().matrix()[1].shape == (0, 0)


def test_the_stride_is_restored_from_the_rows():
    norms = NormHistory(limit=16)
    for step in range(1, 100):
        norms.add(step, np.zeros(1, np.float32))
    again = NormHistory(norms.rows.items(), limit=16)
    assert again.stride == norms.stride
    assert sorted(again.rows) == sorted(norms.rows)
