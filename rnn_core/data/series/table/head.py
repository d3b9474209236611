"""The lines above a table: which of them hold the names of its columns, and which are left out."""

from __future__ import annotations

import re

import numpy as np

from rnn_core.data.series.table.cells import TOTAL, kind, short
from rnn_core.data.series.table.lines import Lines
from rnn_core.data.series.table.names import names_of, numeric_names


def head_of(
    lines: Lines, above: np.ndarray, rows: np.ndarray, separator: str, width: int, letters: str
) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...], tuple[str, ...], int]:
    """The columns' names, the cells they come from, notes on the lines left out above the table, and how many of `rows` hold names (0 or 1)."""
    heads: list[int] = []
    for line in above[::-1][:8].tolist():
        found = _cells_of_names(lines, line, separator, width)
        filled = sum(bool(cell) for cell in found)
        if TOTAL.fullmatch(found[0]) and any(kind(cell) == "n" for cell in found):
            continue
        if heads and lines.blank[line : heads[0]].any():
            break
        if re.fullmatch(r"\ufeff?sep=.?", lines.beginning(line).strip(), re.IGNORECASE) or (
            len(found) > width and "".join(found[width:])
        ):
            break
        if not (len(found) == width if heads else len(found) <= width and (filled > 1 or len(found) == width)) or (
            width == 1 and heads
        ):
            break
        if filled == 1 and width > 2 and found[0] and heads:
            break  # a title, followed by separators
        heads.insert(0, line)
    cells = [_cells_of_names(lines, line, separator, width) for line in heads]
    cells = [
        one for one in cells if not all(re.fullmatch(r":?[-=+]+:?", cell) for cell in one if cell)
    ]  # a line drawn with - or =
    first_row = 0
    if not cells:
        after = [lines.cells(int(line), separator) for line in rows[:3]]
        comments = [int(line) for line in np.flatnonzero(lines.comment[: rows[0]])]
        if comments and len(named := lines.cells(comments[-1], separator)) >= width and width > 1:
            named = [named[0].lstrip("# "), *named[1:]]
            cells = [named[1:] if not named[0] and len(named) > width else named]
        elif numeric_names(after, letters):
            cells, first_row = [after[0]], 1
    shifted = bool(cells) and len(cells[-1]) == width - 1 and (letters[0] == "t" or _is_counting(lines, rows, separator))
    if cells and not shifted and "n" in letters[(named_columns := max(map(len, cells))) :]:
        cause = (
            "where the comma is the decimal sign or stands in dates, put ';' between cells"
            if separator == ","
            else "name each column"
        )
        raise ValueError(
            f"line {lines.numbers[heads[-1] if heads else rows[0]]} names {named_columns} columns, but the rows have {width} cells: {cause}"
        )
    names, notes = names_of([["", *one] if shifted else one for one in cells], letters, width)
    if first_row:
        notes += (f"line {lines.numbers[rows[0]]} was read as names, though they are numbers",)
    if left := [int(line) for line in np.flatnonzero(~lines.blank[: rows[0]]) if line not in heads]:
        notes = (
            f"{lines.describe(left)} above the table {'was' if len(left) == 1 else 'were'} left out: {short(lines.beginning(left[0]))}",
            *notes,
        )
    return names, tuple(tuple(one) for one in cells), notes, first_row


def _cells_of_names(lines: Lines, line: int, separator: str, width: int) -> list[str]:
    """The cells of a line of names, without blank cells beyond the rows' width."""
    cells = lines.cells(line, separator)
    while len(cells) > width and not cells[-1]:
        cells.pop()
    return cells


def _is_counting(lines: Lines, rows: np.ndarray, separator: str) -> bool:
    firsts = [lines.cells(int(line), separator)[0] for line in rows[:5]]
    return firsts == [str(int(firsts[0]) + n) for n in range(len(firsts))] if firsts and firsts[0].isdecimal() else False
