"""What a worker sends in updates, and the files that it keeps until they are fetched."""

from __future__ import annotations

import pickle

import pytest

from rnn_core import data
from rnn_core.service import problems, worker, worker_probes
from rnn_core.training.loop import train
from tests import streams
from tests.watching import TINY


def test_a_checkpoint_is_announced_only_with_the_rows_before_it(monkeypatch: pytest.MonkeyPatch):
    """A run whose worker is lost continues from its stored checkpoint, so the rows up to there must be stored too."""
    monkeypatch.setenv("UNROLLED_CHECKPOINT_SECONDS", "0")
    monkeypatch.setattr(worker, "UPDATE_SECONDS", 3600.0)  # so that rows are collected, not sent
    received: list[worker.Update] = []
    reporter = worker.Reporter("run", 1, lambda message: received.append(pickle.loads(message)))
    for snapshot in train(TINY):
        reporter.add_snapshot(snapshot)
        steps = [0, *(row[0] for update in received for row in update.rows)]
        announced = list(worker._files["run", 1].values())[: received[-1].files]
        assert all(file.step <= steps[-1] for file in announced)
    reporter.flush()
    assert [update.number for update in received] == list(range(len(received))), "so that a lost one is noticed"
    files = [worker.fetch_file("run", 1, number) for number in range(received[-1].files)]
    assert len(files) > 3
    assert None not in files
    assert worker.fetch_file("run", 1, 0) is None, "files before the one asked for are dropped"
    worker.release("run")
    assert worker.fetch_file("run", 1, received[-1].files - 1) is None


@pytest.mark.parametrize("function", [streams.break_numpy, streams.break_a_table])
def test_a_fault_in_a_probe_is_no_advice_even_if_it_is_a_value_error(function: object):
    with pytest.raises(worker_probes.ProbeError, match=r"broadcast|something long"):
        worker_probes.probe(pickle.dumps((function, (), {})))


def test_what_the_project_raises_itself_reaches_the_viewer_as_it_is():
    with pytest.raises(ValueError, match=r"^the file is not a table$"):
        worker_probes.probe(pickle.dumps((streams.fail, ("the file is not a table",), {})))
    with pytest.raises(ValueError, match="task must be one of"):
        worker_probes.probe(pickle.dumps((data.task, ("nonsense",), {})))


def test_a_training_that_fails_by_a_fault_names_its_type():
    for function, words in ((streams.break_numpy, "ValueError: operands"), (streams.break_a_table, "KeyError: something")):
        with pytest.raises((ValueError, KeyError)) as caught:
            function()
        assert problems.message_of(caught.value).startswith(words)
