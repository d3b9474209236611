"""Decodes a file's bytes to lines of text: containers (gzip, xlsx) and encodings. Other types of file are refused by name."""

from __future__ import annotations

import io
import re
import warnings
import zipfile
import zlib
from dataclasses import dataclass

import pandas

MOST_BYTES = 5_000_000
MOST_SHEET_BYTES = 10_000_000  # of XML in one sheet: about two seconds of reading

_KNOWN = {
    b"%PDF": "a PDF document",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"GIF8": "a picture",
    b"PAR1": "a Parquet file",
    b"\x89HDF": "an HDF5 file",
    b"CDF": "a NetCDF file",
    b"SQLite format 3": "an SQLite database",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook (.xls)",
    b"\x93NUMPY": "a NumPy array",
    b"7z\xbc\xaf": "a 7z archive",
    b"BZh": "a bzip2 archive",
    b"\xfd7zXZ": "an xz archive",
}


@dataclass(frozen=True, eq=False)
class Text:
    """The lines of a file, and how they were decoded."""

    container: str  # "text", "gzip" or "xlsx"
    encoding: str  # Python's name; "" for xlsx
    sheet: str  # the xlsx sheet's name; "" otherwise
    lines: bytes  # UTF-8 with "\\n" at the end of lines; an xlsx sheet's cells are separated by tabs
    notes: tuple[str, ...]  # what was decided
    cells: pandas.DataFrame | None = None  # an xlsx sheet's cells as texts


def open_text(content: bytes, encoding: str = "", sheet: str = "") -> Text:
    """Decodes a file.

    Raises ValueError if it is too large, empty, or not text.
    """
    if len(content) > MOST_BYTES:
        raise ValueError(f"the file has {len(content):,} bytes, more than the 5 MB that are read")
    if content[:2] == b"\x1f\x8b":
        return _decode(_unpack(content), "gzip", encoding)
    if content[:4] == b"PK\x03\x04":
        return _sheet(content, sheet)
    return _decode(content, "text", encoding)


def _unpack(content: bytes) -> bytes:
    parts, size = [], 0
    try:
        while content[:2] == b"\x1f\x8b":  # a gzip file may hold several members
            stream = zlib.decompressobj(31)
            parts.append(stream.decompress(content, MOST_BYTES + 1 - size))
            size += len(parts[-1])
            if size > MOST_BYTES or stream.unconsumed_tail:
                raise ValueError("the gzip file holds more than the 5 MB that are read")
            if not stream.eof:
                raise ValueError("the gzip file is cut short: download it again")
            content = stream.unused_data
    except zlib.error as reason:
        raise ValueError(f"the gzip file is damaged ({reason}): download it again") from None
    return b"".join(parts)


def _decode(content: bytes, container: str, wanted: str) -> Text:
    for start, what in _KNOWN.items():
        if content.startswith(start):
            raise ValueError(f"the file is not text but {what}: save the table as CSV or .xlsx")
    encoding = wanted or _encoding(content)
    try:
        text = content.decode(encoding)
    except (UnicodeDecodeError, LookupError):
        raise ValueError(f"the file is not text in the encoding {encoding}: save the table as CSV in UTF-8") from None
    head = text[:4000]
    if (
        "\0" in text
        or sum(not letter.isprintable() and letter not in "\r\n\t\ufeff\xa0\u202f\u2009\f" for letter in head) > len(head) // 20
    ):
        raise ValueError("the file is not text: save the table as CSV")
    if not text.strip("\ufeff \r\n\t;,|\xa0"):
        raise ValueError("the file is empty")
    if re.match(r"\ufeff?\s*(<!doctype|<html|<\?xml|<table)", text, re.IGNORECASE):
        raise ValueError("the file is a web page or XML, not a table: line 1 starts with '<'; save the table as CSV")
    if re.match(r"\ufeff?\s*(\{|\[\s*[\[{])", text):
        raise ValueError("the file is JSON, not a table: line 1 starts with a bracket; save the table as CSV")
    notes = () if encoding in ("utf-8", "utf-8-sig") else (f"the text was read as {_NAMES.get(encoding, encoding)}",)
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").encode("utf-8", "surrogatepass")
    return Text(container, encoding, "", lines, notes)


_NAMES = {
    "cp1252": "Western Windows (cp1252)",
    "latin-1": "Latin-1",
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16",
}


def _encoding(content: bytes) -> str:
    """UTF-16 if it has its byte order mark or its zero bytes, else UTF-8 if it decodes, else cp1252, else Latin-1."""
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    sample = content[:2000]
    if (zeros := sample.count(0)) and len(sample) >= 4:
        for encoding, place in (("utf-16-le", 1), ("utf-16-be", 0)):
            if sample[place::2].count(0) == zeros > 0.8 * len(sample) / 2:
                return encoding
        raise ValueError("the file is not text: save the table as CSV")
    for encoding in ("utf-8-sig" if content[:3] == b"\xef\xbb\xbf" else "utf-8", "cp1252"):
        try:
            content.decode(encoding)
        except UnicodeDecodeError:
            continue
        return encoding
    return "latin-1"


def sheet_names(content: bytes) -> tuple[str, ...]:
    """Names of the sheets of a workbook; () for any other file, and for a damaged or a large one."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > MOST_SHEET_BYTES:
                return ()
        with warnings.catch_warnings(), pandas.ExcelFile(io.BytesIO(content), engine="openpyxl") as book:
            warnings.simplefilter("ignore")
            return tuple(str(name) for name in book.sheet_names)
    except Exception:  # a damaged workbook may raise any exception
        return ()


def _sheet(content: bytes, wanted: str) -> Text:
    """The cells of a workbook's first sheet, or of the sheet named `wanted`."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            sizes = {entry.filename: entry.file_size for entry in archive.infolist()}
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError):
        raise ValueError("the file is a damaged archive: save the table as CSV or .xlsx") from None
    if "xl/workbook.xml" not in sizes:
        raise ValueError("the file is a zip archive, not a table: unpack it and choose the CSV or .xlsx inside")
    if sum(sizes.values()) > MOST_SHEET_BYTES:
        raise ValueError(
            f"the workbook holds {sum(sizes.values()) / 1e6:,.0f} MB of cells, more than the {MOST_SHEET_BYTES / 1e6:.0f} that are read: save the table as CSV"
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # warnings about styles and extensions, not about cells
        try:
            with pandas.ExcelFile(io.BytesIO(content), engine="openpyxl") as book:
                names = [str(name) for name in book.sheet_names]
                name = wanted or names[0]
                if name not in names:
                    raise LookupError(name)
                cells = book.parse(name, header=None, dtype=str, keep_default_na=False)
        except LookupError:
            if wanted:
                raise ValueError(f"the workbook has no sheet '{wanted[:40]}'; it has {', '.join(names[:8])}") from None
            raise ValueError("the workbook is damaged: save the table as CSV") from None
        except Exception as reason:  # a damaged workbook may raise any exception
            raise ValueError(f"the workbook cannot be read ({type(reason).__name__}): save the table as CSV") from None
    cells = cells.fillna("").astype(str)
    if not cells.size or not (cells != "").to_numpy().any():
        raise ValueError(f"the sheet '{name[:40]}' is empty: choose one of {', '.join(names[:8])}")
    lines = cells.to_csv(sep="\t", header=False, index=False).encode()
    notes = (f"the sheet '{name[:40]}' was read, the first of {len(names)}",) if len(names) > 1 and not wanted else ()
    return Text("xlsx", "", name, lines, notes, cells)
