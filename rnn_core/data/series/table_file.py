"""Reads a user's file into columns of numbers: returns a table with the recipe it was read by, or raises a one-sentence ValueError that says why not.

The stages, in the folder `table`: the text (`text`), the lines that are rows (`block`), the dates (`dates` chooses the column, `date_parsing` reads it), the numbers (`columns`, `numbers`).
The decisions are stored in a frozen `Recipe`; `apply` and the exported program read a file by it.
Nothing in a file is ever executed.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas

from rnn_core.data.series.table import block as table_block
from rnn_core.data.series.table import dates as table_dates
from rnn_core.data.series.table import recipe as table_recipe
from rnn_core.data.series.table import text as table_text
from rnn_core.data.series.table.columns import MOST_COLUMNS, columns_of
from rnn_core.data.series.table.names import make_unique
from rnn_core.data.series.table.recipe import Layout, Recipe
from rnn_core.data.series.table.rows import drop_total, find_repeated_names, one_series, refuse_wide
from rnn_core.data.series.table.text import MOST_BYTES
from rnn_core.data.series.table.time import order_of, spacing
from rnn_core.spec.reading import OPTIONS

MOST_NAMES = 1000  # names of columns that a table carries
MOST_TEXTS = 8  # columns of text that are searched for the names of several series


@dataclass(frozen=True, eq=False)
class Table:
    """N rows of C numeric columns."""

    values: np.ndarray  # (N, C) float64, finite
    columns: tuple[str, ...]  # C names: the file's, or "column 1", "column 2", …
    times: np.ndarray | None  # (N,) datetime64[us]; None without dates
    notes: tuple[str, ...]  # sentences shown to the user: what was decided, left out or filled in
    recipe: Recipe  # how it was read
    names: tuple[str, ...] = ()  # of all columns of the file, by their places
    kinds: str = ""  # what their cells look like, a letter each: n numbers, d dates, t text, _ blank


def upload(path: str | Path) -> dict[str, bytes]:
    """Reads a file into the `uploads` argument of `data.build`: {SHA-256 (for `DataSpec.source`): content}."""
    if Path(path).stat().st_size > MOST_BYTES:
        raise ValueError(f"the file has {Path(path).stat().st_size:,} bytes, more than the 5 MB that are read")
    content = Path(path).read_bytes()
    return {key(content): content}


def key(content: bytes) -> str:
    """The key of an upload: its SHA-256."""
    return hashlib.sha256(content).hexdigest()


def read(content: bytes, overrides: Mapping[str, str] | None = None) -> Table:
    """Reads the numeric columns of a file.

    Args:
        content: the file: text in any common encoding, perhaps gzipped, or .xlsx.
        overrides: decisions made by the caller instead of from the contents: "encoding", "sheet", "separator", "decimal" ("." or ","),
            "dates" (a column's name, or "none"), "format" (of the dates, for `pandas.to_datetime`), "order" ("file",
            "turned" or "dates"), "missing" (cells that hold no value, separated by bars), "series" (the cell that names one of several series).

    Raises ValueError with a one-sentence message if the file is not a table of numbers, or can be read in several ways.
    """
    decisions = tuple(sorted((overrides or {}).items()))
    if unknown := [name for name, _ in decisions if name not in OPTIONS]:
        raise ValueError(f"{unknown[0]!r} is not an option for reading a table; the options are {', '.join(OPTIONS)}")
    return _read(content, decisions)


def apply(recipe: Recipe, content: bytes) -> tuple[np.ndarray, np.ndarray | None]:
    """Reads a file by a recipe: (N, C) values, and (N,) dates or None. Raises ValueError if the recipe does not fit the file."""
    places = {one.place for one in recipe.columns} | set(recipe.dates.places if recipe.dates else ())
    try:
        table = table_recipe.read_cells(recipe.layout, content, tuple(sorted(places)))
        if len(table) != recipe.layout.rows:
            raise ValueError(f"it has {len(table):,} rows instead of {recipe.layout.rows:,}")
        return table_recipe.apply_recipe(recipe, table)
    except (ValueError, KeyError, OSError) as reason:
        raise ValueError(f"the file cannot be read by this recipe: {' '.join(str(reason).split())[:120]}") from None


@lru_cache(4)
def _read(content: bytes, overrides: tuple[tuple[str, str], ...]) -> Table:
    wanted = dict(overrides)
    text = table_text.open_text(content, wanted.get("encoding", ""), wanted.get("sheet", ""))
    block = table_block.find_table(text, wanted.get("separator", ""))
    names = dict(enumerate(make_unique(list(block.names) or [""] * block.layout.width)))
    places, notes = _places_to_read(block.kinds, names)
    layout = table_recipe.keep_rows(block.layout, block.rows, np.ones(len(block.rows), bool), block.lines.empty)
    table = _read_cells(layout, text, places)
    lines, numbers = block.rows, block.lines.numbers

    def line(row: int) -> str:
        return f"line {numbers[lines[row]]}"

    if (again := find_repeated_names(table, block.heads)).any():
        notes.append(
            f"{int(again.sum()):,} line{'s' if again.sum() > 1 else ''} that repeat{'' if again.sum() > 1 else 's'} the names {'were' if again.sum() > 1 else 'was'} left out, the first is {line(int(np.argmax(again)))}"
        )
        lines, table = lines[~again], table[~again].reset_index(drop=True)
    refuse_wide(block.names, block.kinds, table, names)
    dates = table_dates.choose_dates(table, names, block.kinds, line, wanted.get("dates", ""), wanted.get("format", ""))
    notes += [*text.notes, *block.notes, *dates.notes]
    keep, times = ~dates.dropped, dates.times
    keep, series = one_series(table, names, keep, times, block.kinds, dates.used, wanted.get("series", ""))
    notes += series
    if not keep.all():
        lines, table = lines[keep], table[keep].reset_index(drop=True)
        times = None if times is None else times[keep]
    table, lines, times, total = drop_total(table, lines, times, block.kinds, dates.used)
    notes += total
    if len(table) < 2:
        raise ValueError(f"the file has {len(table)} row of values; a series needs more")
    layout = table_recipe.keep_rows(block.layout, lines, np.ones(len(lines), bool), block.lines.empty)
    columns, about = columns_of(table, names, dates.used, block, line, wanted)
    order, ordered = ("file", ()) if times is None else order_of(times, line)
    if wanted.get("order"):
        order, ordered = wanted["order"], (f"the rows' order is as asked: {wanted['order']}",)
        if order not in ("file", "turned", "dates") or (order == "dates" and times is None):
            raise ValueError(f"order must be file, turned or, where there are dates, dates; got {order!r}")
    recipe = Recipe(layout, columns, dates.dates, order)
    values, ordered_times = table_recipe.apply_recipe(recipe, table, None if times is None else pandas.Series(times))
    if times is not None and (undated := int(np.isnat(times).sum())):
        notes.append(
            f"{undated:,} row{'s have' if undated > 1 else ' has'} no date and stay{'' if undated > 1 else 's'} where {'they stand' if undated > 1 else 'it stands'} in the file"
        )
    notes += [*about, *ordered, *(spacing(ordered_times) if ordered_times is not None else ())]
    return Table(
        values,
        tuple(one.name for one in columns),
        ordered_times,
        tuple(dict.fromkeys(notes)),
        recipe,
        tuple(names.values())[:MOST_NAMES],
        block.kinds[:MOST_NAMES],
    )


def _places_to_read(kinds: str, names: Mapping[int, str]) -> tuple[tuple[int, ...], list[str]]:
    """Indices of the columns to read, at most a fixed number of each kind, and notes on those that are not read."""
    most = {"n": MOST_COLUMNS + 8, "d": table_dates.MOST_TRIED, "t": MOST_TEXTS, "_": MOST_TEXTS}
    places, seen, cut = [], dict.fromkeys(most, 0), dict.fromkeys(most, 0)
    for place, letter in enumerate(kinds):
        seen[letter] += 1
        if seen[letter] <= most[letter]:
            places.append(place)
        else:
            cut[letter] += 1
    notes = [f"columns of text beyond the first {MOST_TEXTS} were not looked at"] if cut["t"] else []
    return tuple(places), notes


def _read_cells(layout: Layout, text: table_text.Text, places: tuple[int, ...]) -> pandas.DataFrame:
    """The cells of the rows of values, from the decoded text. Raises ValueError if pandas finds another number of rows."""
    if text.cells is not None:
        table = table_recipe.strip_cells(text.cells.drop(index=list(layout.skipped)).iloc[: layout.rows][list(places)])
    else:
        options = table_recipe.csv_options(layout, places) | {"encoding": "utf-8", "compression": None}
        try:
            table = table_recipe.strip_cells(pandas.read_csv(io.BytesIO(text.lines), **options))
        except (ValueError, pandas.errors.ParserError) as reason:
            raise ValueError(f"the file is not a CSV table ({' '.join(str(reason).split())[:80]})") from None
    if len(table) != layout.rows:
        raise ValueError("the file is not a CSV table: its quotation marks do not match")
    return table
