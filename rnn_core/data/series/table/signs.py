"""Decides what a point and a comma mean in a column of numbers, from all of its cells together."""

from __future__ import annotations

from dataclasses import dataclass

import pandas

# Patterns run in Arrow (RE2) or in Python's `re`: no look-around, and no character class that differs between them.
SPACES = "[ \u00a0\u202f\u2009'’]"  # between thousands, besides . and ,


@dataclass(frozen=True)
class Evidence:
    """What the cells of one column show about the decimal sign."""

    point: str  # a cell that shows that the point is the decimal sign; "" if none does
    comma: str  # a cell that shows that the comma is the decimal sign
    open_point: str  # a cell like 1.234, which can be read both ways
    open_comma: str  # a cell like 1,234
    whole: bool  # some cells have neither sign and lie between 1 and 999
    large: bool  # some cells have neither sign and four digits or more
    many: bool  # ten or more different cells like 1.234 or 1,234


def evidence(cores: pandas.Series) -> Evidence:
    """The evidence from all different cells, reduced to digits, points and commas: `1.234,5` for `-1.234,5 kg`."""
    point, comma = cores.str.contains(".", regex=False), cores.str.contains(",", regex=False)
    either = cores[point | comma]

    def first(pattern: str) -> str:
        matching = either[either.str.fullmatch(pattern)]
        return "" if matching.empty else str(matching.iloc[0])

    def any_of(*patterns: str) -> str:
        return next((cell for pattern in patterns if (cell := first(pattern))), "")

    none = cores[~(point | comma)]
    opened = either.str.fullmatch(r"[1-9][0-9]{0,2}[.,][0-9]{3}")
    return Evidence(
        # A comma is decimal if it is not followed by exactly three digits. Several commas separate thousands, so then the point is decimal.
        # The same the other way round.
        point=any_of(
            r"[0-9]+(,[0-9]{2,3})+\.[0-9]*",
            r"[0-9]{1,3}(,[0-9]{2,3})+,[0-9]{3}",
            r"[0-9]*\.([0-9]{0,2}|[0-9]{4,})",
            r"(0+|[0-9]{4,})?\.[0-9]{3}",
        ),
        comma=any_of(
            r"[0-9]+(\.[0-9]{3})+,[0-9]*",
            r"[0-9]{1,3}(\.[0-9]{3})+\.[0-9]{3}",
            r"[0-9]*,([0-9]{0,2}|[0-9]{4,})",
            r"(0+|[0-9]{4,})?,[0-9]{3}",
        ),
        open_point=first(r"[1-9][0-9]{0,2}\.[0-9]{3}"),
        open_comma=first(r"[1-9][0-9]{0,2},[0-9]{3}"),
        whole=bool(none.str.fullmatch(r"[1-9][0-9]{0,2}").any()),
        large=bool(none.str.fullmatch(r"[1-9][0-9]{3,}").any()),
        many=int(opened.sum()) >= 10,
    )


def decimal(found: Evidence, hint: str, separator: str) -> str:
    """The decimal sign, "." or ","; "" if the cells mix both, "?" if both are equally likely.

    Args:
        found: the column's own evidence.
        hint: the decimal sign of the file's other columns; "" if they show none.
        separator: between the file's cells.
    """
    if found.point or found.comma:
        return "" if found.point and found.comma else "." if found.point else ","
    if found.open_point and found.open_comma:
        return ""
    if not found.open_point and not found.open_comma:
        return "."
    decimal_sign, other = (".", ",") if found.open_point else (",", ".")
    if found.large:
        return decimal_sign
    if found.whole and (found.many or found.open_comma or hint == other):
        return other
    if hint:
        return hint
    if found.whole and separator == ";":
        return other if found.open_comma else "?"
    if found.open_comma:
        return "." if separator == "," else "?"
    return "?" if separator == ";" else "."
