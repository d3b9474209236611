"""A user's file as columns of numbers, whatever it holds: a table with the recipe it was read by, or one sentence that says why not.

The evidence is gathered stage by stage: the text (`table_text`), the block of rows (`table_block`), the dates (`table_dates`),
the numbers (`table_numbers`). What was decided is a frozen `Recipe`; `apply` reads by it, and so does the exported program.
Nothing in a file is ever evaluated.
"""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas

from rnn_core.data import table_block, table_dates, table_recipe, table_text
from rnn_core.data.table_cells import TIMELIKE, short
from rnn_core.data.table_names import unique
from rnn_core.data.table_numbers import Draft, Numbers, draft, far_out, settled
from rnn_core.data.table_recipe import Column, Layout, Recipe
from rnn_core.data.table_text import MOST_BYTES
from rnn_core.data.table_time import order_of, spacing

MOST_COLUMNS = 32
MOST_TEXTS = 8  # columns of text that are looked at for the names of several series
OVERRIDES = ("encoding", "sheet", "separator", "decimal", "dates", "format", "order", "missing", "series")


@dataclass(frozen=True, eq=False)
class Table:
    """N rows of C numeric columns."""

    values: np.ndarray  # (N, C) float64, finite
    columns: tuple[str, ...]  # C names: the file's, or "column 1", "column 2", …
    times: np.ndarray | None  # (N,) datetime64[us]; None without dates
    notes: tuple[str, ...]  # what was decided, left out or filled in, for the screen
    recipe: Recipe  # how it was read


def upload(path: str | Path) -> dict[str, bytes]:
    """A file as `uploads` for `data.build`: its SHA-256 (for `DataSpec.source`) → its content."""
    if Path(path).stat().st_size > MOST_BYTES:
        raise ValueError(f"the file has {Path(path).stat().st_size:,} bytes, more than the 5 MB that are read")
    content = Path(path).read_bytes()
    return {key(content): content}


def key(content: bytes) -> str:
    """The name under which an upload is known: its SHA-256."""
    return hashlib.sha256(content).hexdigest()


def read(content: bytes, overrides: Mapping[str, str] | None = None) -> Table:
    """The numeric columns of a file.

    Args:
        content: the file: text in any common encoding, perhaps gzipped, or .xlsx.
        overrides: decisions that are not left to the evidence: "encoding", "sheet", "separator", "decimal" ("." or ","),
            "dates" (a column's name, or "none"), "format" (of the dates, for `pandas.to_datetime`), "order" ("file",
            "turned" or "dates"), "missing" (cells that hold no value, separated by bars), "series" (the cell that names one of several series).

    Raises ValueError, in one sentence, for whatever is not a table of numbers, or can be read in several ways.
    """
    chosen_ = tuple(sorted((overrides or {}).items()))
    if unknown := [name for name, _ in chosen_ if name not in OVERRIDES]:
        raise ValueError(f"{unknown[0]!r} is no decision about a table; there are {', '.join(OVERRIDES)}")
    return _read(content, chosen_)


def apply(recipe: Recipe, content: bytes) -> tuple[np.ndarray, np.ndarray | None]:
    """(N, C) values and (N,) dates or None of a file, by a recipe alone. Raises ValueError where the file is another."""
    places = {one.place for one in recipe.columns} | set(recipe.dates.places if recipe.dates else ())
    try:
        table = table_recipe.cells(recipe.layout, content, tuple(sorted(places)))
        if len(table) != recipe.layout.rows:
            raise ValueError(f"it has {len(table):,} rows instead of {recipe.layout.rows:,}")
        return table_recipe.finished(recipe, table)
    except (ValueError, KeyError, OSError) as reason:
        raise ValueError(f"the file cannot be read by this recipe: {' '.join(str(reason).split())[:120]}") from None


def chosen(table: Table, wanted: str) -> tuple[int, ...]:
    """The columns that `DataSpec.column` names, separated by commas; all of them where it is empty.

    Raises ValueError for a name that the table lacks.
    """
    if not wanted.strip():
        return tuple(range(len(table.columns)))
    names = [wanted.strip()] if wanted.strip() in table.columns else [name.strip() for name in wanted.split(",") if name.strip()]
    for name in names:
        if name not in table.columns:
            raise ValueError(f"the file has no numeric column {short(name)}; it has {', '.join(map(short, table.columns[:8]))}")
    return tuple(dict.fromkeys(table.columns.index(name) for name in names))


@lru_cache(4)
def _read(content: bytes, overrides: tuple[tuple[str, str], ...]) -> Table:
    wanted = dict(overrides)
    text = table_text.opened(content, wanted.get("encoding", ""), wanted.get("sheet", ""))
    block = table_block.found(text, wanted.get("separator", ""))
    names = dict(enumerate(unique(list(block.names) or [""] * block.layout.width)))
    places, notes = _looked_at(block.kinds, names)
    layout = table_recipe.dropped(block.layout, block.rows, np.ones(len(block.rows), bool), block.lines.empty)
    table = _cells(layout, text, places)
    lines, numbers = block.rows, block.lines.numbers

    def line(row: int) -> str:
        return f"line {numbers[lines[row]]}"

    heads = {cell for one in block.heads for cell in one if cell}
    _refuse_wide(block.names, block.kinds, table, names)
    dates = table_dates.chosen(table, names, block.kinds, heads, line, wanted.get("dates", ""), wanted.get("format", ""))
    notes += [*text.notes, *block.notes, *dates.notes]
    keep, times = ~dates.dropped, dates.times
    keep, said = _one_series(table, names, keep, times, block.kinds, dates.used, line, wanted.get("series", ""))
    notes += said
    if not keep.all():
        lines, table = lines[keep], table[keep].reset_index(drop=True)
        times = None if times is None else times[keep]
    table, lines, times, said = _without_total(table, lines, times, block.kinds, dates.used)
    notes += said
    if len(table) < 2:
        raise ValueError(f"the file has {len(table)} row of values; a series needs more")
    layout = table_recipe.dropped(block.layout, lines, np.ones(len(lines), bool), block.lines.empty)
    columns, said = _columns(table, names, dates.used, block, line, wanted)
    notes += said
    order, said = ("file", ()) if times is None else order_of(times, line)
    if wanted.get("order"):
        order, said = wanted["order"], (f"the rows' order is as asked: {wanted['order']}",)
        if order not in ("file", "turned", "dates") or (order == "dates" and times is None):
            raise ValueError(f"order must be file, turned or, where there are dates, dates; got {order!r}")
    recipe = Recipe(layout, columns, dates.dates, order)
    values, found = table_recipe.finished(recipe, table, None if times is None else pandas.Series(times))
    if times is not None and (undated := int(np.isnat(times).sum())):
        notes.append(f"{undated:,} row{'s have' if undated > 1 else ' has'} no date and stay{'' if undated > 1 else 's'} where {'they stand' if undated > 1 else 'it stands'} in the file")
    notes += [*said, *(spacing(found) if found is not None else ())]
    return Table(values, tuple(one.name for one in columns), found, tuple(dict.fromkeys(notes)), recipe)


def _looked_at(kinds: str, names: Mapping[int, str]) -> tuple[tuple[int, ...], list[str]]:
    """Places of the columns that are read at all: some of each kind."""
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


def _cells(layout: Layout, text: table_text.Text, places: tuple[int, ...]) -> pandas.DataFrame:
    """The rows of values as texts, from the text as it was decoded; checked for how many there are."""
    if text.cells is not None:
        table = table_recipe.stripped(text.cells.drop(index=list(layout.skipped)).iloc[: layout.rows][list(places)])
    else:
        options = table_recipe.csv_options(layout, places) | {"encoding": "utf-8", "compression": None}
        try:
            table = table_recipe.stripped(pandas.read_csv(io.BytesIO(text.lines), **options))
        except (ValueError, pandas.errors.ParserError) as reason:
            raise ValueError(f"the file is not a CSV table ({' '.join(str(reason).split())[:80]})") from None
    if len(table) != layout.rows:
        raise ValueError("the file is not a CSV table: its quotation marks do not match")
    return table


def _refuse_wide(names: tuple[str, ...], kinds: str, table: pandas.DataFrame, named: Mapping[int, str]) -> None:
    """Tables whose time runs across the page. Raises ValueError for them."""
    values = [names[n] if n < len(names) else "" for n, letter in enumerate(kinds) if letter in "n_"]
    values = [re.sub(r"(?i) *\[YR\d{4}\]$|^(X|Y|YR|F|FY)(?=\d{4}$)", "", name) for name in values]
    across = [name for name in values if re.fullmatch(r"(1[5-9]|20|21)\d\d|\d{4}[-/. ]?(Q[1-4]|M?\d{1,2})|Q[1-4][-/. ]\d{4}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}|\d{4}[-/.]\d{2}[-/.]\d{2}", name)]
    months = [name for name in values if name.lower().rstrip(".") in table_dates_months()]
    dated = "d" in kinds and not table[kinds.index("d")].iloc[:50].str.fullmatch(r"[^\d]*").all()
    if len(across) >= 3 and 2 * len(across) > len(values) and not dated and len(set(map(len, across))) <= 2:
        raise ValueError(
            f"the years or dates stand across the page ({short(across[0])}, {short(across[1])}, …): turn the table, so that it has one row per step and one column per series"
        )
    clocks = [name for name in values if re.fullmatch(r"\d{1,2}:\d{2}(:\d{2})?", name)]
    hours = [int(name) for name in values if name.isdecimal() and len(name) < 3]
    if len(clocks) >= 3 or (hours in (list(range(24)), list(range(1, 25)), list(range(1, 32)))):
        raise ValueError("the hours or days stand across the page: put them below each other, so that the table has one row per step")
    if len(months) >= 6:
        raise ValueError(
            f"the months stand across the page ({short(months[0])}, {short(months[1])}, …): put them below each other, so that the table has one row per month"
        )


def table_dates_months() -> Mapping[str, int]:
    from rnn_core.data.table_cells import MONTHS

    return MONTHS


def _one_series(
    table: pandas.DataFrame, names: Mapping[int, str], keep: np.ndarray, times: np.ndarray | None, kinds: str, used: tuple[int, ...], line: object, wanted: str
) -> tuple[np.ndarray, list[str]]:
    """Which rows belong to one series, where a column names several.

    Raises ValueError where it does, and none is wanted.
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
    if len(np.unique(known)) > 0.9 * len(known):
        return keep, []
    for place in [place for place in table.columns if place not in used and (kinds[place] == "t" or kinds[place] in "nd_")]:
        column = table[place][keep]
        groups = column.unique()
        if not 2 <= len(groups) <= len(column) / 2 or (kinds[place] != "t" and not re.search(r"(?i)id$|store|shop|station|item|sensor|site|series|group|unit|region|code|filiale|nr|no\b", names[place])):
            continue
        pairs = pandas.DataFrame({"series": column.to_numpy(), "time": inside})
        if pairs.duplicated().mean() < 0.02:
            raise ValueError(
                f"the file holds several series in one column: {short(names[place])} names {len(groups):,} of them ({', '.join(short(one) for one in groups[:3])}, …), with the same dates; "
                "keep the rows of one, or give each its own column"
            )
    steps = np.diff(known)
    back = steps < np.timedelta64(0)
    if back.any() and (steps > np.timedelta64(0)).any() and len(np.unique(known)) < 0.7 * len(known):
        raise ValueError(
            f"the dates repeat and go back ({len(known) - len(np.unique(known)):,} rows have the same date as another): the file seems to hold several series in one column; keep the rows of one"
        )
    return keep, []


def _without_total(
    table: pandas.DataFrame, lines: np.ndarray, times: np.ndarray | None, kinds: str, used: tuple[int, ...]
) -> tuple[pandas.DataFrame, np.ndarray, np.ndarray | None, list[str]]:
    """Without a last row that holds the sum, or the mean, of all rows above it."""
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
    return table.iloc[:-1], lines[:-1], None if times is None else times[:-1], ["the last row is the sum of all others: it was left out as a total"]


def _columns(
    table: pandas.DataFrame, names: Mapping[int, str], used: tuple[int, ...], block: table_block.Block, line: object, wanted: Mapping[str, str]
) -> tuple[tuple[Column, ...], list[str]]:
    """The columns of numbers, all settled, and what is to be said of them."""
    missing = tuple(word.strip() for word in wanted.get("missing", "").split("|") if word.strip())
    drafts: dict[int, Draft] = {}
    left: dict[int, str] = {}
    for place in table.columns:
        if place in used or block.kinds[place] == "d" or block.kinds[place] == "_" and not _sparse(table[place]):
            if place not in used and block.kinds[place] == "d":
                left[place] = "another column of dates" if used else f"no one format of dates fits its cells, such as {short(table[place].iloc[0])}, so it does not order the rows"
            continue
        one = draft(short(names[place]), table[place], line, missing)  # type: ignore[arg-type]
        if isinstance(one, Draft):
            drafts[place] = one
        else:
            left[place] = one
    hints = {place: _hint(place, drafts) for place in drafts}
    found = {place: settled(one, hints[place], block.layout.separator, line, wanted.get("decimal", "")) for place, one in drafts.items()}  # type: ignore[arg-type]
    kept = [place for place, one in found.items() if np.isfinite(one.values).mean() >= 0.5 and np.isfinite(one.values).sum() >= 2]
    left |= {place: "most of its cells are blank" for place in found if place not in kept}
    notes = []
    for place in list(kept):
        if len(kept) > 1 and not used and place == min(kept) and any(re.fullmatch(f"(?i){one}", names[place]) for one in table_dates.PARTS.values()):
            kept.remove(place)
            notes.append(f"{short(names[place])} names a part of a date alone, so it does not order the rows, and was left out")
        elif len(kept) > 1 and (why := _counts(names[place], block.names[place] if block.names else "", found[place].values, place == min(table.columns))):
            kept.remove(place)
            notes.append(f"{short(names[place])} {why} and was left out")
    if not kept:
        raise ValueError(f"the file has no column of numbers{_why(left, names)}")
    if left:
        parts = [f"{short(names[place])} ({reason})" for place, reason in list(left.items())[:5]]
        notes.append(f"left out, not being numbers: {', '.join(parts)}{' and more' if len(left) > 5 else ''}")
    total = len(kept) + block.kinds[max(table.columns) + 1 :].count("n")
    if total > MOST_COLUMNS:
        notes.append(f"only the first {MOST_COLUMNS} of {total} columns were read")
    kept = kept[:MOST_COLUMNS]
    notes += _about([(short(names[place]), found[place]) for place in kept])
    return tuple(Column(place, names[place], found[place].missing, found[place].replacements) for place in kept), notes


def _sparse(column: pandas.Series) -> bool:
    """Whether a column that is blank in the sample holds numbers elsewhere."""
    return bool(column.str.contains("[0-9]", regex=True).sum() >= 2) and not column.str.contains("[:/]", regex=True).any()


def _hint(place: int, drafts: Mapping[int, Draft]) -> str:
    """The decimal sign that the other columns settle on."""
    others = [one.evidence for other, one in drafts.items() if other != place]
    point, comma = any(one.point for one in others), any(one.comma for one in others)
    return "" if point == comma else "." if point else ","


def _why(left: Mapping[int, str], names: Mapping[int, str]) -> str:
    return "".join(f": {short(names[place])} is none, {reason}" for place, reason in list(left.items())[:1])


def _counts(name: str, given: str, values: np.ndarray, first: bool) -> str:
    """Why a column only counts the rows, or tells the time that has passed; "" for all others."""
    if not np.isfinite(values).all() or len(values) < 3:
        return ""
    steps = np.diff(values)
    even = bool(np.allclose(steps, steps[0], rtol=1e-6) and steps[0] != 0)
    indexlike = not given or re.fullmatch(r"(?i)(unnamed: ?\d+|index|idx|id|no\.?|nr\.?|row|rownames|#|n|i|seq|obs|record|lfd\.? ?nr\.?|step)", given)
    if even and (abs(steps[0]) == 1 and (first or indexlike) or indexlike and first):
        return "only counts the rows"
    if even and TIMELIKE.match(name):
        return "only tells the time that has passed"
    if TIMELIKE.match(name) and first and ((steps > 0).all() or (steps < 0).all()):
        return "tells the time, in steps that are uneven or of an unknown unit,"
    return ""


def _about(columns: list[tuple[str, Numbers]]) -> list[str]:
    notes = [note for _, one in columns for note in one.notes]
    if gaps := sum(int(np.isnan(one.values).sum()) for _, one in columns):
        names = [name for name, one in columns if np.isnan(one.values).any()]
        notes.append(f"{gaps:,} missing cells were filled in between their neighbours ({', '.join(names[:4])}{', …' if len(names) > 4 else ''})")
    notes += [note for name, one in columns if (note := far_out(name, one.values))]
    return notes
