"""Which lines of a file are rows, what names the columns, encodings and containers."""

from __future__ import annotations

import gzip
import io
import zipfile

import numpy as np
import pandas
import pytest

from rnn_core.data.series import table_file
from tests.data.table_files import COUNTS, DAYS, ISO, SIGNED, WAVE, N, agrees, comma, lines

PLAIN = lines(ISO, WAVE, COUNTS, head="date,temperature,flow")
BOTH = np.stack([WAVE, COUNTS], 1)
GERMAN = lines(ISO, comma(WAVE), COUNTS, head="Datum;Temperatur;Abfluß", separator=";")

AROUND = {  # content, what the notes say
    "as it is": (PLAIN, ""),
    "a title": ("River station 7\n" + PLAIN, "line 1 above the table was left out: 'River station 7'"),
    "a title with commas": ("River, at the bridge, north\n\n" + PLAIN, "above the table was left out"),
    "a long preamble": ("Station: 7\nOwner: none\nLatitude: 51.2, 7.1\nHeight: 120\n\n" + PLAIN, "above the table were left out"),
    "a padded title": ("River station 7,,\nWritten 2021-02-02,,\n,,\n" + PLAIN, "above the table were left out"),
    "comments": ("# River station 7\n# in Celsius, in m3/s\n" + PLAIN, "above the table were left out: '# River"),
    "comments inside": (PLAIN.replace(f"{ISO[9]},", f"# the sensor was cleaned\n{ISO[9]},"), "1 comment line inside"),
    "sep=": ("sep=;\n" + GERMAN, "line 1 above the table was left out: 'sep=;'"),
    "sep=, and a mark": ("\ufeffsep=,\n" + PLAIN, "left out"),
    "units": (PLAIN.replace("flow\n", "flow\n,°C,m³/s\n"), "a line of units was left out"),
    "units in brackets": (PLAIN.replace("flow\n", "flow\n[yyyy-mm-dd],[degC],[m3/s]\n"), "a line of units was left out"),
    "units as letters": (PLAIN.replace("flow\n", "flow\n,C,l/s\n"), "a line of units was left out"),
    "two lines of names": (PLAIN.replace("date,", "station 7,upper,lower\ndate,"), "names are in 2 lines"),
    "three lines of names": (PLAIN.replace("date,temperature,flow", "Measure,temperature,flow\nStation,S7,S7\ndate,,"), "names are in 3 lines"),
    "a total": (PLAIN + f"Total,{sum(WAVE):.1f},{sum(COUNTS)}\n", "below the table was left out: 'Total"),
    "a mean and a sum": (PLAIN + f"Mean,{np.mean(WAVE):.3f},{np.mean(COUNTS):.3f}\nSum,{sum(WAVE):.1f},{sum(COUNTS)}\n", "below the table were left out"),
    "a total without a word": (PLAIN + f",{sum(WAVE):.1f},{sum(COUNTS)}\n", "total"),
    "a footer": (PLAIN + "\nSource: the river, 2021\nAll rights reserved\n", "below the table were left out: 'Source"),
    "subtotals": (PLAIN.replace(f"{ISO[20]},", f"Subtotal,812.1,9000\n{ISO[20]},"), "rows with totals were left out: line 22"),
    "names again": (PLAIN.replace(f"{ISO[20]},", f"date,temperature,flow\n{ISO[20]},"), "1 line that repeats the names was left out, the first is line 22"),
    "blank lines inside": (PLAIN.replace(f"{ISO[20]},", f"\n\n{ISO[20]},"), "2 blank lines inside"),
    "rows of commas at the end": (PLAIN + ",,\n,,\n,,\n", ""),
    "a comma at the end of every row": (PLAIN.replace("\n", ",\n"), ""),
    "a comma at the end of the rows alone": (PLAIN.replace("\n", ",\n").replace("flow,", "flow"), ""),
    "ends of Windows": (PLAIN.replace("\n", "\r\n"), ""),
    "ends of old Macs": (PLAIN.replace("\n", "\r"), ""),
    "all cells quoted": ("\n".join(",".join(f'"{cell}"' for cell in line.split(",")) for line in PLAIN.splitlines()), ""),
    "spaces after commas": (PLAIN.replace(",", ", "), ""),
    "quotes after spaces": (PLAIN.replace("temperature", ' "temperature"').replace(f"{ISO[3]},", f'{ISO[3]}, "" "'[:-4]), ""),
    "white space between cells": (PLAIN.replace(",", "   "), ""),
    "aligned columns": ("\n".join("{:<12}{:>14}{:>8}".format(*line.split(",")) for line in PLAIN.splitlines()), ""),
    "tabs": (PLAIN.replace(",", "\t"), ""),
    "bars": (PLAIN.replace(",", "|"), ""),
    "decimal commas": (GERMAN, "the comma is the decimal sign"),
    "a comment that names": ("# date temperature flow\n" + PLAIN.split("\n", 1)[1].replace(",", " "), ""),
    "row numbers": ("\n".join(f"{n + 99 if n else ''},{line}" for n, line in enumerate(PLAIN.splitlines())), "only counts the rows"),
    "row numbers that R writes": ("\n".join(f'"{n}" {line}' if n else line for n, line in enumerate(PLAIN.replace(",", " ").splitlines())), ""),
    "no names": (PLAIN.split("\n", 1)[1], ""),
    "text beside": ("\n".join(f"{line},{'note' if not n else 'fine, dry'[: 4 + n % 2]}" for n, line in enumerate(PLAIN.splitlines())), "left out"),
}  # fmt: skip


@pytest.mark.parametrize("name", AROUND)
def test_only_the_tables_lines_are_rows(name, tmp_path):
    content, said = AROUND[name]
    table = agrees(content, tmp_path, BOTH, DAYS)
    assert said in "; ".join(table.notes)
    if name != "no names":
        names = [column.lower() for column in table.columns]
        assert "temperat" in names[0]
        assert any(word in names[1] for word in ("flow", "abflu")), names


NAMES = {
    "years": ("date,2019,2020", ("2019", "2020")),
    "numbers": ("date,7,12", ("7", "12")),
    "one is a number": ("date,x,12", ("x", "12")),
    "twice the same": ("date,x,x", ("x", "x (3)")),
    "none for one": ("date,,y", ("column 2", "y")),
    "a comma in quotes": ('date,"x, raw",y', ("x raw", "y")),
    "nothing above the dates": (",101,102", ("101", "102")),
}


@pytest.mark.parametrize("name", NAMES)
def test_names(name, tmp_path):
    head, names = NAMES[name]
    assert agrees(lines(ISO, WAVE, COUNTS, head=head), tmp_path, BOTH, DAYS).columns == names


def test_numbers_above_numbers_are_names_where_they_count(tmp_path):
    content = lines(WAVE, SIGNED, SIGNED[::-1], head="0,1,2")
    table = agrees(content, tmp_path, np.stack([WAVE, SIGNED, SIGNED[::-1]], 1))
    assert table.columns == ("0", "1", "2")
    assert any("were read as names, though they are numbers" in note for note in table.notes) or any(
        "was read as names" in note for note in table.notes
    )


def test_names_again_in_a_file_without_dates(tmp_path):
    agrees(lines(WAVE[:9], head="value") + lines(WAVE[9:], head="value"), tmp_path, WAVE)


ENCODED = {
    "UTF-8 with a mark": GERMAN.encode("utf-8-sig"),
    "UTF-16": GERMAN.encode("utf-16"),
    "UTF-16, big end first, no mark": GERMAN.encode("utf-16-be"),
    "UTF-16, little end first, no mark": GERMAN.encode("utf-16-le"),
    "Western Windows": GERMAN.replace("Temperatur", "Temperatur in €").encode("cp1252"),
    "Latin-1": GERMAN.replace("Temperatur", "Temperatur \x81").encode("latin-1"),
    "gzip": gzip.compress(GERMAN.encode()),
    "gzip, Western Windows": gzip.compress(GERMAN.encode("cp1252")),
    "no-break spaces": GERMAN.replace(";", "\u00a0;").encode(),
}


@pytest.mark.parametrize("name", ENCODED)
def test_encodings(name, tmp_path):
    table = agrees(ENCODED[name], tmp_path, BOTH, DAYS)
    assert table.columns[1] == "Abfluß"
    assert ("€" in table.columns[0]) == (name == "Western Windows")


def workbook(**sheets: list[list[object]]) -> bytes:
    stream = io.BytesIO()
    with pandas.ExcelWriter(stream, engine="openpyxl") as writer:
        for name, rows in sheets.items():
            pandas.DataFrame(rows).to_excel(writer, sheet_name=name, header=False, index=False)
    return stream.getvalue()


def test_workbooks(tmp_path):
    rows = [
        ["River station 7", None, None],
        [None] * 3,
        ["day", "t", "f"],
        *[[day.to_pydatetime(), *row] for day, row in zip(DAYS, BOTH.tolist(), strict=True)],
    ]
    content = workbook(river=rows, other=[["x"], [1.5], [2.5], [4.0]])
    table = agrees(content, tmp_path, BOTH, DAYS)
    assert table.columns == ("t", "f")
    assert any("the sheet 'river' was read, the first of 2" in note for note in table.notes)
    agrees(content, tmp_path, [1.5, 2.5, 4.0], sheet="other")
    with pytest.raises(ValueError, match="no sheet 'third'; it has river, other"):
        table_file.read(content, {"sheet": "third"})
    texts = workbook(
        a=[["Datum", "Wert"], *[[f"{day:%d.%m.%Y}", cell] for day, cell in zip(DAYS[::-1], comma(WAVE), strict=True)]]
    )
    agrees(texts, tmp_path, WAVE[::-1], DAYS)


def zipped(**files: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "/"), content)
    return stream.getvalue()


REFUSED = {
    "a web page": (b"<!DOCTYPE html>\n<html><body>1,2</body></html>", "a web page or XML"),
    "JSON": (b'[{"date": "2021-01-01", "value": 1}]', "JSON"),
    "old Excel": (b"\xd0\xcf\x11\xe0" + bytes(500), r"an old Excel workbook \(.xls\)"),
    "PDF": (b"%PDF-1.4\n1,2\n3,4\n", "a PDF document"),
    "Parquet": (b"PAR1" + bytes(100), "a Parquet file"),
    "a zip": (zipped(a=b"1,2\n3,4\n"), "a zip archive, not a table"),
    "a damaged zip": (b"PK\x03\x04" + bytes(200), "a damaged archive"),
    "a damaged workbook": (zipped(xl__workbook=b"", **{"xl__workbook.xml": b"<x"}), "cannot be read|is damaged"),
    "a bomb": (gzip.compress(b"1\n" * 4_000_000), "more than the 5 MB"),
    "a bomb of a workbook": (zipped(**{"xl__workbook.xml": b"<x/>", "xl__worksheets__sheet1.xml": b" " * 40_000_000}), "more than the 10"),
    "a gzip cut short": (gzip.compress(PLAIN.encode())[:-30], "cut short"),
    "years across": ("Land,2001,2002,2003\n" + "".join(f"L{n},{n},{2 * n},{n + 5}\n" for n in range(9)), "is a column"),
    "months across": ("Year,Jan,Feb,Mar,Apr,May,Jun,Jul,Aug,Sep,Oct,Nov,Dec\n" + "".join(f"{1990 + n}{',1.5' * 12}\n" for n in range(9)), "each month is a column"),
    "years across, months down": ("Month,2018,2019,2020\n" + "".join(f"{m},{n},{2 * n},{n + 5}\n" for n, m in enumerate(("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul"))), "is a column"),
    "dates across": ("Land," + ",".join(ISO) + "\n" + "".join(f"L{n}," + ",".join(map(str, COUNTS)) + "\n" for n in range(5)), "is a column"),
    "two tables": (PLAIN + "\n\nmonth,rain,sun\n" + "\n".join(f"{n},{n * 3 % 7},{n * 5 % 9}" for n in range(1, 13)), "more than one table: another begins at line 40"),
    "a line too long": (PLAIN.replace(f"{ISO[9]},", f"{ISO[9]},1,2,3,"), r"line 11 of the file has 6 cells, the others have 3"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_table_is_refused_by_name(name):
    content, words = REFUSED[name]
    with pytest.raises(ValueError, match=words) as caught:
        table_file.read(content.encode() if isinstance(content, str) else content)
    assert "\n" not in str(caught.value)


def test_overrides_are_checked():
    with pytest.raises(ValueError, match="'colour' is not an option for reading a table"):
        table_file.read(PLAIN.encode(), {"colour": "red"})
    with pytest.raises(ValueError, match="no column 'when' for the dates; it has 'date'"):
        table_file.read(PLAIN.encode(), {"dates": "when"})
    assert table_file.read(PLAIN.encode(), {"dates": "none"}).times is None


def test_a_recipe_fits_its_file_alone():
    recipe = table_file.read(PLAIN.encode()).recipe
    with pytest.raises(ValueError, match="cannot be read by this recipe"):
        table_file.apply(recipe, PLAIN[:400].encode())
    with pytest.raises(ValueError, match="not a recipe for a table"):
        table_file.Recipe.from_json("{}")
    assert len(ISO) == N
