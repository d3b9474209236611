"""Any file gives a table of numbers or one clear sentence, never a traceback."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rnn_core import data
from rnn_core.data.series import table_file
from rnn_core.data.series.table_file import read
from rnn_core.spec.experiment import Experiment

REFUSED = {
    "binary": (bytes(range(256)) * 100, "the file is not text"),
    "picture": (b"\x89PNG\r\n\x1a\n" + np.random.default_rng(0).bytes(5000), "the file is not text"),
    "empty": (b"", "the file is empty"),
    "blank": (b"\n\n  \n;;;\n", "the file is empty"),
    "one row": (b"1,2,3\n", "1 row of values"),
    "header and one row": (b"a,b\n1,2\n", "1 row of values"),
    "header alone": (b"a,b\n", "0 rows of values"),
    "a column of text": (b"good\nbad\nugly\n" * 20, "no column of numbers"),
    "NaN everywhere": (b"a,b\n" + b"nan,NaN\n" * 100, "no column of numbers"),
    "formulas everywhere": (b"=cmd|' /C calc'!A0\n" * 50, "no column of numbers"),
    "one word of 1 MB": (b"x" * 1_000_000, "not a CSV table"),
    "null bytes": (b"1\0,2\n" * 10, "the file is not text"),
    "too large": (b"1\n" * 2_600_000, "5,200,000 bytes, more than the 5 MB"),
    "an endless quote": (
        b'a,b\n"1,2\n' + b"3,4\n" * 60_000,
        "a quotation mark opens in line 2 of the file and never closes: it is not a CSV table",
    ),
    "too wide": (b",".join([b"1"] * 5000) + b"\n", "5,000 cells"),
    "rows of all lengths": (b"1,2\n" * 200_000 + b",".join([b"7"] * 999) + b"\n", "it is not one table"),
    "dates alone": (b"2020-01-01\n2020-01-02\n" * 10, "no column of numbers"),
    "half UTF-16": ("a;b\n1;2\n".encode("utf-16")[:-1] + b"\xd8", "not text|row of values|no column"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_series_is_one_sentence(name):
    content, words = REFUSED[name]
    with pytest.raises(ValueError, match=words) as caught:
        read(content)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 200


def rows(*lines: str, times: int = 30) -> bytes:
    return "\n".join(lines * times).encode()


@pytest.mark.parametrize(
    ("content", "columns", "first"),
    [
        (rows("1", "2", "4"), ("column 1",), [1.0]),
        (b"a,b\n" + rows("1,2", "3,4"), ("a", "b"), [1.0, 2.0]),
        (b"a;b\n" + rows("1,5;2", "2,5;3"), ("a", "b"), [1.5, 2.0]),
        (b"a;b\n" + rows("1.234,5;2", "2.234,5;3"), ("a", "b"), [1234.5, 2.0]),
        (b"a\tb\n" + rows("1.5\t2", "2.5\t3"), ("a", "b"), [1.5, 2.0]),
        (b"\xef\xbb\xbfa,b\r\n" + rows("1,2\r", "3,4\r"), ("a", "b"), [1.0, 2.0]),
        ("größe\n".encode("latin-1") + rows("1", "2"), ("größe",), [1.0]),
        ("a;b\n1;2\n3;4\n".encode("utf-16"), ("a", "b"), [1.0, 2.0]),
        (b'"a, b","c\nd"\n' + rows('"1","2"', '"3","4"'), ("a b", "c d"), [1.0, 2.0]),
        (b"a,a,\n" + rows("1,2,3", "3,4,5"), ("a", "a (2)", "column 3"), [1.0, 2.0, 3.0]),
        (b"name,v\n" + rows("x,1", "y,2"), ("v",), [1.0]),
        (rows("1e3,-2", "+4,.5"), ("column 1", "column 2"), [1000.0, -2.0]),
    ],
)
def test_tables_as_programs_write_them(content, columns, first):
    table = read(content)
    assert table.columns == columns
    assert table.values[0].tolist() == first


def test_dates_are_read_and_put_in_order():
    content = b"date,v\n" + b"".join(b"2020-01-%02d,%d\n" % (31 - n, n) for n in range(31))
    table = read(content)
    assert table.columns == ("v",)
    assert (np.diff(table.times) == np.timedelta64(1, "D")).all()
    assert table.values[:, 0].tolist() == list(range(30, -1, -1))


def test_missing_values_are_bridged_by_straight_lines_and_said():
    table = read(b"v,w\n" + b"0,1\n,1\nNA,1\n3,1\ninf,1\nnone,1\n6,1\n9,1\n8,1\n")
    assert table.values[:, 0].tolist() == [0, 1, 2, 3, 4, 5, 6, 9, 8]
    assert table.notes == ("4 missing cells were filled in between their neighbours ('v')",)


def test_formulas_are_never_values():
    with pytest.raises(ValueError, match=r"'v' holds numbers, but line 3 reads '=1\+1': export the formulas' values"):
        read(b"v\n" + b"1\n=1+1\n3\n@SUM(A1)\n5\n")


def test_row_numbers_are_no_series_unless_alone():
    assert read(b"".join(b"%d,%d\n" % (n, n % 7) for n in range(50))).columns == ("column 2",)
    assert read(b"".join(b"%d\n" % n for n in range(50))).columns == ("column 1",)


def test_many_columns_are_cut_and_said():
    table = read(b"\n".join(b",".join(b"%d" % (n * k % 97) for k in range(5, 55)) for n in range(40)))
    assert table.values.shape == (40, table_file.MOST_COLUMNS)
    assert any("first 32 of 50" in note for note in table.notes)


def test_a_million_rows_are_read_and_thinned_to_what_training_needs():
    content = b"\n".join(b"%d" % (n % 7) for n in range(10**6))
    experiment = Experiment().replace(task="csv", source=table_file.key(content), length=100)
    dataset = data.build(experiment, {table_file.key(content): content})
    assert len(dataset.series.values) == 10**6
    assert len(dataset.train) == 10_000
    assert dataset.baselines["last period"] == pytest.approx(0, abs=1e-6)


@given(st.binary(max_size=400) | st.text(max_size=300).map(lambda text: text.encode("utf-8", "replace")))
@example(b"\xff\xfe")
@example(b"\xfe\xff\xd8\x00")
@example(b'"')
@example(b"\r\r\r")
@settings(max_examples=400, deadline=None)
def test_any_bytes_are_a_table_or_a_sentence(content):
    try:
        table = read(content)
    except ValueError as reason:
        assert "\n" not in str(reason)  # noqa: PT017
        assert 10 < len(str(reason)) < 250  # noqa: PT017
        return
    assert np.isfinite(table.values).all()
    assert table.values.shape[1] == len(table.columns) > 0


_cells = st.sampled_from(
    ["1", "2.5", "-3", "1,5", "", "NA", "nan", "word", "=A1", "2020-01-01", "1e400", '"q\nr"', "0x1F", "1_000", "٣", "<b>", "😊"]
)


@given(st.lists(st.lists(_cells, min_size=1, max_size=4), max_size=40), st.sampled_from([",", ";", "\t"]))
@settings(max_examples=300, deadline=None)
def test_any_table_builds_or_says_why(lines, separator):
    content = "\n".join(separator.join(line) for line in lines).encode()
    experiment = Experiment().replace(task="csv", source=table_file.key(content), length=3)
    try:
        dataset = data.build(experiment, {table_file.key(content): content})
    except ValueError as reason:
        assert "\n" not in str(reason)  # noqa: PT017
        return
    assert np.isfinite(dataset.train.values).all()
    assert np.isfinite(list(dataset.baselines.values())).all()


def test_columns_are_chosen_by_name():
    content = b"a,b,c\n" + rows("1,2,3", "3,4,9", "5,1,2", times=40)
    uploads = {table_file.key(content): content}
    experiment = Experiment().replace(task="csv", source=table_file.key(content), length=10, column="c, a")
    assert data.build(experiment, uploads).series.columns == ("c", "a")
    assert data.interface(experiment, uploads).input_size == 2
    with pytest.raises(ValueError, match=r"no numeric column 'z'; it has 'a', 'b', 'c'"):
        data.build(experiment.replace(column="z"), uploads)


def test_a_file_that_is_not_there_is_said():
    with pytest.raises(ValueError, match="no file was chosen yet"):
        data.build(Experiment().replace(task="csv"))
    with pytest.raises(ValueError, match="upload it again"):
        data.interface(Experiment().replace(task="csv", source="0" * 64))
    with pytest.raises(ValueError, match="not the one that this experiment was made with"):
        data.build(Experiment().replace(task="csv", source="0" * 64), {"0" * 64: b"1\n2\n"})


def test_too_few_rows_advise_a_length():
    content = rows("1", "5", "2", times=20)
    experiment = Experiment().replace(task="csv", source=table_file.key(content), length=60)
    with pytest.raises(
        ValueError, match=r"60 rows are too few for windows of 60 steps and 1 ahead: choose a length of at most 40"
    ):
        data.build(experiment, {table_file.key(content): content})
    assert data.build(experiment.replace(length=40), {table_file.key(content): content}).train


def test_a_path_is_an_upload(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_bytes(rows("1", "5", "2"))
    ((source, content),) = table_file.upload(path).items()
    assert source == table_file.key(content)
    path.write_bytes(b"1\n" * 2_600_000)
    with pytest.raises(ValueError, match="more than the 5 MB"):
        table_file.upload(path)
