"""A user's CSV as columns of numbers, whatever the file holds: a table, or one sentence that says why not.

Header or none; comma, semicolon, tab or bar between cells, decimal comma where the separator is a semicolon; dates in the
first column; missing values filled in between their neighbours. Nothing in a file is ever evaluated.
"""

from __future__ import annotations

import contextlib
import csv
import hashlib
import io
import warnings
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

MOST_BYTES = 5_000_000
MOST_COLUMNS = 32
MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "-", "--", "?", ".", "inf", "-inf", "+inf", "infinity", "-infinity"})


@dataclass(frozen=True, eq=False)
class Table:
    """N rows of C numeric columns."""

    values: np.ndarray  # (N, C) float64, finite
    columns: tuple[str, ...]  # C names: the header's, or "column 1", "column 2", …
    times: np.ndarray | None  # (N,) datetime64[ns], rising; None without dates
    notes: tuple[str, ...]  # what was left out or filled in, for the screen
    places: tuple[int, ...]  # which of the file's columns they are, from 0
    separator: str  # between the file's cells
    header: bool  # whether its first row names the columns


def read(path: str | Path) -> dict[str, bytes]:
    """A file as `uploads` for `data.build`: its SHA-256 (for `DataSpec.source`) → its content."""
    if Path(path).stat().st_size > MOST_BYTES:
        raise ValueError(f"the file has {Path(path).stat().st_size:,} bytes, more than the 5 MB that are read")
    content = Path(path).read_bytes()
    return {key(content): content}


def key(content: bytes) -> str:
    """The name under which an upload is known: its SHA-256."""
    return hashlib.sha256(content).hexdigest()


@lru_cache(4)
def parse(content: bytes) -> Table:
    """The numeric columns of a CSV.

    Raises ValueError, in one sentence, for whatever is not a table of numbers.
    """
    cells, separator = _cells(_text(content))
    header = _header(cells, separator)
    names, cells = (header, cells[1:]) if header else (tuple(f"column {n + 1}" for n in range(cells.shape[1])), cells)
    if len(cells) < 2:
        raise ValueError(f"the file has {len(cells)} row of values; a series needs more")
    numbers = np.stack([_numbers(column, separator) for column in cells.T], 1)
    times, dated = _times(cells[:, 0]), np.isnan(numbers[:, 0]).all()
    order = None if times is None or not dated else np.argsort(times, kind="stable")
    numbers = numbers if order is None else numbers[order]
    kept, notes = _kept(numbers, names, times is not None)
    values, filled = _filled(numbers[:, kept], cells[:, kept])
    dates = times[order] if order is not None and times is not None else None
    return Table(values, tuple(names[n] for n in kept), dates, (*notes, *filled), tuple(kept), separator, bool(header))


def chosen(table: Table, wanted: str) -> tuple[int, ...]:
    """The columns that `DataSpec.column` names, separated by commas; all of them where it is empty.

    Raises ValueError for a name that the table lacks.
    """
    if not wanted.strip():
        return tuple(range(len(table.columns)))
    names = [wanted.strip()] if wanted.strip() in table.columns else [name.strip() for name in wanted.split(",") if name.strip()]
    for name in names:
        if name not in table.columns:
            raise ValueError(f"the file has no numeric column {_short(name)}; it has {', '.join(map(_short, table.columns[:8]))}")
    return tuple(dict.fromkeys(table.columns.index(name) for name in names))


def _text(content: bytes) -> str:
    if len(content) > MOST_BYTES:
        raise ValueError(f"the file has {len(content):,} bytes, more than the 5 MB that are read")
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encoding = "utf-16"
    elif b"\0" in content:
        raise ValueError("the file is not text: save the table as CSV")
    else:
        encoding = "utf-8-sig"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    if sum(not letter.isprintable() and letter not in "\r\n\t" for letter in text[:4000]) > len(text[:4000]) // 20:
        raise ValueError("the file is not text: save the table as CSV")
    if "\0" in text or not text.strip():
        raise ValueError("the file is empty" if not text.strip() else "the file is not text: save the table as CSV")
    return text


def _cells(text: str) -> tuple[np.ndarray, str]:
    """All cells (rows, columns) as stripped texts, and the separator: the one that cuts the first rows most evenly."""
    sample = text[:20_000].splitlines()[:50]
    counts = {separator: [line.count(separator) for line in sample if line.strip()] for separator in ";\t|,"}
    separator = max(counts, key=lambda one: (min(counts[one]) > 0, np.median(counts[one]), one == ";"))
    rows: list[list[str]] = []
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=False):
            if "".join(row).strip():
                rows.append(row)
            if len(row) > 1000:
                raise ValueError(f"a row of the file has {len(row):,} cells, more than the 1,000 that are read")
    except csv.Error as reason:
        raise ValueError(f"the file is not a CSV table ({reason})") from None
    width = max(map(len, rows), default=0)
    if sum(map(len, rows)) * 4 < len(rows) * width and len(rows) * width > 5_000_000:
        raise ValueError("the rows of the file have very different numbers of cells: it is not one table")
    for row in rows:
        row += [""] * (width - len(row))
    return np.array(rows, object).reshape(len(rows), width), separator


def _number(cell: str, comma: bool) -> float:
    """One cell: a finite number, or nan. Formulas, words and infinities are nan."""
    cell = cell.strip()
    if comma:
        cell = cell.replace(".", "").replace(",", ".") if "," in cell else cell
    try:
        value = float(cell)
    except ValueError:
        return np.nan
    return value if np.isfinite(value) and abs(value) < 1e100 and "_" not in cell else np.nan


def _numbers(column: np.ndarray, separator: str) -> np.ndarray:
    """A column of texts as numbers, nan where a cell is none."""
    with contextlib.suppress(ValueError):  # the quick way, where every cell is a plain number
        values = column.astype(np.float64)
        if np.isfinite(values).all() and np.abs(values).max(initial=0) < 1e100 and not any("_" in cell for cell in column):
            return values
    return np.fromiter((_number(cell, separator == ";") for cell in column), np.float64, len(column))


def _header(cells: np.ndarray, separator: str) -> tuple[str, ...]:
    """The first row, if it names the columns: it has no number, but the rows below it have. () otherwise."""
    if not len(cells):
        raise ValueError("the file is empty")
    if not np.isnan(_numbers(cells[0], separator)).all() or all(cell.strip().lower() in MISSING for cell in cells[0]):
        return ()
    below = cells[1:200]
    if not len(below) or all(np.isnan(_numbers(column, separator)).all() for column in below.T):
        return ()
    names: list[str] = []
    for n, cell in enumerate(cells[0]):
        name = " ".join(cell.replace(",", " ").split())[:60] or f"column {n + 1}"
        names.append(name if name not in names else f"{name} ({n + 1})")
    return tuple(names)


def _times(column: np.ndarray) -> np.ndarray | None:
    """The first column as dates, where nearly all of it is dates; None otherwise."""
    import pandas

    if not all(any(letter.isdigit() for letter in cell) and len(cell) <= 40 for cell in column[:20]):
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pandas warns of every format that it has to guess
        try:
            times = pandas.to_datetime(pandas.Series(column.tolist()), errors="coerce", utc=True, format=None).dt.tz_localize(
                None
            )
        except (ValueError, OverflowError, TypeError, AttributeError):
            return None
    found = times.to_numpy("datetime64[ns]")
    return found if not np.isnat(found).any() else None


def _kept(numbers: np.ndarray, names: tuple[str, ...], dated: bool) -> tuple[list[int], list[str]]:
    """Which columns are mostly numbers, and notes on those left out."""
    present, notes = np.isfinite(numbers), []
    kept = [n for n in range(numbers.shape[1]) if present[:, n].mean() >= 0.5 and present[:, n].sum() >= 2]
    if not kept:
        raise ValueError("the file has no column of numbers")
    counting = len(kept) > 1 and kept[0] == 0 and _counts_up(numbers[:, 0])
    if counting:
        kept.remove(0)
        notes.append(f"{_short(names[0])} only counts the rows and was left out")
    if left := [name for n, name in enumerate(names) if n not in kept and not (n == 0 and (dated or counting))]:
        notes.append(f"left out, not being numbers: {', '.join(map(_short, left[:5]))}{' and more' if len(left) > 5 else ''}")
    if len(kept) > MOST_COLUMNS:
        notes.append(f"only the first {MOST_COLUMNS} of {len(kept)} columns were read")
    return kept[:MOST_COLUMNS], notes


def _filled(numbers: np.ndarray, cells: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """The columns with gaps bridged by straight lines, and notes on that."""
    present, rows, notes = np.isfinite(numbers), np.arange(len(numbers)), []
    values = np.stack(
        [np.interp(rows, rows[known], column[known]) for column, known in zip(numbers.T, present.T, strict=True)], 1
    )
    if gaps := int((~present).sum()):
        notes.append(f"{gaps:,} missing or unreadable cells were filled in between their neighbours")
    if any(cell.lstrip().startswith(("=", "@")) for cell in cells[~present][:1000]):
        notes.append("cells with formulas count as missing: export their values instead")
    return values, notes


def _counts_up(column: np.ndarray) -> bool:
    """Whether a column is 0, 1, 2, … or 1, 2, 3, …: row numbers."""
    return bool(column[0] in (0, 1) and np.isfinite(column).all() and (np.diff(column) == 1).all())


def _short(name: str) -> str:
    """A name for a sentence."""
    return f"'{name}'" if len(name) <= 40 else f"'{name[:37]}...'"
