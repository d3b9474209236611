"""The controls of a page: how the walker names them, and which it has used."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from tests.browser.test_home import PAGES

RUN = re.compile(r"starter-(lstm|gru|simple_rnn)|\b[\w-]*\d[\w-]*\b")  # a starter, or any word with a digit in it


@dataclass(frozen=True)
class Control:
    """One control of a page as it is now."""

    index: int  # its node is window.walked[index]
    page: str  # the page's name, or "Sidebar"
    kind: str  # one of USES
    name: str  # kind and label without numbers: its identity
    label: str  # for a report
    href: str  # where a link leads, else ""
    inside: bool  # in an open popover
    chosen: bool  # the chosen one of its group
    run: str  # which run the address names: "none", "starter" or "own"

    @property
    def target(self) -> str:
        """The page that a link leads to, or ""."""
        return page_of(self.href) if self.href else ""


def page_of(url: str) -> str:
    return PAGES.get(urlsplit(url).path.strip("/"), "?")


def run_of(url: str) -> str:
    """The id of the run that an address names, or ""."""
    return parse_qs(urlsplit(url).query).get("run", [""])[0]


def read(url: str, found: list[dict[str, str]]) -> list[Control]:
    """The controls that walk_look.js found on the page of that address."""
    run = run_of(url)
    state = "none" if not run else "starter" if run.startswith("starter-") else "own"
    controls = []
    for index, each in enumerate(found):
        kind, label = each["kind"], " ".join(each["label"].split())[:70]
        # A label may stand in several sections, as "Recurrent gain" does; the key of its widget tells them apart.
        key = RUN.sub("#", each["key"].replace("_", " ")).split("#")[0].strip(" -")
        key = key if kind in ("slider", "select", "number", "text", "toggle") else ""
        name = f"{kind} {RUN.sub('#', label)}{f' [{key}]' if key else ''}"
        page = "Sidebar" if each["sidebar"] else page_of(url)
        controls.append(
            Control(index, page, kind, name, f"{kind} “{label}”", each["href"], bool(each["inside"]), bool(each["chosen"]), state)
        )
    return controls


class Coverage:
    """Which controls of each page were seen and which were used."""

    def __init__(self) -> None:
        self.seen: dict[str, set[str]] = defaultdict(set)
        self.touched: dict[str, Counter[str]] = defaultdict(Counter)
        self.tried: Counter[tuple[str, ...]] = Counter()  # also those that could not be used then

    def see(self, controls: list[Control]) -> None:
        for control in controls:
            self.seen[control.page].add(control.name)

    def touch(self, control: Control) -> None:
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

    def left(self, page: str) -> int:
        """How many controls of a page were seen and not used; many for a page that was never seen."""
        return len(self.seen[page] - set(self.touched[page])) if page in self.seen else 20

    def share(self, page: str) -> float:
        return len(self.seen[page] & set(self.touched[page])) / max(len(self.seen[page]), 1)

    def table(self) -> str:
        lines = []
        for page in sorted(self.seen):
            missing = sorted(self.seen[page] - set(self.touched[page]))
            counts = f"{len(self.seen[page]) - len(missing)}/{len(self.seen[page])}"
            lines.append(
                f"{page:14} {counts:>8} {self.share(page):4.0%}" + (f"  not touched: {'; '.join(missing)}" * bool(missing))
            )
        return "\n".join(lines)
