"""The queue without workers: roles of workers, the order of jobs, positions and estimates."""

from __future__ import annotations

import math
import random
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from rnn_core.service.connection import Worker
from rnn_core.service.job import Job
from rnn_core.service.queue import DEFAULT_SECONDS, ENDED_KEPT, JobQueue, fair_order, seconds_until_start


def waiting_jobs(viewers: str) -> list[Job]:
    """One job per letter, submitted in this order."""
    return [Job(f"{viewer}{n}", "train", viewer, n, {}) for n, viewer in enumerate(viewers)]


def test_each_viewer_has_a_first_job_before_anybody_has_a_second():
    assert [job.id for job in fair_order(waiting_jobs("aaabbc"))] == ["a0", "b3", "c5", "a1", "b4", "a2"]


def test_a_running_job_counts_as_its_viewers_first():
    assert [job.id for job in fair_order(waiting_jobs("ab"), running=["a"])] == ["b1", "a0"]


@given(st.text("abc", max_size=12), st.lists(st.sampled_from("abc"), max_size=3))
def test_the_next_job_is_always_of_a_waiting_viewer_with_the_fewest_jobs(viewers: str, running: list[str]):
    jobs = waiting_jobs(viewers)
    shuffled = random.Random(0).sample(jobs, len(jobs))
    ordered = fair_order(shuffled, running)
    assert sorted(ordered, key=lambda job: job.number) == jobs
    had, left = Counter(running), Counter(viewers)
    for job in ordered:
        others = [had[viewer] for viewer in left if left[viewer] > 0]
        assert had[job.viewer] == min(others)
        had[job.viewer] += 1
        left[job.viewer] -= 1


def test_each_job_starts_when_the_next_worker_becomes_free():
    assert seconds_until_start([10], 1, [5, 5]) == [10, 15]
    assert seconds_until_start([10, 2], 2, [5, 5, 5]) == [2, 7, 10]
    assert seconds_until_start([], 2, [5, 6, 7]) == [0, 0, 5]
    assert all(math.isnan(start) for start in seconds_until_start([], 0, [1]))


def job_queue(*workers: str) -> JobQueue:
    """An empty queue with workers of these names."""
    queue = JobQueue()
    queue.workers = tuple(Worker(f"tcp://{name}", name) for name in workers)
    return queue


def add(queue: JobQueue, name: str, viewer: str, status: str = "waiting", worker: str = "") -> None:
    job = queue.new_job(name, "train", viewer, {})
    job.status, job.worker = status, worker
    queue.jobs[name] = job


def test_a_worker_named_probe_never_trains():
    assert job_queue("probe", "train-0", "train-1").roles() == (["tcp://probe"], ["tcp://train-0", "tcp://train-1"])
    assert job_queue("probe").roles() == (["tcp://probe"], [])


def test_without_a_probe_worker_the_first_probes_and_a_single_one_does_both():
    assert job_queue("b", "a").roles() == (["tcp://a"], ["tcp://b"])
    assert job_queue("a").roles() == (["tcp://a"], ["tcp://a"])
    assert job_queue().roles() == ([], [])


def test_the_free_worker_is_the_one_with_the_fewest_paused_jobs():
    queue = job_queue("probe", "train-0", "train-1", "train-2")
    add(queue, "running", "a", "running", "tcp://train-0")
    add(queue, "paused", "b", "paused", "tcp://train-1")
    assert queue.free_worker() == "tcp://train-2"
    add(queue, "second", "c", "running", "tcp://train-2")
    assert queue.free_worker() == "tcp://train-1", "a paused job does not occupy its worker"
    add(queue, "third", "d", "running", "tcp://train-1")
    assert queue.free_worker() == ""


def test_a_viewer_whose_job_was_just_started_gets_no_second():
    queue = job_queue("probe", "train-0")
    for name, viewer in (("a1", "a"), ("a2", "a"), ("b1", "b")):
        add(queue, name, viewer)
    started = []
    for job in queue.startable():
        job.status = "running"
        started.append(job.id)
    assert started == ["a1", "b1"]


def test_positions_and_estimates_follow_the_order_of_the_queue():
    queue = job_queue("probe", "train-0")
    add(queue, "running", "a", "running", "tcp://train-0")
    add(queue, "first", "b")
    add(queue, "second", "c")
    found = [queue.position_and_estimate(queue.jobs[name]) for name in ("first", "second")]
    assert found == [(1, DEFAULT_SECONDS), (2, 2 * DEFAULT_SECONDS)]
    for seconds in (4.0, 6.0, 8.0):
        queue.add_duration(seconds)
    assert queue.position_and_estimate(queue.jobs["second"]) == (2, DEFAULT_SECONDS + 6.0)
    position, left = queue.position_and_estimate(queue.jobs["running"])
    assert position == 0
    assert math.isnan(left)


def test_only_the_last_ended_jobs_are_kept():
    queue = job_queue()
    for n in range(ENDED_KEPT + 20):
        add(queue, f"job-{n}", "a", "finished")
    assert len(queue.jobs) <= ENDED_KEPT + 1
    assert f"job-{ENDED_KEPT + 19}" in queue.jobs
    assert "job-0" not in queue.jobs
