"""Classifies one cell: blank, a number, a date, or other text. Fast, for samples; other modules decide about whole columns."""

from __future__ import annotations

import re

MISSING = frozenset(
    (
        "",
        "na",
        "n/a",
        "n.a.",
        "#n/a",
        "#na",
        "nan",
        "null",
        "none",
        "nil",
        "missing",
        "-",
        "--",
        "---",
        "–",
        "—",
        "?",
        ".",
        "..",
        "…",
        "inf",
        "-inf",
        "+inf",
        "infinity",
        "-infinity",
        "#null!",
        "#div/0!",
        "#value!",
        "#ref!",
        "#name?",
        "#num!",
        "k.a.",
        "s/d",
        "nd",
        ":",
        "*",
        "<na>",
        "nat",
        "tbd",
    )
)
TOTALS = (
    "total|totals|sum|grand total|subtotal|sub-total|average|avg|mean|median|min|max|minimum|maximum|count|std|stdev|change|"
    "summe|gesamt|gesamtsumme|zwischensumme|durchschnitt|mittelwert|insgesamt|"
    "somme|moyenne|ensemble|suma|promedio|media|totale|totaal|gemiddelde|soma|média"
)
TOTAL = re.compile(rf"(?i)\W*({TOTALS})\b.*", re.DOTALL)

# Names of months, January first, in English, German, French, Spanish, Italian, Portuguese, Dutch, Swedish, Danish, Polish.
_MONTHS = (
    "january jan januar jänner jän janvier janv enero ene gennaio gen janeiro januari styczeń stycznia sty",
    "february feb february febr februar feber février févr fév fevrier fevr fev febrero febbraio fevereiro februari luty lutego lut",
    "march mar märz mär mrz maerz mars marzo março marco maart mrt marts marzec marca",
    "april apr avril avr abril abr aprile kwiecień kwietnia kwi",
    "may mai mayo maggio mag maio mei maj",
    "june jun juni juin junio giugno giu junho czerwiec czerwca cze",
    "july jul juli juillet juil julio luglio lug julho lipiec lipca lip",
    "august aug août aout aoû agosto ago augustus augusti sierpień sierpnia sie",
    "september sep sept septembre septiembre settembre set setembro wrzesień września wrz",
    "october oct oktober okt octobre octubre ottobre ott outubro out październik października paź",
    "november nov novembre noviembre novembro listopad listopada lis",
    "december dec dezember dez décembre déc decembre diciembre dic dicembre dezembro desember des grudzień grudnia gru",
)
MONTHS = {name: number for number, names in enumerate(_MONTHS, 1) for name in names.split()}
_WEEKDAYS = (
    "mon tue tues wed thu thur thurs fri sat sun monday tuesday wednesday thursday friday saturday sunday "
    "mo di mi do fr sa so montag dienstag mittwoch donnerstag freitag samstag sonnabend sonntag "
    "lun mar mer jeu ven sam dim lundi mardi mercredi jeudi vendredi samedi dimanche "
    "lunes martes miércoles jueves viernes sábado domingo mié jue vie sáb dom"
)
WEEKDAYS = frozenset(_WEEKDAYS.split())
WORD = re.compile(r"[^\W\d_]+")

CLOCK = r"\d{1,2}[:h]\d{2}(?::\d{2})?(?:[.,]\d+)?(?:\s*[ap]\.?m\.?)?\s*(?:Z|[A-Z]{2,5}|[-+]\d{2}:?\d{2})?"
DATE = re.compile(
    rf"\d{{1,4}}([-/._ ])\d{{1,2}}\1\d{{1,4}}\.?(?:[T_ ,:]\s*{CLOCK})?|{CLOCK}|\d{{1,2}}\s*[ap]\.?m\.?|\d{{4}}[-/]\d{{1,3}}|\d{{1,2}}[-/]\d{{2,4}}|(?:0?[1-9]|1[0-2])\.(?:1[5-9]|2[01])\d\d"
    r"|\d{1,4}([-/.])\d{1,2}\2\d{1,4}[T ](?:[01]?\d|2[0-3])|\d{4}年.*|\d{4}\W*(?:Q|W|KW|M|T|S|H)\W*\d{1,2}(?:-?\d)?|(?:Q|KW|W|T|week\s*)\W*\d{1,2}\W+\d{2,4}|Q[1-4]\d{2,4}"
    r"|(?:FY|CY)\s?\d{4}|[1-4]\W*(?:Q|Quartal)\W*\d{2,4}|\d{8}(?:[T_ ]\d{4}(?:\d{2})?Z?|\d{4}(?:\d{2})?Z)|\d{1,2}\.\d{1,2}\.",
    re.IGNORECASE | re.ASCII,
)
CURRENCY = r"(?:US\$|C\$|A\$|R\$|\$|€|£|¥|₹|₽|₩|USD|EUR|GBP|CHF|JPY|CAD|AUD|SEK|NOK|DKK|PLN|INR|CNY|BRL|Fr\.|kr\.?|zł|Rs\.?)"
_CORE = r"(?=[.,]?[0-9])(?:[0-9]{1,3}(?:[\s'’][0-9]{3})+|[0-9]+(?:[.,][0-9]{2,3})*)?(?:[.,][0-9]+|[.])?(?:e[-+\u2212]?[0-9]+)?"
UNIT = r"[^\d\s.,;:<>=()@#*?!|\"'+\u2212-][^\d;:<>=()@#*?!|\"]{0,14}[23²³]?"
_SIGN = r"\s*[-+\u2212\u2013\uff0d]?\s*"
NUMBER = re.compile(rf"[(]?{_SIGN}{CURRENCY}?{_SIGN}{_CORE}\s*(?:{UNIT})?[)]?\s*[-\u2212]?", re.IGNORECASE)
TIMELIKE = re.compile(
    r"(?i).*(date|datum|fecha|data\b|dato|\bday\b|\btag\b|\bdia\b|jour|\btime|zeit|uhr|hora\b|heure|stamp|epoch|unix|year|jahr|année|annee|"
    r"\baño|\bano\b|\banno\b|\bjaar|month|monat|\bmois|\bmes\b|mese\b|week|woche|semaine|quarter|quartal|period|\bdt\b|^ds$|^t$|^yr$|^mo$|^dy$|^hr$|hour|stunde|minute|\bwhen\b).*"
)


def kind(cell: str) -> str:
    """The type of a cell: "_" blank or a word for missing, "d" a date or a time of day, "n" a number, "t" any other text."""
    cell = cell.strip()
    if cell.startswith('="') and cell.endswith('"'):  # a formula that makes a spreadsheet treat the cell as text
        cell = cell[2:-1]
    if cell.lower() in MISSING:
        return "_"
    if len(cell) > 60:
        return "t"
    if not any("0" <= letter <= "9" for letter in cell):
        return "d" if cell.lower().rstrip(".") in MONTHS and len(cell) > 1 else "t"
    if DATE.fullmatch(cell):
        return "d"
    if (span := re.fullmatch("(.{6,}) [-\u2013] (.{6,})", cell)) and DATE.fullmatch(span[1]) and DATE.fullmatch(span[2]):
        return "d"
    words = [word.lower() for word in WORD.findall(cell)]
    if any(word in MONTHS for word in words) and all(
        word in MONTHS or word in WEEKDAYS or word in ("de", "of", "st", "nd", "rd", "th", "am", "pm", "t", "z", "utc", "gmt")
        for word in words
    ):
        return "d"
    if words and all(word in WEEKDAYS for word in words):
        return "d" if len(re.findall(r"\d+", cell)) >= 3 else "t"
    return "n" if NUMBER.fullmatch(cell) else "t"


def short(name: object) -> str:
    """A name or cell for a sentence: in quotation marks, at most 40 letters."""
    name = " ".join(str(name).split())
    return f"'{name}'" if len(name) <= 40 else f"'{name[:37]}...'"
