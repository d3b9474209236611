"""The confusion matrix: its sums are those of the data, its share right is the validation accuracy, its errors are the surest."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rnn_core import data
from rnn_core.data.sequences import Sequences
from rnn_core.figures import confusion as figures
from rnn_core.probes.confusion import ERRORS, LEAST, MOST, confusion, readable
from rnn_core.probes.strip import strip
from rnn_core.spec.experiment import Experiment
from tests.made_up import model

SMALL = {"length": 24, "samples": 300, "units": 4}
TASKS = [
    {"task": "toy_reviews", "mask": True}, {"task": "toy_reviews", "padding": "pre", "mask": False}, {"task": "temporal_order"},
    {"task": "first_token", "bidirectional": True}, {"task": "parity"}, {"task": "delayed_recall", "layers": 2},
]  # fmt: skip


@pytest.mark.parametrize("fields", TASKS, ids=[" ".join(map(str, fields.values())) for fields in TASKS])
def test_every_answer_is_counted_once_and_the_errors_are_the_surest(fields: dict[str, object]) -> None:
    experiment = Experiment().replace(**(SMALL | fields))
    found, part = confusion(experiment, model(experiment)), data.build(experiment).validation
    assert found.sequences == found.available == len(part)
    right = np.ravel(part.targets).astype(int)
    np.testing.assert_array_equal(found.counts.sum(1), np.bincount(right, minlength=len(found.classes)))
    assert len(found.mistakes) == min(ERRORS, found.answers - found.right)
    sure = [one.probability for one in found.mistakes]
    assert sure == sorted(sure, reverse=True)
    assert all(
        one.answered != one.right and 1 / len(found.classes) <= one.probability <= 1 and one.text for one in found.mistakes
    )
    assert len(found.classes) == len(found.counts)


def test_the_answers_are_those_of_the_network_one_sequence_at_a_time() -> None:
    experiment = Experiment().replace(**(SMALL | {"task": "toy_reviews", "mask": True}))
    network, part = model(experiment), data.build(experiment).validation
    counts = np.zeros((2, 2), int)
    for number in range(len(part)):
        counts[int(part.targets[number, 0]), int(strip(network, part[number][-24:]).answers[-1] > 0.5)] += 1
    np.testing.assert_array_equal(confusion(experiment, network).counts, counts)


def test_a_large_network_reads_fewer_sequences() -> None:
    sequences = Sequences.dense(np.zeros((2500, 500), np.int32), np.zeros((2500, 1), np.float32))
    experiment = Experiment().replace(task="toy_reviews", length=500, units=32)
    assert readable(experiment, sequences) == MOST
    assert LEAST < readable(experiment.replace(units=128), sequences) < MOST
    assert readable(experiment.replace(units=512, batch=8), sequences) == LEAST
    assert readable(experiment, sequences.take(np.arange(7))) == 7


def test_a_task_with_numbers_has_none() -> None:
    experiment = Experiment().replace(**(SMALL | {"task": "adding"}))
    with pytest.raises(ValueError, match="a task with classes, got adding"):
        confusion(experiment, model(experiment))


def test_the_figure_says_what_it_shows_and_the_errors_are_text() -> None:
    experiment = Experiment().replace(**(SMALL | {"task": "first_token"}))
    found = confusion(experiment, model(experiment))
    counts = np.array([[30, 10], [5, 55]])
    made = replace(found, counts=counts, sequences=100, available=100)
    assert figures.describe(made) == (
        "Of 100 answers to all validation sequences, 85 are right (85.0%). Its commonest error: “B” for “A”, 10 of 40."
    )
    assert "the first 100 of 200" in figures.describe(replace(made, available=200))
    (heat,) = figures.matrix(made).data
    np.testing.assert_allclose(heat.z, [[0.75, 0.25], [5 / 60, 55 / 60]], rtol=1e-6)
    shown = figures.errors(replace(made, mistakes=(replace(found.mistakes[0], text="<b>x</b>"),)))
    assert "&lt;b&gt;x&lt;/b&gt;" in shown
    assert "<b>x" not in shown
    assert "<table" not in figures.errors(replace(made, counts=np.diag([40, 60]), mistakes=()))
