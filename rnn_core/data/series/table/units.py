"""Finds what surrounds the numbers of a column: minus signs, brackets, currency, units, words for missing."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas

from rnn_core.data.series.table.cells import CURRENCY, MISSING, short
from rnn_core.data.series.table.recipe import Pairs
from rnn_core.data.series.table.signs import SPACES, Evidence, evidence

PLAIN = r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?"
TIMES = {
    **dict.fromkeys(("k", "tsd", "tsd.", "thousand", "mil"), "e3"),
    **dict.fromkeys(("m", "mio", "mio.", "mn", "mln", "million", "millions"), "e6"),
    **dict.fromkeys(("b", "bn", "mrd", "mrd.", "billion", "md"), "e9"),
    **dict.fromkeys(("t", "tn", "trillion"), "e12"),
}
Place = Callable[[int], str]  # row → "line 17"


class UndecidedError(ValueError):
    """A file that can be read in several ways, equally good; the user may decide.

    Args:
        message: a sentence that names the ways.
        option: the decision, one of `spec.reading.OPTIONS`.
        choices: its values, the proposal first.
    """

    def __init__(self, message: str, option: str = "", choices: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.option, self.choices = option, choices


@dataclass(frozen=True, eq=False)
class Draft:
    """A column of numbers whose decimal sign is not yet decided."""

    name: str
    cells: pandas.Series  # (N,) texts
    distinct: pandas.Series  # the different cells that hold a digit
    missing: tuple[str, ...]  # cells that are blank or words
    before: Pairs  # remove currency and units, and normalise minus signs
    after: Pairs  # turn K, M, … into powers of ten
    evidence: Evidence
    notes: tuple[str, ...]


def draft(name: str, cells: pandas.Series, line: Place, missing: tuple[str, ...] = ()) -> Draft | str:
    """Finds a column's currency, units and words for missing; or returns why it is not a column of numbers.

    Raises ValueError with the line and the cell if most cells are numbers but some contradict the others.
    """
    counts = cells.value_counts()
    distinct = pandas.Series(counts.index.astype(str))
    digits = distinct.str.contains(r"[0-9]", regex=True)
    blank = distinct.str.lower().isin(MISSING) | distinct.isin(missing)
    weight = pandas.Series(counts.to_numpy())
    words = distinct[~digits & ~blank]
    rest = distinct[digits & ~blank].reset_index(drop=True)
    share = weight[(digits & ~blank).to_numpy()].to_numpy()
    if len(words) and weight[words.index].sum() > share.sum():
        return f"it holds text such as {short(words.iloc[0])}"
    if share.sum() < 2:
        return "it has no numbers"
    if foreign := [word for word in words if re.search(r"\d", word)]:
        row = int(np.flatnonzero(cells == foreign[0])[0])
        raise ValueError(f"{name} holds numbers, but {line(row)} reads {short(foreign[0])}: write its digits as 0 to 9")
    holes = (*distinct[blank], *words)
    notes = [f"{short(word)} in {name} counts as missing" for word in words[:3]]
    if rest.str.fullmatch(PLAIN).all():
        return Draft(name, cells, rest, holes, (), (), evidence(_cores(rest)), tuple(notes))

    def where(which: pandas.Series) -> str:
        cell = str(rest[which].iloc[0])
        return f"{line(int(np.flatnonzero(cells == cell)[0]))} reads {short(cell)}"

    before = _sign_replacements(rest)
    bare = replace_all(rest, before)
    prefix, suffix = bare.str.replace(r"^([^0-9.,]*).*$", r"\1", regex=True).str.strip(" -+"), _suffix(bare)
    known = (
        prefix.str.fullmatch(rf"(?i)({CURRENCY})?")
        & (suffix.str.len() <= 16)
        & ~suffix.str.contains(r"[-:;<>=()@#*?!|\"0-9.,]", regex=True)
    )
    known |= suffix.str.fullmatch(
        r"(m|km|cm|ft)[23]|m3/[a-z]+|(Fr|kr|Mio|Mrd|Tsd|Rs)\.|Mio\. ?€|km/h|m/s", case=False
    ) & prefix.str.fullmatch(rf"(?i)({CURRENCY})?")
    if share[known.to_numpy()].sum() < 0.5 * share.sum():
        return f"it holds cells such as {short(rest.iloc[0])}"
    units = {unit for unit in suffix[known].unique() if unit}
    powers = (
        {unit for unit in units if unit.lower() in TIMES}
        if len(units) > 1 or not units & {"m", "t", "T", "b", "mil", "md"}
        else set()
    )
    money = {unit for unit in (*prefix[known].unique(), *units) if unit and re.fullmatch(CURRENCY, unit, re.IGNORECASE)}
    plain = units - powers - money
    if len(plain) > 4 or (plain and (suffix.isin(list(plain))).mean() < 0.2):
        return f"it holds cells such as {short(rest[suffix.isin(list(plain))].iloc[0])}"
    if not known.all():
        raise ValueError(f"{name} holds numbers, but {where(~known)}: {advice(str(rest[~known].iloc[0]))}")
    zero = bare.str.fullmatch(r"[-+]?0+([.,]0*)?")
    for mixed in (plain, money):
        if len(mixed) > 1:
            one, other = sorted(mixed)[:2]
            raise ValueError(
                f"{name} mixes {short(one)} and {short(other)}: {where((suffix == other) | (prefix == other))}; write all its cells in one unit"
            )
    if plain and ((suffix == "") & ~zero).any():
        raise ValueError(
            f"{name} has cells with and without {short(min(plain))}: {where((suffix == '') & ~zero)}; write all its cells in one unit"
        )
    if plain or money:
        before += tuple((rf"{SPACES}*{re.escape(unit)}{SPACES}*", "") for unit in sorted(plain | money, key=len, reverse=True))
        notes.append(f"{', '.join(sorted(plain | money))} was removed from the cells of {name}")
    after = tuple((rf"{SPACES}*{re.escape(unit)}$", TIMES[unit.lower()]) for unit in sorted(powers, key=len, reverse=True))
    if powers:
        notes.append(f"{', '.join(f'{unit} in {name} was read as times 1{TIMES[unit.lower()]}' for unit in sorted(powers))}")
    if any("(" in pattern and new == r"-\1" for pattern, new in before) and rest.str.contains("(", regex=False).any():
        notes.append(f"numbers of {name} in brackets were read as negative")
    return Draft(name, cells, rest, holes, before, after, evidence(_cores(replace_all(rest, before + after))), tuple(notes))


def advice(cell: str) -> str:
    return "export the formulas' values" if cell.startswith(("=", "@")) else "correct that cell, or leave it blank"


def _sign_replacements(rest: pandas.Series) -> Pairs:
    """Replacements for typographic and trailing minus signs, and brackets, if the column has them."""
    pairs: list[tuple[str, str]] = []
    if rest.str.startswith('="').any():
        pairs.append(('^="(.*)"$', r"\1"))
    if rest.str.contains("[\u2212\u2013\uff0d]", regex=True).any():
        pairs.append(("[\u2212\u2013\uff0d]", "-"))
    if rest.str.contains("(", regex=False).any():
        pairs.append((r"^\((.*)\)(.*)$", r"-\1\2"))
        pairs.append((r"^([^0-9.,()-]+)\((.*)\)$", r"-\1\2"))
    if rest.str.contains("[0-9] ?[-\u2212]$", regex=True).any():
        pairs.append((r"^(.*[0-9]) ?-$", r"-\1"))
    if rest.str.contains("^[-+\u2212\u2013\uff0d][ \u00a0\u202f\u2009]", regex=True).any():
        pairs.append(("^([-+])[ \u00a0\u202f\u2009]+", r"\1"))
    if rest.str.contains(r"^[^0-9.,-]+-", regex=True).any():
        pairs.append((r"^([^0-9.,-]+)-", r"-\1"))
    return tuple(pairs)


def replace_all(column: pandas.Series, pairs: Pairs) -> pandas.Series:
    for pattern, new in pairs:
        column = column.str.replace(pattern, new, regex=True)
    return column


def _suffix(bare: pandas.Series) -> pandas.Series:
    """The text after the number."""
    return bare.str.replace(rf"^[^0-9.,]*[0-9.,]([0-9.,]|{SPACES}[0-9])*([eE][-+]?[0-9]+)?", "", regex=True).str.strip()


def _cores(bare: pandas.Series) -> pandas.Series:
    """Only the digits, points and commas of each cell."""
    return bare.str.replace(r"[eE][-+]?[0-9]+$", "", regex=True).str.replace(r"[^0-9.,]", "", regex=True)
