"""A sweep on several workers: order of jobs, saved outcomes, stopping, lost workers; once on an external cluster."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from rnn_core.service.service import Service
from rnn_core.store.store import Store
from rnn_core.studies import sweep
from rnn_core.studies.sweep import Outcome, Trial
from rnn_core.studies.sweep_on_cluster import Sweep
from tests import outside
from tests.studies.test_sweep import outcome
from tests.watching import until

TRIALS = [Trial("adding", 8, cell, seed) for seed in (0, 1) for cell in ("gru", "lstm")]


class FakeService:
    """A service with two training workers, whose jobs are ended by the test."""

    trainers, idle_timeout = 2, 600.0

    def __init__(self) -> None:
        self.jobs: list[Any] = []

    def stream(self, function: Any, trials: list[Trial], *, viewer: str, on_value: Any) -> str:
        self.jobs.append(
            SimpleNamespace(status="running", values=(), message="", trial=trials[0], viewer=viewer, on_value=on_value)
        )
        return str(len(self.jobs) - 1)

    def streamed(self, job: str) -> Any:
        return self.jobs[int(job)]

    def viewed(self, job: str) -> None:
        pass

    def control(self, job: str, command: str) -> None:
        self.jobs[int(job)].status = "stopped"

    def end(self, number: int) -> Outcome:
        job = self.jobs[number]
        found = outcome(job.trial.cell, job.trial.length, job.trial.seed)
        job.on_value(found)
        job.status = "finished"
        return found


def test_each_slot_runs_one_trial_after_the_other(tmp_path: Path) -> None:
    service, path = FakeService(), tmp_path / "map.csv"
    sweeping = Sweep(service, TRIALS, path, "me")
    assert [job.trial for job in service.jobs] == TRIALS[:2]  # no more than there are workers, so that other jobs come between
    assert len({job.viewer for job in service.jobs}) == 2
    kept = [service.end(1)]
    assert [job.trial for job in service.jobs] == TRIALS[:3]
    assert service.jobs[2].viewer == service.jobs[1].viewer
    assert sweep.read(path) == kept  # saved at once
    for number in (0, 2, 3):
        assert not sweeping.progress().over
        service.end(number)
    found = sweeping.progress()
    assert (found.done, found.total, found.over, found.message) == (4, 4, True, "")


def test_a_stopped_sweep_is_resumed_with_what_is_missing(tmp_path: Path) -> None:
    service, path = FakeService(), tmp_path / "map.csv"
    sweeping = Sweep(service, TRIALS, path, "me")
    service.end(0)
    sweeping.stop()
    assert sweeping.progress().over
    assert len(service.jobs) == 3
    assert sweep.remaining(TRIALS, sweep.read(path)) == TRIALS[1:]


def test_a_trial_whose_worker_is_lost_is_started_at_most_three_times(tmp_path: Path) -> None:
    service = FakeService()
    sweeping = Sweep(service, TRIALS[:1], tmp_path / "map.csv", "me")
    for number in range(3):
        assert not sweeping.progress().over
        assert service.jobs[number].trial == TRIALS[0]
        service.jobs[number].status, service.jobs[number].message = "interrupted", "The worker stopped: start again."
    found = sweeping.progress()
    assert found.over
    assert "The worker stopped" in found.message
    assert len(service.jobs) == 3


def test_an_unwatched_sweep_ends(tmp_path: Path) -> None:
    service = FakeService()
    service.idle_timeout = 0.0
    sweeping = Sweep(service, TRIALS, tmp_path / "map.csv", "me")
    time.sleep(0.01)
    service.end(0)
    assert len(service.jobs) == 2
    service.end(1)
    assert "nobody watched" in sweeping.progress().message


@pytest.fixture
def external_cluster(tmp_path: Path) -> Iterator[str]:
    """Address of a scheduler with two workers that train and one that only probes, not started by the app."""
    workers = (("--name", "probe"), ("--name", "train-1", *outside.WARM), ("--name", "train-2", *outside.WARM))
    with outside.cluster(tmp_path, workers, {"HOME": str(tmp_path), "UNROLLED_HOME": str(tmp_path / "none")}) as address:
        yield address


def test_a_sweep_on_two_workers_of_another_cluster_yields_to_a_guest_stops_and_resumes(
    tmp_path: Path, external_cluster: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNROLLED_SCHEDULER", external_cluster)
    service, path = Service(Store(tmp_path)), tmp_path / "map.csv"
    try:
        until(lambda: len(service._dispatcher.queue.workers) == 3)
        trials = [Trial("adding", 6, "gru", seed) for seed in range(3)]
        sweeping, guest, at_work = Sweep(service, trials, path, "me"), "", set()
        while not sweeping.progress().done:
            jobs = sorted(service._dispatcher.queue.jobs.values(), key=lambda job: job.number)
            at_work |= {job.worker for job in jobs if job.status == "running"}
            guest = guest or service.stream(sweep.run, [Trial("adding", 6, "gru", 9)], viewer="guest")
            time.sleep(0.02)
        assert len(at_work) == 2
        assert [job.viewer for job in jobs][:3] == ["me, slot 1", "me, slot 2", "guest"]  # before the sweep's third trial
        sweeping.stop()
        until(lambda: sweeping.progress().over)
        rest = sweep.remaining(trials, sweep.read(path))
        assert 0 < len(rest) < 3
        resumed = Sweep(service, rest, path, "me")
        until(lambda: resumed.progress().over)
        assert sorted(outcome.seed for outcome in sweep.read(path)) == [0, 1, 2]
        assert service.streamed(guest).status in ("running", "finished")
    finally:
        service.close()
