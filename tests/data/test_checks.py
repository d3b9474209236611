"""A batch that does not fit an interface is refused with what was expected and what came."""

from __future__ import annotations

import time

import numpy as np
import pytest

from rnn_core import data
from rnn_core.data.checks import check
from rnn_core.data.sequences import Batch
from rnn_core.spec.experiment import Experiment
from rnn_core.spec.interface import Interface

TOKENS, NUMBERS = Interface("tokens", 20, 1, "binary"), Interface("floats", 2, 3, "squared", True)
CLASSES = Interface("floats", 2, 4, "categorical")
IDS, X = np.array([[1, 2, 3], [4, 5, 19]], np.int32), np.zeros((2, 3, 2), np.float32)
YES = np.ones((2, 1), np.float32)


@pytest.mark.parametrize(
    ("interface", "batch", "words"),
    [
        (TOKENS, Batch(IDS[:0], None, YES[:0]), "at least one sequence"),
        (TOKENS, Batch(IDS[:, :0], None, YES), "at least one sequence"),
        (TOKENS, Batch(IDS + 1, None, YES), "between 0 and 19, got 2 to 20"),
        (TOKENS, Batch(-IDS, None, YES), "between 0 and 19, got -19"),
        (TOKENS, Batch(IDS, np.ones((2, 4), bool), YES), r"\(2, 3\), got \(2, 4\)"),
        (TOKENS, Batch(IDS, None, np.ones((3, 1))), r"\(2, 1\), got \(3, 1\)"),
        (TOKENS, Batch(IDS, None, np.ones((2, 2))), r"\(2, 1\), got \(2, 2\)"),
        (TOKENS, Batch(IDS, None, YES * np.nan), "targets must be finite"),
        (NUMBERS, Batch(IDS, None, np.ones((2, 3, 3))), r"\(batch, time, 2\) numbers, got \(2, 3\)"),
        (NUMBERS, Batch(np.zeros((2, 3, 5)), None, np.ones((2, 3, 3))), r"got \(2, 3, 5\)"),
        (NUMBERS, Batch(X + np.inf, None, np.ones((2, 3, 3))), "inputs must be finite"),
        (NUMBERS, Batch(X, None, np.ones((2, 3))), r"\(2, 3, 3\), got \(2, 3\)"),
        (CLASSES, Batch(X, None, np.array([0, 4])), "between 0 and 3, got 0 to 4"),
    ],
)
def test_a_batch_that_does_not_fit_is_refused(interface: Interface, batch: Batch, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        check(batch, interface)


def test_a_batch_that_fits_passes_within_a_millisecond() -> None:
    check(Batch(IDS, np.zeros((2, 3), bool), YES), TOKENS)  # a sequence of padding alone is allowed
    check(Batch(IDS[:, :1], None, YES[:, 0]), TOKENS)
    check(Batch(X, None, np.ones((2, 3, 3))), NUMBERS)
    check(Batch(X, None, np.array([0, 3])), CLASSES)
    check(Batch(X, None, np.zeros(0)), CLASSES, targets=False)
    large = Batch(np.ones((64, 500), np.int32), None, np.ones((64, 1), np.float32))
    times = []
    for _ in range(20):
        start = time.perf_counter()
        check(large, TOKENS)
        times.append(time.perf_counter() - start)
    assert min(times) < 1e-3


@pytest.mark.parametrize("name", [name for name in data.tasks() if name not in ("imdb", "csv")])
def test_batches_of_every_task_fit_its_interface(name: str) -> None:
    dataset = data.build(Experiment().replace(task=name, samples=100, length=30))
    for batch in data.batches(dataset.train, 16, np.random.default_rng(0)):
        check(batch, dataset.interface)
