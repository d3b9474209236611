"""Dates split over several columns: year, month, day; or a day and its hour."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pandas

from rnn_core.data.series.table.date_parsing import PROBE, parse_dates, probe_of, sample_of
from rnn_core.data.series.table.formats import formats
from rnn_core.data.series.table.recipe import Dates, Pairs, join_cells

PARTS = {  # names of columns that hold one part of a date
    "%Y": r"year|yr|yyyy|jahr|année|annee|año|ano|anno|y|jaar",
    "%m": r"month|mon|mo|mm|monat|mois|mes|mês|mese|m|maand|period",
    "%d": r"day|dy|dd|tag|jour|dia|día|giorno|d|dag|dom|day of month",
    "%H": r"hour|hr|hh|stunde|heure|hora|ora|h|uur|std|hour_of_day",
    "%M": r"minute|min|minuto|mi|minutes",
}


@dataclass(frozen=True)
class Hours:
    """A column of whole numbers that are the hours, or hours and minutes, of the days in another column."""

    place: int
    replacements: Pairs
    format: str


def parts_of(table: pandas.DataFrame, names: dict[int, str]) -> Dates | None:
    """Dates from separate columns for year, month, day and hour; None if the table has no such columns."""
    found: dict[str, int] = {}
    for place in table.columns:
        for part, pattern in PARTS.items():
            if part not in found and re.fullmatch(rf"(?i){pattern}", names[place].strip()):
                found[part] = place
                break
    if not found and all(name.startswith("column ") for name in names.values()):
        found = _parts_without_names(table)
    if "%Y" not in found or not probe_of(table[found["%Y"]]).str.fullmatch(r"[0-9]{4}").all():
        return None
    for column_names, form, made in (
        (r"quarter|qtr|q|quartal|trimestre|kwartaal", "%Y %m", tuple((f" Q?{n}$", f" {3 * n - 2:02d}") for n in (4, 3, 2, 1))),
        (r"week|wk|kw|woche|kalenderwoche|semaine|semana|isoweek|weeknumber|week number", "%G %V %u", (("^(.*)$", r"\1 1"),)),
    ):
        for place in table.columns:
            if "%m" not in found and re.fullmatch(f"(?i){column_names}", names[place].strip()):
                dates = Dates((found["%Y"], place), made, form, None, False)
                if not np.isnat(parse_dates(probe_of(join_cells(table, dates.places)), dates)).any():
                    return dates
    if len(found) < 2:
        return None
    pairs: Pairs = ()
    used = ["%Y"]
    order = list(PARTS)
    for part in order[1:]:
        if part not in found or (used != order[: len(used)] and part != "%d"):
            break
        cells = probe_of(table[found[part]])
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
        elif not cells.str.fullmatch("[0-9]{1,3}").all() or (part == "%H" and (cells == "24").any()):
            break
        used.append(part)
    if len(used) < 2:
        return None
    form = " ".join(used)
    dates = Dates(tuple(found[part] for part in used), pairs, form, None, False)
    column = join_cells(table.loc[probe_of(table[found["%Y"]]).index], dates.places)
    return dates if not np.isnat(parse_dates(column, dates)).any() else None


def _parts_without_names(table: pandas.DataFrame) -> dict[str, int]:
    """Finds year, month and perhaps day in the first columns of a file without names: the months repeat, and each year has several rows."""
    first, second, *others = [*table.columns[:3], None, None][:4]
    if first is None or second is None:
        return {}
    years, months = table[first].iloc[:PROBE], table[second].iloc[:PROBE]
    if not years.str.fullmatch("1[5-9][0-9]{2}|20[0-9]{2}").all() or not months.str.fullmatch("0?[1-9]|1[0-2]").all():
        return {}
    steps = np.diff(12 * years.astype("int64").to_numpy() + months.astype("int64").to_numpy())
    if not len(steps) or not ((steps >= 0).all() or (steps <= 0).all()) or years.nunique() == len(years) or months.nunique() < 3:
        return {}
    day = others[0]
    if (steps == 0).any() and day is not None and table[day].iloc[:PROBE].str.fullmatch("0?[1-9]|[12][0-9]|3[01]").all():
        return {"%Y": first, "%m": second, "%d": day}
    return {"%Y": first, "%m": second} if (steps != 0).all() else {}


def hours_beside(table: pandas.DataFrame, names: dict[int, str], day: int) -> Hours | None:
    """The column of hours that belongs to a column of days; None if there is none."""
    if table[day].iloc[:PROBE].nunique() > 0.9 * len(table.iloc[:PROBE]) or is_timed(table[day]):
        return None
    for place in table.columns:
        if place == day or not re.fullmatch(
            rf"(?i)({PARTS['%H']}|he|hour[ _]?ending|time|zeit|uhrzeit|hhmm|utc|clock)", names[place].strip()
        ):
            continue
        cells = probe_of(table[place])
        if len(cells) < 2 or not cells.str.fullmatch("[0-9]{1,4}").all():
            continue
        hours = cells.astype("int64")
        if hours.max() <= 23:
            return Hours(place, (), " %H")
        if hours.min() >= 1 and hours.max() == 24:
            return Hours(place, tuple((f" 0?{n}$", f" {n - 1}") for n in range(1, 25)), " %H")
        if hours.max() <= 2359 and (hours % 100 < 60).all():
            return Hours(place, ((" ([0-9]{3})$", r" 0\1"), (" ([0-9]{1,2})$", r" 00\1"), (" 00([0-9])$", r" 000\1")), " %H%M")
    return None


def is_clock(column: pandas.Series) -> bool:
    """Whether the cells are times of day, and nothing else."""
    sample = [cell for cell in sample_of(column) if len(cell) <= 40]
    found = formats(sample) if sample else []
    return bool(found) and found[0].yearless and found[0].format[:2] in ("%H", "%I")


def is_timed(column: pandas.Series) -> bool:
    """Whether the cells hold a time of day."""
    return bool(probe_of(column).str.contains("[0-9]:[0-9]{2}", regex=True).any())
