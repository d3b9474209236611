"""Decides how a column of numbers is parsed, from all of its cells: decimal sign, thousands separators, currency, units, words for missing."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from rnn_core.data.series.table.cells import short
from rnn_core.data.series.table.recipe import Pairs, numbers
from rnn_core.data.series.table.signs import SPACES, decimal
from rnn_core.data.series.table.units import PLAIN, Draft, Place, UndecidedError, advice, replace_all


@dataclass(frozen=True, eq=False)
class Numbers:
    """A parsed column of numbers, and how it was parsed."""

    missing: tuple[str, ...]
    replacements: Pairs
    values: np.ndarray  # (N,) float64, nan where missing
    notes: tuple[str, ...]


def settle_numbers(one: Draft, hint: str, separator: str, line: Place, wanted: str = "") -> Numbers:
    """Parses the column.

    Raises ValueError with the line and the cell if its cells contradict each other, or can be read in two ways.
    """
    evidence = one.evidence
    sign = wanted or decimal(evidence, hint, separator)

    def where(part: str) -> str:
        cell = next((cell for cell in one.cells if part in cell), part)
        return f"{line(int(np.flatnonzero(one.cells == cell)[0]))} ({short(cell)})" if (one.cells == cell).any() else short(cell)

    if sign == "":
        point, comma = where(evidence.point or evidence.open_point), where(evidence.comma or evidence.open_comma)
        raise ValueError(
            f"{one.name} mixes decimal points, as in {point}, and decimal commas, as in {comma}: write all its cells in one way"
        )
    if sign == "?":
        cell = evidence.open_point or evidence.open_comma
        raise UndecidedError(
            f"{one.name} can be read in two ways: {where(cell)} is {re.sub('[.,]', '', cell)} or {cell.replace(',', '.')}; write the numbers without thousands separators",
            "decimal",
            (".", ","),
        )
    thousands, notes = "," if sign == "." else ".", list(one.notes)
    replacements = one.before
    if one.distinct.str.contains(rf"[0-9]{SPACES}[0-9]{{3}}", regex=True).any():
        replacements += ((SPACES, ""),)
        notes.append(f"spaces or apostrophes between the thousands of {one.name} were removed")
    if one.distinct.str.contains(thousands, regex=False).any():
        replacements += ((re.escape(thousands), ""),)
        notes.append(f"{'commas' if thousands == ',' else 'points'} between the thousands of {one.name} were removed")
    if sign == "," and one.distinct.str.contains(",", regex=False).any():
        replacements += ((",", "."),)
        notes.append(f"the comma is the decimal sign of {one.name}")
    replacements += one.after
    grouped = (
        rf"[-+]?([0-9]*|[0-9]{{1,3}}(({SPACES}|{re.escape(thousands)})[0-9]{{2,3}})*)({re.escape(sign)}[0-9]*)?([eE][-+]?[0-9]+)?"
    )
    bad = ~replace_all(one.distinct, one.before + tuple((pattern, "") for pattern, _ in one.after)).str.fullmatch(grouped)
    bad |= ~replace_all(one.distinct, replacements).str.fullmatch(PLAIN)
    if not bad.any():
        values = numbers(one.cells, list(one.missing), list(replacements)).to_numpy("float64")
        huge = np.isinf(values) | (np.abs(values) >= 1e100)
        if not huge.any():
            return Numbers(one.missing, replacements, values, tuple(notes))
        row = int(np.flatnonzero(huge)[0])
    else:
        row = int(np.flatnonzero(one.cells == one.distinct[bad].iloc[0])[0])
    cell = one.cells.iloc[row]
    raise ValueError(f"{one.name} holds numbers, but {line(row)} reads {short(cell)}: {advice(cell)}")


def far_out(name: str, values: np.ndarray) -> str:
    """A note on values far outside all others, such as -9999 for a sensor that was off; "" if there are none."""
    said = outlying(values)
    if not said:
        return ""
    known = values[np.isfinite(values) & ~np.isin(values, [value for value, _ in said])]
    cells = ", ".join(f"{value:.10g} in {count} cell{'s' if count > 1 else ''}" for value, count in said)
    return f"{name} has {cells}, far outside the rest ({known.min():.6g} to {known.max():.6g}): not changed"


def outlying(values: np.ndarray) -> list[tuple[float, int]]:
    """At most three values that repeat, or look like words for missing, far outside all others; each with how often it occurs."""
    known = values[np.isfinite(values)]
    found: list[tuple[float, int]] = []
    while len(found) < 3:
        different = np.unique(known)
        if len(different) < 4:
            break
        low, high = different[0], different[-1]
        inner = {low: different[1:], high: different[:-1]}
        value = next(
            (
                end
                for end, rest in inner.items()
                if abs(end - (rest[0] if end == low else rest[-1])) > 3 * (rest[-1] - rest[0])
                and ((known == end).sum() > 1 or re.fullmatch(r"-?9{2,}(\.[09]*)?|-?1e\+?\d+", f"{end:.10g}"))
            ),
            None,
        )
        if value is None:
            break
        found.append((float(value), int((known == value).sum())))
        known = known[known != value]
    return found
