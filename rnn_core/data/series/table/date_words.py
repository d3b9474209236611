"""Replaces words in dates: names of months and weekdays in common languages, quarters, weeks and half-years."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rnn_core.data.series.table.cells import MONTHS, WEEKDAYS, WORD
from rnn_core.data.series.table.recipe import Pairs

ENGLISH = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True)
class Format:
    """One way to read a column of dates."""

    replacements: Pairs
    format: str  # for pandas
    yearless: bool  # the cells hold no year, so the rows are not sorted by them
    utc: bool  # the cells include an offset from UTC


class Cells:
    """A sample of cells, and the replacements that were applied to it."""

    def __init__(self, cells: Sequence[str]) -> None:
        self.cells, self.pairs = list(cells), []  # type: tuple[list[str], list[tuple[str, str]]]

    def replace(self, pattern: str, new: str) -> None:
        made = [re.sub(pattern, new, cell, flags=re.ASCII) for cell in self.cells]
        if made != self.cells:
            self.cells, self.pairs = made, [*self.pairs, (pattern, new)]


def simplify_words(found: Cells) -> None:
    """Removes names of weekdays, translates names of months to English, and turns ordinals into numbers."""
    words = [list(WORD.findall(cell)) for cell in found.cells]
    lowered = [[word.lower() for word in one] for one in words]
    if all(one and one[0] in WEEKDAYS and ((len(one) > 1 and any(word in MONTHS for word in one[1:])) or len(re.findall(r"\d+", cell)) > 2)
           for one, cell in zip(lowered, found.cells, strict=True)):  # fmt: skip
        for word in sorted({one[0] for one in words}, key=len, reverse=True):
            found.replace(rf"^{re.escape(word)}\.?,? *", "")
    elif all(one and one[-1] in WEEKDAYS and one[-1] not in MONTHS for one in lowered):
        for word in sorted({one[-1] for one in words}, key=len, reverse=True):
            found.replace(rf",? *\(?{re.escape(word)}\.?\)?$", "")
    if re.search(r"\d", found.cells[0]):
        found.replace(r"([0-9]) ?(st|nd|rd|th|er)([ ,]|$)", r"\1\3")
    months = {word for cell in found.cells for word in WORD.findall(cell) if word.lower() in MONTHS}
    if not months:
        return
    found.replace(r"^([0-9]{1,2})\. ", r"\1 ")
    found.replace(" (de|of|di|del) ", " ")
    found.replace(" (de|of|di|del) ", " ")
    names = {word.lower() for word in months}
    abbreviations = {name.lower() for name in ENGLISH}
    full = {
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    }
    if (names <= abbreviations and not any(re.search(rf"{word}\.", cell) for cell in found.cells for word in months)) or (
        names <= full and len(names) > 1
    ):
        return
    for word in sorted(months, key=len, reverse=True):
        if (english := ENGLISH[MONTHS[word.lower()] - 1]) != word or any(f"{word}." in cell for cell in found.cells):
            found.replace(rf"{re.escape(word)}\.?", english)


def periods(found: Cells, week: bool) -> list[Format]:
    """Formats of quarters, weeks, half-years and business years; [] if the cells are none of these."""

    def all_match(pattern: str) -> bool:
        return all(re.fullmatch(pattern, cell, re.ASCII | re.IGNORECASE) for cell in found.cells)

    if all_match(r"(FY|CY) ?\d{4}"):
        found.replace("^[FC]Y ?", "")
        return [Format(tuple(found.pairs), "%Y", False, False)]
    if all_match(r"\d{4}[-/ ]?[HS][12]"):
        found.replace("(?i)^([0-9]{4})[-/ ]?[HS]1$", r"\1-01")
        found.replace("(?i)^([0-9]{4})[-/ ]?[HS]2$", r"\1-07")
        return [Format(tuple(found.pairs), "%Y-%m", False, False)]
    q = "(?:Q|T|QTR|Quartal|trim\\.?|KV|K)"
    for pattern, year, _quarter in (
        (rf"(\d{{4}})[-/ .]*{q} ?([1-4])", 1, 2),
        (rf"{q} ?([1-4])[-/ .']*(\d{{4}}|\d{{2}})", 2, 1),
        (rf"([1-4])\.? ?{q}[-/ .']*(\d{{4}}|\d{{2}})", 2, 1),
    ):
        if all_match(pattern):
            short_year = not all(re.search(r"\d{4}", cell) for cell in found.cells)
            for n in range(1, 5):
                body = pattern.replace("[1-4]", str(n)).replace(r"\d", "[0-9]")
                found.replace(f"(?i)^{body}$", rf"\{year}-{3 * n - 2:02d}")
            return [Format(tuple(found.pairs), "%y-%m" if short_year else "%Y-%m", False, False)]
    if all_match(r"\d{4}-?W\d{1,2}-?[1-7]") and not all_match(r"\d{4}-?W\d{1,2}"):
        found.replace("^([0-9]{4})-?W([0-9]{1,2})-?([1-7])$", r"\1-W\2-\3")
        return [Format(tuple(found.pairs), "%G-W%V-%u", False, False)]
    w = "(?:W|KW|Week|S|Sem|Woche|wk)"
    for pattern, swap in ((rf"(\d{{4}})[-/ .]*{w}[-/ .]*(\d{{1,2}})", False), (rf"{w}[-/ .]*(\d{{1,2}})[-/ .,]+(\d{{4}})", True)):
        if all_match(pattern):
            found.replace(f"(?i)^{pattern}$".replace(r"\d", "[0-9]"), r"\2-W\1-1" if swap else r"\1-W\2-1")
            return [Format(tuple(found.pairs), "%G-W%V-%u", False, False)]
    if all_match(r"\d{4}[-/ ]\d{2}") and (week or any(int(cell[-2:]) > 12 for cell in found.cells)):
        if all((int(cell[:4]) + 1) % 100 == int(cell[-2:]) for cell in found.cells):
            found.replace("^([0-9]{4}).*$", r"\1")
            return [Format(tuple(found.pairs), "%Y", False, False)]
        if week or any(12 < int(cell[-2:]) <= 53 for cell in found.cells):
            found.replace("^([0-9]{4})[-/ ]([0-9]{2})$", r"\1-W\2-1")
            return [Format(tuple(found.pairs), "%G-W%V-%u", False, False)]
    return []
