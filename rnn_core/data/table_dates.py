"""Which columns hold a table's dates, and the one reading of them that the evidence bears out."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas

from rnn_core.data.table_cells import kind, MISSING, TIMELIKE, TOTAL, short
from rnn_core.data.table_formats import formats
from rnn_core.data.table_numbers import PLAIN, Place
from rnn_core.data.table_recipe import Dates, Pairs, joined, moments
from rnn_core.data.table_time import Evenness, evenness

MOST_TRIED = 12  # columns
PROBE = 4000  # rows at the head of the file on which readings are compared
SAMPLE = 400  # cells, evenly from all of the file, that a reading must fit
DAYLIKE = re.compile(r"(?i).*(date|datum|fecha|^data$|^dato$|\bday\b|\btag\b|^dia$|jour|^ds$|^dt$|serial).*")
PARTS = {  # names of columns that hold one part of a date
    "%Y": r"year|yr|yyyy|jahr|année|annee|año|ano|anno|y|jaar",
    "%m": r"month|mon|mo|mm|monat|mois|mes|mês|mese|m|maand|period",
    "%d": r"day|dy|dd|tag|jour|dia|día|giorno|d|dag|dom|day of month",
    "%H": r"hour|hr|hh|stunde|heure|hora|ora|h|uur|std|hour_of_day",
    "%M": r"minute|min|minuto|mi|minutes",
}


@dataclass(frozen=True, eq=False)
class Chosen:
    """The dates of a table."""

    dates: Dates | None
    times: np.ndarray | None  # (N,) datetime64[us], NaT where a cell is blank
    used: tuple[int, ...]  # places of columns that tell the time, and so are no series
    dropped: np.ndarray  # (N,) bool: rows that hold a total or the names again
    notes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class _Reading:
    dates: Dates
    evenness: Evenness
    yearless: bool
    strained: bool = False  # two-digit years make sense in the last century alone


@dataclass(frozen=True)
class _Hours:
    """A column of whole numbers that are hours, or hours and minutes, of the day beside them."""

    place: int
    replacements: Pairs
    format: str


def chosen(
    table: pandas.DataFrame, names: dict[int, str], letters: str, heads: set[str], line: Place, wanted: str = "", form: str = ""
) -> Chosen:
    """The dates of a table.

    Args:
        table: (N, places) texts.
        names: place → name.
        letters: what the columns' cells look like, as in `Block`.
        heads: cells of the lines with names, which may be repeated below.
        line: row → "line 17".
        wanted: the name of the column that holds the dates; "none" for none; "" to choose.
        form: its format for `pandas.to_datetime`; "" to choose.

    Raises ValueError where two readings are as good, or a column of dates has cells that are none.
    """
    nothing = np.zeros(len(table), bool)
    if wanted == "none":
        return Chosen(None, None, (), nothing, ("the dates were not read, as asked",))
    if wanted and wanted not in names.values():
        raise ValueError(f"the file has no column {short(wanted)} for the dates; it has {', '.join(short(name) for name in list(names.values())[:8])}")
    places = [place for place in table.columns if not wanted or names[place] == wanted]
    if not wanted and not form and (parts := _parts(table, names)):
        return _finished(table, parts, line, heads, names)
    tried_ = [place for place in places if wanted or letters[place] in "dn" or TIMELIKE.match(names[place])][:MOST_TRIED]
    clocks = [place for place in table.columns[: 2 * MOST_TRIED] if letters[place] == "d" and _clock(table[place])]
    yearless: list[int] = list(clocks)
    best: _Reading | None = None
    for place in [place for place in tried_ if place not in clocks or wanted]:
        hours = _hours(table, names, place) if not form and not clocks else None
        if hours is not None:
            found = _column(joined(table, (place, hours.place)), (place, hours.place), names[place], letters[place], line, form, table[place], hours)
            if found is not None and not found.yearless and (best is None or _better(found, best)):
                best = found
                continue
        with_clock = (place, clocks[0]) if clocks and not form and place not in clocks and not _timed(table[place]) else (place,)
        found = _column(joined(table, with_clock), with_clock, names[place], letters[place], line, form)
        if found is None and len(with_clock) > 1:
            found = _column(table[place], (place,), names[place], letters[place], line, form)
        if found is None:
            continue
        if found.yearless:
            yearless.append(place)
        elif best is None or _better(found, best):
            best = found
    if best is None:
        if wanted:
            raise ValueError(f"the cells of {short(wanted)} are no dates that can be read, such as {short(table[places[0]].iloc[0])}")
        notes = [f"{short(names[place])} names no year, so it does not order the rows: they stay as in the file" for place in yearless]
        return Chosen(None, None, tuple(yearless), nothing, tuple(notes))
    return _finished(table, best.dates, line, heads, names, tuple(yearless))


def _better(one: _Reading, other: _Reading) -> bool:
    return one.evenness.rising + one.evenness.filled > other.evenness.rising + other.evenness.filled + 0.2


def _finished(
    table: pandas.DataFrame, dates: Dates, line: Place, heads: set[str], names: dict[int, str], also: tuple[int, ...] = ()
) -> Chosen:
    """All dates by one reading, checked cell by cell."""
    column = joined(table, dates.places)
    times = tried(column, dates)
    bad = np.isnat(times) & ~column.str.lower().isin(MISSING).to_numpy()
    dropped, notes = np.zeros(len(table), bool), []
    if bad.any():
        first = table[dates.places[0]]
        again = first.isin(heads).to_numpy() & bad
        totals = first.str.fullmatch(TOTAL.pattern).to_numpy() & bad
        if again.any():
            notes.append(f"{int(again.sum()):,} lines that repeat the names were left out")
        if (totals & ~again).any():
            notes.append(f"{int((totals & ~again).sum()):,} rows with totals were left out: {line(int(np.flatnonzero(totals & ~again)[0]))}")
        dropped = again | totals
        if (left := bad & ~dropped).any():
            row = int(np.flatnonzero(left)[0])
            advice = "24:00 is 00:00 of the next day" if "24:00" in column.iloc[row] else "mend that cell, or leave it blank"
            raise ValueError(f"{_named(dates, names)} holds dates as {said(dates)}, but {line(row)} reads {short(column.iloc[row])}: {advice}")
    strange = column.str.lower().isin(MISSING).to_numpy() & (column != "").to_numpy()
    if strange.any():
        pairs = tuple((f"^{re.escape(cell)}$", "") for cell in column[strange].unique())
        dates = replace(dates, replacements=(*pairs, *dates.replacements))
    notes.append(f"dates come from {_named(dates, names)}, read as {said(dates)}")
    if dates.latest_year is not None and (times[~np.isnat(times)].astype("datetime64[Y]").astype(int) + 1970 < 1969).any():
        notes.append("two-digit years were read as the last century's where they would lie in the future")
    if any(pattern == " 0?24$" for pattern, _ in dates.replacements):
        notes.append("the hours 1 to 24 were read as 0 to 23, the beginning of each")
    if dates.utc:
        notes.append("the cells name their offset from UTC: the dates are in UTC")
    return Chosen(dates, times, tuple(dict.fromkeys((*dates.places, *also))), dropped, tuple(notes))


def _named(dates: Dates, names: dict[int, str]) -> str:
    return " and ".join(short(names[place]) for place in dates.places)


def said(dates: Dates) -> str:
    """The format in words that anybody knows: dd/mm/yyyy."""
    known = {"s": "seconds since 1970", "ms": "milliseconds since 1970", "us": "microseconds since 1970", "ns": "nanoseconds since 1970"}
    known |= {"D": "a spreadsheet's day numbers", "%G-W%V-%u": "ISO weeks", "%G %V %u": "ISO weeks"}
    if dates.format in known:
        return known[dates.format]
    starts = [new[-2:] for _, new in dates.replacements if re.fullmatch(r"(\\\d)?[- ]\d\d", new)]
    if "%m" in dates.format and len(starts) > 1:
        return "quarters" if "04" in starts else "half-years"
    signs = {"%Y": "yyyy", "%y": "yy", "%m": "mm", "%d": "dd", "%b": "month", "%B": "month", "%H": "hh", "%I": "hh", "%M": "mm", "%S": "ss"}
    signs |= {"%f": "fractions", "%p": "am/pm", "%z": " with offset", " %z": " with offset", "%j": "day of the year"}
    return re.sub(" %z|%[a-zA-Z]", lambda sign: signs.get(sign[0], sign[0]), dates.format)


def _which(dates: Dates) -> str:
    """The format with what comes first in it."""
    fields = re.findall("%([dmbyY])", dates.format)
    words = {"d": "day", "m": "month", "b": "month", "y": "year", "Y": "year"}
    return f"{said(dates)} ({words[fields[0]]} first)" if fields else said(dates)


def tried(column: pandas.Series, dates: Dates) -> np.ndarray:
    """(N,) datetime64[us] by one reading; NaT for every cell that is none."""
    codes, distinct = pandas.factorize(column)
    cells = pandas.Series(distinct, dtype="str")
    bare = cells
    for pattern, new in dates.replacements:
        bare = bare.str.replace(pattern, new, regex=True)
    if len(dates.format) <= 2 and not dates.format.startswith("%"):
        bare = bare.where(bare.str.fullmatch(PLAIN))
        with np.errstate(all="ignore"):
            made = moments(bare.fillna(""), (), dates.format, None, False)  # type: ignore[arg-type]
        return made.to_numpy("datetime64[us]")[codes]
    quick, form = _iso(bare, dates.format)
    made = pandas.to_datetime(quick, format=form, errors="coerce", utc=dates.utc)
    made = made.dt.tz_localize(None) if dates.utc else made
    if dates.latest_year is not None:
        made = made.where(~(made.dt.year > dates.latest_year), made - pandas.DateOffset(years=100))
    return made.to_numpy("datetime64[us]")[codes]


def _iso(cells: pandas.Series, form: str) -> tuple[pandas.Series, str]:
    """Long columns of dd/mm/yyyy turned into ISO dates, which pandas reads five times as fast."""
    fields = re.findall("%([a-zA-Z])", form)
    if len(cells) < 20_000 or sorted(fields[:3]) != ["Y", "d", "m"] or "".join(fields[3:]) not in ("", "HM", "HMS"):
        return cells, form
    pattern, groups = "", {field: n for n, field in enumerate(fields, 1)}
    pattern = re.sub("%([a-zA-Z])", lambda sign: "([0-9]{4})" if sign[1] == "Y" else "([0-9]{2})", re.escape(form).replace(r"\%", "%"))
    if not cells.str.fullmatch(pattern).all():
        return cells, form
    clock, time = ("T" + ":".join(rf"\{groups[one]}" for one in fields[3:]), "T" + ":".join(f"%{one}" for one in fields[3:])) if fields[3:] else ("", "")
    return cells.str.replace(f"^{pattern}$", rf"\{groups['Y']}-\{groups['m']}-\{groups['d']}{clock}", regex=True), f"%Y-%m-%d{time}"


def _probe(column: pandas.Series) -> pandas.Series:
    """The cells of the first rows that are not blank."""
    part = column.iloc[:PROBE]
    return part[~part.str.lower().isin(MISSING)]


def _sample(column: pandas.Series) -> list[str]:
    """Different cells that are not blank, evenly from all of the column."""
    spread = column.iloc[np.unique(np.linspace(0, len(column) - 1, 2 * SAMPLE).astype(int))].unique()
    spread = spread[np.unique(np.linspace(0, len(spread) - 1, SAMPLE).astype(int))]
    return [str(cell) for cell in spread if str(cell).lower() not in MISSING]


def _column(
    column: pandas.Series, places: tuple[int, ...], name: str, letter: str, line: Place, form: str, days: pandas.Series | None = None, hours: _Hours | None = None
) -> _Reading | None:
    """The best reading of one column, or None.

    Raises ValueError where two are as good.
    """
    probe = _probe(column)
    if len(probe) < 2:
        return None
    if form:
        made = Dates(places, (), form, None, "%z" in form)
        return _Reading(made, evenness(tried(probe, made)), False)
    if letter == "n" and len(places) == 1:
        return _numbers(probe, places[0], name)
    sample = _sample(column if days is None else days)
    shaped = [cell for cell in sample if re.search(r"\d", cell) and not TOTAL.fullmatch(cell)]
    if letter == "d" and 2 * len(shaped) < len(sample):
        shaped = sample  # names of months alone
    if 2 * len(shaped) < len(sample):
        return None
    week = bool(re.search(r"(?i)week|woche|semaine|semana|kw", name))
    found = formats(shaped, week)
    if not found:  # a few cells of another form do not make the others unreadable: they are named later
        shaped = [cell for cell in shaped if kind(cell) == "d"]
        found = formats(shaped, week) if shaped and _few(len(sample) - len(shaped), len(sample)) else []
    if hours is not None:
        found = [
            replace(one, replacements=one.replacements + hours.replacements, format=one.format + hours.format)
            for one in found
            if not one.yearless and not any("$" in pattern for pattern, _ in one.replacements)
        ]
        sample = _sample(column)
    readings = []
    for one in found:
        made = Dates(places, one.replacements, one.format, None, one.utc)
        if one.yearless:
            made = _leap(made)
        times = tried(probe, made)
        if _fits(times) and _fits(tried(pandas.Series(sample), made)):
            readings += _centuries(_Reading(Dates(places, one.replacements, one.format, None, one.utc), evenness(times), one.yearless), times, probe)
    return _best(readings, probe, name, line) if readings else None


def _fits(times: np.ndarray) -> bool:
    """Whether nearly all cells are dates: totals and names that stand between them are not."""
    return _few(int(np.isnat(times).sum()), len(times))


def _few(bad: int, of: int) -> bool:
    return bad <= 0.02 * of or bad <= (2 if of > 5 else 0)


def _leap(dates: Dates) -> Dates:
    """The same with the leap year 2000, so that 29 February can be looked at."""
    return replace(dates, replacements=(*dates.replacements, ("^(.+)$", r"\1 2000")), format=f"{dates.format} %Y")


def _centuries(reading: _Reading, times: np.ndarray, probe: pandas.Series) -> list[_Reading]:
    """A reading of two-digit years, with the century that puts them in the past and, if need be, in order."""
    if "%y" not in reading.dates.format:
        years = times[~np.isnat(times)].astype("datetime64[Y]").astype(int) + 1970
        return [reading] if reading.yearless or not len(years) or (years.min() >= 1 and years.max() <= 2300) else []
    made = []
    for latest in (datetime.date.today().year + 1, 1999):
        dates = replace(reading.dates, latest_year=latest)
        made.append(_Reading(dates, evenness(tried(probe, dates)), False))
    return [replace(made[1], strained=True) if made[1].evenness.rising > made[0].evenness.rising + 0.001 else made[0]]


def _best(readings: list[_Reading], probe: pandas.Series, name: str, line: Place) -> _Reading:
    """The reading under which the rows make most sense."""

    def score(one: _Reading) -> float:
        return one.evenness.rising + one.evenness.filled - (0.05 if one.yearless else 0) - (0.3 if one.strained else 0)

    first, *rest = sorted(readings, key=score, reverse=True)
    if not rest:
        return first
    second = rest[0]
    same = (tried(probe, first.dates) == tried(probe, second.dates)).all() if not (first.yearless or second.yearless) else False
    if same or (first.evenness.perfect and not first.strained and not second.evenness.perfect) or score(first) > score(second) + 0.15:
        return first
    if first.evenness.rising == 1 and second.evenness.rising < 1:
        return first
    if first.yearless and second.yearless:
        return first
    row = int(probe.index[0])
    raise ValueError(
        f"the dates of {short(name)} can be read in two ways, as {_which(first.dates)} or as {_which(second.dates)} ({line(row)} reads {short(probe.iloc[0])}): "
        "write them as yyyy-mm-dd, or name the format"
    )


def _numbers(probe: pandas.Series, place: int, name: str) -> _Reading | None:
    """A column of numbers that are dates: 20210131, years, seconds since 1970, a spreadsheet's day numbers."""
    if not probe.str.fullmatch(PLAIN).all():
        return None
    values = probe.astype("float64").to_numpy()
    low, high, whole = values.min(), values.max(), bool((values == np.round(values)).all())
    if not np.isfinite(values).all() or low == high or low < 0:
        return None
    if probe.str.fullmatch(r"[0-9]+\.0").all():
        found = _numbers(probe.str.replace(r"\.0$", "", regex=True), place, name)
        if found is None or not found.dates.format.startswith("%"):
            return found
        return replace(found, dates=replace(found.dates, replacements=((r"\.0$", ""), *found.dates.replacements)))
    named, lengths = bool(TIMELIKE.match(name)), set(probe.str.len().unique())
    steps = np.diff(values)
    rising = max((steps > 0).mean(), (steps < 0).mean())
    made: Callable[[str], Dates] = lambda form: Dates((place,), (), form, None, False)  # noqa: E731
    if whole and len(lengths) == 1 and probe.str.fullmatch("[0-9]+").all():
        if lengths == {6} and re.search(r"(?i)week|woche|semaine|semana|kw", name):
            weeks = replace(made("%G-W%V-%u"), replacements=(("^([0-9]{4})([0-9]{2})$", r"\1-W\2-1"),))
            times = tried(probe, weeks)
            if not np.isnat(times).any():
                return _Reading(weeks, evenness(times), False)
        for length, forms in {8: ("%Y%m%d", "%d%m%Y", "%m%d%Y"), 14: ("%Y%m%d%H%M%S",), 12: ("%Y%m%d%H%M",), 10: ("%Y%m%d%H",), 6: ("%Y%m",), 7: ("%Y%j",)}.items():
            if lengths != {length}:
                continue
            for form in forms:
                times = tried(probe, made(form))
                years = times.astype("datetime64[Y]").astype(int) + 1970
                reading = _Reading(made(form), evenness(times), False)
                sure = length >= 8 and form[1] == "Y" or named or (reading.evenness.rising == 1 and reading.evenness.filled > 0.9)
                if not np.isnat(times).any() and years.min() >= 1700 and years.max() <= 2200 and sure:
                    return reading
        if lengths == {4} and 1000 <= low and high <= 2200 and (
            re.search(r"(?i)year|jahr|ann[ée]e|a[ñn]o\b|anno\b|jaar|\byr\b|date|datum|period|time|^y$", name) or (rising == 1 and set(np.abs(steps)) == {1.0} and low >= 1500)
        ):
            return _Reading(made("%Y"), evenness(tried(probe, made("%Y"))), False)
    times_named = re.search(r"(?i)time|stamp|epoch|unix|date|datum|zeit|hora|heure|fecha|^ts$|^t$|^ds$", name)
    for form, unit in (("s", 1.0), ("ms", 1e3), ("us", 1e6), ("ns", 1e9)):
        if 1e8 * unit <= low and high <= 4.2e9 * unit and (times_named or (rising == 1 and whole and _regular(steps))):
            reading = _Reading(made(form), evenness(tried(probe, made(form))), False)
            if times_named or reading.evenness.filled > 0.5:
                return reading
    if 10_000 <= low and high <= 80_000 and DAYLIKE.match(name):
        return _Reading(made("D"), evenness(tried(probe, made("D"))), False)
    return None


def _regular(steps: np.ndarray) -> bool:
    _, counts = np.unique(np.abs(steps), return_counts=True)
    return bool(counts.max() > 0.5 * len(steps) and np.abs(steps).min() >= 1)


def _parts(table: pandas.DataFrame, names: dict[int, str]) -> Dates | None:
    """Year, month, day, hour in columns of their own."""
    found: dict[str, int] = {}
    for place in table.columns:
        for part, pattern in PARTS.items():
            if part not in found and re.fullmatch(rf"(?i){pattern}", names[place].strip()):
                found[part] = place
                break
    if "%Y" not in found or not _probe(table[found["%Y"]]).str.fullmatch(r"[0-9]{4}").all():
        return None
    for names_, form, made in (
        (r"quarter|qtr|q|quartal|trimestre|kwartaal", "%Y %m", tuple((f" Q?{n}$", f" {3 * n - 2:02d}") for n in (4, 3, 2, 1))),
        (r"week|wk|kw|woche|kalenderwoche|semaine|semana|isoweek|weeknumber|week number", "%G %V %u", (("^(.*)$", r"\1 1"),)),
    ):
        for place in table.columns:
            if "%m" not in found and re.fullmatch(f"(?i){names_}", names[place].strip()):
                dates = Dates((found["%Y"], place), made, form, None, False)
                if not np.isnat(tried(_probe(joined(table, dates.places)), dates)).any():
                    return dates
    if len(found) < 2:
        return None
    pairs: Pairs = ()
    used = ["%Y"]
    order = list(PARTS)
    for part in order[1:]:
        if part not in found or used != order[: len(used)] and part != "%d":
            break
        cells = _probe(table[found[part]])
        if part == "%m" and cells.str.fullmatch(r"M[0-9]{1,2}").all():
            pairs += ((" M([0-9]+)", r" \1"),)
        elif part == "%m" and not cells.str.fullmatch("[0-9]{1,2}").all():
            sample = formats([str(cell) for cell in cells.unique()[:100]])
            if not sample or not sample[0].yearless:
                return None
            pairs += sample[0].replacements
            used.append(sample[0].format)
            found[sample[0].format] = found[part]
            continue
        elif not cells.str.fullmatch("[0-9]{1,3}").all():
            break
        elif part == "%H" and (cells == "24").any():
            break
        used.append(part)
    if len(used) < 2:
        return None
    form = " ".join(used)
    dates = Dates(tuple(found[part] for part in used), pairs, form, None, False)
    column = joined(table.loc[_probe(table[found["%Y"]]).index], dates.places)
    return dates if not np.isnat(tried(column, dates)).any() else None


def _hours(table: pandas.DataFrame, names: dict[int, str], day: int) -> _Hours | None:
    """The column of hours beside a column of days, where there is one."""
    if table[day].iloc[:PROBE].nunique() > 0.9 * len(table.iloc[:PROBE]) or _timed(table[day]):
        return None
    for place in table.columns:
        if place == day or not re.fullmatch(rf"(?i)({PARTS['%H']}|he|hour[ _]?ending|time|zeit|uhrzeit|hhmm|utc|clock)", names[place].strip()):
            continue
        cells = _probe(table[place])
        if len(cells) < 2 or not cells.str.fullmatch("[0-9]{1,4}").all():
            continue
        hours = cells.astype("int64")
        if hours.max() <= 23:
            return _Hours(place, (), " %H")
        if hours.min() >= 1 and hours.max() == 24:
            return _Hours(place, tuple((f" 0?{n}$", f" {n - 1}") for n in range(1, 25)), " %H")
        if hours.max() <= 2359 and (hours % 100 < 60).all():
            return _Hours(place, ((" ([0-9]{3})$", r" 0\1"), (" ([0-9]{1,2})$", r" 00\1"), (" 00([0-9])$", r" 000\1")), " %H%M")
    return None


def _clock(column: pandas.Series) -> bool:
    """Whether the cells are times of day, and nothing else."""
    sample = _sample(column)
    found = formats(sample) if sample else []
    return bool(found) and found[0].yearless and found[0].format[:2] in ("%H", "%I")


def _timed(column: pandas.Series) -> bool:
    """Whether the cells hold a time of day."""
    return bool(_probe(column).str.contains("[0-9]:[0-9]{2}", regex=True).any())
