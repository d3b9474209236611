"""What the walker does next: first what it never used on this page, then the address with most that it never used."""

from __future__ import annotations

import random
from collections import Counter

from tests.browser.test_home import PAGES
from tests.browser.walk_controls import OPENERS, Control, Coverage, address_of
from tests.browser.walk_ways import DOORS, ERRANDS, STARTERS

OPENS = {"expander": 20.0, "popover": 20.0, "choice": 20.0}  # weight of what shows more, once for each kind of run
ORDER = {
    "expander": 16.0,
    "tab": 2.0,
    "choice": 4.0,
}  # reason to use one for the first time; a tab or a choice may lead to another view
FOLDS = ("tab", "expander", "popover")  # worth a look once for each kind of run
GIVE_UP = 4  # tries after which an unused control is no reason to stay
ANYTHING = 0.1  # chance of an action that the plan has no reason for
OWN = (  # pages to look at a run that was trained here
    *("train?run={}", "gradients?run={}", "states?run={}", "sentence?run={}", "compare?compare=Runs+side+by+side&run={}"),
    *("states?view=One+sequence&run={}", "states?view=Activations&run={}", "states?view=While+it+learned&run={}"),
)


class Plan:
    """Chooses controls and addresses by what is still unused."""

    def __init__(self, rng: random.Random, coverage: Coverage) -> None:
        self.rng, self.coverage = rng, coverage
        self.visits: Counter[str] = Counter()  # address → how often the walk went there
        self.unvisited = rng.sample(sorted(PAGES), len(PAGES))  # paths of the first round
        self.tabs: set[tuple[str, str]] = set()  # (page, name) of those opened in this session of the first round
        self.errands = list(reversed(ERRANDS))

    def first_weight(self, control: Control) -> float:
        """How much the walker wants to use a control in the first round over all pages, each as it is without a run."""
        if control.page == "Sidebar":
            return 0.05
        times = self.coverage.times(control)
        if control.leaves:
            return 2.0 if times == 0 else 0.2 / (1 + times)
        wanted = 8.0 if times == 0 else 1.0 / (1 + times)
        if not self.coverage.here(control):
            wanted = max(wanted, OPENS.get(control.kind, 0.0))
        return wanted * (3.0 if control.inside else 0.5 if control.chosen or control.kind == "corner" else 1.0)

    def fresh(self, page: str, name: str) -> bool:
        """Whether it was never used, and not tried too often either."""
        return not self.coverage.touched[page][name] and self.coverage.tried[page, name] < GIVE_UP

    def reason(self, control: Control) -> float:
        """How good a reason there is to use a control now: 0 for none."""
        times, here = self.coverage.times(control), self.coverage.here(control)
        if self.fresh(control.page, control.name):
            # What a popover holds comes first, because it closes; a link ends the stay, so it comes last.
            return (0.1 if control.leaves else 24.0 if control.inside else ORDER.get(control.kind, 8.0)) / (1 + times)
        if control.leaves or control.page == "Sidebar":
            return 0.0
        hidden = sum(self.fresh(control.page, name) for name in self.coverage.behind[control.page, control.name])
        if control.kind in OPENERS and hidden and not control.chosen:
            return 3.0 * min(hidden, 4) / (1 + here / 3)
        return 2.0 if control.kind in FOLDS and not here and not control.chosen else 0.0

    def first(self, controls: list[Control]) -> Control | None:
        """A control for the first round; None while the page shows none of its own."""
        if all(one.page == "Sidebar" for one in controls):
            controls = [one for one in controls if "Collapse" in one.label]  # on a phone the sidebar may cover the page
        tabs = [one for one in controls if one.kind == "tab" and not one.chosen and (one.page, one.name) not in self.tabs]
        controls = tabs or controls  # one after another: what a tab draws may break the next
        control = self.rng.choices(controls, [self.first_weight(one) for one in controls])[0] if controls else None
        if tabs and control:
            self.tabs.add((control.page, control.name))
        return control

    def next(self, controls: list[Control]) -> Control | None:
        """A control that there is a reason to use; None when the page has none."""
        if controls and self.rng.random() < ANYTHING:
            return self.rng.choices(controls, [1 / (1 + self.coverage.times(one)) for one in controls])[0]
        reasons = [self.reason(one) for one in controls]
        return self.rng.choices(controls, reasons)[0] if any(reasons) else None

    def entrance(self, runs: list[str]) -> str:
        """Where a browser session begins: every page once without a run, then where most is unused."""
        self.tabs.clear()
        return self.unvisited.pop() if self.unvisited else self.elsewhere(runs)

    def elsewhere(self, runs: list[str], now: str = "") -> str:
        """An address other than `now`, more likely one where much unused was seen, or that was never visited."""
        if self.errands:
            return self.errands.pop()
        worth: Counter[str] = Counter()
        for page, names in self.coverage.seen.items():
            for name in sorted(names):
                if page != "Sidebar" and self.fresh(page, name):
                    worth[self.coverage.where[page, name]] += 2
        starters = [f"{path}?run={run}" for path in ("states", "gradients", "compare", "train") for run in STARTERS]
        for place in (*sorted(PAGES), *DOORS, *starters, *(one.format(run) for run in runs[-2:] for one in OWN)):
            worth[place] += 3 if not self.visits[place] else 0
        worth.pop(address_of(now), None)
        places = list(worth)
        chances = [(0.1 + worth[place]) ** 2 / (1 + self.visits[place]) for place in places]
        address = self.rng.choices(places, chances)[0]
        self.visits[address] += 1
        return address
