"""Numbers in files: all cells of a column are parsed in one way; right values, or a refusal that names line and cell."""

from __future__ import annotations

import numpy as np
import pytest

from rnn_core.data.series import table_file
from tests.data.table_files import COUNTS, DAYS, ISO, SIGNED, WAVE, N, agrees, comma, lines

SMALL = [round(0.1 + 0.013 * n, 3) for n in range(N)]
BIG = [1_000_000 + 137_731 * n for n in range(N)]


def german(value: float, places: int = 2) -> str:
    return f"{value:,.{places}f}".translate({44: ".", 46: ","})


WRITTEN = {  # cells, separator, values
    "thousands with commas, quoted": ([f'"{n:,}"' for n in COUNTS], ",", COUNTS),
    "thousands with commas, between bars": ([f"{n:,}" for n in COUNTS], "|", COUNTS),
    "millions with commas": ([f'"{n:,}"' for n in BIG], ",", BIG),
    "lakhs": ([f'"{n // 100000},{n // 1000 % 100:02d},{n % 1000:03d}"' for n in BIG], ",", BIG),
    "thousands with points, decimal comma": ([german(n + 0.25) for n in COUNTS], ";", [n + 0.25 for n in COUNTS]),
    "thousands with points, whole": ([german(n, 0) for n in COUNTS], ";", COUNTS),
    "millions with points": ([german(n, 0) for n in BIG], ";", BIG),
    "thousands with spaces": ([f"{n:,}".replace(",", " ") for n in COUNTS], ";", COUNTS),
    "thousands with no-break spaces and decimal commas": ([f"{n + 0.5:,}".replace(",", "\u00a0").replace(".", ",") for n in COUNTS], ";", [n + 0.5 for n in COUNTS]),
    "thousands with narrow spaces": ([f"{n:,}".replace(",", "\u202f") for n in BIG], ",", BIG),
    "Swiss apostrophes": ([f"{n + 0.5:,}".replace(",", "'") for n in COUNTS], ",", [n + 0.5 for n in COUNTS]),
    "decimal comma, quoted": ([f'"{cell}"' for cell in comma(SIGNED)], ",", SIGNED),
    "decimal comma between tabs": (comma(SIGNED), "\t", SIGNED),
    "decimal comma, three places, some below one": ([f"{value:.3f}".replace(".", ",") for value in SMALL], ";", SMALL),
    "four decimals": ([f"{value:.4f}" for value in SIGNED], ";", SIGNED),
    "typographic minus": ([str(value).replace("-", "\u2212") for value in SIGNED], ",", SIGNED),
    "en dash for minus": ([str(value).replace("-", "\u2013") for value in SIGNED], ",", SIGNED),
    "brackets": ([f"({-value})" if value < 0 else value for value in SIGNED], ",", SIGNED),
    "brackets and dollars": ([f"(${-value:.2f})" if value < 0 else f"${value:.2f}" for value in SIGNED], ",", SIGNED),
    "minus behind": ([f"{-value}-" if value < 0 else value for value in SIGNED], ",", SIGNED),
    "plus signs": ([f"{value:+}" for value in SIGNED], ",", SIGNED),
    "euros behind": ([f"{cell} €" for cell in comma(WAVE)], ";", WAVE),
    "euros before, thousands": ([f'"€{n:,}"' for n in COUNTS], ",", COUNTS),
    "minus before the dollar": ([f"-${-value}" if value < 0 else f"${value}" for value in SIGNED], ",", SIGNED),
    "a code for the currency": ([f"USD {value}" for value in WAVE], ",", WAVE),
    "per cent": ([f"{value}%" for value in SIGNED], ",", SIGNED),
    "per cent, decimal comma, a space": ([f"{cell} %" for cell in comma(SIGNED)], ";", SIGNED),
    "K and M": ([f"{n}K" if k % 2 else f"{n / 1000}M" for k, n in enumerate(COUNTS)], ",", [n * 1000 for n in COUNTS]),
    "M and B with dollars": ([f"${n}M" if k % 2 else f"${n / 1000}B" for k, n in enumerate(COUNTS)], ",", [n * 1e6 for n in COUNTS]),
    "units in cells": ([f"{value} kg" for value in WAVE], ",", WAVE),
    "degrees": ([f"{value}°C" for value in SIGNED], ",", SIGNED),
    "cubic metres": ([f"{cell} m³/s" for cell in comma(WAVE)], ";", WAVE),
    "exponents": ([f"{value:.3e}" for value in WAVE], ",", [float(f"{value:.3e}") for value in WAVE]),
    "no zero before the point": ([str(value).replace("0.", ".") for value in SMALL], ",", SMALL),
    "padded with spaces": ([f"  {value:>8} " for value in WAVE], ",", WAVE),
}  # fmt: skip


@pytest.mark.parametrize("name", WRITTEN)
def test_numbers_as_people_write_them(name, tmp_path):
    cells, separator, values = WRITTEN[name]
    agrees(lines(ISO, cells, head=f"date{separator}value", separator=separator), tmp_path, values, DAYS)


def test_one_column_with_decimal_commas(tmp_path):
    agrees("Wert\n" + "\n".join(comma(WAVE)), tmp_path, WAVE)
    agrees("\n".join(comma([f"{value:.2f}" for value in WAVE[:9]] + ["7.05"])), tmp_path, [*WAVE[:9], 7.05])
    with pytest.raises(ValueError, match="one number with a decimal comma, or two whole numbers"):
        table_file.read("\n".join(comma(WAVE)).encode())


def test_without_names_a_decimal_comma_stays_one(tmp_path):
    agrees("49,0;3,7\n51,5;3,9\n48,5;4,1\n50,0;4,0\n", tmp_path, [(49.0, 3.7), (51.5, 3.9), (48.5, 4.1), (50.0, 4.0)])


def test_decimal_commas_between_commas_are_refused():
    with pytest.raises(
        ValueError, match=r"line 1 names 2 columns, but the rows have 3 cells: where the comma is the decimal sign"
    ):
        table_file.read(lines(ISO, comma(WAVE), head="date,value").encode())


@pytest.mark.parametrize("word", ["", "NA", "n/a", "-", "NULL", "#N/A", "k.A.", "?", "closed", "–"])
def test_blanks_and_words_for_missing_are_filled_and_counted(word, tmp_path):
    cells = [word if n in (4, 5, 30) else value for n, value in enumerate(WAVE)]
    wanted = [np.nan if n in (4, 5, 30) else value for n, value in enumerate(WAVE)]
    table = agrees(lines(ISO, cells, head="date,value"), tmp_path, wanted, DAYS)
    assert any("3 missing cells" in note for note in table.notes)
    np.testing.assert_allclose(table.values[[4, 5], 0], WAVE[3] + (WAVE[6] - WAVE[3]) * np.array([1, 2]) / 3)
    assert any("'closed' in 'value' counts as missing" in note for note in table.notes) == (word == "closed")


REFUSED = {
    "decimal points and commas": ([str(v) if n % 2 else str(v).replace(".", ",") for n, v in enumerate(WAVE)], ";", r"'value' mixes decimal points, as in line 3 .*, and decimal commas, as in line 2"),
    "a cell with a letter": ([*WAVE[:9], "45.2*", *WAVE[10:]], ",", r"'value' holds numbers, but line 11 reads '45.2\*'"),
    "below the limit": ([*WAVE[:9], "<0.5", *WAVE[10:]], ",", r"line 11 reads '<0.5'"),
    "kilograms and grams": ([f"{v} {'kg' if n % 2 else 'g'}" for n, v in enumerate(WAVE)], ",", r"'value' mixes 'g' and 'kg'"),
    "euros and dollars": ([f"{'€' if n % 2 else '$'}{v}" for n, v in enumerate(WAVE)], ",", r"'value' mixes"),
    "per cent now and then": ([f"{v}%" if n % 3 else v for n, v in enumerate(WAVE)], ",", r"cells with and without '%': line 2"),
    "a formula": ([*WAVE[:9], "=B2+1", *WAVE[10:]], ",", r"line 11 reads '=B2\+1': export the formulas' values"),
    "too large": ([*WAVE[:9], "1e999", *WAVE[10:]], ",", r"line 11 reads '1e999'"),
    "two points": ([*WAVE[:9], "1.2.3", *WAVE[10:]], ",", r"line 11 reads '1.2.3'"),
    "digits of another script": ([*WAVE[:9], "٣", *WAVE[10:]], ",", r"line 11 reads '٣'"),
    "underscores": ([*WAVE[:9], "1_000", *WAVE[10:]], ",", r"line 11 reads '1_000'"),
    "thousands or thousandths, commas": ([f"{1 + n},{100 + 7 * n}" for n in range(N)], ";", r"'value' can be read in two ways: line 2 \('1,100'\) is 1100 or 1.100"),
    "thousands or thousandths, points": ([f"{1 + n}.{100 + 7 * n}" for n in range(N)], ";", r"'value' can be read in two ways: line 2 \('1.100'\) is 1100 or 1.100"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_cells_that_contradict_each_other_are_named(name):
    cells, separator, words = REFUSED[name]
    with pytest.raises(ValueError, match=words) as caught:
        table_file.read(lines(ISO, cells, head=f"date{separator}value", separator=separator).encode())
    assert "\n" not in str(caught.value)


def test_two_ways_to_read_a_number_are_settled_by_hand_or_by_another_column(tmp_path):
    cells, values = [f"{1 + n}.{100 + 7 * n}" for n in range(N)], [1000 * (1 + n) + 100 + 7 * n for n in range(N)]
    content = lines(ISO, cells, head="date;value", separator=";")
    agrees(content, tmp_path, values, DAYS, decimal=",")
    agrees(content, tmp_path, [value / 1000 for value in values], DAYS, decimal=".")
    both = lines(ISO, cells, comma(SIGNED), head="date;value;other", separator=";")
    agrees(both, tmp_path, np.stack([values, SIGNED], 1), DAYS)


def test_values_far_outside_are_kept_and_said(tmp_path):
    for code in (-200, -9999, 1e20, 99999):
        values = [code if n in (3, 17) else value for n, value in enumerate(WAVE)]
        table = agrees(lines(ISO, values, head="date,value"), tmp_path, values, DAYS)
        assert any(f"'value' has {code:.10g} in 2 cells, far outside the rest" in note for note in table.notes)
        wanted = [np.nan if n in (3, 17) else value for n, value in enumerate(WAVE)]
        agrees(lines(ISO, values, head="date,value"), tmp_path, wanted, DAYS, missing=str(code))
    wide = [-200 if n % 9 == 4 else 90 * value for n, value in enumerate(SIGNED)]
    assert not any("far outside" in note for note in table_file.read(lines(ISO, wide, head="date,value").encode()).notes)


def test_text_columns_are_left_out_and_said(tmp_path):
    content = lines(ISO, [f"A{n}" for n in range(N)], WAVE, ["sunny", "rain"] * (N // 2), head="date,code,value,sky")
    table = agrees(content, tmp_path, WAVE, DAYS)
    assert any("'code' (it holds cells such as 'A0'), 'sky' (it holds text such as 'sunny')" in note for note in table.notes)
