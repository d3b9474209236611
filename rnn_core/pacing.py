"""When something is due again, and how fast a training goes."""

from __future__ import annotations

import time
from collections import deque


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
        self._ticks: deque[tuple[float, int]] = deque(maxlen=100)

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self._began

    def skip(self, seconds: float) -> None:
        self._began += seconds

    def tick(self, step: int) -> None:
        self._ticks.append((self.seconds, step))

    @property
    def steps_per_second(self) -> float:
        """Over the last hundred steps; 0 before there are two."""
        if len(self._ticks) < 2 or self._ticks[-1][0] <= self._ticks[0][0]:
            return 0.0
        return (self._ticks[-1][1] - self._ticks[0][1]) / (self._ticks[-1][0] - self._ticks[0][0])
