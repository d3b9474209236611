"""What a worker says, and what it keeps until it is fetched."""

from __future__ import annotations

import pickle

import pytest

from rnn_core.service import worker
from rnn_core.training.loop import train
from tests.watching import TINY


def test_a_checkpoint_is_fetched_no_sooner_than_the_rows_before_it(monkeypatch: pytest.MonkeyPatch):
    """A run whose worker dies goes on from its checkpoint: the rows up to there must have come by then."""
    monkeypatch.setenv("UNROLLED_CHECKPOINT_SECONDS", "0")
    monkeypatch.setattr(worker, "BEAT_SECONDS", 3600.0)  # rows are held back
    heard: list[worker.Beat] = []
    reporter = worker.Reporter("run", 1, lambda message: heard.append(pickle.loads(message)))
    for snapshot in train(TINY):
        reporter.see(snapshot)
        steps = [0, *(row[0] for beat in heard for row in beat.rows)]
        announced = list(worker._parcels["run", 1].values())[: heard[-1].parcels]
        assert all(parcel.step <= steps[-1] for parcel in announced)
    reporter.flush()
    assert [beat.number for beat in heard] == list(range(len(heard))), "so that a lost one is noticed"
    parcels = [worker.fetch("run", 1, number) for number in range(heard[-1].parcels)]
    assert len(parcels) > 3
    assert None not in parcels
    assert worker.fetch("run", 1, 0) is None, "those before the one asked for have arrived, and are let go"
    worker.forget("run")
    assert worker.fetch("run", 1, heard[-1].parcels - 1) is None
