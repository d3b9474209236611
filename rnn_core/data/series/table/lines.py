"""Splits a text into lines and counts each separator in every line, with NumPy operations over the whole text."""

from __future__ import annotations

import csv
from dataclasses import dataclass

import numpy as np

from rnn_core.data.series.table.cells import kind

MOST_CELLS = 1000  # per row
SEPARATORS = ("\t", ";", "|", ",", r"\s+", "")  # in order of preference; r"\s+": white space; "": one cell per line


@dataclass(frozen=True, eq=False)
class Lines:
    """L lines; a line break inside quotation marks does not end a line."""

    text: bytes  # UTF-8
    starts: np.ndarray  # (L,) first byte of each
    ends: np.ndarray  # (L,) byte after its last
    numbers: np.ndarray  # (L,) its number in an editor, from 1
    counts: dict[str, np.ndarray]  # separator → (L,) how often it occurs outside quotation marks
    blank: np.ndarray  # (L,) bool: only separators
    empty: np.ndarray  # (L,) bool: only spaces, so that pandas skips it
    comment: np.ndarray  # (L,) bool: starts with #
    quoted: bool  # cells may be in quotation marks

    def cells(self, line: int, separator: str) -> list[str]:
        """The stripped cells of one line. Raises ValueError if it cannot be a line of a table."""
        text = self.text[self.starts[line] : self.ends[line]].decode("utf-8", "replace")
        if len(text) > 100_000:
            raise ValueError(f"line {self.numbers[line]} of the file has {len(text):,} letters: it is not a CSV table")
        if not separator:
            text = text.strip()
            return [text[1:-1].replace('""', '"') if self.quoted and len(text) > 1 and text[0] == text[-1] == '"' else text]
        if separator == r"\s+":
            text, separator = " ".join(text.split()) if not self.quoted else text.replace("\t", " ").strip(), " "
        try:
            rows = list(csv.reader([text], delimiter=separator, quoting=0 if self.quoted else 3, skipinitialspace=True))
        except csv.Error as reason:
            raise ValueError(f"line {self.numbers[line]} of the file is not a line of a CSV table ({reason})") from None
        return [" ".join(cell.split()) for cell in rows[0]] if rows else []

    def beginning(self, line: int) -> str:
        """At most the first 400 bytes of a line, as text."""
        start = self.starts[line]
        return self.text[start : min(self.ends[line], start + 400)].decode("utf-8", "replace").strip("\ufeff")

    def describe(self, which: list[int]) -> str:
        """The lines in words: "line 3", "lines 1 to 3" or "4 lines"."""
        numbers = self.numbers[which]
        if len(which) == 1:
            return f"line {numbers[0]}"
        together = numbers[-1] - numbers[0] == len(which) - 1
        return f"lines {numbers[0]} to {numbers[-1]}" if together else f"{len(which)} lines"


def split(text: bytes) -> Lines:
    """Splits a text into lines. Raises ValueError for a quotation mark that is not closed or is inside a cell, or for a row with too many cells."""
    bytes_ = np.frombuffer(text, np.uint8)
    breaks = bytes_ == 10
    inside, quoted = _inside_quotes(bytes_, breaks)
    closing = breaks if inside is None else breaks & ~inside
    ends = np.flatnonzero(closing)
    if not len(ends) or ends[-1] != len(bytes_) - 1:
        ends = np.append(ends, len(bytes_))
    starts = np.append(0, ends[:-1] + 1)
    outside = None if inside is None else ~inside
    counts = {sign: _count(bytes_ == ord(sign), outside, starts) for sign in "\t;|,"}
    white = (bytes_ == 32) | (bytes_ == 9) | (bytes_ == 10)
    if inside is not None:
        white &= ~inside
    tokens = ~white
    tokens[1:] &= white[:-1]
    counts[r"\s+"] = np.maximum(np.add.reduceat(tokens, starts, dtype=np.int32) - 1, 0)
    counts[""] = np.zeros(len(starts), np.int32)
    ink = np.ones(256, bool)
    ink[list(b' \t\n;|,"')] = False
    blank = np.add.reduceat(ink[bytes_], starts, dtype=np.int32) == 0
    empty = (np.add.reduceat(tokens, starts, dtype=np.int32) == 0) & (counts["\t"] == 0)
    numbers = np.arange(1, len(starts) + 1) if inside is None else np.append(0, np.cumsum(breaks))[starts] + 1
    widest = max(int(counts[sign].max()) for sign in "\t;|,") + 1
    if widest > MOST_CELLS:
        raise ValueError(f"a row of the file has {widest:,} cells, more than the {MOST_CELLS:,} that are read")
    return Lines(text, starts, ends, numbers, counts, blank, empty, bytes_[starts] == ord("#"), quoted)


def _count(mask: np.ndarray, outside: np.ndarray | None, starts: np.ndarray) -> np.ndarray:
    return np.add.reduceat(mask if outside is None else mask & outside, starts, dtype=np.int32)


def _inside_quotes(bytes_: np.ndarray, breaks: np.ndarray) -> tuple[np.ndarray | None, bool]:
    """(bytes,) bool: which bytes are between quotation marks, None if none are; and whether quotation marks enclose cells."""
    marks = np.flatnonzero(bytes_ == 34)
    if not len(marks):
        return None, False
    edges = np.zeros(256, bool)
    edges[list(b' \t\n;|,"')] = True
    before = np.where(marks > 0, bytes_[marks - 1], 10)
    after = np.append(bytes_, 10)[marks + 1]
    starting = edges[before] & (before != 34)
    if not starting.any():
        return None, False  # marks for inches or seconds, which enclose nothing
    stray = np.flatnonzero(np.where(np.arange(len(marks)) % 2 == 0, ~edges[before], ~edges[after]))
    if len(stray):
        line = int(breaks[: marks[stray[0]]].sum()) + 1
        raise ValueError(
            f"line {line} of the file has a quotation mark inside a cell, so its cells cannot be told apart: it is not a CSV table"
        )
    if len(marks) % 2:
        line = int(breaks[: marks[-1]].sum()) + 1
        raise ValueError(f"a quotation mark opens in line {line} of the file and never closes: it is not a CSV table")
    inside = (np.cumsum(bytes_ == 34, dtype=np.int32) & 1).astype(bool)
    return inside, True


def kinds(rows: list[list[str]], width: int) -> tuple[str, float]:
    """The most frequent type of each column's cells ("n", "d", "t", or "_" if all are blank), and how well the cells agree (0 … 1)."""
    letters, agreement = "", []
    for column in range(width):
        found = [kind(row[column]) for row in rows if column < len(row)]
        known = [one for one in found if one != "_"]
        best = max("ndt", key=known.count) if known else "_"
        letters += best
        if known:
            share = known.count(best) / len(known)
            agreement.append(share if best in "nd" else 0.3 * share)
    return letters, float(np.mean(agreement)) if agreement else 0.0
