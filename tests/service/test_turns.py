"""Who trains next, and how long the others will wait."""

from __future__ import annotations

import math
import random
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from rnn_core.service.turns import Ticket, estimates, order


def _tickets(viewers: str) -> list[Ticket]:
    return [Ticket(f"{viewer}{n}", viewer, n) for n, viewer in enumerate(viewers)]


def test_everybody_comes_before_anybody_twice():
    assert [ticket.job for ticket in order(_tickets("aaabbc"))] == ["a0", "b3", "c5", "a1", "b4", "a2"]


def test_a_running_job_counts():
    assert [ticket.job for ticket in order(_tickets("ab"), running=["a"])] == ["b1", "a0"]


@given(st.text("abc", max_size=12), st.lists(st.sampled_from("abc"), max_size=3))
def test_nobody_is_two_rounds_ahead_of_somebody_who_waits(viewers: str, running: list[str]):
    tickets = _tickets(viewers)
    shuffled = random.Random(0).sample(tickets, len(tickets))
    served = order(shuffled, running)
    assert sorted(served, key=lambda ticket: ticket.number) == tickets
    had, left = Counter(running), Counter(viewers)
    for ticket in served:
        others = [had[viewer] for viewer in left if left[viewer] > 0]
        assert had[ticket.viewer] == min(others)
        had[ticket.viewer] += 1
        left[ticket.viewer] -= 1


def test_estimates_follow_the_free_worker():
    assert estimates([10], 1, [5, 5]) == [10, 15]
    assert estimates([10, 2], 2, [5, 5, 5]) == [2, 7, 10]
    assert estimates([], 2, [5, 6, 7]) == [0, 0, 5]
    assert all(math.isnan(start) for start in estimates([], 0, [1]))
