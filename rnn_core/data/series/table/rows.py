"""Tables whose rows are not the steps of one series: one column per date, several series in one column, repeated names, a last row of totals."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NoReturn

import numpy as np
import pandas

from rnn_core.data.series.table.cells import MONTHS, short
from rnn_core.data.series.table.units import UndecidedError


def refuse_wide(names: tuple[str, ...], kinds: str, table: pandas.DataFrame, named: Mapping[int, str]) -> None:
    """Raises ValueError for a table that has one column per year, date, month or hour."""
    values = [names[n] if n < len(names) else "" for n, letter in enumerate(kinds) if letter in "n_"]
    values = [re.sub(r"(?i) *\[YR\d{4}\]$|^(X|Y|YR|F|FY)(?=\d{4}$)", "", name) for name in values]
    across = [
        name
        for name in values
        if re.fullmatch(
            r"(1[5-9]|20|21)\d\d|\d{4}[-/. ]?(Q[1-4]|M?\d{1,2})|Q[1-4][-/. ]\d{4}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}|\d{4}[-/.]\d{2}[-/.]\d{2}",
            name,
        )
    ]
    months = [name for name in values if name.lower().rstrip(".") in MONTHS]
    dated = "d" in kinds and not table[kinds.index("d")].iloc[:50].str.fullmatch(r"[^\d]*").all()
    if len(across) >= 3 and 2 * len(across) > len(values) and not dated and len(set(map(len, across))) <= 3:
        raise ValueError(
            f"each year or date is a column ({short(across[0])}, {short(across[1])}, …): transpose the table, so that it has one row per step and one column per series"
        )
    clocks = [name for name in values if re.fullmatch(r"\d{1,2}:\d{2}(:\d{2})?", name)]
    hours = [int(name) for name in values if name.isdecimal() and len(name) < 3]
    if len(clocks) >= 3 or (hours in (list(range(24)), list(range(1, 25)), list(range(1, 32)))):
        raise ValueError("each hour or day is a column: put them below each other, so that the table has one row per step")
    if len(months) >= 6:
        raise ValueError(
            f"each month is a column ({short(months[0])}, {short(months[1])}, …): put them below each other, so that the table has one row per month"
        )


def find_repeated_names(table: pandas.DataFrame, heads: tuple[tuple[str, ...], ...]) -> np.ndarray:
    """(N,) bool: rows that repeat the names of the columns, as in several files joined into one."""
    found = np.zeros(len(table), bool)
    for head in heads:
        cells = {place: head[place] for place in table.columns if place < len(head) and head[place]}
        if cells:
            found |= np.logical_and.reduce([(table[place] == cell).to_numpy() for place, cell in cells.items()])
    return found


def one_series(
    table: pandas.DataFrame,
    names: Mapping[int, str],
    keep: np.ndarray,
    times: np.ndarray | None,
    kinds: str,
    used: tuple[int, ...],
    wanted: str,
) -> tuple[np.ndarray, list[str]]:
    """Selects the rows of the series `wanted`, if a column names several; returns the new mask `keep` and notes.

    Raises ValueError if a column names several series and none is wanted.
    """
    if wanted:
        for place in table.columns:
            if (hits := (table[place] == wanted).to_numpy() & keep).sum() > 1:
                return hits, [f"only the rows of {short(wanted)} in {short(names[place])} were read"]
        raise ValueError(f"no column names a series {short(wanted)}")
    if times is None:
        return keep, []
    inside = times[keep]
    known = inside[~np.isnat(inside)]
    if (place := _find_stacked(table[keep], inside, kinds, used)) is not None:
        _refuse_several(names[place], table[place][keep].unique())
    if len(np.unique(known)) > 0.9 * len(known):
        return keep, []
    for place in [place for place in table.columns if place not in used and (kinds[place] == "t" or kinds[place] in "nd_")]:
        column = table[place][keep]
        groups = column.unique()
        if not 2 <= len(groups) <= len(column) / 2 or (
            kinds[place] != "t"
            and not re.search(
                r"(?i)id$|store|shop|station|item|sensor|site|series|group|unit|region|code|filiale|nr|no\b", names[place]
            )
        ):
            continue
        pairs = pandas.DataFrame({"series": column.to_numpy(), "time": inside})
        if pairs.duplicated().mean() < 0.02:
            _refuse_several(names[place], groups)
    steps = np.diff(known)
    back = steps < np.timedelta64(0)
    if back.any() and (steps > np.timedelta64(0)).any() and len(np.unique(known)) < 0.7 * len(known):
        raise ValueError(
            f"the dates repeat and go back ({len(known) - len(np.unique(known)):,} rows have the same date as another): the file seems to hold several series in one column; keep the rows of one"
        )
    return keep, []


def _refuse_several(name: str, groups: np.ndarray) -> NoReturn:
    raise UndecidedError(
        f"the file holds several series in one column: {short(name)} names {len(groups):,} of them ({', '.join(short(one) for one in groups[:3])}, …); "
        "keep the rows of one, or give each its own column",
        "series",
        tuple(str(one) for one in groups[:50]),
    )


def _find_stacked(table: pandas.DataFrame, times: np.ndarray, kinds: str, used: tuple[int, ...]) -> int | None:
    """The column of texts that changes exactly where the dates go back: it names series that follow each other."""
    steps = np.diff(times)
    back, forth = steps < np.timedelta64(0), steps > np.timedelta64(0)
    if not back.any() or (np.abs(steps[back]) <= np.timedelta64(2, "h")).all():
        return None  # in order, except at the end of daylight saving
    for place in [place for place in table.columns if place not in used and kinds[place] == "t"]:
        column = table[place].to_numpy()
        changes = column[1:] != column[:-1]
        if changes.any() and ((changes == back).all() or ((changes == forth).all() and back.sum() > forth.sum())):
            return int(place)
    return None


def drop_total(
    table: pandas.DataFrame, lines: np.ndarray, times: np.ndarray | None, kinds: str, used: tuple[int, ...]
) -> tuple[pandas.DataFrame, np.ndarray, np.ndarray | None, list[str]]:
    """Removes a last row without a date that is the sum of all rows above it."""
    if len(table) < 6 or (times is not None and not np.isnat(times[-1])):
        return table, lines, times, []
    told = []
    for place in [place for place in table.columns if kinds[place] == "n" and place not in used]:
        cells = table[place].str.replace(r"[^0-9.-]", "", regex=True)
        plain = cells.str.fullmatch(r"-?([0-9]+\.?[0-9]*|\.[0-9]+)")
        if not plain.iloc[-1] or plain.mean() < 0.5:
            continue
        values = cells[plain].astype("float64").to_numpy()
        above, last = values[:-1], values[-1]
        told.append(last != 0 and (above > 0).all() and bool(np.isclose(last, above.sum(), rtol=1e-6) and np.ptp(above) > 0))
    if not told or not all(told):
        return table, lines, times, []
    return (
        table.iloc[:-1],
        lines[:-1],
        None if times is None else times[:-1],
        ["the last row is the sum of all others: it was left out as a total"],
    )
