"""Numbers as text for the screen: shares, metrics, pace and duration. Verdicts and pages use these, so a number looks alike everywhere."""

from __future__ import annotations

import math


def percent(share: float, digits: int = 0) -> str:
    """A share of 1 as text: "64%". From 99% on with one decimal and cut, so that only 1 is "100%"; "–" if not finite."""
    if not math.isfinite(share):
        return "–"
    if 0.99 <= share < 1:
        return f"{math.floor(1000 * share) / 10:.1f}%"
    return f"{100 * share:.{digits}f}%"


def percents(first: float, second: float) -> tuple[str, str]:
    """Two shares that are compared, with a decimal where they would look the same without."""
    digits = int(first != second and percent(first) == percent(second))
    return percent(first, digits), percent(second, digits)


def score(value: float) -> str:
    """A metric as text: three decimals between 0.1 and 10, else three significant digits; "–" if not finite."""
    return "–" if not math.isfinite(value) else f"{value:.3f}" if 0.1 <= value < 10 else f"{value:.3g}"


def metric_words(value: float, metric: str) -> str:
    """A value of the task's metric as text: "64.0%" for accuracy, else `score`."""
    return percent(value, 1) if metric == "accuracy" else score(value)


def pace(steps_per_second: float) -> str:
    """Steps per second as text, at least three significant digits: "0.52", "61.3", "1,240"."""
    return f"{steps_per_second:,.0f}" if steps_per_second >= 100 else f"{steps_per_second:.3g}"


def duration(seconds: float) -> str:
    """Seconds as text: "8 s", "2 min", "1.5 h"; "a while" if not finite."""
    if not math.isfinite(seconds):
        return "a while"
    if seconds < 90:
        return f"{max(seconds, 0):.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def counted(count: int, noun: str) -> str:
    """A number with its noun: "1 epoch", "1,240 steps"."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
