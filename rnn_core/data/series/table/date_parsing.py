"""Parses a column of dates by several formats, and chooses the one under which the rows are in the most regular order."""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass, replace

import numpy as np
import pandas

from rnn_core.data.series.table.cells import MISSING, short
from rnn_core.data.series.table.recipe import Dates, parse_times
from rnn_core.data.series.table.time import Evenness, evenness
from rnn_core.data.series.table.units import PLAIN, Place, UndecidedError

PROBE = 4000  # first rows of the file, on which readings are compared
SAMPLE = 400  # cells, evenly spaced over the whole file, that a reading must fit


@dataclass(frozen=True, eq=False)
class Reading:
    """A column read as dates by one format, and how regular the dates then are."""

    dates: Dates
    evenness: Evenness
    yearless: bool
    strained: bool = False  # two-digit years are in order only if they are of the last century


def format_in_words(dates: Dates) -> str:
    """The format in familiar words: dd/mm/yyyy."""
    known = {
        "s": "seconds since 1970",
        "ms": "milliseconds since 1970",
        "us": "microseconds since 1970",
        "ns": "nanoseconds since 1970",
    }
    known |= {"D": "a spreadsheet's day numbers", "%G-W%V-%u": "ISO weeks", "%G %V %u": "ISO weeks"}
    if dates.format in known:
        return known[dates.format]
    starts = [new[-2:] for _, new in dates.replacements if re.fullmatch(r"(\\\d)?[- ]\d\d", new)]
    if "%m" in dates.format and len(starts) > 1:
        return "quarters" if "04" in starts else "half-years"
    signs = {
        "%Y": "yyyy",
        "%y": "yy",
        "%m": "mm",
        "%d": "dd",
        "%b": "month",
        "%B": "month",
        "%H": "hh",
        "%I": "hh",
        "%M": "mm",
        "%S": "ss",
    }
    signs |= {"%f": "fractions", "%p": "am/pm", "%z": " with offset", " %z": " with offset", "%j": "day of the year"}
    return re.sub(" %z|%[a-zA-Z]", lambda sign: signs.get(sign[0], sign[0]), dates.format)


def _format_and_order(dates: Dates) -> str:
    """The format, with the part that comes first: dd/mm/yyyy (day first)."""
    fields = re.findall("%([dmbyY])", dates.format)
    words = {"d": "day", "m": "month", "b": "month", "y": "year", "Y": "year"}
    return f"{format_in_words(dates)} ({words[fields[0]]} first)" if fields else format_in_words(dates)


def parse_dates(column: pandas.Series, dates: Dates) -> np.ndarray:
    """Parses a column: (N,) datetime64[us], NaT for each cell that is not such a date."""
    codes, distinct = pandas.factorize(column)
    cells = pandas.Series(distinct, dtype="str")
    bare = cells
    for pattern, new in dates.replacements:
        bare = bare.str.replace(pattern, new, regex=True)
    if len(dates.format) <= 2 and not dates.format.startswith("%"):
        bare = bare.where(bare.str.fullmatch(PLAIN))
        with np.errstate(all="ignore"):
            made = parse_times(bare.fillna(""), (), dates.format, None, False)  # type: ignore[arg-type]
        return made.to_numpy("datetime64[us]")[codes]
    quick, form = _iso(bare, dates.format)
    made = pandas.to_datetime(quick, format=form, errors="coerce", utc=dates.utc)
    made = made.dt.tz_localize(None) if dates.utc else made
    if dates.latest_year is not None:
        made = made.where(~(made.dt.year > dates.latest_year), made - pandas.DateOffset(years=100))
    return made.to_numpy("datetime64[us]")[codes]


def _iso(cells: pandas.Series, form: str) -> tuple[pandas.Series, str]:
    """Rewrites long columns of dd/mm/yyyy as ISO dates, which pandas parses five times as fast; returns cells and format."""
    fields = re.findall("%([a-zA-Z])", form)
    if len(cells) < 20_000 or sorted(fields[:3]) != ["Y", "d", "m"] or "".join(fields[3:]) not in ("", "HM", "HMS"):
        return cells, form
    pattern, groups = "", {field: n for n, field in enumerate(fields, 1)}
    pattern = re.sub(
        "%([a-zA-Z])", lambda sign: "([0-9]{4})" if sign[1] == "Y" else "([0-9]{2})", re.escape(form).replace(r"\%", "%")
    )
    if not cells.str.fullmatch(pattern).all():
        return cells, form
    clock, time = (
        ("T" + ":".join(rf"\{groups[one]}" for one in fields[3:]), "T" + ":".join(f"%{one}" for one in fields[3:]))
        if fields[3:]
        else ("", "")
    )
    return cells.str.replace(
        f"^{pattern}$", rf"\{groups['Y']}-\{groups['m']}-\{groups['d']}{clock}", regex=True
    ), f"%Y-%m-%d{time}"


def probe_of(column: pandas.Series) -> pandas.Series:
    """The cells of the first PROBE rows, without blank cells."""
    part = column.iloc[:PROBE]
    return part[~part.str.lower().isin(MISSING)]


def sample_of(column: pandas.Series) -> list[str]:
    """Different cells, evenly spaced over the whole column, without blank cells."""
    spread = column.iloc[np.unique(np.linspace(0, len(column) - 1, 2 * SAMPLE).astype(int))].unique()
    spread = spread[np.unique(np.linspace(0, len(spread) - 1, SAMPLE).astype(int))]
    return [str(cell) for cell in spread if str(cell).lower() not in MISSING]


def fits(times: np.ndarray) -> bool:
    """Whether nearly all cells are dates; a few others may be totals or names."""
    return few(int(np.isnat(times).sum()), len(times))


def few(bad: int, of: int) -> bool:
    return bad <= 0.02 * of or bad <= (2 if of > 5 else 0)


def with_century(reading: Reading, times: np.ndarray, probe: pandas.Series) -> list[Reading]:
    """For two-digit years, the reading with their century: no date after next year, or all in the last century if the dates are then more often in order."""
    if "%y" not in reading.dates.format:
        years = times[~np.isnat(times)].astype("datetime64[Y]").astype(int) + 1970
        return [reading] if reading.yearless or not len(years) or (years.min() >= 1 and years.max() <= 2300) else []
    made = []
    for latest in (datetime.date.today().year + 1, 1999):
        dates = replace(reading.dates, latest_year=latest)
        made.append(Reading(dates, evenness(parse_dates(probe, dates)), False))
    return [replace(made[1], strained=True) if made[1].evenness.rising > made[0].evenness.rising + 0.001 else made[0]]


def with_leap_year(dates: Dates) -> Dates:
    """Adds the leap year 2000 to dates without a year, so that 29 February can be parsed."""
    return replace(dates, replacements=(*dates.replacements, ("^(.+)$", r"\1 2000")), format=f"{dates.format} %Y")


def best_of(readings: list[Reading], probe: pandas.Series, name: str, line: Place) -> Reading:
    """The reading under which the dates are most regular. Raises ValueError if two are equally good."""

    def score(one: Reading) -> float:
        return one.evenness.rising + one.evenness.filled - (0.05 if one.yearless else 0) - (0.3 if one.strained else 0)

    first, *rest = sorted(readings, key=score, reverse=True)
    if not rest:
        return first
    second = rest[0]
    same = (
        (parse_dates(probe, first.dates) == parse_dates(probe, second.dates)).all()
        if not (first.yearless or second.yearless)
        else False
    )
    if (
        same
        or (first.evenness.perfect and not first.strained and not second.evenness.perfect)
        or score(first) > score(second) + 0.15
    ):
        return first
    if first.evenness.rising == 1 and second.evenness.rising < 1:
        return first
    if first.yearless and second.yearless:
        return first
    row = int(probe.index[0])
    raise UndecidedError(
        f"the dates of {short(name)} can be read in two ways, as {_format_and_order(first.dates)} or as {_format_and_order(second.dates)} ({line(row)} reads {short(probe.iloc[0])}): "
        "write them as yyyy-mm-dd, or name the format",
        "format",
        (first.dates.format, second.dates.format),
    )
