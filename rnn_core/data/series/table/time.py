"""The dates of a series: how evenly they are spaced, their order, gaps, repeats and steps back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnn_core.data.series.table.units import Place

HOUR = np.timedelta64(1, "h")


@dataclass(frozen=True)
class Evenness:
    """How regular the dates are under one reading."""

    rising: float  # share of steps in the more frequent direction: 1 if all rise, or all fall (equal dates count for both)
    filled: float  # share of the expected dates, at the most frequent step, that are there: 1 if none is missing

    @property
    def perfect(self) -> bool:
        return self.rising == 1 and self.filled > 0.999


def evenness(times: np.ndarray) -> Evenness:
    """The evenness of (N,) datetime64 in the file's order; NaT is ignored."""
    times = times[~np.isnat(times)].astype("datetime64[s]")
    if len(times) < 2:
        return Evenness(0.0, 0.0)
    steps = np.diff(times.astype(np.int64))
    rising = float(max((steps >= 0).mean(), (steps <= 0).mean()))
    different = np.unique(times)
    return Evenness(rising, max(_share_filled(different.astype(np.int64)), _share_filled(_months(different))))


def _months(times: np.ndarray) -> np.ndarray:
    """Months since 1970 if all dates are the same day of the month, or its last day; else an empty array."""
    days, months = times.astype("datetime64[D]"), times.astype("datetime64[M]")
    if (days != times).any():
        return np.zeros(0, np.int64)
    day = (days - months.astype("datetime64[D]")).astype(np.int64)
    ends = ((days + 1).astype("datetime64[M]") != months).all()
    return months.astype(np.int64) if ends or (day == day[0]).all() else np.zeros(0, np.int64)


def _share_filled(times: np.ndarray) -> float:
    """`Evenness.filled` of sorted, different whole numbers."""
    if len(times) < 2:
        return 0.0
    steps, counts = np.unique(np.diff(times), return_counts=True)
    step = steps[counts.argmax()]
    return float(min(1.0, (len(times) - 1) * step / (times[-1] - times[0])) * counts.max() / counts.sum())


def order_of(times: np.ndarray, line: Place) -> tuple[str, tuple[str, ...]]:
    """The order in which the rows are read, "file", "turned" (reversed) or "dates" (sorted), and notes for the user.

    Raises ValueError if rows without a date would have to be sorted.
    """
    known = np.flatnonzero(~np.isnat(times))
    steps = np.diff(times[known])
    back, forth = int((steps < np.timedelta64(0)).sum()), int((steps > np.timedelta64(0)).sum())
    if not back:
        return "file", ()
    if not forth:
        return "turned", ("the dates fall: the rows were turned, so that the oldest comes first",)
    order, against = ("file", steps < np.timedelta64(0)) if forth >= back else ("turned", steps > np.timedelta64(0))
    if _clock_changes(times[known], against):
        row = int(known[np.flatnonzero(against)[0]])
        note = f"an hour comes twice at {line(row)}, as where daylight saving ends: the file's order was kept"
        return order, (note,) if order == "file" else (f"{note}, and turned, so that the oldest comes first",)
    if len(known) < len(times):
        row = int(np.flatnonzero(np.isnat(times))[0])
        raise ValueError(f"{line(row)} has no date, and the dates are not in order: fill it in, or delete that row")
    row = int(known[np.flatnonzero(against)[0] + 1])
    return "dates", (
        f"the dates are not in order ({int(against.sum()):,} steps go back, the first at {line(row)}): the rows were sorted by them",
    )


def _clock_changes(times: np.ndarray, against: np.ndarray) -> bool:
    """Whether the steps against the order can be ends of daylight saving: one hour at most, in autumn, at most two a year."""
    where = np.flatnonzero(against)
    years = (times.max() - times.min()) / np.timedelta64(365, "D")
    months = times[where].astype("datetime64[M]").astype(np.int64) % 12 + 1
    sizes = np.abs(times[where + 1] - times[where])
    return bool(len(where) <= 2 + 2 * years and (sizes <= HOUR).all() and np.isin(months, (4, 9, 10, 11)).all())


def spacing(times: np.ndarray) -> tuple[str, ...]:
    """Notes on repeats, gaps and uneven steps of (N,) dates in the table's order, none missing."""
    notes: list[str] = []
    known = times.astype("datetime64[s]")
    steps = np.diff(known)
    if repeated := int((steps == np.timedelta64(0)).sum()):
        twice = known[1:][steps == np.timedelta64(0)]
        clock = (
            np.isin(twice.astype("datetime64[M]").astype(np.int64) % 12 + 1, (4, 9, 10, 11)).all()
            and (twice != twice.astype("datetime64[D]")).all()
        )
        notes.append(
            f"{repeated:,} row{'s' if repeated > 1 else ''} repeat{'' if repeated > 1 else 's'} the date of the row before, the first at {words(twice[0])}"
            + (
                ", as where daylight saving ends"
                if clock and repeated <= 2 + (known[-1] - known[0]) / np.timedelta64(180, "D")
                else ""
            )
        )
    different = np.unique(known)
    months, seconds = _months(different), different.astype(np.int64)
    monthly = len(months) > 2 and _share_filled(months) >= _share_filled(seconds)
    line = months if monthly else seconds
    if len(line) < 4:
        return tuple(notes)
    gaps = np.diff(line)
    kinds, counts = np.unique(gaps, return_counts=True)
    step = int(kinds[counts.argmax()])
    if counts.max() < 0.5 * len(gaps):
        notes.append(
            f"the rows are unevenly spaced: their dates lie {span(int(kinds[0]), monthly)} to {span(int(kinds[-1]), monthly)} apart"
        )
        return tuple(notes)
    holes = gaps > 1.5 * step
    if not monthly and step == 86400 and holes.any() and _working_days(different, gaps):
        notes.append("week-ends have no rows")
        holes &= gaps > 4 * 86400
    if holes.any():
        widest = int(np.argmax(gaps))
        missing = int(np.round(gaps[holes] / step - 1).sum())
        notes.append(
            f"{int(holes.sum()):,} gap{'s' if holes.sum() > 1 else ''} in the dates, about {missing:,} row{'s' if missing != 1 else ''} missing at a step of {span(step, monthly)}; "
            f"the widest lies between {words(different[widest])} and {words(different[widest + 1])}"
        )
    elif (odd := int((gaps != step).sum())) and not (monthly is False and _working_days(different, gaps)):
        notes.append(f"{odd:,} of {len(gaps):,} steps are uneven: most are {span(step, monthly)}")
    return tuple(notes)


def _working_days(days: np.ndarray, gaps: np.ndarray) -> bool:
    """Whether almost no date is on a week-end."""
    weekday = (days.astype("datetime64[D]").astype(np.int64) + 3) % 7
    return bool((weekday >= 5).mean() < 0.01 and len(days) > 4 and len(gaps))


def span(amount: int, months: bool = False) -> str:
    """A number of seconds, or of months, in words."""
    if months:
        return (
            f"{amount // 12} year{'s' if amount > 12 else ''}"
            if amount % 12 == 0 and amount
            else f"{amount} month{'s' if amount != 1 else ''}"
        )
    for size, name in ((604800, "week"), (86400, "day"), (3600, "hour"), (60, "minute"), (1, "second")):
        if amount >= size and (amount % size == 0 or amount > 20 * size):
            count = round(amount / size)
            return f"{count:,} {name}{'s' if count != 1 else ''}"
    return f"{amount:,} seconds"


def words(time: np.datetime64) -> str:
    """A date for a sentence; midnight is left out."""
    return str(time.astype("datetime64[m]")).replace("T00:00", "").replace("T", " ")
