"""Any file of five million bytes is read or refused within 2 s of processor time and 300 MB; a mutated file never causes a traceback."""

from __future__ import annotations

import gzip
import resource
import time

import numpy as np
import pandas
import pytest

from rnn_core.data.series import table_file
from tests.data import fuzz_tables

RNG = np.random.default_rng(0)
MONTHS = ("Jan", "Feb", "Mär", "Apr", "Mai", "Jun", "Jul", "Aug", "Sep", "Okt", "Nov", "Dez")


def _cut(text: str) -> bytes:
    content = text.encode()[: table_file.MOST_BYTES]
    return content[: content.rfind(b"\n") + 1]


def _days(form: str, count: int, step: str) -> bytes:
    start = "1000-01-01" if step == "D" else "1990-01-01"
    times = pandas.Series(pandas.date_range(start, periods=count, freq=step)).dt.strftime(form)
    return _cut("date;value\n" + "".join(f"{day};{n % 10}\n" for n, day in enumerate(times)))


def _german() -> bytes:
    days = pandas.date_range("1000-01-01", periods=350_000)
    return _cut(
        "Tag;Wert\n" + "".join(f"{d}. {MONTHS[m - 1]} {y};1\n" for d, m, y in zip(days.day, days.month, days.year, strict=True))
    )


def _datelike() -> bytes:
    parts = RNG.integers(1, 40, (400_000, 2)).tolist()
    return _cut("date,value\n" + "".join(f"{a}/{b}/{n % 9999},{n % 7}\n" for n, (a, b) in enumerate(parts)))


HOSTILE = {  # content, rows or a refusal
    "distinct dates, day first": (lambda: _days("%d/%m/%Y %H:%M", 260_000, "h"), 259_000),
    "distinct dates without zeros": (lambda: _days("%-d.%-m.%Y", 400_000, "D"), 370_000),
    "distinct dates with am and pm": (lambda: _days("%m/%d/%Y %I:%M %p", 250_000, "h"), 220_000),
    "distinct dates, German months": (_german, 330_000),
    "what only looks like dates": (_datelike, 390_000),
    "one letter a line": (lambda: b"1\n" * 2_499_999, 2_499_999),
    "one letter a line, gzipped": (lambda: gzip.compress(b"1\n" * 2_499_999), 2_499_999),
    "distinct amounts": (lambda: _cut("".join(f"{n * 7919 % 999983:,};${n}.5K\n".replace(",", ".") for n in range(400_000))), 270_000),
    "distinct words": (lambda: _cut("".join(f"word{n},{n}\n" for n in range(400_000))), 270_000),
    "a thousand columns": (lambda: b"\n".join([b",".join([b"1"] * 1000)] * 2499), 2499),
    "blank lines": (lambda: b"1\n\n" * 1_600_000, 1_600_000),
    "comments": (lambda: b"1\n#\n" * 1_200_000, 1_200_000),
    "quotation marks": (lambda: b'"' * 4_999_998, "the file is empty"),
    "a title without end": (lambda: b"title line\n" * 400_000 + b"1,2\n3,4\n5,7\n6,6\n", "no column of numbers"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_five_megabytes_of_anything(name):
    make, wanted = HOSTILE[name]
    content = make()
    before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    try:
        if isinstance(wanted, str):
            with pytest.raises(ValueError, match=wanted):
                table_file.read(content)
        else:
            assert len(table_file.read(content).values) >= wanted
    finally:
        table_file._read.cache_clear()
    assert time.process_time() - start < fuzz_tables.SECONDS
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024 < fuzz_tables.MEGABYTES


def test_mutated_files_are_tables_or_sentences(tmp_path):
    read, drawn = fuzz_tables.run(150, 7, tmp_path)
    assert drawn >= 150
    assert read > drawn / 4


def test_many_rows_without_their_last_cell():
    content = _cut(
        "date,value,note\n"
        + "".join(
            f"{day:%Y-%m-%d},{n % 7}{',' if n % 3 else ''}\n"
            for n, day in enumerate(pandas.date_range("1900-01-01", periods=30_000))
        )
    )
    table = table_file.read(content)
    assert table.values[:, 0].tolist() == [n % 7 for n in range(30_000)]
    np.testing.assert_array_equal(table_file.apply(table.recipe, content)[0], table.values)
