"""When something is due again, and how fast a training goes."""

from __future__ import annotations

import math
import time
from collections import deque
from itertools import pairwise

HUNDRED = 100  # steps that a speed is told from


class Cadence:
    """Says when something is due again: after `seconds`, or twenty times as long as it takes, whichever is longer."""

    def __init__(self, seconds: float) -> None:
        self.seconds, self.next = seconds, time.perf_counter() + seconds

    def due(self) -> bool:
        return time.perf_counter() >= self.next

    def __enter__(self) -> None:
        self.began = time.perf_counter()

    def __exit__(self, *problem: object) -> None:
        now = time.perf_counter()
        self.next = now + max(self.seconds, 20 * (now - self.began))


class Clock:
    """Seconds and speed of a training, pauses left out."""

    def __init__(self, seconds_before: float) -> None:
        self._began = time.perf_counter() - seconds_before
        self._ticks: deque[float] = deque(maxlen=HUNDRED)  # seconds after each step

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self._began

    def skip(self, seconds: float) -> None:
        self._began += seconds

    def tick(self) -> None:
        """A step is done."""
        self._ticks.append(self.seconds)

    @property
    def steps_per_second(self) -> float:
        """Over the last hundred steps; before there are as many, without the slowest tenth, which compiled. 0 before two."""
        taken = sorted(later - earlier for earlier, later in pairwise(self._ticks))
        if len(self._ticks) < HUNDRED:
            taken = taken[: len(taken) - math.ceil(len(taken) / 10)] or taken
        return len(taken) / sum(taken) if sum(taken) > 0 else 0.0
