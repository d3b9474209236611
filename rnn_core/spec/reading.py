"""Decisions about how a file is read, made by the user instead of the reader, as one text: a field of the experiment.

The text is a URL query, "dates=Day&decimal=,": {option: value}, sorted by option. "" leaves every decision to the reader.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl, quote

OPTIONS = ("encoding", "sheet", "separator", "decimal", "dates", "format", "order", "missing", "series")


def to_text(decisions: Mapping[str, str]) -> str:
    """The text of these decisions; empty values are left out."""
    return "&".join(f"{name}={quote(value, safe=' ,;.:/|-')}" for name, value in sorted(decisions.items()) if value)


def from_text(text: str) -> dict[str, str]:
    """The inverse of `to_text`. Raises ValueError with a sentence for a text that holds anything else."""
    found = dict(parse_qsl(text, keep_blank_values=True))
    check(found)
    if text.strip() and not found:
        raise ValueError(f"reading must be decisions such as decimal=, joined by &, got {text[:40]!r}")
    return {name: value for name, value in found.items() if value}


def check(decisions: Mapping[str, str]) -> None:
    """Raises ValueError with a sentence for a name that is not in OPTIONS."""
    if unknown := [name for name in decisions if name not in OPTIONS]:
        raise ValueError(
            f"reading must be decisions such as decimal=, joined by &, got the name {unknown[0][:40]!r}; the names are {', '.join(OPTIONS)}"
        )
