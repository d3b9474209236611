"""Reads mutated files: each gives a table or one sentence, within limits of time and memory; rows keep the file's order unless a note says otherwise.

python -m tests.data.fuzz_tables --examples 2000 --seed 0
"""

from __future__ import annotations

import argparse
import gzip
import re
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from rnn_core.data.series import look, table_file
from rnn_core.spec.experiment import Experiment
from tests.data.table_files import by_program

SECONDS = 2.0
MEGABYTES = 300
ROWS = 24
TAG = re.compile(r"(?<![\d.,])7\d{3}[.,]5(?![\d.,])")  # a number that identifies a row


def _base() -> list[str]:
    days = pandas.date_range("2021-01-20", periods=ROWS)
    hours = pandas.date_range("2021-10-30 10:00", periods=ROWS, freq="h")
    tags = [f"{7100 + 13 * n + n * n}.5" for n in range(ROWS)]
    comma = [tag.replace(".", ",") for tag in tags]
    made = [
        "date,value,flow\n" + "".join(f"{day:%Y-%m-%d},{tag},{n * 7 % 5}\n" for n, (day, tag) in enumerate(zip(days, tags, strict=True))),
        "Datum;Wert;Preis\n" + "".join(f"{day:%d.%m.%Y};{tag};1.{n:03d},50 €\n" for n, (day, tag) in enumerate(zip(days[::-1], comma, strict=True))) + "Summe;1;2\n",
        "# station\n# x\nwhen\tclock\tload\n" + "".join(f"{hour:%d/%m/%Y}\t{hour:%H:%M}\t{tag}\n" for hour, tag in zip(hours, tags, strict=True)),
        "Price,Close,Volume\nTicker,X,X\nDate,,\n" + "".join(f'{day:%b %Y},{tag},"1,{n:03d}"\n' for n, (day, tag) in enumerate(zip(pandas.date_range("2018", periods=ROWS, freq="MS"), tags, strict=True))),
        "".join(f"{int(hour.timestamp())},{tag}\n" for hour, tag in zip(hours[::-1], tags, strict=True)),
        "\n".join(["value", *tags]),
        "sep=;\nYear;Rain;Code\n\n" + "".join(f"{1990 + n};{tag};A{n}\n" for n, tag in enumerate(comma)) + "\nSource: none\n",
        "".join(f"{n + 1}   {tag}   {-n}\n" for n, tag in enumerate(tags)),
    ]  # fmt: skip
    return made


BASE = _base()
CELLS = (
    "", "NA", "-", "nan", "2021-02-30", "31/12/1999", "1,5", "1.234,5", "1,234.5", "(5)", "5%", "$5", "5 kg", "1e999", "-9999", "=A1", '"', '"a', "a\tb",
    "٣", "😊", "\u2212", "\ufeff", "inf", "24:00", "Total", "2021-W60", "Feb 30", "99999999999999999999", "0", "\x1a", "#", "sep=,", "00:00", "Mär", "1_0",
)  # fmt: skip

Change = Callable[[str], str]


def _line_change(kind: str, one: int, other: int, cell: str) -> Change:
    """One change to the lines of a text; `one` and `other` are taken modulo the number of lines."""

    def change(text: str) -> str:
        lines = text.split("\n")
        a, b = one % len(lines), other % len(lines)
        if kind == "drop":
            del lines[a]
        elif kind == "repeat":
            lines.insert(b, lines[a])
        elif kind == "swap":
            lines[a], lines[b] = lines[b], lines[a]
        elif kind == "insert":
            lines.insert(a, cell)
        elif kind == "turn":
            lines = lines[:a] + lines[a:][::-1]
        elif kind == "blank":
            lines.insert(a, "")
        elif kind == "cell":
            signs = re.findall("[,;\t]", lines[a]) or [","]
            cells = lines[a].split(signs[0])
            cells[b % len(cells)] = cell
            lines[a] = signs[0].join(cells)
        elif kind == "column":
            sign = ";" if ";" in text else "\t" if "\t" in text else ","
            lines = [f"{line}{sign}{cell}" for line in lines]
        elif kind == "cut":
            return text[: one * 37 % (len(text) + 1)]
        elif kind == "sign":
            return text.replace(",;\t"[a % 3], ";|, "[b % 4])
        elif kind == "place":
            at = one * 31 % (len(text) + 1)
            return text[:at] + cell + text[at:]
        elif kind == "double":
            return text + "\n" + text
        return "\n".join(lines)

    return change


KINDS = ("drop", "repeat", "swap", "insert", "turn", "blank", "cell", "cell", "cell", "column", "cut", "sign", "place", "double")
_changes = st.lists(
    st.builds(_line_change, st.sampled_from(KINDS), st.integers(0, 200), st.integers(0, 200), st.sampled_from(CELLS)),
    min_size=1,
    max_size=5,
)
_encoders: dict[str, Callable[[str], bytes]] = {
    "utf-8": lambda text: text.encode("utf-8", "replace"),
    "utf-8-sig": lambda text: text.encode("utf-8-sig", "replace"),
    "utf-16": lambda text: text.encode("utf-16", "replace"),
    "cp1252": lambda text: text.encode("cp1252", "replace"),
    "crlf": lambda text: text.replace("\n", "\r\n").encode("utf-8", "replace"),
    "gzip": lambda text: gzip.compress(text.encode("utf-8", "replace"), 1, mtime=0),
}
mutated = st.tuples(st.sampled_from(BASE), _changes, st.sampled_from([*_encoders, "utf-8", "utf-8"]), st.integers(0, 40))


def content_of(text: str, changes: list[Change], encoding: str, flipped: int) -> tuple[str, bytes]:
    """The mutated text, and its bytes, in which one byte may be changed."""
    for change in changes:
        text = change(text)
    content = _encoders[encoding](text)
    if flipped < 5 and content:
        at = flipped * 7919 % len(content)
        content = content[:at] + bytes([(content[at] + 1 + 50 * flipped) % 256]) + content[at + 1 :]
    return text, content


def check(text: str, content: bytes, folder: Path) -> bool:
    """Asserts what must hold for any file; returns whether it was read."""
    start = time.process_time()
    try:
        table = table_file.read(content)
    except ValueError as reason:
        assert "\n" not in str(reason)  # noqa: PT017
        assert 10 < len(str(reason)) < 420, str(reason)  # noqa: PT017
        assert look.look(content).problem == str(reason)  # noqa: PT017
        return False
    finally:
        assert time.process_time() - start < SECONDS
    assert np.isfinite(table.values).all()
    assert table.values.shape[1] == len(table.columns) > 0
    found = look.look(content)
    assert (found.rows, found.names) == (len(table.values), table.columns)
    Experiment().replace(**dict(found.suggestion))
    said = "; ".join(table.notes)
    assert ("turned" in said) == (table.recipe.order == "turned"), said
    assert ("sorted" in said) == (table.recipe.order == "dates"), said
    _in_order(text, table)
    np.testing.assert_array_equal(table_file.apply(table.recipe, content)[0], table.values)
    np.testing.assert_array_equal(by_program(content, table, folder), table.values)
    return True


def _in_order(text: str, table: table_file.Table) -> None:
    """Asserts that the rows, identified by their number, are in the file's order, or reversed if the recipe says so."""
    if table.recipe.order == "dates":
        return
    tags = [float(tag.replace(",", ".")) for tag in TAG.findall(text)]
    place = {tag: n for n, tag in enumerate(tags)}
    if len(place) < len(tags):
        return  # a row occurs twice
    for column in table.values.T:
        found = [place[value] for value in column.tolist() if value in place]
        ordered = sorted(found, reverse=table.recipe.order == "turned")
        assert found == ordered, table.notes


def run(examples: int, start: int, folder: Path) -> tuple[int, int]:
    """Number of examples that were read, and of all examples."""
    counted = [0, 0]

    @seed(start)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(mutated)
    def every(drawn: tuple[str, list[Change], str, int]) -> None:
        counted[0] += check(*content_of(*drawn), folder)
        counted[1] += 1

    every()
    return counted[0], counted[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        done, of = run(chosen.examples, chosen.seed, Path(folder))
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert grown < MEGABYTES, f"{grown:.0f} MB"
    print(
        f"{of} mutated files in {time.perf_counter() - start:.0f} s: {done} read, {of - done} refused, no traceback; {grown:.0f} MB more at most"
    )


if __name__ == "__main__":
    main()
