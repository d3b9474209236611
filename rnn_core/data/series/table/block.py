"""Finds the table in a text: which lines are its rows, which separator splits them into cells, and what the other lines are."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass

import numpy as np

from rnn_core.data.series.table.cells import TOTAL, kind, short
from rnn_core.data.series.table.head import head_of
from rnn_core.data.series.table.lines import SEPARATORS, Lines, kinds, split
from rnn_core.data.series.table.recipe import Layout
from rnn_core.data.series.table.text import Text

SAMPLE = 80  # rows used to compare separators
MOST_ODD = 5000  # lines inside the table with another number of cells; more are not examined one by one


@dataclass(frozen=True, eq=False)
class Block:
    """Where the table is in the text: R rows of W cells."""

    layout: Layout
    lines: Lines
    rows: np.ndarray  # (R,) index of each row's line
    names: tuple[str, ...]  # W names; "" where the file has none
    heads: tuple[tuple[str, ...], ...]  # cells of the lines that hold the names
    kinds: str  # W letters: n numbers, d dates, t text, _ blank
    notes: tuple[str, ...]  # what was left out


def find_table(text: Text, separator: str = "") -> Block:
    """Finds the table in a text.

    Raises ValueError if there is none, or more than one.
    """
    lines = split(text.lines)
    used = np.flatnonzero(~lines.blank & ~lines.comment)
    if not len(used):
        raise ValueError("the file is empty")
    if text.container == "xlsx":
        separator = "\t"
    chosen, width = _separator(lines, used, separator)
    sample = _rows(lines, used[lines.counts[chosen][used] == width - 1], chosen)
    letters, _ = kinds(sample, width)
    if "n" not in letters:
        count = len(used) - (not any(kind(cell) == "n" for cell in lines.cells(int(used[0]), chosen)))
        if count < 2:
            raise ValueError(f"the file has {count} row{'s' if count != 1 else ''} of values; a series needs more")
        if lines.quoted and width == 1 and re.search(r"[,;\t|]", sample[-1][0]):
            raise ValueError(
                f"each line of the file is in quotation marks as a whole, such as line {lines.numbers[used[-1]]}: remove the quotation marks at both ends"
            )
        raise ValueError(f"the file has no column of numbers: line {lines.numbers[used[-1]]} reads {short(' '.join(sample[-1]))}")
    first, last = _ends(lines, used, chosen, letters)
    body = used[(used >= first) & (used <= last)]
    rows, width, notes = _body(lines, body, chosen, width, letters)
    names, heads, said, first_row = head_of(lines, used[used < first], rows, chosen, width, letters)
    rows = rows[first_row:]
    if after := [int(line) for line in used[used > last]]:
        wide = lines.counts[chosen][after[0]] + 1
        if wide > width and after[0] == last + 1 and _may_be_a_row(lines.cells(after[0], chosen)):
            raise ValueError(
                f"line {lines.numbers[after[0]]} of the file has {wide} cells, the others have {width}: it is not one table, or that line needs correcting"
            )
        other = [line for line in after[:200] if _may_be_a_row(lines.cells(line, chosen))]
        if len(other) > 2 and width > 1:
            raise ValueError(
                f"the file holds more than one table: another begins at line {lines.numbers[after[0]]}; save one table alone"
            )
        said += (
            f"{lines.describe(after)} below the table {'was' if len(after) == 1 else 'were'} left out: {short(lines.beginning(after[0]))}",
        )
    if len(rows) < 2:
        raise ValueError(f"the file has {len(rows)} row of values; a series needs more")
    if chosen == "":
        free = [sign for sign in ";\t|\x1f" if not lines.counts.get(sign, np.zeros(1))[rows if sign in lines.counts else 0].any()]
        chosen = free[0]
    layout = Layout(
        text.container, text.encoding, text.sheet, "" if text.container == "xlsx" else chosen, lines.quoted, width, (), len(rows)
    )
    letters = letters.ljust(width, "_")
    return Block(layout, lines, rows, names, heads, letters, (*said, *notes))


def _rows(lines: Lines, which: np.ndarray, separator: str) -> list[list[str]]:
    """The cells of at most SAMPLE lines, evenly spaced from the first to the last."""
    if len(which) > SAMPLE:
        which = which[np.linspace(0, len(which) - 1, SAMPLE).astype(int)]
    return [lines.cells(int(line), separator) for line in which]


def _separator(lines: Lines, used: np.ndarray, wanted: str) -> tuple[str, int]:
    """The separator that splits most lines into the same number of cells, with the same type in each column; and this number."""
    scores: dict[str, tuple[float, int]] = {}
    for separator in [wanted] if wanted else SEPARATORS:
        if separator not in lines.counts:
            raise ValueError(f"the separator must be one of ; , | a tab or white space, got {separator!r}")
        counts = lines.counts[separator][used]
        cut = np.minimum(counts[counts > 0], 1000) if separator else counts
        if not len(cut):
            continue
        width = int(np.bincount(cut).argmax()) + 1
        lined = counts == width - 1
        letters, agreement = kinds(_rows(lines, used[lined], separator), width)
        scores[separator] = (lined.mean() * agreement * (1 if "n" in letters else 0.1), width)
    if not scores:
        return "", 1
    best = max(scores, key=lambda one: round(scores[one][0], 2))
    if best in (",", r"\s+") and scores[best][1] == 2 and scores.get("", (0, 1))[0] > 0.9 and not wanted:
        best = _comma_as_separator(lines, used, best)
    return best, scores[best][1]


def _comma_as_separator(lines: Lines, used: np.ndarray, separator: str) -> str:
    """Decides whether `20,5` is one number or two, by the names above, then by the digits: returns "" (one) or the separator.

    Raises ValueError if both are equally likely.
    """
    pairs = [(line, cells) for line in used[:2000] if len(cells := lines.cells(int(line), separator)) == 2]
    pairs = [(line, cells) for line, cells in pairs if all(re.fullmatch(r"-?\d+", cell, re.ASCII) for cell in cells)]
    if not pairs or separator != ",":
        return separator
    above = used[used < pairs[0][0]]
    if len(above):
        return "," if lines.counts[","][above[-1]] else ""
    first, second = [int(cells[0]) for _, cells in pairs], [cells[1] for _, cells in pairs]
    if len({b - a for a, b in itertools.pairwise(first)}) == 1 or any(cell.startswith("-") for cell in second):
        return ","
    if any(len(cell) > 1 and cell[0] == "0" for cell in second):
        return ""
    if len({len(cell) for cell in second}) > 1:
        return ","
    raise ValueError(
        f"line {lines.numbers[pairs[0][0]]} reads '{','.join(pairs[0][1])[:30]}': that is one number with a decimal comma, or two whole numbers; "
        "write the columns' names into the first line, or put ';' between cells"
    )


def is_row(cells: list[str], letters: str) -> bool:
    """Whether the cells have the columns' types: dates in columns of dates, numbers in columns of numbers."""
    kinds_and_letters = [(kind(cell), letter) for cell, letter in zip(cells, letters, strict=False)]
    dates = [one for one, letter in kinds_and_letters if letter == "d"]
    numbers = [one for one, letter in kinds_and_letters if letter == "n"]
    if any(one in "tn" for one in dates) or (dates and not numbers):
        return False
    if dates and "d" in dates:
        return True
    known = [one for one in numbers if one != "_"]
    return known.count("n") >= 1 and 2 * known.count("n") >= len(known) and not (dates and known.count("n") < len(known))


def _may_be_a_row(cells: list[str]) -> bool:
    """Whether a line that is not a row of this table could be a row of another table."""
    return len(cells) > 1 and not TOTAL.fullmatch(cells[0]) and sum(kind(cell) in "nd" for cell in cells) > 1


def _ends(lines: Lines, used: np.ndarray, separator: str, letters: str) -> tuple[int, int]:
    """Indices of the first and the last line that are rows."""
    near = lines.counts[separator][used] <= max(len(letters), 1)
    first = next((int(line) for line in used[near][:3000] if is_row(lines.cells(int(line), separator), letters)), None)
    last = next((int(line) for line in used[near][::-1][:300] if is_row(lines.cells(int(line), separator), letters)), None)
    if first is None or last is None:
        raise ValueError("the rows of the file have very different cells: it is not one table")
    return first, last


def _body(lines: Lines, body: np.ndarray, separator: str, width: int, letters: str) -> tuple[np.ndarray, int, list[str]]:
    """The lines from the first row to the last that are rows, their number of cells, and notes on the lines left out between them."""
    odd = body[lines.counts[separator][body] != width - 1]
    if len(odd) > MOST_ODD:  # too many to check each: rows without their last blank cells, or another kind of line
        few = odd[np.linspace(0, len(odd) - 1, SAMPLE).astype(int)]
        widest = int(lines.counts[separator][odd].max()) + 1
        if widest > width + 3 or not all(is_row(lines.cells(int(line), separator), letters) for line in few):
            raise ValueError("the rows of the file have very different numbers of cells: it is not one table")
        width, odd = max(width, widest), odd[:0]
    out: list[int] = []
    for line in odd.tolist():
        cells = lines.cells(line, separator)
        if not "".join(cells[width:]) and is_row(cells, letters):
            width = max(width, len(cells))
        elif TOTAL.fullmatch(cells[0]) or all(kind(cell) == "t" for cell in cells if cell):
            out.append(line)
        else:
            raise ValueError(
                f"line {lines.numbers[line]} of the file has {len(cells)} cells, the others have {width}: correct that line ({short(lines.beginning(line))})"
            )
    if len(out) > 20 or _starts_another_table(lines, body, out):
        raise ValueError(
            f"the file holds more than one table: another begins at line {lines.numbers[out[0]]}; save one table alone"
        )
    notes = []
    if out:
        notes.append(
            f"{lines.describe(out)} inside the table {'was' if len(out) == 1 else 'were'} left out: {short(lines.beginning(out[0]))}"
        )
    inner = np.arange(body[0], body[-1] + 1)
    if commented := int(lines.comment[inner].sum()):
        notes.append(
            f"{commented} comment line{'s' if commented > 1 else ''} inside the table {'were' if commented > 1 else 'was'} left out"
        )
    if blank := int((lines.blank & ~lines.comment)[inner].sum()):
        notes.append(f"{blank} blank line{'s' if blank > 1 else ''} inside the table {'were' if blank > 1 else 'was'} left out")
    return body[~np.isin(body, out)], width, notes


def _starts_another_table(lines: Lines, body: np.ndarray, out: list[int]) -> bool:
    """Whether one of these lines follows a blank line and has rows below it: then it is the heading of a second table."""
    place = {int(line): n for n, line in enumerate(body.tolist())} if out else {}
    return any(lines.blank[line - 1] and line - 1 > body[0] and place[line] > 2 and place[line] < len(body) - 3 for line in out)
