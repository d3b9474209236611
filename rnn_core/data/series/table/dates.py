"""Which columns hold a table's dates, and how their cells are read as dates, chosen by what the cells show."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import numpy as np
import pandas

from rnn_core.data.series.table.cells import MISSING, TIMELIKE, TOTAL, kind, short
from rnn_core.data.series.table.date_parsing import (
    PROBE,
    Reading,
    best_of,
    few,
    fits,
    format_in_words,
    parse_dates,
    probe_of,
    sample_of,
    with_century,
    with_leap_year,
)
from rnn_core.data.series.table.date_parts import Hours, hours_beside, is_clock, is_timed, parts_of
from rnn_core.data.series.table.day_numbers import numbers_as_dates
from rnn_core.data.series.table.formats import formats
from rnn_core.data.series.table.recipe import Dates, join_cells
from rnn_core.data.series.table.time import evenness
from rnn_core.data.series.table.units import Place

MOST_TRIED = 12  # columns
LONGEST = 60  # letters of a date


@dataclass(frozen=True, eq=False)
class ChosenDates:
    """The dates of a table, and the columns and rows that are not values."""

    dates: Dates | None
    times: np.ndarray | None  # (N,) datetime64[us], NaT where a cell is blank
    used: tuple[int, ...]  # places of columns that hold dates or times, so are not series
    dropped: np.ndarray  # (N,) bool: rows with totals, to be left out
    notes: tuple[str, ...]


def choose_dates(
    table: pandas.DataFrame, names: dict[int, str], letters: str, line: Place, wanted: str = "", form: str = ""
) -> ChosenDates:
    """Chooses the columns of dates and their format.

    Args:
        table: (N, places) texts.
        names: place → name.
        letters: what the columns' cells look like, as in `Block`.
        line: row → "line 17".
        wanted: the name of the column that holds the dates; "none" for none; "" to choose.
        form: its format for `pandas.to_datetime`; "" to choose.

    Raises ValueError if two formats fit equally well, or a column of dates has cells that are not dates.
    """
    nothing = np.zeros(len(table), bool)
    if wanted == "none":
        return ChosenDates(None, None, (), nothing, ("the dates were not read, as asked",))
    if wanted and wanted not in names.values():
        raise ValueError(
            f"the file has no column {short(wanted)} for the dates; it has {', '.join(short(name) for name in list(names.values())[:8])}"
        )
    places = [place for place in table.columns if not wanted or names[place] == wanted]
    if not wanted and not form and (parts := parts_of(table, names)):
        return _parse_all(table, parts, line, names)
    candidates = [place for place in places if wanted or letters[place] in "dn" or TIMELIKE.match(names[place])][:MOST_TRIED]
    clocks = [place for place in table.columns[: 2 * MOST_TRIED] if letters[place] == "d" and is_clock(table[place])]
    yearless: list[int] = list(clocks)
    best: Reading | None = None
    if letters.count("n") == 1 and not wanted:
        candidates = [place for place in candidates if letters[place] != "n"]  # the only column of numbers is the series
    for place in [place for place in candidates if place not in clocks or wanted]:
        hours = hours_beside(table, names, place) if not form and not clocks else None
        if hours is not None:
            found = _read_column(
                join_cells(table, (place, hours.place)),
                (place, hours.place),
                names[place],
                letters[place],
                line,
                form,
                table[place],
                hours,
            )
            if found is not None and not found.yearless and (best is None or _is_better(found, best)):
                best = found
                continue
        with_clock = (place, clocks[0]) if clocks and not form and _belongs_to_day(table, place, clocks[0], names) else (place,)
        found = _read_column(join_cells(table, with_clock), with_clock, names[place], letters[place], line, form)
        if found is None and len(with_clock) > 1:
            found = _read_column(table[place], (place,), names[place], letters[place], line, form)
        if found is None:
            continue
        if found.yearless:
            yearless.append(place)
        elif best is None or _is_better(found, best):
            best = found
    if best is None:
        if wanted:
            raise ValueError(
                f"the cells of {short(wanted)} are no dates that can be read, such as {short(table[places[0]].iloc[0])}"
            )
        if form:
            raise ValueError(f"no column holds dates as {short(form)}: choose another format, or the column of the dates")
        notes = [
            f"{short(names[place])} names no year, so it does not order the rows: they stay as in the file" for place in yearless
        ]
        return ChosenDates(None, None, tuple(yearless), nothing, tuple(notes))
    return _parse_all(table, best.dates, line, names, tuple(yearless))


def _is_better(one: Reading, other: Reading) -> bool:
    return one.evenness.rising + one.evenness.filled > other.evenness.rising + other.evenness.filled + 0.2


def _belongs_to_day(table: pandas.DataFrame, day: int, clock: int, names: dict[int, str]) -> bool:
    """Whether a column of times of day belongs to a column of days: the days repeat, or its name is one for times. Otherwise it may be a duration."""
    repeated = table[day].iloc[:PROBE].nunique() < 0.9 * len(table.iloc[:PROBE])
    return clock != day and not is_timed(table[day]) and (repeated or bool(TIMELIKE.match(names[clock])))


def _parse_all(
    table: pandas.DataFrame, dates: Dates, line: Place, names: dict[int, str], also: tuple[int, ...] = ()
) -> ChosenDates:
    """Has `parse_dates` read all cells by the chosen format, and judges those it cannot read. Raises ValueError for a cell that is not a date, unless its row is a total."""
    column = join_cells(table, dates.places)
    times = parse_dates(column, dates)
    bad = np.isnat(times) & ~column.str.lower().isin(MISSING).to_numpy()
    dropped, notes = np.zeros(len(table), bool), []
    if bad.any():
        first = table[dates.places[0]]
        totals = first.str.fullmatch(TOTAL.pattern).to_numpy() & bad
        if totals.any():
            notes.append(f"{int(totals.sum()):,} rows with totals were left out: {line(int(np.flatnonzero(totals)[0]))}")
        dropped = totals
        if (left := bad & ~dropped).any():
            row = int(np.flatnonzero(left)[0])
            advice = "24:00 is 00:00 of the next day" if "24:00" in column.iloc[row] else "correct that cell, or leave it blank"
            raise ValueError(
                f"{_quoted_names(dates, names)} holds dates as {format_in_words(dates)}, but {line(row)} reads {short(column.iloc[row])}: {advice}"
            )
    strange = column.str.lower().isin(MISSING).to_numpy() & (column != "").to_numpy()
    if strange.any():
        pairs = tuple((f"^{re.escape(cell)}$", "") for cell in column[strange].unique())
        dates = replace(dates, replacements=(*pairs, *dates.replacements))
    notes.append(f"dates come from {_quoted_names(dates, names)}, read as {format_in_words(dates)}")
    if dates.latest_year is not None and (times[~np.isnat(times)].astype("datetime64[Y]").astype(int) + 1970 < 1969).any():
        notes.append("two-digit years were read as the last century's where they would lie in the future")
    if any(pattern == " 0?24$" for pattern, _ in dates.replacements):
        notes.append("the hours 1 to 24 were read as 0 to 23, the beginning of each")
    if dates.utc:
        notes.append("the cells name their offset from UTC: the dates are in UTC")
    if beside := [short(names[place]) for place in also if place not in dates.places]:
        notes.append(f"left out, being times of day or dates without a year: {', '.join(beside)}")
    return ChosenDates(dates, times, tuple(dict.fromkeys((*dates.places, *also))), dropped, tuple(notes))


def _quoted_names(dates: Dates, names: dict[int, str]) -> str:
    return " and ".join(short(names[place]) for place in dates.places)


def _read_column(
    column: pandas.Series,
    places: tuple[int, ...],
    name: str,
    letter: str,
    line: Place,
    form: str,
    days: pandas.Series | None = None,
    hours: Hours | None = None,
) -> Reading | None:
    """The best reading of one column, or None.

    Raises ValueError if two are equally good.
    """
    probe = probe_of(column)
    if len(probe) < 2:
        return None
    if form:
        cells = [cell for cell in sample_of(column) if len(cell) <= LONGEST]
        known = [one for one in formats(cells, False) if one.format == form] if cells and not form.isalpha() else []
        made = Dates(places, known[0].replacements if known else (), form, None, "%z" in form)
        times = parse_dates(probe, made)
        return next(iter(with_century(Reading(made, evenness(times), False), times, probe)), None) if fits(times) else None
    if letter == "n" and len(places) == 1:
        return numbers_as_dates(probe, places[0], name)
    sample = sample_of(column if days is None else days)
    sample = [cell for cell in sample if len(cell) <= LONGEST]
    shaped = [cell for cell in sample if re.search(r"\d", cell) and not TOTAL.fullmatch(cell)]
    if letter == "d" and 2 * len(shaped) < len(sample):
        shaped = sample  # only names of months
    if not shaped:
        return None
    if 2 * len(shaped) < len(sample):
        return None
    week = bool(re.search(r"(?i)week|woche|semaine|semana|kw", name))
    found = formats(shaped, week)
    if not found:  # leave out a few cells of another format; `_parse_all` names them in its message
        shaped = [cell for cell in shaped if kind(cell) == "d"]
        found = formats(shaped, week) if shaped and few(len(sample) - len(shaped), len(sample)) else []
    if hours is not None:
        found = [
            replace(one, replacements=one.replacements + hours.replacements, format=one.format + hours.format)
            for one in found
            if not one.yearless and not any("$" in pattern for pattern, _ in one.replacements)
        ]
        sample = sample_of(column)
    readings = []
    for one in found:
        made = Dates(places, one.replacements, one.format, None, one.utc)
        if one.yearless:
            made = with_leap_year(made)
        times = parse_dates(probe, made)
        if fits(times) and fits(parse_dates(pandas.Series(sample), made)):
            readings += with_century(
                Reading(Dates(places, one.replacements, one.format, None, one.utc), evenness(times), one.yearless), times, probe
            )
    return best_of(readings, probe, name, line) if readings else None
