"""Who probes, who trains and who is next, without a worker."""

from __future__ import annotations

import math

from rnn_core.service.connection import Worker
from rnn_core.service.queue import ENDED_KEPT, Roster
from rnn_core.service.turns import GUESS


def roster(*workers: str) -> Roster:
    found = Roster()
    found.workers = tuple(Worker(f"tcp://{name}", name, 1) for name in workers)
    return found


def add(roster: Roster, name: str, viewer: str, status: str = "waiting", worker: str = "") -> None:
    job = roster.enrol(name, "train", viewer, {})
    job.status, job.worker = status, worker
    roster.jobs[name] = job


def test_a_worker_called_probe_never_trains():
    assert roster("probe", "train-0", "train-1").roles() == (["tcp://probe"], ["tcp://train-0", "tcp://train-1"])
    assert roster("probe").roles() == (["tcp://probe"], [])


def test_among_strangers_the_first_probes_and_one_alone_does_both():
    assert roster("b", "a").roles() == (["tcp://a"], ["tcp://b"])
    assert roster("a").roles() == (["tcp://a"], ["tcp://a"])
    assert roster().roles() == ([], [])


def test_the_vacant_worker_is_the_one_with_the_fewest_paused_jobs():
    here = roster("probe", "train-0", "train-1", "train-2")
    add(here, "runs", "a", "running", "tcp://train-0")
    add(here, "rests", "b", "paused", "tcp://train-1")
    assert here.vacancy() == "tcp://train-2"
    add(here, "too", "c", "running", "tcp://train-2")
    assert here.vacancy() == "tcp://train-1", "what is paused does not keep others out"
    add(here, "all", "d", "running", "tcp://train-1")
    assert here.vacancy() == ""


def test_next_is_nobody_whose_run_was_just_started():
    here = roster("probe", "train-0")
    for name, viewer in (("a1", "a"), ("a2", "a"), ("b1", "b")):
        add(here, name, viewer)
    served = []
    for job in here.next():
        job.status = "running"
        served.append(job.id)
    assert served == ["a1", "b1"]


def test_places_and_times_follow_the_line():
    here = roster("probe", "train-0")
    add(here, "runs", "a", "running", "tcp://train-0")
    add(here, "first", "b")
    add(here, "second", "c")
    assert [here.place(here.jobs[name]) for name in ("first", "second")] == [(1, GUESS), (2, 2 * GUESS)]
    for seconds in (4.0, 6.0, 8.0):
        here.took(seconds)
    assert here.place(here.jobs["second"]) == (2, GUESS + 6.0)
    position, left = here.place(here.jobs["runs"])
    assert position == 0
    assert math.isnan(left)


def test_only_the_last_ended_jobs_are_remembered():
    here = roster()
    for n in range(ENDED_KEPT + 20):
        add(here, f"job-{n}", "a", "finished")
    assert len(here.jobs) <= ENDED_KEPT + 1
    assert f"job-{ENDED_KEPT + 19}" in here.jobs
    assert "job-0" not in here.jobs
