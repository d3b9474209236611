"""The dates of the rows that would follow the last row of a series."""

from __future__ import annotations

import numpy as np

DAY = 86400
_DAYS = "datetime64[D]"
_MONTHS = "datetime64[M]"


def next_dates(times: np.ndarray, count: int) -> np.ndarray:
    """(count,) datetime64[us] after the last of `times` (N,): as many months, working days or equal steps apart as the rows before.

    Dates that never rise go on with their most frequent step, backwards.
    """
    seconds = times.astype("datetime64[s]")
    steps = np.diff(seconds).astype(np.int64)
    rising = steps[steps > 0]
    kinds, counts = np.unique(rising if len(rising) else steps, return_counts=True)
    step = int(kinds[counts.argmax()])
    if len(rising) and (months := _months_apart(seconds, rising)) > 0:
        return _add_months(seconds, months * np.arange(1, count + 1)).astype("datetime64[us]")
    weekday = (seconds.astype(_DAYS).astype(np.int64) + 3) % 7
    if step == DAY and (weekday < 5).all() and len(seconds) > 7:
        days = np.busday_offset(seconds[-1].astype(_DAYS), np.arange(1, count + 1))
        return (days + (seconds[-1] - seconds[-1].astype(_DAYS))).astype("datetime64[us]")
    return (seconds[-1] + step * np.arange(1, count + 1)).astype("datetime64[us]")


def _months_apart(seconds: np.ndarray, steps: np.ndarray) -> int:
    """The usual number of months between two dates; 0 where they are not months apart."""
    if np.median(steps) < 28 * DAY or (np.median(steps) % (7 * DAY) == 0 and len(np.unique(steps)) == 1):
        return 0
    months = seconds.astype(_MONTHS)
    apart = np.diff(months).astype(np.int64)
    kinds, counts = np.unique(apart[apart > 0], return_counts=True)
    day = (seconds.astype(_DAYS) - months.astype(_DAYS)).astype(np.int64)
    last = (seconds.astype(_DAYS) + 1).astype(_MONTHS) != months
    regular = np.mean(day == day[-1]) > 0.9 or last.mean() > 0.9
    return int(kinds[counts.argmax()]) if regular and len(kinds) else 0


def _add_months(seconds: np.ndarray, months: np.ndarray) -> np.ndarray:
    """The last date moved by `months` (n,): the same day of the month, or its last day where the month is shorter or all dates are last days."""
    last, month = seconds[-1].astype(_DAYS), seconds[-1].astype(_MONTHS)
    day = (last - month.astype(_DAYS)).astype(np.int64)
    ends = ((seconds.astype(_DAYS) + 1).astype(_MONTHS) != seconds.astype(_MONTHS)).mean() > 0.9
    first, length = (month + months).astype(_DAYS), (month + months + 1).astype(_DAYS) - (month + months).astype(_DAYS)
    length = length.astype(np.int64) - 1
    return np.asarray((first + (length if ends else np.minimum(day, length))).astype("datetime64[s]") + (seconds[-1] - last))
