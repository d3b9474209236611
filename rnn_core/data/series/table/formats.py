"""Possible formats of a column of dates: replacements to apply to its cells, and then formats for `pandas.to_datetime`."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rnn_core.data.series.table.date_words import Cells, Format, periods, simplify_words

_ZONES = {
    **dict.fromkeys(("UTC", "GMT", "WET"), "+0000"),
    **dict.fromkeys(("CET", "MEZ", "BST", "WEST"), "+0100"),
    **dict.fromkeys(("CEST", "MESZ", "EET"), "+0200"),
    **{
        "EEST": "+0300",
        "EST": "-0500",
        "EDT": "-0400",
        "CDT": "-0500",
        "MST": "-0700",
        "MDT": "-0600",
        "PST": "-0800",
        "PDT": "-0700",
        "JST": "+0900",
    },
}
_TIME = re.compile(
    r"(?P<date>.*?)(?P<joint>T|_|, | |:|)(?P<hour>\d{1,2}):\d{2}(?P<second>:\d{2})?(?P<part>\.\d{1,9})?(?P<noon> [AP]M)?(?P<zone> ?Z| ?[-+]\d{2}:?\d{2})?",
    re.ASCII,
)
_COMPACT = re.compile(r"(?P<date>\d{8})(?P<joint>[T_ ]?)\d{4}(?P<second>\d{2})?(?P<zone>Z)?", re.ASCII)
# Pattern of the date without its time (S: the sign between its parts) → formats to try; a leading "-" marks a format without a year.
_FAMILIES: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"\d{4}S\d{1,2}S\d{1,2}", ("%YS%mS%d",)),
    (r"\d{1,2}S\d{1,2}S\d{4}", ("%dS%mS%Y", "%mS%dS%Y")),
    (r"\d{1,2}S\d{1,2}S\d{2}", ("%dS%mS%y", "%mS%dS%y", "%yS%mS%d")),
    (r"\d{8}", ("%Y%m%d", "%d%m%Y", "%m%d%Y")),
    (r"\d{4}S\d{3}", ("%YS%j",)),
    (r"\d{4}S\d{1,2}", ("%YS%m",)),
    (r"\d{1,2}S\d{4}", ("%mS%Y",)),
    (r"\d{4}M\d{1,2}", ("%YM%m",)),
    (r"[A-Za-z]+S\d{4}", ("%bS%Y", "%BS%Y")),
    (r"\d{4}S[A-Za-z]+", ("%YS%b", "%YS%B")),
    (r"[A-Za-z]+\d{4}", ("%b%Y",)),
    (r"[A-Za-z]+\d{2}", ("%b%y", "-%b%d")),
    (r"\d{1,2}[A-Za-z]+\d{4}", ("%d%b%Y",)),
    (r"\d{1,2}[A-Za-z]+\d{2}", ("%d%b%y",)),
    (r"\d{1,2}S[A-Za-z]+S\d{4}", ("%dS%bS%Y", "%dS%BS%Y")),
    (r"\d{1,2}S[A-Za-z]+S\d{2}", ("%dS%bS%y", "%dS%BS%y", "%yS%bS%d")),
    (r"\d{4}S[A-Za-z]+S\d{1,2}", ("%YS%bS%d", "%YS%BS%d")),
    (r"[A-Za-z]+ \d{1,2},? \d{4}", ("%b %d, %Y", "%B %d, %Y", "%b %d %Y", "%B %d %Y")),
    (r"[A-Za-z]+S\d{1,2}S\d{4}", ("%bS%dS%Y",)),
    (r"[A-Za-z]+S\d{1,2}", ("%bS%y", "-%bS%d", "%BS%y", "-%BS%d")),
    (r"\d{1,2}S[A-Za-z]+", ("-%dS%b", "%yS%b", "-%dS%B", "%yS%B")),
    (r"[A-Za-z]+", ("-%b", "-%B")),
    (r"\d{1,2}S\d{1,2}", ("-%dS%m", "-%mS%d", "%mS%y", "%yS%m")),
    (r"\d{1,2}\.\d{1,2}\.", ("-%d.%m.",)),
)


def formats(sample: Sequence[str], week: bool = False) -> list[Format]:
    """The formats that a sample of different cells may have; [] if the cells have no common format.

    Args:
        sample: cells of the column, stripped, none blank.
        week: whether the column's name mentions weeks, so that 2020-53 is read as a week.
    """
    found = Cells(sample)
    found.replace("[ \u00a0\u202f\u2009]+", " ")
    found.replace('^="(.*)"$', r"\1")
    found.replace("[年月]", "-")
    found.replace("日", "")
    found.replace("^(.{6,}[0-9]) [-\u2013] .{6,}$", r"\1")  # of a range of dates, keep the first
    found.replace(r"([0-9]{4} )([01]?[0-9]|2[0-3])\.([0-5][0-9])\.([0-5][0-9])$", r"\1\2:\3:\4")
    dotted = [re.fullmatch(r"([01]?\d|2[0-3])\.([0-5]\d)\.[0-5]\d", cell, re.ASCII) for cell in found.cells]
    if all(dotted) and any(part and not 1 <= int(part[2]) <= 12 for part in dotted):
        found.replace(r"^([0-9]{1,2})\.([0-9]{2})\.([0-9]{2})$", r"\1:\2:\3")
    simplify_words(found)
    if special := periods(found, week):
        return special
    found.replace("(?i) ?a\\.?m\\.?$", " AM")
    found.replace("(?i) ?p\\.?m\\.?$", " PM")
    for zone, offset in _ZONES.items():
        found.replace(rf" ?{zone}$", offset)
    found.replace(r"(:[0-9]{2}:[0-9]{2}),([0-9])", r"\1.\2")
    return _formats_with_time(found)


def _formats_with_time(found: Cells) -> list[Format]:
    """Formats of dates, of times of day, and of both."""
    parts = [_TIME.fullmatch(cell) or _COMPACT.fullmatch(cell) for cell in found.cells]
    timed = [part for part in parts if part]
    if not timed:
        return _formats_of_days(found, found.cells, "", False)
    joint = timed[0]["joint"]
    if any(part["joint"] != joint for part in timed):
        return []
    if any(part.re is not timed[0].re for part in timed):
        return []
    compact = timed[0].re is _COMPACT
    named = [part.groupdict() for part in timed]
    noon, zone = [bool(part.get("noon")) for part in named], [bool(part.get("zone")) for part in named]
    seconds, fractions = [bool(part["second"]) for part in named], [bool(part.get("part")) for part in named]
    if len(set(noon)) > 1 or len(set(zone)) > 1 or (compact and len(set(seconds)) > 1):
        return []
    tail = r"($|[-+Z ].*$)"
    if len(set(seconds)) > 1:
        found.replace(rf"^([^:]*[0-9]:[0-9]{{2}}){tail}", r"\1:00\2")
    if len(set(fractions)) > 1:
        found.replace(rf"(:[0-9]{{2}}:[0-9]{{2}}){tail}", r"\1.0\2")
    hour = "%I" if noon[0] else "%H"
    clock = f"{hour}%M" if compact else f"{hour}:%M"
    clock += ("%S" if compact else ":%S") if any(seconds) else ""
    clock += (".%f" if any(fractions) else "") + (" %p" if noon[0] else "")
    spaced = [str(part["zone"]).startswith(" ") for part in named if part.get("zone")]
    if len(set(spaced)) > 1:
        return []
    clock += (" %z" if spaced and spaced[0] else "%z") if zone[0] else ""
    days = [part["date"] if part else cell for part, cell in zip(parts, found.cells, strict=True)]
    if len(timed) < len(parts):
        if (
            zone[0]
            or not any(timed)
            or not joint
            or any(re.search("[ T:]", cell) for cell, part in zip(found.cells, parts, strict=True) if not part)
        ):
            return []
        midnight = (
            ("12:00" if noon[0] else "00:00")
            + (":00" if any(seconds) else "")
            + (".0" if any(fractions) else "")
            + (" AM" if noon[0] else "")
        )
        found.replace("^([^ T:]+)$", rf"\1{joint}{midnight}")
    if not any(days):
        return [Format(tuple(found.pairs), clock, True, False)]
    return _formats_of_days(found, days, joint + clock, zone[0])


def _formats_of_days(found: Cells, days: list[str], clock: str, utc: bool) -> list[Format]:
    if any(not day for day in days):
        return []
    signs = {sign for day in days for sign in re.findall(r"[^\w,]", day)} - {"\u00e4"}
    signs = signs or {"_"} if any("_" in day for day in days) else signs
    made: list[Format] = []
    for family, choices in _FAMILIES:
        for sign in sorted(signs) or [""]:
            if "S" in family and not sign:
                continue
            if all(re.fullmatch(family.replace("S", re.escape(sign)), day, re.ASCII) for day in days):
                for choice in choices:
                    form = choice.removeprefix("-")
                    form = re.sub("(?<!%)S", sign, form) + clock
                    if "," in form and not any("," in day for day in days) and ", %Y" in form:
                        continue
                    made.append(Format(tuple(found.pairs), form, choice.startswith("-"), utc))
                return made
    return made
