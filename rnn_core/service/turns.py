"""Who trains next: fair between viewers, and how long the others will wait."""

from __future__ import annotations

import heapq
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

GUESS = 30.0  # seconds, for a training of which nothing is known


@dataclass(frozen=True)
class Ticket:
    """One job that waits."""

    job: str
    viewer: str
    number: int  # grows with the time of submission


def order(waiting: Iterable[Ticket], running: Iterable[str] = ()) -> list[Ticket]:
    """The order of service: everybody's first job before anybody's second, and in each round first come, first served.

    Args:
        waiting: tickets, in any order.
        running: the viewer of every job that trains now; it counts as a job of theirs.
    """
    ahead = Counter(running)
    rounds = []
    for ticket in sorted(waiting, key=lambda ticket: ticket.number):
        rounds.append((ahead[ticket.viewer], ticket.number, ticket))
        ahead[ticket.viewer] += 1
    return [ticket for _, _, ticket in sorted(rounds, key=lambda entry: entry[:2])]


def estimates(busy: Sequence[float], slots: int, lengths: Sequence[float]) -> list[float]:
    """Seconds until each waiting job starts, in the order of service.

    Args:
        busy: seconds left of every running job.
        slots: jobs that can train at once; 0 gives nan.
        lengths: expected seconds of every waiting job, in order.
    """
    if slots <= 0:
        return [math.nan] * len(lengths)
    free = sorted(busy)[-slots:] + [0.0] * max(0, slots - len(busy))
    heapq.heapify(free)
    starts = []
    for length in lengths:
        start = heapq.heappop(free)
        starts.append(start)
        heapq.heappush(free, start + length)
    return starts
