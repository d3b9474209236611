"""Writes the part of the exported Keras program that reads the user's file by its recipe."""

from __future__ import annotations

import inspect
import json
from typing import Any

from rnn_core.data.series.table.recipe import Recipe, csv_options, join_cells, numbers, parse_times, reading_of


def program(recipe: Recipe, chosen: tuple[int, ...]) -> str:
    """Python source that reads `path` by the recipe into `values` (N, chosen columns); it needs pandas and numpy.

    It begins with the source of the functions of `recipe` that it calls.
    """
    columns, dates = [recipe.columns[n] for n in chosen], recipe.dates if recipe.order == "dates" else None
    places = tuple(sorted({one.place for one in columns} | set(dates.places if dates else ())))
    lines = [inspect.getsource(numbers), "\n\n"]
    if dates:
        lines += [inspect.getsource(join_cells), "\n\n", inspect.getsource(parse_times), "\n\n"]
    layout = recipe.layout
    if layout.container == "xlsx":
        lines.append(
            f"table = pandas.read_excel(path, sheet_name={_source(layout.sheet)}, header=None, dtype=str, keep_default_na=False)\n"
            f"table = table.drop(index={list(layout.skipped)}).iloc[:{layout.rows}][{list(places)}]\n"
        )
    else:
        options = ",\n".join(f"    {name}={_source(value)}" for name, value in csv_options(layout, places).items())
        lines.append(f"table = pandas.read_csv(\n    path,\n{options},\n)\n")
    lines.append('table = table.fillna("").astype(str).apply(lambda column: column.str.strip()).reset_index(drop=True)\n')
    if recipe.order == "turned":
        lines.append("table = table.iloc[::-1].reset_index(drop=True)  # the newest row is first in the file\n")
    if dates:
        lines.append(
            f"dates = parse_times(join_cells(table, {dates.places!r}), {_source(list(dates.replacements))}, {', '.join(map(_source, reading_of(dates)))})\n"
        )
        lines.append('table = table.iloc[np.argsort(dates.to_numpy("datetime64[us]"), kind="stable")].reset_index(drop=True)\n')
    lines.append("values = pandas.DataFrame(\n    {\n")
    lines += [
        f"        {n}: numbers(table[{one.place}], {_source(list(one.missing))}, {_source(list(one.replacements))}),  # {_printable(one.name)}\n"
        for n, one in enumerate(columns)
    ]
    lines.append('    }\n)\nvalues = values.interpolate(limit_direction="both").to_numpy("float64")\n')
    return "\n" + "".join(lines)


def _printable(name: str) -> str:
    """A name for a comment, without characters that end the line or change the direction of writing."""
    return "".join(one for one in name if one.isprintable())


def _source(value: Any) -> str:
    """A value as Python source, with strings in double quotes."""
    if isinstance(value, str):
        quoted = json.dumps(value, ensure_ascii=False)
        return "".join(
            one if one.isprintable() else f"\\u{ord(one):04x}" if ord(one) < 0x10000 else f"\\U{ord(one):08x}" for one in quoted
        )
    if isinstance(value, list):
        return f"[{', '.join(map(_source, value))}]"
    if isinstance(value, tuple):
        return f"({', '.join(map(_source, value))})"
    if isinstance(value, range):
        return f"range({value.stop})"
    return "str" if value is str else repr(value)
