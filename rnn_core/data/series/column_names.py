"""Names of columns as one text of an experiment, separated by commas; a name with a comma is in quotation marks."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence


def join_names(names: Sequence[str]) -> str:
    """The text of these names; `choose_columns` reads it."""
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(names)
    return line.getvalue()


def choose_columns(columns: Sequence[str], wanted: str) -> tuple[int, ...]:
    """Places of the columns that a text names; all of them if it is empty.

    Raises ValueError for a name that is not among `columns`.
    """
    wanted = wanted.replace("\r", " ").replace("\n", " ")
    if not wanted.strip():
        return tuple(range(len(columns)))
    names: list[str] = []
    for names in ([wanted.strip()], next(csv.reader([wanted], skipinitialspace=True)), wanted.split(",")):
        names = [name.strip() for name in names if name.strip()]
        if names and all(name in columns for name in names):
            return tuple(dict.fromkeys(columns.index(name) for name in names))
    missing = next((name for name in names if name not in columns), wanted)
    shown = ", ".join(f"'{name[:40]}'" for name in columns[:8])
    raise ValueError(f"the file has no numeric column '{missing[:40]}'; it has {shown}")
