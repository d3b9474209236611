"""The decisions of the reader of a file that its user can overrule, each with the values that it may have."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rnn_core.data.series.table import block as table_block
from rnn_core.data.series.table import text as table_text
from rnn_core.data.series.table.date_parsing import format_in_words
from rnn_core.data.series.table.names import make_unique
from rnn_core.data.series.table.numbers import outlying
from rnn_core.data.series.table.recipe import Dates
from rnn_core.data.series.table.units import UndecidedError

if TYPE_CHECKING:
    from rnn_core.data.series.table_file import Table

MOST_CHOICES = 60
_SEPARATORS = {";": "semicolon", ",": "comma", "\t": "tab", "|": "bar", r"\s+": "spaces"}
_SIGNS = {".": "point (1.5)", ",": "comma (1,5)"}
_ORDERS = {"file": "as in the file", "turned": "turned: the file's last row first", "dates": "sorted by date"}
_ENCODINGS = {
    "utf-8": "UTF-8",
    "cp1252": "Western (cp1252)",
    "latin-1": "Latin-1",
    "cp1250": "Central European (cp1250)",
    "cp1251": "Cyrillic (cp1251)",
}
Choices = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Decision:
    """One decision about how a file is read."""

    option: str  # one of `spec.reading.OPTIONS`
    value: str  # as decided; "" where it is open, and the file refused until the user decides
    choices: Choices  # (value, words) of all it may be, the proposal or the present value first
    asked: bool  # whether the user decided it


def decisions_of(table: Table, content: bytes, overrides: Mapping[str, str]) -> tuple[Decision, ...]:
    """The decisions by which a table was read."""
    recipe, layout = table.recipe, table.recipe.layout
    dates = recipe.dates
    comma = any((",", ".") in column.replacements for column in recipe.columns)
    held = table.names[dates.places[0]] if dates and dates.places[0] < len(table.names) else "none"
    found = {
        "separator": (layout.separator, _SEPARATORS) if layout.container != "xlsx" else None,
        "encoding": (layout.encoding, _ENCODINGS) if layout.container != "xlsx" else None,
        "decimal": ("," if comma else ".", _SIGNS),
        "dates": (held, _columns(table.names, table.kinds)),
        "format": (dates.format, _formats(dates)) if dates else None,
        "order": (recipe.order, {name: words for name, words in _ORDERS.items() if name != "dates" or dates}),
    }
    made = [_decision(option, *one, overrides) for option, one in found.items() if one is not None]
    outliers = {f"{value:.10g}": "" for n in range(len(table.columns)) for value, _ in outlying(table.values[:, n])}
    if outliers or overrides.get("missing"):
        words = {"": "are values", **{spelled(value): _words("missing", value) for value in outliers}}
        made.append(_decision("missing", overrides.get("missing", ""), words, overrides))
    made += _sheets(content, layout.sheet, overrides)
    made += [_asked("series", overrides)] if overrides.get("series") else []
    return tuple(made)


def undecided(content: bytes, overrides: Mapping[str, str], reason: ValueError) -> tuple[Decision, ...]:
    """What a user can decide about a file that was refused: the open decision, what was overruled, and the layout."""
    made = []
    if isinstance(reason, UndecidedError):
        words = {value: _words(reason.option, value) for value in reason.choices}
        made.append(Decision(reason.option, "", tuple(words.items()), False))
    made += _sheets(content, overrides.get("sheet", ""), overrides)
    known = {one.option for one in made}
    with contextlib.suppress(ValueError):  # the file has no table in it: then only what was asked for can be taken back
        text = table_text.open_text(content, overrides.get("encoding", ""), overrides.get("sheet", ""))
        block = table_block.find_table(text, overrides.get("separator", ""))
        names = make_unique(list(block.names) or [""] * block.layout.width)
        made.append(_decision("dates", overrides.get("dates", ""), _columns(names, block.kinds), overrides))
        if block.layout.container != "xlsx":
            made.append(_decision("separator", block.layout.separator, _SEPARATORS, overrides))
    known |= {one.option for one in made}
    made += [_asked(option, overrides) for option in overrides if option not in known]
    return tuple(made)


def spelled(value: str) -> str:
    """A number that stands for missing, as the cells may spell it, separated by bars: -9999|-9999.0|…"""
    return (
        "|".join((value, *(f"{value}{sign}{zeros}" for sign in ".," for zeros in ("0", "00"))))
        if value.lstrip("-").isdigit()
        else value
    )


def _decision(option: str, value: str, words: Mapping[str, str], overrides: Mapping[str, str]) -> Decision:
    choices = {value: words.get(value, _words(option, value)), **words}
    return Decision(option, value, tuple(choices.items())[:MOST_CHOICES], option in overrides)


def _asked(option: str, overrides: Mapping[str, str]) -> Decision:
    return Decision(option, overrides[option], ((overrides[option], _words(option, overrides[option])),), True)


def _sheets(content: bytes, value: str, overrides: Mapping[str, str]) -> list[Decision]:
    """The choice of a sheet, where a workbook has several."""
    names = table_text.sheet_names(content) if content[:2] == b"PK" else ()
    return [_decision("sheet", value or names[0], {name: name for name in names}, overrides)] if len(names) > 1 else []


def _columns(names: tuple[str, ...] | list[str], kinds: str) -> dict[str, str]:
    """The columns that may hold dates: those of dates first, then of numbers and texts."""
    ordered = sorted(zip(names, kinds, strict=False), key=lambda one: "dnt_".index(one[1]))
    return {"none": "no dates", **{name: name for name, _ in ordered[:20]}}


def _formats(dates: Dates) -> dict[str, str]:
    """The format, and the one with day and month exchanged."""
    swapped = dates.format.translate(str.maketrans("dm", "md")) if "%d" in dates.format and "%m" in dates.format else dates.format
    return {form: format_in_words(replace(dates, format=form)) for form in (dates.format, swapped)}


def _words(option: str, value: str) -> str:
    if option == "format":
        return format_in_words(Dates((), (), value, None, False))
    if option == "missing" and value:
        return f"{value.split('|')[0]} is missing"
    return {"separator": _SEPARATORS, "decimal": _SIGNS, "order": _ORDERS, "encoding": _ENCODINGS}.get(option, {}).get(
        value, value or "–"
    )
