"""The speed of a training: the compilation of the first steps does not count."""

from __future__ import annotations

import pytest

from rnn_core.training import clock as clock_module


def clock(monkeypatch: pytest.MonkeyPatch, durations: list[float]) -> clock_module.Clock:
    """A clock after steps of these seconds."""
    now = [0.0]
    monkeypatch.setattr(clock_module.time, "perf_counter", lambda: now[0])
    result = clock_module.Clock(0.0)
    for seconds in durations:
        now[0] += seconds
        result.tick()
    return result


@pytest.mark.parametrize(
    ("durations", "speed"),
    [
        ([1.0], 0),
        ([1.0, 0.5], 2),
        ([0.5, 2.0, *[0.01] * 11], 100),  # the second length is compiled, too
        ([0.5, *[0.01] * 50, 0.25, *[0.01] * 49], 99 / 1.23),  # a validation between two epochs counts
    ],
    ids=["one", "two", "compiled", "hundred"],
)
def test_the_speed_excludes_compilation_and_includes_validation(monkeypatch, durations, speed):
    assert clock(monkeypatch, durations).steps_per_second == pytest.approx(speed)
