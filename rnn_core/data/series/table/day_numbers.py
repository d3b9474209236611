"""Numbers that are dates: 20210131, years, seconds since 1970, a spreadsheet's day numbers."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas

from rnn_core.data.series.table.cells import TIMELIKE
from rnn_core.data.series.table.date_parsing import Reading, parse_dates
from rnn_core.data.series.table.recipe import Dates
from rnn_core.data.series.table.time import evenness
from rnn_core.data.series.table.units import PLAIN

DAYLIKE = re.compile(r"(?i).*(date|datum|fecha|^data$|^dato$|\bday\b|\btag\b|^dia$|jour|^ds$|^dt$|serial).*")


def numbers_as_dates(probe: pandas.Series, place: int, name: str) -> Reading | None:
    """The reading of a column of numbers as dates; None if they are not dates."""
    if not probe.str.fullmatch(PLAIN).all():
        return None
    values = probe.astype("float64").to_numpy()
    low, high, whole = values.min(), values.max(), bool((values == np.round(values)).all())
    if not np.isfinite(values).all() or low == high or low < 0:
        return None
    if probe.str.fullmatch(r"[0-9]+\.0").all():
        found = numbers_as_dates(probe.str.replace(r"\.0$", "", regex=True), place, name)
        if found is None or not found.dates.format.startswith("%"):
            return found
        return replace(found, dates=replace(found.dates, replacements=((r"\.0$", ""), *found.dates.replacements)))
    named, lengths = bool(TIMELIKE.match(name)), set(probe.str.len().unique())
    steps = np.diff(values)
    rising = max((steps > 0).mean(), (steps < 0).mean())
    made: Callable[[str], Dates] = lambda form: Dates((place,), (), form, None, False)  # noqa: E731
    if whole and len(lengths) == 1 and probe.str.fullmatch("[0-9]+").all():
        if lengths == {6} and re.search(r"(?i)week|woche|semaine|semana|kw", name):
            weeks = replace(made("%G-W%V-%u"), replacements=(("^([0-9]{4})([0-9]{2})$", r"\1-W\2-1"),))
            times = parse_dates(probe, weeks)
            if not np.isnat(times).any():
                return Reading(weeks, evenness(times), False)
        for length, forms in {
            8: ("%Y%m%d", "%d%m%Y", "%m%d%Y"),
            14: ("%Y%m%d%H%M%S",),
            12: ("%Y%m%d%H%M",),
            10: ("%Y%m%d%H",),
            6: ("%Y%m",),
            7: ("%Y%j",),
        }.items():
            if lengths != {length}:
                continue
            for form in forms:
                times = parse_dates(probe, made(form))
                years = times.astype("datetime64[Y]").astype(int) + 1970
                reading = Reading(made(form), evenness(times), False)
                sure = (
                    (length >= 8 and form[1] == "Y") or named or (reading.evenness.rising == 1 and reading.evenness.filled > 0.9)
                )
                if not np.isnat(times).any() and years.min() >= 1700 and years.max() <= 2200 and sure:
                    return reading
        if (
            lengths == {4}
            and low >= 1000
            and high <= 2200
            and (
                re.search(r"(?i)year|jahr|ann[ée]e|a[ñn]o\b|anno\b|jaar|\byr\b|date|datum|period|time|^y$", name)
                or (rising == 1 and set(np.abs(steps)) == {1.0} and low >= 1500)
            )
        ):
            return Reading(made("%Y"), evenness(parse_dates(probe, made("%Y"))), False)
    times_named = re.search(r"(?i)time|stamp|epoch|unix|date|datum|zeit|hora|heure|fecha|^ts$|^t$|^ds$", name)
    for form, unit in (("s", 1.0), ("ms", 1e3), ("us", 1e6), ("ns", 1e9)):
        if 1e8 * unit <= low and high <= 4.2e9 * unit and (times_named or (rising == 1 and whole and _is_regular(steps))):
            reading = Reading(made(form), evenness(parse_dates(probe, made(form))), False)
            if times_named or reading.evenness.filled > 0.5:
                return reading
    if low >= 10_000 and high <= 80_000 and DAYLIKE.match(name):
        return Reading(made("D"), evenness(parse_dates(probe, made("D"))), False)
    return None


def _is_regular(steps: np.ndarray) -> bool:
    _, counts = np.unique(np.abs(steps), return_counts=True)
    return bool(counts.max() > 0.5 * len(steps) and np.abs(steps).min() >= 1)
