"""Helpers for the tests of the reader: write values to a file, and read it with the reading part of the exported program."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas

from rnn_core.data.series import table_file
from rnn_core.data.series.table import program as table_program
from rnn_core.data.series.table import recipe as table_recipe

N = 36
DAYS = pandas.date_range("2021-01-01", periods=N, freq="D")
MONTHS = pandas.date_range("2017-01-01", periods=N, freq="MS")
HOURS = pandas.date_range("2022-06-01", periods=N, freq="h")
WAVE = [round(40 + 9 * float(np.cos(0.6 * n)) + 0.2 * n, 1) for n in range(N)]
SIGNED = [round(7 * float(np.sin(0.8 * n + 0.2)), 2) for n in range(N)]
COUNTS = [412 + 53 * (n * 5 % 29) for n in range(N)]
ISO = [f"{day:%Y-%m-%d}" for day in DAYS]


def lines(*columns: Iterable[object], head: str = "", separator: str = ",", end: str = "\n") -> str:
    """The columns as the text of a CSV file."""
    rows = [separator.join(map(str, row)) for row in zip(*columns, strict=True)]
    return end.join([*([head] if head else []), *rows]) + end


def comma(values: Iterable[object]) -> list[str]:
    return [str(value).replace(".", ",") for value in values]


def by_program(content: bytes, table: table_file.Table, folder: Path) -> np.ndarray:
    """The `values` that the reading part of the exported program gives for a file."""
    path = folder / ("series.xlsx" if table.recipe.layout.container == "xlsx" else "series.csv")
    path.write_bytes(content)
    every = tuple(range(len(table.columns)))
    names: dict[str, object] = {"pandas": pandas, "np": np, "path": str(path), "sys": sys}
    exec(compile(table_program.program(table.recipe, every), "program.py", "exec"), names)
    return np.asarray(names["values"])


def agrees(
    content: str | bytes, folder: Path, values: Sequence[object], times: object = None, **overrides: str
) -> table_file.Table:
    """Reads a file; asserts values (nan: any number), order and dates, as read by `read`, by `apply` and by the exported program."""
    content = content.encode() if isinstance(content, str) else content
    table = table_file.read(content, overrides)
    wanted = np.array(values, np.float64)
    wanted = wanted[:, None] if wanted.ndim == 1 else wanted
    assert table.values.shape == wanted.shape, table.notes
    assert np.isfinite(table.values).all()
    known = np.isfinite(wanted)
    np.testing.assert_allclose(table.values[known], wanted[known], rtol=1e-12, atol=1e-12)
    if times is not None:
        assert table.times is not None, table.notes
        np.testing.assert_array_equal(table.times, np.asarray(times, "datetime64[us]"))
    recipe = table_recipe.Recipe.from_json(table.recipe.to_json())
    assert recipe == table.recipe
    again, dates = table_file.apply(recipe, content)
    np.testing.assert_array_equal(again, table.values)
    assert (dates is None) == (table.times is None)
    if dates is not None:
        np.testing.assert_array_equal(dates, table.times)
    np.testing.assert_array_equal(by_program(content, table, folder), table.values)
    return table
