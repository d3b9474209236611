"""The controls of a page: what counts as one control, which were seen, which were used, and what appears after a use."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.browser.test_home import PAGES

RUN = re.compile(r"starter-(lstm|gru|simple_rnn)|\b[\w-]*\d[\w-]*\b")  # a starter, or any word with a digit in it
NAMED = ("slider", "select", "multiselect", "number", "text", "toggle", "file")  # kinds whose label may stand in several sections
ITEMS = ("train-set", "train-drawing", "compare-beside")  # purposes whose third part is a field or a figure, not a run or a cell
OPENERS = ("tab", "expander", "popover", "choice", "select", "button")  # kinds that may show further controls


@dataclass(frozen=True)
class Control:
    """One control of a page as it is now."""

    index: int  # its node is window.walked[index]
    page: str  # the page's name, or "Sidebar"
    kind: str  # one of the kinds of walk_look.js
    name: str  # its identity: equal for the same control met again, and for controls repeated per run, cell, preset or lesson
    label: str  # for a report
    href: str  # where a link leads, else ""
    inside: bool  # in an open popover
    chosen: bool  # the chosen one of its group
    run: str  # which run the address names: "none", "starter" or "own"

    @property
    def target(self) -> str:
        """The page that a link leads to, or ""."""
        return page_of(self.href) if self.href else ""

    @property
    def leaves(self) -> bool:
        """Whether it leads to another page: a link, or the logo."""
        return (bool(self.href) and self.target != self.page) or "home page" in self.label


def page_of(url: str) -> str:
    return PAGES.get(urlsplit(url).path.strip("/"), "?")


def run_of(url: str) -> str:
    """The id of the run that an address names, or ""."""
    return parse_qs(urlsplit(url).query).get("run", [""])[0]


def address_of(url: str) -> str:
    """Path and query: what `Walk.open` takes."""
    parts = urlsplit(url)
    return parts.path.strip("/") + (f"?{parts.query}" if parts.query else "")


def purpose(key: str) -> str:
    """A widget's key without what tells it from its like: "lessons-seed-vanilla" is "lessons-seed"; see `session.key`."""
    page, *rest = key.split("-")
    if not rest:
        return "bias" if page.startswith("bias_") else page  # a name in the address; Compare has one bias per puzzle
    start = f"{page}-{rest[0]}"
    return f"{start}-{rest[1]}" if start in ITEMS and len(rest) > 1 else start


def identity(kind: str, label: str, key: str, own: bool) -> str:
    """The name of a control.

    Args:
        kind: its kind in walk_look.js.
        label: what it is called on the page.
        key: the nearest widget key, or "".
        own: whether the key belongs to this button alone, so that its label, which may change, is not needed.
    """
    place = purpose(key) if key else ""
    if kind == "chart" or (own and place):
        return f"{kind} [{place}]"
    if kind == "link":
        label = label.split(":")[0]  # "Train: <preset>"
    if kind == "choice" and " · " in label:
        label = f"{label.split(':')[0]}: a run"
    if kind == "plot" and label.endswith("units by tokens"):
        label = "units by tokens"  # one for each gate
    return f"{kind} {RUN.sub('#', label)}" + (f" [{place}]" if place and kind in NAMED else "")


def read(url: str, found: list[dict[str, Any]]) -> list[Control]:
    """The controls that walk_look.js found on the page of that address."""
    run = run_of(url)
    state = "none" if not run else "starter" if run.startswith("starter-") else "own"
    controls = []
    for index, each in enumerate(found):
        kind, label = each["kind"], " ".join(each["label"].split())[:70]
        name = identity(kind, label, each["key"], bool(each["own"]))
        page = "Sidebar" if each["sidebar"] else page_of(url)
        controls.append(
            Control(index, page, kind, name, f"{kind} “{label}”", each["href"], bool(each["inside"]), bool(each["chosen"]), state)
        )
    return controls


class Coverage:
    """Which controls of each page were seen usable, which were used, and where the unused ones were seen."""

    def __init__(self) -> None:
        self.seen: dict[str, set[str]] = defaultdict(set)
        self.touched: dict[str, Counter[str]] = defaultdict(Counter)
        self.tried: Counter[tuple[str, ...]] = Counter()  # also those that could not be used then
        self.where: dict[tuple[str, str], str] = {}  # (page, name) → the address at which it was seen last
        self.behind: dict[tuple[str, str], set[str]] = defaultdict(set)  # (page, opener) → names that appeared after its use

    def see(self, controls: list[Control], url: str) -> None:
        for control in controls:
            self.seen[control.page].add(control.name)
            self.where[control.page, control.name] = address_of(url)

    def unsee(self, control: Control) -> None:
        """It had gone or was disabled when it should be used: it counts once it is usable again."""
        if not self.touched[control.page][control.name]:
            self.seen[control.page].discard(control.name)

    def appeared(self, opener: Control, controls: list[Control], before: set[str]) -> None:
        """Remember which controls of the page were not there before `opener` was used."""
        if opener.kind in OPENERS:
            self.behind[opener.page, opener.name] |= {one.name for one in controls if one.page == opener.page} - before

    def touch(self, control: Control) -> None:
        self.seen[control.page].add(control.name)
        self.touched[control.page][control.name] += 1

    def attempt(self, control: Control) -> None:
        self.tried[control.page, control.name] += 1
        self.tried[control.page, control.name, control.run] += 1

    def times(self, control: Control) -> int:
        """How often it was tried."""
        return self.tried[control.page, control.name]

    def here(self, control: Control) -> int:
        """How often it was tried while the address named such a run."""
        return self.tried[control.page, control.name, control.run]

    def missing(self, page: str) -> set[str]:
        """The controls of a page that were seen and not used."""
        return self.seen[page] - set(self.touched[page])

    def left(self, page: str) -> int:
        """How many controls of a page were seen and not used; many for a page that was never seen."""
        return len(self.missing(page)) if page in self.seen else 20

    def share(self, page: str) -> float:
        return 1 - len(self.missing(page)) / max(len(self.seen[page]), 1)

    def table(self) -> str:
        lines = []
        for page in sorted(page for page in self.seen if self.seen[page]):
            missing, seen = sorted(self.missing(page)), len(self.seen[page])
            counts = f"{seen - len(missing)}/{seen}"
            lines.append(
                f"{page:14} {counts:>8} {self.share(page):4.0%}" + (f"  not touched: {'; '.join(missing)}" * bool(missing))
            )
        return "\n".join(lines)
