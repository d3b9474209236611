"""Decides which columns of a table are numbers and how each is parsed, with notes for the user."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
import pandas

from rnn_core.data.series.table import block as table_block
from rnn_core.data.series.table.cells import TIMELIKE, short
from rnn_core.data.series.table.date_parts import PARTS
from rnn_core.data.series.table.numbers import Numbers, far_out, settle_numbers
from rnn_core.data.series.table.recipe import Column
from rnn_core.data.series.table.units import Draft, Place, draft

MOST_COLUMNS = 32


def columns_of(
    table: pandas.DataFrame,
    names: Mapping[int, str],
    used: tuple[int, ...],
    block: table_block.Block,
    line: Place,
    wanted: Mapping[str, str],
) -> tuple[tuple[Column, ...], list[str]]:
    """The columns of numbers with the decisions about each, and notes for the user."""
    missing = tuple(word.strip() for word in wanted.get("missing", "").split("|") if word.strip())
    drafts: dict[int, Draft] = {}
    left: dict[int, str] = {}
    for place in table.columns:
        if place in used or block.kinds[place] == "d" or (block.kinds[place] == "_" and not _is_sparse(table[place])):
            if place not in used and block.kinds[place] == "d":
                left[place] = (
                    "another column of dates"
                    if used
                    else f"no one format of dates fits its cells, such as {short(table[place].iloc[0])}, so it does not order the rows"
                )
            continue
        one = draft(short(names[place]), table[place], line, missing)
        if isinstance(one, Draft):
            drafts[place] = one
        else:
            left[place] = one
    hints = {place: _hint(place, drafts) for place in drafts}
    settled = {
        place: settle_numbers(one, hints[place], block.layout.separator, line, wanted.get("decimal", ""))
        for place, one in drafts.items()
    }
    kept = [
        place for place, one in settled.items() if np.isfinite(one.values).mean() >= 0.5 and np.isfinite(one.values).sum() >= 2
    ]
    left |= {place: "most of its cells are blank" for place in settled if place not in kept}
    notes = []
    for place in list(kept):
        if (
            len(kept) > 1
            and not used
            and place == min(kept)
            and any(re.fullmatch(f"(?i){one}", names[place]) for one in PARTS.values())
        ):
            kept.remove(place)
            notes.append(f"{short(names[place])} names a part of a date alone, so it does not order the rows, and was left out")
        elif len(kept) > 1 and (
            why := _why_not_a_series(
                names[place],
                block.names[place] if block.names else "",
                settled[place].values,
                place == min(table.columns),
                bool(used),
            )
        ):
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
    notes += _about([(short(names[place]), settled[place]) for place in kept])
    return tuple(Column(place, names[place], settled[place].missing, settled[place].replacements) for place in kept), notes


def _is_sparse(column: pandas.Series) -> bool:
    """Whether a column that is blank in the sample has numbers in other rows."""
    return bool(column.str.contains("[0-9]", regex=True).sum() >= 2) and not column.str.contains("[:/]", regex=True).any()


def _hint(place: int, drafts: Mapping[int, Draft]) -> str:
    """The decimal sign of the other columns; "" if they show none, or both."""
    others = [one.evidence for other, one in drafts.items() if other != place]
    point, comma = any(one.point for one in others), any(one.comma for one in others)
    return "" if point == comma else "." if point else ","


def _why(left: Mapping[int, str], names: Mapping[int, str]) -> str:
    return "".join(f": {short(names[place])} is none, {reason}" for place, reason in list(left.items())[:1])


def _why_not_a_series(name: str, given: str, values: np.ndarray, first: bool, dated: bool) -> str:
    """Why a column is not a series: it only counts the rows, or gives the time; "" for all others."""
    if not np.isfinite(values).all() or len(values) < 3:
        return ""
    steps = np.diff(values)
    even = bool(np.allclose(steps, steps[0], rtol=1e-6) and steps[0] != 0)
    indexlike = not given or re.fullmatch(
        r"(?i)(unnamed: ?\d+|index|idx|id|no\.?|nr\.?|row|rownames|#|n|i|seq|obs|record|lfd\.? ?nr\.?|step)", given
    )
    if even and ((abs(steps[0]) == 1 and (first or indexlike)) or (indexlike and first)):
        return "only counts the rows"
    if even and TIMELIKE.match(name):
        return "only tells the time that has passed"
    rising = bool((steps > 0).all() or (steps < 0).all())
    if dated and rising and values.min() > 1500 and values.max() < 2200 and np.abs(steps).max() < 2 * np.abs(steps).min() <= 2:
        return "tells the time as a fraction of the year"
    if TIMELIKE.match(name) and rising and (first or dated):
        return "tells the time, in steps that are uneven or of an unknown unit,"
    return ""


def _about(columns: list[tuple[str, Numbers]]) -> list[str]:
    notes = [note for _, one in columns for note in one.notes]
    if gaps := sum(int(np.isnan(one.values).sum()) for _, one in columns):
        names = [name for name, one in columns if np.isnan(one.values).any()]
        notes.append(
            f"{gaps:,} missing cells were filled in between their neighbours ({', '.join(names[:4])}{', …' if len(names) > 4 else ''})"
        )
    notes += [note for name, one in columns if (note := far_out(name, one.values))]
    return notes
