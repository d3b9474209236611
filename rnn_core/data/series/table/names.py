"""The names of a table's columns, from the lines above it: one or several lines, perhaps with a line of units, or numbers as names."""

from __future__ import annotations

import itertools
import re

_UNITS = (
    "m|mm|cm|km|ft|in|mi|kg|g|mg|µg|t|lb|lbs|s|sec|ms|min|h|hr|hrs|d|day|days|hz|khz|mhz|w|kw|mw|gw|wh|kwh|mwh|gwh|twh|j|kj|mj|gj|v|mv|kv|a|ma|va|kva|ohm|"
    "pa|hpa|kpa|mpa|bar|mbar|psi|atm|k|c|f|degc|degf|deg|degrees|celsius|fahrenheit|kelvin|rad|n|kn|nm|l|ml|lx|lux|ppm|ppb|pct|percent|usd|eur|gbp|chf|jpy|"
    "m/s|km/h|mph|kn|kt|knots|m3/s|l/s|l/min|m3|m2|l/h|mg/l|ug/m3|w/m2|j/cm2|units|unit|count|number|no|none|n/a|-|yyyy-mm-dd|dd.mm.yyyy|dd/mm/yyyy|mm/dd/yyyy|utc|local|iso"
)
UNIT = re.compile(
    rf"[\[(].{{0,20}}[\])]|(?:{_UNITS})|.{{0,12}}[°%€$£‰²³⁻µΩ].{{0,12}}|[a-zµ]{{1,4}}[²³]?/[a-z0-9²³]{{1,5}}", re.IGNORECASE
)


def names_of(heads: list[list[str]], letters: str, width: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """W names ("" if there is none; at most 60 letters, without commas, not yet unique), and notes for the user."""
    notes: list[str] = []
    heads = [[*one, *[""] * (width - len(one))][:width] for one in heads]
    if len(heads) > 1 and (units := [cell for cell in heads[-1] if cell]) and all(UNIT.fullmatch(cell) for cell in units):
        notes.append(f"a line of units was left out: {', '.join(units[:6])}")
        heads = heads[:-1]
    if len(heads) > 1 and all(UNIT.fullmatch(cell) for one in heads[:1] for cell in one if cell):
        heads = heads[1:]
    values = [n for n, letter in enumerate(letters) if letter == "n"]
    if len(heads) > 1:
        notes.append(f"the names are in {len(heads)} lines")
        last = [heads[-1][n] for n in values]
        if len(set(last)) < len(last):
            heads = [*map(_fill_from_left, heads[:-1]), heads[-1]]
        telling = [one for one in heads if len({one[n] for n in values}) > 1]
        heads = [
            one if one in telling or not telling else [cell if n not in values else "" for n, cell in enumerate(one)]
            for one in heads
        ]
    names = []
    for n in range(width):
        parts = list(dict.fromkeys(one[n] for one in heads if one[n]))
        names.append(" ".join(" ".join(parts).replace(",", " ").split())[:60])
    return tuple(names), tuple(notes)


def _fill_from_left(cells: list[str]) -> list[str]:
    """Fills blank cells from the left, as in a spreadsheet's merged cells."""
    filled = list(cells)
    for n in range(1, len(filled)):
        filled[n] = filled[n] or (filled[n - 1] if n > 1 else "")
    return filled


def numeric_names(rows: list[list[str]], letters: str) -> bool:
    """Whether the first row holds names that are numbers: 0, 1, 2, … or years, if the rows below do not continue them."""
    if len(rows) < 2:
        return False
    values = [n for n, letter in enumerate(letters) if letter == "n" and n < len(rows[0])]
    first = [rows[0][n] for n in values]
    if (
        first
        and not first[0]
        and values[0] == 0
        and len(first) > 1
        and all(re.fullmatch(r"[0-9]{1,9}", row[0]) for row in rows[1:])
    ):
        counted = {int(row[0]) for row in rows[1:]}
        return (
            len(rows) > 2
            and counted == set(range(min(counted), min(counted) + len(rows) - 1))
            and all(cell for cell in first[1:])
        )
    if len(first) < 2 or not all(re.fullmatch(r"[0-9]{1,6}", cell) for cell in first):
        return False
    steps = {int(b) - int(a) for a, b in itertools.pairwise(first)}
    below = [[row[n] if n < len(row) else "" for n in values] for row in rows[1:]]
    years = steps == {1} and len(first) > 2 and 1500 <= int(first[0]) <= int(first[-1]) <= 2199
    if years and not any(cell.isdecimal() and 1500 <= int(cell) <= 2199 for row in below for cell in row):
        return True
    if any(_is_evenly_spaced(row) for row in below):
        return False
    pointed = all("." in cell or "," in cell for row in below for cell in row if cell)
    texts = [n for n, letter in enumerate(letters) if letter in "dt" and n < len(rows[0])]
    nameless = bool(texts) and not any(rows[0][n] for n in texts)
    return (steps == {1} and (len(first) > 2 or pointed or nameless)) or (nameless and len(set(first)) == len(first))


def _is_evenly_spaced(cells: list[str]) -> bool:
    if not all(re.fullmatch(r"[0-9]{1,9}", cell) for cell in cells):
        return False
    return len({int(b) - int(a) for a, b in itertools.pairwise(cells)}) == 1


def make_unique(names: list[str]) -> tuple[str, ...]:
    """The names, with "column 3" for a missing third name, and the column's number added to a repeated name."""
    made: list[str] = []
    for n, name in enumerate(names):
        name = name or f"column {n + 1}"
        made.append(name if name not in made else f"{name} ({n + 1})")
    return tuple(made)
