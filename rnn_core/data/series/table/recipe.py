"""How a file is read: a frozen recipe, and the reading by it. The exported Keras program holds the same functions.

Evidence and choice are made elsewhere (`tables`); here nothing is guessed.
"""

from __future__ import annotations

import io
import json
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import pandas

Pairs = tuple[tuple[str, str], ...]  # regular expression → what replaces it, in this order


@dataclass(frozen=True)
class Layout:
    """Where a file's rows of values are."""

    container: str  # "text", "gzip" or "xlsx"
    encoding: str  # Python's name; "" in xlsx
    sheet: str  # name of the xlsx sheet; "" in text
    separator: str  # between cells; r"\\s+" for white space; "" in xlsx
    quoted: bool  # cells may stand in quotation marks
    width: int  # cells per row
    skipped: tuple[int, ...]  # lines that are no rows, from 0, up to the last row (text: blank ones apart)
    rows: int  # rows of values


@dataclass(frozen=True)
class Column:
    """One column of numbers."""

    place: int  # in the file, from 0
    name: str  # unique in the table
    missing: tuple[str, ...]  # cells that hold no number, as they stand
    replacements: Pairs  # what makes a cell a number that Python reads


@dataclass(frozen=True)
class Dates:
    """The column, or columns, of dates."""

    places: tuple[int, ...]  # cells that make one date, joined by a space
    replacements: Pairs  # what makes a cell a date of that format
    format: str  # for `pandas.to_datetime`; "s", "ms", "us", "ns" since 1970; "D" days since 1899-12-30
    latest_year: int | None  # two-digit years that would lie after it are of the century before
    utc: bool  # the cells name their offset from UTC, and are read as UTC


@dataclass(frozen=True)
class Recipe:
    """Everything that `apply` and the exported program need to know."""

    layout: Layout
    columns: tuple[Column, ...]
    dates: Dates | None  # None: no sure reading, or none there
    order: str  # "file", "turned" (last row first) or "dates" (sorted by them)

    def to_json(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Recipe:
        """Raises ValueError for what is no recipe."""
        try:
            found = json.loads(text)
            layout = Layout(**{**found["layout"], "skipped": tuple(found["layout"]["skipped"])})
            columns = tuple(
                Column(one["place"], one["name"], tuple(one["missing"]), _pairs(one["replacements"])) for one in found["columns"]
            )
            dates = found["dates"]
            if dates is not None:
                dates = Dates(**{**dates, "places": tuple(dates["places"]), "replacements": _pairs(dates["replacements"])})
            return cls(layout, columns, dates, str(found["order"]))
        except (KeyError, TypeError, AttributeError, json.JSONDecodeError) as reason:
            raise ValueError(f"this is no recipe for a table: {' '.join(str(reason).split())[:80]}") from None


def _pairs(pairs: Any) -> Pairs:
    return tuple((str(pattern), str(new)) for pattern, new in pairs)


def csv_options(layout: Layout, places: tuple[int, ...]) -> dict[str, Any]:
    """Arguments of `pandas.read_csv` for a layout: every cell as text, the rows of values alone."""
    head = next((n for n, line in enumerate(layout.skipped) if n != line), len(layout.skipped))
    options = {
        "sep": layout.separator,
        "encoding": layout.encoding,
        "header": None,
        "names": range(layout.width),
        "usecols": list(places),
        "index_col": False,
        "skiprows": head if head == len(layout.skipped) else list(layout.skipped),
        "nrows": layout.rows,
        "dtype": str,
        "keep_default_na": False,
    }
    if not layout.quoted:
        options["quoting"] = 3
    elif layout.separator != r"\s+":
        options["skipinitialspace"] = True
    if layout.container == "gzip":
        options["compression"] = "gzip"
    return options


def cells(layout: Layout, content: bytes, places: tuple[int, ...]) -> pandas.DataFrame:
    """The rows of values as stripped texts: (rows, places), named by their place in the file."""
    if layout.container == "xlsx":
        table = pandas.read_excel(
            io.BytesIO(content), sheet_name=layout.sheet, header=None, dtype=str, keep_default_na=False, engine="openpyxl"
        )
        table = table.drop(index=list(layout.skipped)).iloc[: layout.rows][list(places)]
    else:
        table = pandas.read_csv(io.BytesIO(content), **csv_options(layout, places))
    return stripped(table)


def stripped(table: pandas.DataFrame) -> pandas.DataFrame:
    return table.fillna("").astype(str).apply(lambda column: column.str.strip()).reset_index(drop=True)


def numbers(column: pandas.Series, missing: list[str], replacements: list[tuple[str, str]]) -> pandas.Series:
    """A column of texts as float64, nan where a cell is one of `missing`."""
    column = column.mask(column.isin(missing))
    for pattern, new in replacements:
        column = column.str.replace(pattern, new, regex=True)
    return column.astype("float64")


def moments(
    column: pandas.Series, replacements: list[tuple[str, str]], form: str, latest_year: int | None, utc: bool
) -> pandas.Series:
    """A column of texts as dates; blank cells as NaT."""
    column = column.mask(column == "")
    for pattern, new in replacements:
        column = column.str.replace(pattern, new, regex=True)
    column = column.mask(column == "")
    if form in ("s", "ms", "us", "ns"):
        return pandas.to_datetime(column.astype("float64"), unit=form)
    if form == "D":
        return pandas.to_datetime(column.astype("float64"), unit="D", origin="1899-12-30").dt.round("s")
    dates = pandas.to_datetime(column, format=form, utc=utc)
    dates = dates.dt.tz_localize(None) if utc else dates
    if latest_year is not None:
        dates = dates.where(~(dates.dt.year > latest_year), dates - pandas.DateOffset(years=100))
    return dates


def joined(table: pandas.DataFrame, places: tuple[int, ...]) -> pandas.Series:
    """The cells of several columns as one text."""
    first, *rest = places
    column = table[first]
    for place in rest:
        column = column + " " + table[place]
    return column.str.strip()


def finished(recipe: Recipe, table: pandas.DataFrame, times: pandas.Series | None = None) -> tuple[np.ndarray, np.ndarray | None]:
    """(N, C) float64 and (N,) datetime64[us] or None, from the cells. Gaps are bridged by straight lines."""
    if recipe.dates is not None and times is None:
        times = moments(joined(table, recipe.dates.places), list(recipe.dates.replacements), *reading_of(recipe.dates))
    found = pandas.DataFrame(
        {one.place: numbers(table[one.place], list(one.missing), list(one.replacements)) for one in recipe.columns}
    )
    if recipe.order == "turned":
        found, times = found.iloc[::-1], None if times is None else times.iloc[::-1]
    if recipe.order == "dates" and times is not None:
        order = np.argsort(times.to_numpy("datetime64[us]"), kind="stable")
        found, times = found.iloc[order], times.iloc[order]
    found = found.reset_index(drop=True)
    if found.isna().to_numpy().any():
        found = found.interpolate(limit_direction="both")
    return found.to_numpy("float64"), None if times is None else _unbroken(times.to_numpy("datetime64[us]"))


def reading_of(dates: Dates) -> tuple[str, int | None, bool]:
    return dates.format, dates.latest_year, dates.utc


def _unbroken(times: np.ndarray) -> np.ndarray:
    """Dates, with the few that are missing put between their neighbours."""
    known = ~np.isnat(times)
    if known.all():
        return times
    rows = np.arange(len(times))
    return np.interp(rows, rows[known], times[known].astype(np.int64)).astype(np.int64).astype("datetime64[us]")


def dropped(layout: Layout, lines: np.ndarray, keep: np.ndarray, blank: np.ndarray) -> Layout:
    """The layout with the rows that `keep` (rows,) masks out skipped too; `lines` (rows,) holds each row's line.

    `blank` (lines of the file,) tells which lines are empty, and so need no skipping.
    """
    kept = lines[keep]
    if not len(kept):
        return replace(layout, rows=0, skipped=())
    skip = ~blank[: kept[-1] + 1] if layout.container != "xlsx" else np.ones(kept[-1] + 1, bool)
    skip[kept] = False
    return replace(layout, rows=len(kept), skipped=tuple(np.flatnonzero(skip).tolist()))
