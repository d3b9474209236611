"""Rules of the fields of a specification: a value that breaks one is refused, or in a link replaced by a valid one.

A rule is the `metadata` of a dataclass field: type, low and high, options, longest, optional, help. The widgets of the page
Train follow the same rules.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from numbers import Real
from typing import Any


def integer(default: int, low: int, high: int, help: str) -> Any:
    return field(default=default, metadata={"type": int, "low": low, "high": high, "help": help})


def number(default: float | None, low: float, high: float, help: str) -> Any:
    """A number; with the default `None` it is optional."""
    return field(default=default, metadata={"type": float, "low": low, "high": high, "help": help, "optional": default is None})


def choice(default: str, options: Sequence[str], help: str) -> Any:
    return field(default=default, metadata={"type": str, "options": options, "help": help})


def flag(default: bool, help: str) -> Any:
    return field(default=default, metadata={"type": bool, "help": help})


def text(default: str, longest: int, help: str, check: Callable[[str], object] | None = None) -> Any:
    """A text; `check` raises ValueError for one that is not allowed."""
    return field(default=default, metadata={"type": str, "longest": longest, "help": help, "check": check})


class Validated:
    """Checks every field with a rule at construction; raises ValueError with what was expected and what came."""

    def __post_init__(self) -> None:
        for item in dataclasses.fields(self):  # type: ignore[arg-type]
            if "type" in item.metadata:
                object.__setattr__(self, item.name, checked(item.name, getattr(self, item.name), item.metadata))


def checked(name: str, value: Any, rule: Mapping[str, Any]) -> Any:
    """`value` in the field's type. Raises ValueError with what was expected and what came."""
    kind = rule["type"]
    if value is None and rule.get("optional"):
        return None
    if kind is bool:
        if not isinstance(value, bool):
            raise ValueError(f"{name} must be true or false, got {shown(value)}")
        return value
    if kind is str:
        return _checked_text(name, value, rule)
    if isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(_float(value)):
        raise ValueError(f"{name} must be a number between {rule['low']} and {rule['high']}, got {shown(value)}")
    if kind is int and value != round(_float(value)):
        raise ValueError(f"{name} must be a whole number between {rule['low']} and {rule['high']}, got {shown(value)}")
    if not rule["low"] <= value <= rule["high"]:
        raise ValueError(f"{name} must be between {rule['low']} and {rule['high']}, got {shown(value)}")
    return kind(value)


def _checked_text(name: str, value: Any, rule: Mapping[str, Any]) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{name} must be a text, got {shown(value)}")
    if "options" in rule and value not in rule["options"]:
        raise ValueError(f"{name} must be one of {', '.join(rule['options'])}, got {shown(value)}")
    if len(value) > rule.get("longest", len(value)):
        raise ValueError(f"{name} must have at most {rule['longest']} characters, got {len(value)}")
    if any("\ud800" <= letter <= "\udfff" or letter == "\0" for letter in value):
        raise ValueError(f"{name} must be readable text, got {shown(value)}")
    if check := rule.get("check"):
        check(value)
    return str(value)


def write(value: Any) -> str:
    """A field's value as text of a link; `read` is the inverse."""
    if isinstance(value, bool):
        return "1" if value else "0"
    return "" if value is None else str(value)


def read(name: str, written: str, rule: Mapping[str, Any], default: Any) -> tuple[Any, str]:
    """The valid value for the text of a link, and a message about what was changed ("" if nothing).

    A number out of range becomes the nearest allowed one; any other invalid text becomes `default`.
    """
    kind, written = rule["type"], written.strip() if rule["type"] is not str else written
    if kind is bool:
        meaning = {"1": True, "true": True, "0": False, "false": False}.get(written.lower())
        if meaning is None:
            return default, f"{name} must be 1 or 0, got {shown(written)}: {write(default)} taken"
        return meaning, ""
    if kind is str:
        try:
            return _checked_text(name, written, rule), ""
        except ValueError as reason:
            return default, f"{reason}: {default or 'none'} taken"
    if written == "" and rule.get("optional"):
        return None, ""
    try:
        value = float(written)
    except ValueError:
        value = math.nan
    if math.isnan(value):
        return default, f"{name} must be a number, got {shown(written)}: {default} taken"
    nearest = min(max(value, rule["low"]), rule["high"])
    nearest = round(nearest) if kind is int else nearest
    if nearest == value:
        return kind(nearest), ""
    return kind(nearest), f"{name} must be between {rule['low']} and {rule['high']}, got {shown(written)}: {kind(nearest)} taken"


def shown(value: Any) -> str:
    """A value as text of at most 60 characters, for an error message."""
    if isinstance(value, int) and abs(value) >= 10**30:
        return f"{_float(value):.3g}"
    written = repr(value)
    return written if len(written) <= 60 else written[:57] + "..."


def _float(value: Any) -> float:
    """As a float; whole numbers out of its range become infinite."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf
