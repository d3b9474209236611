"""How a file is read: the recipe, and the functions that apply it. The exported Keras program contains some of these functions.

Nothing is decided here: the decisions are made in `block`, `dates` and `columns`.
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
    quoted: bool  # cells may be in quotation marks
    width: int  # cells per row
    # 0-based numbers of the lines to skip before the last row; blank lines of a text are not listed, pandas skips them
    skipped: tuple[int, ...]
    rows: int  # rows of values


@dataclass(frozen=True)
class Column:
    """One column of numbers."""

    place: int  # 0-based index in the file
    name: str  # unique in the table
    missing: tuple[str, ...]  # cells that hold no number, exactly as in the file
    replacements: Pairs  # turn a cell into a number that Python can parse


@dataclass(frozen=True)
class Dates:
    """The column, or columns, of dates."""

    places: tuple[int, ...]  # columns whose cells, joined by a space, make one date
    replacements: Pairs  # turn a cell into a date of that format
    format: str  # for `pandas.to_datetime`; "s", "ms", "us", "ns" since 1970; "D" days since 1899-12-30
    latest_year: int | None  # a date after this year, from a two-digit year, is read as 100 years earlier
    utc: bool  # the cells include an offset from UTC, and are converted to UTC


@dataclass(frozen=True)
class Recipe:
    """Everything that `table_file.apply` and the exported program need to read the file."""

    layout: Layout
    columns: tuple[Column, ...]
    dates: Dates | None  # None: the file has no dates, or none that are certain
    order: str  # "file", "turned" (reversed: last row first) or "dates" (sorted by them)

    def to_json(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Recipe:
        """Raises ValueError if the text is not a recipe."""
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
            raise ValueError(f"this is not a recipe for a table: {' '.join(str(reason).split())[:80]}") from None


def _pairs(pairs: Any) -> Pairs:
    return tuple((str(pattern), str(new)) for pattern, new in pairs)


def csv_options(layout: Layout, places: tuple[int, ...]) -> dict[str, Any]:
    """Arguments of `pandas.read_csv` for a layout: every cell as text, only the rows of values."""
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


def read_cells(layout: Layout, content: bytes, places: tuple[int, ...]) -> pandas.DataFrame:
    """The cells of the rows of values, as stripped texts: (rows, places); each column is named by its place in the file."""
    if layout.container == "xlsx":
        table = pandas.read_excel(
            io.BytesIO(content), sheet_name=layout.sheet, header=None, dtype=str, keep_default_na=False, engine="openpyxl"
        )
        table = table.drop(index=list(layout.skipped)).iloc[: layout.rows][list(places)]
    else:
        table = pandas.read_csv(io.BytesIO(content), **csv_options(layout, places))
    return strip_cells(table)


def strip_cells(table: pandas.DataFrame) -> pandas.DataFrame:
    return table.fillna("").astype(str).apply(lambda column: column.str.strip()).reset_index(drop=True)


def numbers(column: pandas.Series, missing: list[str], replacements: list[tuple[str, str]]) -> pandas.Series:
    """Parses a column of texts: float64, nan for the cells in `missing`."""
    column = column.mask(column.isin(missing))
    for pattern, new in replacements:
        column = column.str.replace(pattern, new, regex=True)
    return column.astype("float64")


def parse_times(
    column: pandas.Series, replacements: list[tuple[str, str]], form: str, latest_year: int | None, utc: bool
) -> pandas.Series:
    """Parses a column of texts as dates; a blank cell becomes NaT."""
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


def join_cells(table: pandas.DataFrame, places: tuple[int, ...]) -> pandas.Series:
    """Joins the cells of several columns by a space."""
    first, *rest = places
    column = table[first]
    for place in rest:
        column = column + " " + table[place]
    return column.str.strip()


def apply_recipe(
    recipe: Recipe, table: pandas.DataFrame, times: pandas.Series | None = None
) -> tuple[np.ndarray, np.ndarray | None]:
    """Parses and sorts the cells: (N, C) float64, and (N,) datetime64[us] or None. Missing values are interpolated linearly."""
    if recipe.dates is not None and times is None:
        times = parse_times(join_cells(table, recipe.dates.places), list(recipe.dates.replacements), *reading_of(recipe.dates))
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
    return found.to_numpy("float64"), None if times is None else _fill_missing_times(times.to_numpy("datetime64[us]"))


def reading_of(dates: Dates) -> tuple[str, int | None, bool]:
    return dates.format, dates.latest_year, dates.utc


def _fill_missing_times(times: np.ndarray) -> np.ndarray:
    """Replaces each missing date by linear interpolation between its neighbours."""
    known = ~np.isnat(times)
    if known.all():
        return times
    rows = np.arange(len(times))
    return np.interp(rows, rows[known], times[known].astype(np.int64)).astype(np.int64).astype("datetime64[us]")


def keep_rows(layout: Layout, lines: np.ndarray, keep: np.ndarray, blank: np.ndarray) -> Layout:
    """The layout that reads only the rows where `keep` (rows,) is true and skips all other lines; `lines` (rows,) holds the line of each row.

    `blank` (lines of the file,) is true for empty lines, which pandas skips itself.
    """
    kept = lines[keep]
    if not len(kept):
        return replace(layout, rows=0, skipped=())
    skip = ~blank[: kept[-1] + 1] if layout.container != "xlsx" else np.ones(kept[-1] + 1, bool)
    skip[kept] = False
    return replace(layout, rows=len(kept), skipped=tuple(np.flatnonzero(skip).tolist()))
