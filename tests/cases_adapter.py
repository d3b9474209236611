"""The way into the reader for `cases.py`: a collection of files as people have them, kept outside the project."""

from __future__ import annotations

import numpy as np

from rnn_core.data import tables


def read(content: bytes) -> tuple[np.ndarray, tuple[str, ...], np.ndarray | None, tuple[str, ...]]:
    """Values (N, C), C names, N dates or None, notes. Raises ValueError for a refusal."""
    table = tables.read(content)
    return table.values, table.columns, table.times, table.notes
