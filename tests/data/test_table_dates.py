"""Dates in files: one format per column, chosen by what the cells show; right order and dates, or a refusal that names both formats."""

from __future__ import annotations

import io

import numpy as np
import pandas
import pytest

from rnn_core.data.series import table_file
from tests.data.table_files import COUNTS, DAYS, HOURS, ISO, MONTHS, SIGNED, WAVE, N, agrees, comma, lines

BACK = slice(None, None, -1)
SPANISH = ("ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sep", "oct", "nov", "dic")
FRENCH = ("janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc.")
GERMAN = ("Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November", "Dezember")
QUARTERS = pandas.date_range("2012-01-01", periods=N, freq="QS")
WEEKS = pandas.date_range("2019-09-02", periods=N, freq="W-MON")
YEARS = pandas.date_range("1970-01-01", periods=N, freq="YS")
HALF_HOURS = pandas.date_range("2021-03-01 10:00", periods=N, freq="30min")
NOW_AND_THEN = [pandas.Timestamp(2020, month, day) for month in range(1, 13) for day in (2, 5, 11)]

WRITTEN = {
    "yyyy-mm-dd": (ISO, DAYS),
    "yyyy/mm/dd": ([f"{day:%Y/%m/%d}" for day in DAYS], DAYS),
    "yyyy.m.d": ([f"{day.year}.{day.month}.{day.day}" for day in DAYS], DAYS),
    "dd.mm.yyyy": ([f"{day:%d.%m.%Y}" for day in DAYS], DAYS),
    "d/m/yyyy": ([f"{day.day}/{day.month}/{day.year}" for day in DAYS], DAYS),
    "m/d/yyyy": ([f"{day.month}/{day.day}/{day.year}" for day in DAYS], DAYS),
    "dd-mm-yy": ([f"{day:%d-%m-%y}" for day in DAYS], DAYS),
    "m/d/yy": ([f"{day.month}/{day.day}/{day:%y}" for day in DAYS], DAYS),
    "first of the month, day first": ([f"{day:%d.%m.%Y}" for day in MONTHS], MONTHS),
    "first of the month, month first": ([f"{day:%m/%d/%Y}" for day in MONTHS], MONTHS),
    "three days a month, day first": ([f"{day:%d/%m/%Y}" for day in NOW_AND_THEN], NOW_AND_THEN),
    "three days a month, month first": ([f"{day:%m/%d/%Y}" for day in NOW_AND_THEN], NOW_AND_THEN),
    "Jan-17": ([f"{day:%b-%y}" for day in MONTHS], MONTHS),
    "17-Jan": ([f"{day:%y-%b}" for day in MONTHS], MONTHS),
    "Jan 2017": ([f"{day:%b %Y}" for day in MONTHS], MONTHS),
    "January 2017": ([f"{day:%B %Y}" for day in MONTHS], MONTHS),
    "2017-Jan": ([f"{day:%Y-%b}" for day in MONTHS], MONTHS),
    "1-Jan-2021": ([f"{day.day}-{day:%b-%Y}" for day in DAYS], DAYS),
    "01JAN2021": ([f"{day:%d%b%Y}".upper() for day in DAYS], DAYS),
    "1 January 2021": ([f"{day.day} {day:%B %Y}" for day in DAYS], DAYS),
    "Fri 1 Jan 2021": ([f"{day:%a} {day.day} {day:%b %Y}" for day in DAYS], DAYS),
    "1st January 2021": ([f"{d.day}{'st' if d.day in (1, 21, 31) else 'nd' if d.day in (2, 22) else 'rd' if d.day in (3, 23) else 'th'} {d:%B %Y}" for d in DAYS], DAYS),
    "2017M01": ([f"{day:%Y}M{day:%m}" for day in MONTHS], MONTHS),
    "2017-01": ([f"{day:%Y-%m}" for day in MONTHS], MONTHS),
    "01/2017": ([f"{day:%m/%Y}" for day in MONTHS], MONTHS),
    "201701": ([f"{day:%Y%m}" for day in MONTHS], MONTHS),
    "20210101": ([f"{day:%Y%m%d}" for day in DAYS], DAYS),
    "2012Q1": ([f"{day.year}Q{day.quarter}" for day in QUARTERS], QUARTERS),
    "Q1 2012": ([f"Q{day.quarter} {day.year}" for day in QUARTERS], QUARTERS),
    "2012-Q1": ([f"{day.year}-Q{day.quarter}" for day in QUARTERS], QUARTERS),
    "1. Quartal 2012": ([f"{day.quarter}. Quartal {day.year}" for day in QUARTERS], QUARTERS),
    "2019-W36": ([f"{week:%G-W%V}" for week in WEEKS], WEEKS),
    "2019W36": ([f"{week:%G}W{week:%V}" for week in WEEKS], WEEKS),
    "KW 36/2019": ([f"KW {week:%V}/{week:%G}" for week in WEEKS], WEEKS),
    "2019-W36-1": ([f"{week:%G-W%V}-1" for week in WEEKS], WEEKS),
    "Spanish": ([f"{SPANISH[day.month - 1]}-{day:%y}" for day in MONTHS], MONTHS),
    "Spanish, long": ([f"{day.day} de {('enero', 'febrero')[day.month - 1]} de {day.year}" for day in DAYS], DAYS),
    "French": ([f"{FRENCH[day.month - 1]} {day.year}" for day in MONTHS], MONTHS),
    "German, with the day": ([f"{day.day}. {GERMAN[day.month - 1]} {day.year}" for day in DAYS], DAYS),
    "years": ([day.year for day in YEARS], YEARS),
    "ISO with T and seconds": ([hour.isoformat() for hour in HOURS], HOURS),
    "ISO with Z": ([f"{hour.isoformat()}Z" for hour in HOURS], HOURS),
    "ISO with an offset": ([f"{hour.isoformat()}+02:00" for hour in HOURS], HOURS - pandas.Timedelta(hours=2)),
    "UTC in words": ([f"{hour:%Y-%m-%d %H:%M} UTC" for hour in HOURS], HOURS),
    "fractions now and then": ([f"{hour.isoformat()}{'.5' if hour.hour % 2 else ''}" for hour in HOURS], [hour + pandas.Timedelta(seconds=0.5 * (hour.hour % 2)) for hour in HOURS]),
    "dd.mm.yyyy hh:mm": ([f"{hour:%d.%m.%Y %H:%M}" for hour in HOURS], HOURS),
    "m/d/yyyy h:mm am": ([f"{hour.month}/{hour.day}/{hour.year} {hour.hour % 12 or 12}:{hour:%M} {hour:%p}" for hour in HOURS], HOURS),
    "midnight without a time": ([f"{hour:%d/%m/%Y %H:%M}".removesuffix(" 00:00") for hour in HOURS], HOURS),
    "seconds since 1970": ([int(hour.timestamp()) for hour in HOURS], HOURS),
    "milliseconds since 1970": ([int(hour.timestamp()) * 1000 for hour in HOURS], HOURS),
    "years of the last century": ([f"{day:%b-%y}" for day in pandas.date_range("1955-01-01", periods=N, freq="MS")], pandas.date_range("1955-01-01", periods=N, freq="MS")),
    "before 1677": ([f"{year}-01-01" for year in range(1500, 1500 + N)], [np.datetime64(f"{year}-01-01") for year in range(1500, 1500 + N)]),
}  # fmt: skip


@pytest.mark.parametrize("turned", [False, True], ids=["oldest first", "newest first"])
@pytest.mark.parametrize("name", WRITTEN)
def test_dates_as_people_write_them(name, turned, tmp_path):
    written, times = WRITTEN[name]
    separator = ";" if "," in str(written[0]) else ","
    content = lines(written[BACK] if turned else written, WAVE, head=f"date{separator}value", separator=separator)
    table = agrees(content, tmp_path, WAVE[BACK] if turned else WAVE, times)
    assert table.columns == ("value",)
    assert any("turned" in note for note in table.notes) == turned
    assert any("read as" in note for note in table.notes)


def test_excel_day_numbers(tmp_path):
    serials = [44197 + n for n in range(N)]
    agrees(lines(serials[BACK], WAVE, head="Datum,Wert"), tmp_path, WAVE[BACK], DAYS)
    hours = [round(44713 + n / 24, 6) for n in range(N)]
    assert agrees(lines(hours, WAVE, head="date,value"), tmp_path, WAVE, HOURS).columns == ("value",)


def test_date_and_time_in_two_columns(tmp_path):
    content = lines(
        [f"{hour:%d/%m/%Y}" for hour in HOURS[BACK]], [f"{hour:%H:%M:%S}" for hour in HOURS[BACK]], WAVE, head="Day,Clock,Load"
    )
    table = agrees(content, tmp_path, WAVE[BACK], HOURS)
    assert table.columns == ("Load",)


def test_year_month_and_day_in_three_columns(tmp_path):
    content = lines([d.year for d in DAYS], [d.month for d in DAYS], [d.day for d in DAYS], WAVE, head="year,month,day,rain")
    table = agrees(content, tmp_path, WAVE, DAYS)
    assert table.columns == ("rain",)
    hourly = lines(
        range(1, N + 1),
        [h.year for h in HOURS],
        [h.month for h in HOURS],
        [h.day for h in HOURS],
        [h.hour for h in HOURS],
        WAVE,
        head="No,year,month,day,hour,pm2.5",
    )
    assert agrees(hourly, tmp_path, WAVE, HOURS).columns == ("pm2.5",)


def test_dates_need_not_stand_first(tmp_path):
    agrees(lines(range(N), WAVE, ISO[BACK], head=",value,day"), tmp_path, WAVE[BACK], DAYS)
    agrees(lines(WAVE, ISO[BACK], head="value,when"), tmp_path, WAVE[BACK], DAYS)


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ([f"{hour:%H:%M}" for hour in HALF_HOURS], "no year"),
        ([f"{day.day}-{day:%b}" for day in DAYS], "no year"),
        ([f"{day:%b}" for day in MONTHS], "no year"),
        ([f"{day:%d.%m.}" for day in DAYS], "no year"),
    ],
)
def test_what_names_no_year_never_sorts(written, words, tmp_path):
    table = agrees(lines(written, WAVE, head="when,value"), tmp_path, WAVE)
    assert table.times is None
    assert any(words in note for note in table.notes)


def test_two_readings_that_are_as_good_are_refused_and_chosen_by_hand(tmp_path):
    content = lines([f"02/{day:02d}/2021" for day in range(1, 13)], WAVE[:12], head="date,value")
    words = r"'date' can be read in two ways, as dd/mm/yyyy \(day first\) or as mm/dd/yyyy \(month first\) \(line 2 reads '02/01/2021'\)"
    with pytest.raises(ValueError, match=words):
        table_file.read(content.encode())
    agrees(content, tmp_path, WAVE[:12], pandas.date_range("2021-02-01", periods=12), format="%m/%d/%Y")
    monthly = [np.datetime64(f"2021-{month:02d}-02") for month in range(1, 13)]
    agrees(content, tmp_path, WAVE[:12], monthly, format="%d/%m/%Y")


def test_shuffled_rows_are_sorted_and_that_is_said(tmp_path):
    order = np.random.default_rng(0).permutation(N)
    table = agrees(lines([ISO[n] for n in order], [WAVE[n] for n in order], head="date,value"), tmp_path, WAVE, DAYS)
    assert any("sorted" in note for note in table.notes)
    assert table.recipe.order == "dates"
    kept = agrees(
        lines([ISO[n] for n in order], [WAVE[n] for n in order], head="date,value"),
        tmp_path,
        [WAVE[n] for n in order],
        order="file",
    )
    assert any("as asked" in note for note in kept.notes)
    day_first = [f"{DAYS[n]:%d.%m.%Y}" for n in order]
    agrees(lines(day_first, comma(SIGNED[n] for n in order), head="Datum;Wert", separator=";"), tmp_path, SIGNED, DAYS)


def test_a_row_without_a_date_stays_where_it_is(tmp_path):
    written = [*ISO[:9], "", *ISO[10:]]
    table = agrees(lines(written[BACK], WAVE, head="date,value"), tmp_path, WAVE[BACK], DAYS)
    assert any("no date" in note for note in table.notes)
    order = np.random.default_rng(1).permutation(N)
    with pytest.raises(ValueError, match=r"line \d+ has no date"):
        table_file.read(lines([written[n] for n in order], WAVE, head="date,value").encode())


def test_a_cell_that_is_no_date_is_named():
    written = [*ISO[:20], "2021-02-30", *ISO[21:]]
    with pytest.raises(ValueError, match=r"'date' holds dates as yyyy-mm-dd, but line 22 reads '2021-02-30'"):
        table_file.read(lines(written, WAVE, head="date,value").encode())


def test_the_hour_that_comes_twice_keeps_the_files_order(tmp_path):
    local = pandas.date_range("2022-10-29 12:00", periods=N, freq="h", tz="UTC").tz_convert("Europe/Paris")
    written = [f"{hour:%d/%m/%Y %H:%M}" for hour in local]
    table = agrees(lines(written, WAVE, head="date,value"), tmp_path, WAVE)
    assert any("daylight saving" in note for note in table.notes)
    quarter = pandas.date_range("2022-10-29 20:00", periods=N, freq="15min", tz="UTC").tz_convert("Europe/Paris")
    agrees(lines([f"{hour:%Y-%m-%d %H:%M}" for hour in quarter[BACK]], WAVE, head="date,value"), tmp_path, WAVE[BACK])


@pytest.mark.parametrize("head", ["date,shop,sales", "date,store_id,sales"])
def test_several_series_in_one_column_are_offered(head, tmp_path):
    shops = ("A", "B", "C") if "shop" in head else (11, 12, 13)
    stacked = f"{head}\n" + "".join(f"{ISO[n]},{shop},{100 * k + WAVE[n]}\n" for k, shop in enumerate(shops) for n in range(12))
    mixed = f"{head}\n" + "".join(f"{ISO[n]},{shop},{100 * k + WAVE[n]}\n" for n in range(12) for k, shop in enumerate(shops))
    for content in (stacked, mixed):
        with pytest.raises(ValueError, match=rf"several series in one column: '{head.split(',')[1]}' names 3 of them"):
            table_file.read(content.encode())
    if "shop" in head:
        for content in (stacked, mixed):
            agrees(content, tmp_path, [100 + value for value in WAVE[:12]], DAYS[:12], series="B")


def test_series_below_each_other_with_dates_of_their_own_are_told():
    later = [f"{day:%Y-%m-%d}" for day in pandas.date_range("2021-01-25", periods=N)]
    content = lines([*later, *ISO], ["north"] * N + ["south"] * N, [*WAVE, *SIGNED], head="date,pier,level")
    with pytest.raises(ValueError, match="several series in one column: 'pier' names 2 of them"):
        table_file.read(content.encode())


def test_one_column_of_numbers_is_never_taken_for_its_dates(tmp_path):
    agrees(lines(range(1960, 1960 + N), head="level"), tmp_path, list(range(1960, 1960 + N)))
    agrees(
        lines(["a"] * N, [20210101 + n for n in range(9)] * (N // 9), head="mark,level"),
        tmp_path,
        [20210101 + n for n in range(9)] * (N // 9),
    )


def test_gaps_repeats_and_uneven_steps_are_said():
    def notes(written):
        return "; ".join(table_file.read(lines(written, WAVE[: len(written)], head="date,value").encode()).notes)

    assert "1 gap in the dates, about 4 rows missing at a step of 1 day" in notes([*ISO[:10], *ISO[14:]])
    assert "1 row repeats the date" in notes([*ISO[:10], ISO[9], *ISO[11:]])
    uneven = pandas.Timestamp("2021-01-01") + pandas.to_timedelta(
        np.cumsum(np.random.default_rng(2).integers(100, 90_000, N)), unit="s"
    )
    assert "unevenly spaced" in notes([f"{one:%Y-%m-%d %H:%M:%S}" for one in uneven])
    assert "gap" not in notes([f"{day:%Y-%m-%d}" for day in pandas.bdate_range("2021-01-04", periods=N)])
    assert "gap" not in notes([f"{day:%Y-%m-%d}" for day in MONTHS])
    assert "about 1 row missing at a step of 1 month" in notes([f"{day:%Y-%m}" for n, day in enumerate(MONTHS) if n != 20])


def test_dates_in_a_workbook(tmp_path):
    frame = pandas.DataFrame({"when": DAYS[BACK], "value": WAVE, "n": COUNTS})
    stream = io.BytesIO()
    frame.to_excel(stream, index=False)
    table = agrees(stream.getvalue(), tmp_path, np.stack([WAVE[BACK], COUNTS[BACK]], 1), DAYS)
    assert table.columns == ("value", "n")
