"""One reading for each column of numbers: signs, currency, units, words for missing; settled over all of its cells."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from rnn_core.data.series.table.cells import short
from rnn_core.data.series.table.recipe import Pairs, numbers
from rnn_core.data.series.table.signs import SPACES, decimal
from rnn_core.data.series.table.units import PLAIN, Draft, Place, advice, replaced


@dataclass(frozen=True, eq=False)
class Numbers:
    """A column of numbers as it is read."""

    missing: tuple[str, ...]
    replacements: Pairs
    values: np.ndarray  # (N,) float64, nan where missing
    notes: tuple[str, ...]


def settled(one: Draft, hint: str, separator: str, line: Place, wanted: str = "") -> Numbers:
    """The column as numbers.

    Raises ValueError, naming line and cell, where its cells mix readings, or two readings are as good.
    """
    found = one.evidence
    sign = wanted or decimal(found, hint, separator)

    def where(part: str) -> str:
        cell = next((cell for cell in one.cells if part in cell), part)
        return f"{line(int(np.flatnonzero(one.cells == cell)[0]))} ({short(cell)})" if (one.cells == cell).any() else short(cell)

    if sign == "":
        point, comma = where(found.point or found.open_point), where(found.comma or found.open_comma)
        raise ValueError(
            f"{one.name} mixes decimal points, as in {point}, and decimal commas, as in {comma}: write all its cells in one way"
        )
    if sign == "?":
        cell = found.open_point or found.open_comma
        raise ValueError(
            f"{one.name} can be read in two ways: {where(cell)} is {re.sub('[.,]', '', cell)} or {cell.replace(',', '.')}; write the numbers without signs at the thousands"
        )
    thousands, notes = "," if sign == "." else ".", list(one.notes)
    replacements = one.before
    if one.distinct.str.contains(rf"[0-9]{SPACES}[0-9]{{3}}", regex=True).any():
        replacements += ((SPACES, ""),)
        notes.append(f"spaces or apostrophes at the thousands of {one.name} were left out")
    if one.distinct.str.contains(thousands, regex=False).any():
        replacements += ((re.escape(thousands), ""),)
        notes.append(f"{'commas' if thousands == ',' else 'points'} at the thousands of {one.name} were left out")
    if sign == "," and one.distinct.str.contains(",", regex=False).any():
        replacements += ((",", "."),)
        notes.append(f"the comma is the decimal sign of {one.name}")
    replacements += one.after
    grouped = (
        rf"[-+]?([0-9]*|[0-9]{{1,3}}(({SPACES}|{re.escape(thousands)})[0-9]{{2,3}})*)({re.escape(sign)}[0-9]*)?([eE][-+]?[0-9]+)?"
    )
    bad = ~replaced(one.distinct, one.before + tuple((pattern, "") for pattern, _ in one.after)).str.fullmatch(grouped)
    bad |= ~replaced(one.distinct, replacements).str.fullmatch(PLAIN)
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
    """A note on values that repeat far outside all others, as -9999 for a sensor that was off; "" where there are none."""
    known = values[np.isfinite(values)]
    said = []
    for _ in range(3):
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
        said.append((value, int((known == value).sum())))
        known = known[known != value]
    if not said:
        return ""
    cells = ", ".join(f"{value:.10g} in {count} cell{'s' if count > 1 else ''}" for value, count in said)
    return f"{name} has {cells}, far outside the rest ({known.min():.6g} to {known.max():.6g}): kept as it stands"
