"""When a periodic task is due, and the speed of a training."""

from __future__ import annotations

import math
import time
from collections import deque
from itertools import pairwise

SPEED_STEPS = 100  # steps over which the speed is measured


class Cadence:
    """A periodic task is due `seconds` after it was last done, or twenty times its duration, whichever is longer.

    The task is done inside `with cadence:`.
    """

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
    """Seconds and speed of a training, without pauses."""

    def __init__(self, seconds_before: float) -> None:
        self._began = time.perf_counter() - seconds_before
        self._ticks: deque[float] = deque(maxlen=SPEED_STEPS)  # seconds after each step

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self._began

    def skip(self, seconds: float) -> None:
        self._began += seconds

    def tick(self) -> None:
        """Called after each step."""
        self._ticks.append(self.seconds)

    @property
    def steps_per_second(self) -> float:
        """Over the last hundred steps; before 100 steps the slowest tenth is left out: those steps include compilation. 0 before the second step."""
        durations = sorted(later - earlier for earlier, later in pairwise(self._ticks))
        if len(self._ticks) < SPEED_STEPS:
            durations = durations[: len(durations) - math.ceil(len(durations) / 10)] or durations
        return len(durations) / sum(durations) if sum(durations) > 0 else 0.0
