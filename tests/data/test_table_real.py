"""Files in the layouts of well-known sources: values, order and dates are read correctly; the numbers are invented."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas
import pytest

from rnn_core.data.series import table_file
from tests.data.table_files import COUNTS, WAVE, N, agrees

BACK = slice(None, None, -1)
HOURS = pandas.date_range("2004-03-10 18:00", periods=N, freq="h")
MINUTES = pandas.date_range("2006-12-16 17:24", periods=N, freq="min")
MONTHS = pandas.date_range("1949-01-01", periods=N, freq="MS")
QUARTERS = pandas.date_range("1990-01-01", periods=N, freq="QS")
DAYS = pandas.date_range("2021-12-01", periods=N)
GERMAN = ("Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November", "Dezember")


def comma(value: float) -> str:
    return str(value).replace(".", ",")


def german(value: float) -> str:
    return f"{value:,.2f}".translate({44: ".", 46: ","})


def joined(head: str, row: Callable[[int], str], tail: str = "") -> str:
    return head + "".join(f"{row(n)}\n" for n in range(N)) + tail


def air_quality() -> tuple[str, object, object]:
    def row(n: int) -> str:
        return f"{HOURS[n]:%d/%m/%Y};{HOURS[n]:%H.%M.%S};{comma(WAVE[n]) if n % 9 else -200};{COUNTS[n]};;"

    values = [(WAVE[n] if n % 9 else -200, COUNTS[n]) for n in range(N)]
    return joined("Date;Time;CO(GT);PT08;;\n", row, ";;;;;\n" * 9), values, HOURS


def household_power() -> tuple[str, object, object]:
    def row(n: int) -> str:
        day = f"{MINUTES[n].day}/{MINUTES[n].month}/{MINUTES[n].year};{MINUTES[n]:%H:%M:%S}"
        return f"{day};?;?" if n == 7 else f"{day};{WAVE[n] / 50:.3f};{234 + WAVE[n] / 100:.3f}"

    values = [(np.nan, np.nan) if n == 7 else (round(v / 50, 3), round(234 + v / 100, 3)) for n, v in enumerate(WAVE)]
    return joined("Date;Time;Global_active_power;Voltage\n", row), values, MINUTES


def electricity() -> tuple[str, object, object]:
    content = joined('"";"MT_001";"MT_002"\n', lambda n: f'"{HOURS[n]:%Y-%m-%d %H:%M:%S}";{comma(WAVE[n])};0,0000{n % 10}')
    return content, [(WAVE[n], n % 10 / 1e5) for n in range(N)], HOURS


def passengers() -> tuple[str, object, object]:
    tail = '\n"International airline passengers: monthly totals in thousands. Jan 49 ? Dec 60",\n'
    return joined('"Month","Passengers"\n', lambda n: f'"{MONTHS[n]:%Y-%m}",{COUNTS[n]}', tail), COUNTS, MONTHS


def sunspots() -> tuple[str, object, object]:
    def row(n: int) -> str:
        return f"{MONTHS[n].year};{MONTHS[n].month:02d};{MONTHS[n].year + (MONTHS[n].month - 0.5) / 12:.3f};{WAVE[n]:6.1f};{COUNTS[n]:5d}"

    return joined("", row), np.stack([WAVE, COUNTS], 1), MONTHS


def carbon_dioxide() -> tuple[str, object, object]:
    def row(n: int) -> str:
        return f"{MONTHS[n].year},{MONTHS[n].month},{MONTHS[n].year + MONTHS[n].month / 12:.4f},{300 + WAVE[n]:.2f}"

    return (
        joined("# use of data, please\n# cite\n#\nyear,month,decimal date,average\n", row),
        [round(300 + v, 2) for v in WAVE],
        MONTHS,
    )


def prices() -> tuple[str, object, object]:
    def row(n: int) -> str:
        return f'"{DAYS[BACK][n]:%m/%d/%Y}","{COUNTS[n] * 10:,.1f}","{COUNTS[n] / 100:.2f}{"K" if n % 2 else "M"}","{WAVE[n] - 50:.2f}%"'

    values = [
        (10 * c, round(c / 100, 2) * (1e3 if n % 2 else 1e6), round(v - 50, 2))
        for n, (c, v) in enumerate(zip(COUNTS, WAVE, strict=True))
    ]
    return joined('"Date","Price","Vol.","Change %"\n', row), values[::-1], DAYS


def consumer_prices() -> tuple[str, object, object]:
    def row(n: int) -> str:
        return f"{MONTHS[n].year};{GERMAN[MONTHS[n].month - 1]};{comma(WAVE[n])}"

    return (
        joined("Preisindex\n;;\nJahr;Monat;Index\n", row, "__________\n© Amt, Wiesbaden 2024\nStand: 12.03.2024\n"),
        WAVE,
        MONTHS,
    )


def quarters_below_years() -> tuple[str, object, object]:
    content = joined(
        '"Title","GDP"\n"CDID","ABMI"\n"Unit","m"\n', lambda n: f'"{QUARTERS[n].year} Q{QUARTERS[n].quarter}","{COUNTS[n]}"'
    )
    return content, COUNTS, QUARTERS


def spans_of_time() -> tuple[str, object, object]:
    def row(n: int) -> str:
        return f'"{HOURS[n]:%d.%m.%Y %H:%M} - {HOURS[n] + pandas.Timedelta(hours=1):%d.%m.%Y %H:%M}","{COUNTS[n]}"'

    return joined('"MTU (CET/CEST)","Load [MW]"\n', row), COUNTS, HOURS


def two_dates_a_row() -> tuple[str, object, object]:
    def row(n: int) -> str:
        return f"{HOURS[n]:%d.%m.%Y %H:%M};{HOURS[n] + pandas.Timedelta(hours=1):%d.%m.%Y %H:%M};{german(10 * COUNTS[n] + 0.25)}"

    return joined("Datum von;Datum bis;Netzlast [MWh]\n", row), [10 * count + 0.25 for count in COUNTS], HOURS


def daily_sales() -> tuple[str, object, object]:
    def row(n: int) -> str:
        return f"{DAYS[BACK][n]:%d/%m/%Y};{german(10 * COUNTS[n] + 0.25)};{COUNTS[n]}"

    total = f"Gesamt;{german(10 * sum(COUNTS))};{sum(COUNTS)}\n"
    values = [(10 * count + 0.25, count) for count in COUNTS]
    return joined("Verkäufe;;\n;;\nDatum;Umsatz in €;Kunden\n", row, total), values[::-1], DAYS


def weather_service() -> tuple[str, object, object]:
    def row(n: int) -> str:
        return f"       44;{DAYS[n]:%Y%m%d};{'-999' if n in (3, 4) else f'{WAVE[n]:6.1f}'};eor"

    return joined("STATIONS_ID;MESS_DATUM;  FX;eor\n", row), [(44, -999 if n in (3, 4) else v) for n, v in enumerate(WAVE)], DAYS


SOURCES = (
    *(air_quality, household_power, electricity, passengers, sunspots, carbon_dioxide, prices, consumer_prices),
    *(quarters_below_years, spans_of_time, two_dates_a_row, daily_sales, weather_service),
)  # fmt: skip


@pytest.mark.parametrize("source", SOURCES)
def test_files_as_sources_lay_them_out(source, tmp_path):
    content, values, times = source()
    table = agrees(content, tmp_path, values, times)
    assert table.notes


def test_hours_in_numbers_beside_the_day(tmp_path):
    def content(clock: Callable[[pandas.Timestamp], object], name: str) -> str:
        return joined(f"day,{name},load\n", lambda n: f"{HOURS[BACK][n]:%d/%m/%Y},{clock(HOURS[BACK][n])},{WAVE[n]}")

    for clock, name in (
        (lambda hour: hour.hour, "hour"),
        (lambda hour: hour.hour + 1, "HE"),
        (lambda hour: f"{hour:%H%M}", "time"),
    ):
        table = agrees(content(clock, name), tmp_path, WAVE[BACK], HOURS)
        assert any("1 to 24" in note for note in table.notes) == (name == "HE")


def test_a_duration_is_no_time_of_day(tmp_path):
    content = joined("date,steps,sleep\n", lambda n: f"{DAYS[n]:%Y-%m-%d},{COUNTS[n]},7:{n:02d}")
    table = agrees(content, tmp_path, COUNTS, DAYS)
    assert any("left out, being times of day" in note for note in table.notes)


def test_months_across_are_refused():
    head = "Land-Ocean: Global Means\nYear,Jan,Feb,Mar,Apr,May,Jun,Jul,Aug,Sep,Oct,Nov,Dec,J-D\n"
    with pytest.raises(ValueError, match="each month is a column"):
        table_file.read((head + "".join(f"{1880 + n}{',.1' * 12},***\n" for n in range(N))).encode())
