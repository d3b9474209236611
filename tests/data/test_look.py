"""A file before anything is trained on it: rows, columns, decisions to overrule, gaps, repeats, and the fields that suit it."""

from __future__ import annotations

import io
import json
import time

import numpy as np
import pandas
import pytest

from rnn_core.data.series import look, table_file
from rnn_core.data.series.column_names import choose_columns, join_names
from rnn_core.data.series.suggest import suggested
from rnn_core.data.series.table.units import UndecidedError
from rnn_core.spec import reading
from rnn_core.spec.experiment import Experiment
from tests.data.table_files import DAYS, ISO, WAVE, comma, lines

GERMAN = lines([f"{day:%d.%m.%Y}" for day in DAYS[::-1]], comma(WAVE[::-1]), head="Datum;Wert", separator=";") + "Summe;1\n"


def seen(text: str, **overrides: str) -> look.Look:
    return look.look(text.encode(), overrides)


def decided(found: look.Look) -> dict[str, str]:
    return {one.option: one.value for one in found.decisions}


def test_rows_columns_and_decisions():
    found = seen(GERMAN)
    assert (found.problem, found.rows, found.names, found.spacing) == ("", 36, ("Wert",), "1 day")
    assert found.first[0] == ("2021-01-01", f"{WAVE[0]:g}")
    assert found.last[-1] == (ISO[-1], f"{WAVE[-1]:g}")
    column = found.columns[0]
    assert (column.kind, column.low, column.high) == ("decimal numbers", min(WAVE), max(WAVE))
    wanted = {"separator": ";", "encoding": "utf-8", "decimal": ",", "dates": "Datum", "format": "%d.%m.%Y", "order": "turned"}
    assert decided(found) == wanted
    assert not any(one.asked for one in found.decisions)
    json.dumps(found.to_dict())


@pytest.mark.parametrize("option", ["separator", "encoding", "decimal", "dates", "format", "order"])
def test_what_was_decided_can_be_asked_for_and_gives_the_same(option):
    """Every decision, sent back as the user's, reads the same table."""
    plain = table_file.read(GERMAN.encode())
    value = decided(seen(GERMAN))[option]
    again = table_file.read(GERMAN.encode(), {option: value})
    np.testing.assert_array_equal(again.values, plain.values)
    np.testing.assert_array_equal(again.times, plain.times)
    assert {one.option: one.asked for one in seen(GERMAN, **{option: value}).decisions}[option]


def test_every_choice_is_read_or_refused_in_a_sentence_that_can_be_taken_back():
    for one in seen(GERMAN).decisions:
        for value, words in one.choices:
            found = seen(GERMAN, **{one.option: value})
            assert words
            assert found.rows >= 2 or found.problem
            assert any(other.option == one.option and other.asked for other in found.decisions)


def test_an_overruled_format_and_order_are_followed():
    text = lines([f"{day:%d/%m/%Y}" for day in pandas.date_range("2021-01-01", periods=12)], range(12), head="d,v")
    assert "can be read in two ways, as dd/mm/yyyy" in seen(text).problem
    assert seen(text, format="%d/%m/%Y").first[1][0] == "2021-01-02"
    swapped = seen(text, format="%m/%d/%Y")
    assert swapped.first[1][0] == "2021-02-01"
    assert seen(text, format="%d/%m/%Y", order="turned").first[0] == ("2021-01-12", "11")
    assert "no column holds dates as '%d.%m.%Y'" in seen(text, format="%d.%m.%Y").problem
    assert seen(text, dates="none").first[0] == ("1", "0")


def test_open_decisions_are_offered_with_their_proposal_first():
    numbers = "a;b\n" + "".join(f"{n}.{100 + n};7\n" for n in range(1, 40))
    found = seen(numbers)
    assert "can be read in two ways" in found.problem
    first = found.decisions[0]
    assert (first.option, first.value, [value for value, _ in first.choices]) == ("decimal", "", [".", ","])
    assert [seen(numbers, decimal=sign).columns[0].high for sign in ".,"] == [39.139, 39139]
    several = "day,shop,v\n" + "".join(f"2021-01-{n // 2 + 1:02d},{'AB'[n % 2]},{n}\n" for n in range(40))
    assert dict(seen(several).decisions[0].choices) == {"A": "A", "B": "B"}
    assert seen(several, series="B").first[0] == ("2021-01-01", "1")
    with pytest.raises(UndecidedError):
        table_file.read(several.encode())


def test_values_far_outside_are_asked_about():
    text = lines(ISO, [-9999 if n % 11 == 4 else n % 5 for n in range(36)], head="d,v")
    one = next(one for one in seen(text).decisions if one.option == "missing")
    assert one.value == ""
    answered = seen(text, missing=one.choices[1][0])
    assert answered.columns[0].low == 0
    assert "3 missing cells were filled in" in " ".join(answered.notes)


def test_gaps_and_repeats_are_marked():
    days = [*DAYS[:10], *DAYS[14:30], DAYS[29], *DAYS[30:]]
    found = seen(lines([f"{day:%Y-%m-%d}" for day in days], range(len(days)), head="d,v"))
    assert found.gaps == (("2021-01-10", "2021-01-15"),)
    assert found.repeats == ("2021-01-30",)
    working = pandas.bdate_range("2021-01-04", periods=30)
    found = seen(lines([f"{day:%Y-%m-%d}" for day in working], range(30), head="d,v"))
    assert (found.gaps, found.spacing) == ((), "1 day")
    months = pandas.date_range("2019-01-31", periods=30, freq="ME")
    found = seen(lines([f"{day:%Y-%m-%d}" for day in months], range(30), head="d,v"))
    assert (found.gaps, found.spacing) == ((), "1 month")


def test_a_long_series_is_drawn_with_all_its_extremes():
    values = np.random.default_rng(0).normal(0, 1, 30_000).round(3)
    values[[7, 20_001]] = 99, -99
    found = seen("v\n" + "\n".join(map(str, values)))
    assert found.lines.shape == (look.MOST_POINTS, 1)
    assert (found.lines.max(), found.lines.min()) == (99, -99)
    assert (np.diff(found.places) >= 0).all()


def test_a_workbook_has_no_separator_to_overrule():
    content = io.BytesIO()
    with pandas.ExcelWriter(content) as book:
        for name in ("one", "two"):
            pandas.DataFrame({"day": ISO, name: WAVE}).to_excel(book, sheet_name=name, index=False)
    found = look.look(content.getvalue(), {"sheet": "two"})
    assert found.names == ("two",)
    assert decided(found)["sheet"] == "two"
    assert "separator" not in decided(found)


def test_where_the_first_sheet_has_no_table_another_can_be_chosen():
    content = io.BytesIO()
    with pandas.ExcelWriter(content) as book:
        pandas.DataFrame({"About": ["Sales of all shops"]}).to_excel(book, sheet_name="cover", index=False)
        pandas.DataFrame({"day": ISO, "v": WAVE}).to_excel(book, sheet_name="data", index=False)
    found = look.look(content.getvalue())
    assert found.problem
    assert [value for value, _ in next(one for one in found.decisions if one.option == "sheet").choices] == ["cover", "data"]
    assert look.look(content.getvalue(), {"sheet": "data"}).rows == 36


@pytest.mark.parametrize("content", [b"", b"\x89PNG....", b"hello", b"{}", b"a\n1\n"])
def test_what_is_no_table_has_a_problem_and_never_raises(content):
    found = look.look(content)
    assert len(found.problem) > 10
    assert look.to_text(found).startswith("refused: ")


def season(period: int, rows: int, step: str) -> tuple[np.ndarray, np.ndarray]:
    wave = 10 + 3 * np.sin(2 * np.pi * np.arange(rows) / period) + np.random.default_rng(1).normal(0, 0.3, rows)
    return wave[:, None], pandas.date_range("2020-01-01", periods=rows, freq=step).to_numpy()


@pytest.mark.parametrize(
    ("period", "rows", "step", "horizon", "difference"), [(7, 800, "D", 28, 7), (24, 2000, "h", 24, 24), (12, 240, "MS", 12, 12)]
)
def test_the_suggestion_follows_the_calendar(period, rows, step, horizon, difference):
    found = suggested(*season(period, rows, step))
    assert (found["horizon"], found["difference"], found["log"]) == (horizon, difference, False)
    Experiment().replace(**found)


@pytest.mark.parametrize("rows", [2, 12, 30, 60, 100, 300])
def test_a_short_series_gets_windows_that_fit_if_any_do(rows):
    values, times = season(7, rows, "D")
    Experiment().replace(**suggested(values, times))
    assert suggested(values, None)["horizon"] >= 1


def test_without_a_period_none_is_differenced_away():
    rng, times = np.random.default_rng(0), pandas.date_range("2020-01-01", periods=700).to_numpy()
    assert suggested(rng.normal(50, 1, (700, 1)), times)["difference"] == 0
    assert suggested(rng.normal(0, 1, (700, 1)).cumsum(0) + 100, times)["difference"] == 1
    assert suggested(0.5 * np.arange(700)[:, None] + rng.normal(0, 3, (700, 1)), times)["difference"] == 1


def test_growth_by_percent_gets_logarithms():
    values, times = season(7, 800, "D")
    growing = np.exp(values / 5 + 0.004 * np.arange(800)[:, None])
    assert suggested(growing, times)["log"]


def test_names_with_commas_and_quotation_marks_survive():
    names = ["a", "b, c", 'say "x"', "d"]
    assert choose_columns(names, join_names(names[1:3])) == (1, 2)
    assert choose_columns(names, "a,d") == (0, 3)
    assert choose_columns(names, "b, c") == (1,)
    assert choose_columns(names, "") == (0, 1, 2, 3)
    with pytest.raises(ValueError, match="no numeric column 'e'; it has 'a', 'b, c'"):
        choose_columns(names, "a,e")


def test_decisions_in_an_experiment_are_followed_by_its_data():
    from rnn_core import data

    content = GERMAN.encode()
    experiment = Experiment().replace(
        task="csv", length=4, source=table_file.key(content), reading=reading.to_text({"order": "file"})
    )
    series = data.build(experiment, {table_file.key(content): content}).series
    assert series.values[:, 0].tolist() == WAVE[::-1]
    assert str(series.times[0])[:10] == ISO[-1]


def test_a_look_costs_little_beside_the_reading():
    content = b"1\n2\n4\n" * 700_000
    table_file.read(content)
    start = time.process_time()
    assert look.look(content).rows == 2_100_000
    assert time.process_time() - start < 1
    table_file._read.cache_clear()
