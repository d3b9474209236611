"""What a file looks like before anything is trained on it: its rows, columns and dates as read, and each decision of the reader.

`look` runs in a worker or on the command line, never in the web process: it parses the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from rnn_core.data.series import table_file
from rnn_core.data.series.decisions import Decision, decisions_of, undecided
from rnn_core.data.series.suggest import suggested
from rnn_core.data.series.table.time import span
from rnn_core.spec import fields, reading

SHOWN = 4  # first and last rows
MOST_POINTS = 2000  # of a drawn series
MOST_MARKS = 200  # gaps and repeats


@dataclass(frozen=True)
class ColumnLook:
    """One column of numbers."""

    name: str
    kind: str  # "whole numbers", "decimal numbers" or "always the same"
    low: float  # smallest value
    high: float  # largest value


@dataclass(frozen=True, eq=False)
class Look:
    """A file as read; where `problem` is not "", only `decisions` may hold more."""

    problem: str = ""  # why the file cannot be read, a sentence
    rows: int = 0  # N
    columns: tuple[ColumnLook, ...] = ()  # C
    decisions: tuple[Decision, ...] = ()  # what can be overruled
    notes: tuple[str, ...] = ()  # what was decided, left out or filled in, as sentences
    first: tuple[tuple[str, ...], ...] = ()  # the first rows in the table's order: the date if there are dates, then the values
    last: tuple[tuple[str, ...], ...] = ()  # the last rows
    spacing: str = ""  # between two rows, as "1 day"; "" without dates
    gaps: tuple[tuple[str, str], ...] = ()  # dates before and after each gap
    repeats: tuple[str, ...] = ()  # dates that occur again
    places: np.ndarray = field(default_factory=lambda: np.zeros(0))  # (M,) row or date of each drawn point
    lines: np.ndarray = field(default_factory=lambda: np.zeros((0, 0)))  # (M, C) float32: drawn values
    splits: np.ndarray = field(default_factory=lambda: np.zeros(0))  # (101,) row or date at each percent of the rows
    suggestion: tuple[tuple[str, Any], ...] = ()  # fields of an experiment that suit the series (see `suggest`)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    def to_dict(self) -> dict[str, Any]:
        """As JSON types, without what is only drawn."""
        values = asdict(replace(self, places=np.zeros(0), lines=np.zeros((0, 0)), splits=np.zeros(0)))
        return {name: value for name, value in values.items() if name not in ("places", "lines", "splits")}


def look(content: bytes, overrides: Mapping[str, str] | None = None) -> Look:
    """Reads a file and describes it. A file that cannot be read gives a `problem` and, where the user may decide, the choices.

    Raises ValueError for an override that is none of `spec.reading.OPTIONS`.
    """
    overrides = dict(overrides or {})
    reading.check(overrides)
    try:
        table = table_file.read(content, overrides)
    except ValueError as reason:
        return Look(problem=str(reason), decisions=undecided(content, overrides, reason))
    values, times = table.values, table.times
    places = np.arange(1, len(values) + 1) if times is None else times
    gaps, repeats, step = _gaps(times)
    drawn = _thinned(places, values)
    return Look(
        rows=len(values),
        columns=tuple(_column(name, values[:, n]) for n, name in enumerate(table.columns)),
        decisions=decisions_of(table, content, overrides),
        notes=table.notes,
        first=_rows(table, range(min(SHOWN, len(values)))),
        last=_rows(table, range(max(len(values) - SHOWN, SHOWN), len(values))),
        spacing=step,
        gaps=gaps,
        repeats=repeats,
        places=drawn[0],
        lines=drawn[1],
        splits=places[np.linspace(0, len(values) - 1, 101).astype(int)],
        suggestion=tuple(suggested(values, times).items()),
    )


def _column(name: str, values: np.ndarray) -> ColumnLook:
    low, high = float(values.min()), float(values.max())
    kind = "always the same" if low == high else "whole numbers" if (values == np.round(values)).all() else "decimal numbers"
    return ColumnLook(name, kind, low, high)


def _rows(table: table_file.Table, rows: range) -> tuple[tuple[str, ...], ...]:
    dates = [] if table.times is None else date_words(table.times)
    return tuple((*([dates[n]] if dates else [str(n + 1)]), *(f"{value:.10g}" for value in table.values[n])) for n in rows)


def date_words(times: np.ndarray) -> list[str]:
    """Dates (N,) as text, with the time of day only where one differs from midnight, and seconds only where one has them."""
    seconds = times.astype("datetime64[s]")
    unit = next((unit for unit in ("D", "m") if (seconds.astype(f"datetime64[{unit}]") == seconds).all()), "s")
    return [text.replace("T", " ") for text in np.datetime_as_string(seconds, unit=unit).tolist()]  # type: ignore[call-overload]


def _gaps(times: np.ndarray | None) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...], str]:
    """Gaps between dates, dates that repeat, and the usual spacing in words. Week-ends are no gap where none has a row."""
    if times is None or len(times) < 3:
        return (), (), ""
    seconds = times.astype("datetime64[s]")
    steps = np.diff(seconds).astype(np.int64)
    rising = steps[steps > 0]
    if not len(rising):
        return (), (), ""
    kinds, counts = np.unique(rising, return_counts=True)
    step, days = int(kinds[counts.argmax()]), 86400
    most = 31 * days if 28 * days <= step <= 31 * days else 92 * days if 89 * days <= step <= 92 * days else step
    weekday = (seconds.astype("datetime64[D]").astype(np.int64) + 3) % 7
    if step == days and (weekday < 5).all():
        most = 3 * days
    words = date_words(times)
    gaps = np.flatnonzero(steps > 1.5 * most)[:MOST_MARKS]
    repeats = np.flatnonzero(steps == 0)[:MOST_MARKS]
    monthly = {31: "1 month", 92: "3 months"}.get(most // days if most != step or step >= 28 * days else 0)
    return tuple((words[n], words[n + 1]) for n in gaps), tuple(words[n] for n in repeats), monthly or span(step)


def _thinned(places: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """At most MOST_POINTS points of each column; of a long series the least and the greatest value of each stretch."""
    if len(values) <= MOST_POINTS:
        return places, values.astype(np.float32)
    starts = np.linspace(0, len(values), MOST_POINTS // 2, endpoint=False).astype(int)
    ends = np.append(starts[1:], len(values)) - 1
    low, high = np.minimum.reduceat(values, starts), np.maximum.reduceat(values, starts)
    both = np.stack([low, high], 1).reshape(-1, values.shape[1])
    return np.stack([places[starts], places[ends]], 1).ravel(), both.astype(np.float32)


def to_text(found: Look) -> str:
    """A look in lines of text, for the command line."""
    if found.problem:
        lines = [f"refused: {found.problem}"]
    else:
        lines = [f"{found.rows:,} rows{f', {found.spacing} apart' if found.spacing else ''}", ""]
        head = ("date" if found.spacing or (found.first and not found.first[0][0].isdigit()) else "row", *found.names)
        body = [head, *found.first, *([("…",) * len(head)] if found.last else []), *found.last]
        widths = [max(len(row[n][:24]) for row in body) for n in range(len(head))]
        lines += ["  ".join(cell[:24].rjust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in body]
        lines += ["", *(f"{one.name[:40]}: {one.kind}, {one.low:.6g} to {one.high:.6g}" for one in found.columns), ""]
        lines += [f"- {note}" for note in found.notes]
        lines += [f"- gap between {before} and {after}" for before, after in found.gaps[:10]]
        lines += [f"- {date} occurs again" for date in found.repeats[:10]]
    for one in found.decisions:
        choices = ", ".join(value.replace("\t", r"\t") for value, _ in one.choices if value != one.value)
        lines.append(
            f"{one.option} = {one.value or ('none' if one.option == 'missing' else '?')}"
            + (f"   (or: {choices[:160]})" if choices else "")
        )
    if found.suggestion:
        lines += ["", "suits it: " + ", ".join(f"{name} {fields.write(value)}" for name, value in found.suggestion)]
    return "\n".join(lines)
