"""The speed of a training: what the first steps spend on compiling says nothing about the time that is left."""

from __future__ import annotations

import pytest

from rnn_core.training import clock as pacing


def clock(monkeypatch: pytest.MonkeyPatch, durations: list[float]) -> pacing.Clock:
    """A clock after steps of these seconds."""
    now = [0.0]
    monkeypatch.setattr(pacing.time, "perf_counter", lambda: now[0])
    made = pacing.Clock(0.0)
    for seconds in durations:
        now[0] += seconds
        made.tick()
    return made


@pytest.mark.parametrize(
    ("durations", "speed"),
    [
        ([1.0], 0),
        ([1.0, 0.5], 2),
        ([0.5, 2.0, *[0.01] * 11], 100),  # the second length compiled, too
        ([0.5, *[0.01] * 50, 0.25, *[0.01] * 49], 99 / 1.23),  # a validation between two epochs counts
    ],
    ids=["one", "two", "compiled", "hundred"],
)
def test_the_speed_is_that_of_the_steps_to_come(monkeypatch, durations, speed):
    assert clock(monkeypatch, durations).steps_per_second == pytest.approx(speed)
