"""A random walk through the whole app in a real browser: `python -m tests.browser.walk --seconds 600 --seed 3`.

It uses whatever control it finds, prefers those that it never used, goes back, forward and to other pages, trains small
networks, kills workers, and changes to a phone now and then. After every action it checks the page, the browser's console
and the server's log. Equal seeds make equal choices, but the app answers in its own time, so no two walks are the same.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Dialog, Error, Page, Playwright, sync_playwright

from tests.browser.conftest import ARGUMENTS, CHROMES, LAPTOP, PHONE, imdb_folder
from tests.browser.serving import Server
from tests.browser.test_home import PAGES
from tests.browser.walk_checks import PLAIN, Findings
from tests.browser.walk_controls import Control, Coverage, page_of, read, run_of
from tests.browser.walk_uses import use
from tests.browser.walk_watch import Watcher
from tests.browser.walk_ways import ARRIVAL, DOORS, SMALL, STARTERS, goto, history, kill_worker, settle, train

FIRST, STAY = (6, 9), (15, 60)  # actions of a browser session: in the first round, and later
OPENS = {"tab": 150.0, "expander": 20.0, "popover": 20.0, "choice": 20.0}  # weight of what shows more, once for each kind of run
KILLS = 25.0, 120.0  # seconds until a worker is killed: the first time at the earliest, later on average


class Walk:
    """One walk. `server` is given where its workers may be killed and its log read."""

    def __init__(
        self, browser: Browser, url: str, seed: int, server: Server | None = None, screenshots: Path | None = None
    ) -> None:
        self.browser, self.url, self.server = browser, url, server
        self.rng = random.Random(seed)
        self.watcher = Watcher(seed, server.home / "server.log" if server else None, screenshots)
        self.coverage = Coverage()
        self.controls: list[Control] = []  # of the page as it was last seen
        self.refused: Counter[str] = Counter()  # what could not be used, and why: the walker's own weaknesses
        self.kills = 0
        self.runs: list[str] = []  # ids of runs that it trained
        self.first = True  # in the first round over all pages
        self.unvisited = self.rng.sample(sorted(PAGES), len(PAGES))

    def run(self, seconds: float) -> Walk:
        """Walk for so long; returns itself."""
        self.began = time.monotonic()
        self.end = self.began + seconds
        self.next_kill = self.began + KILLS[0] * self.rng.uniform(1, 1.5)
        while time.monotonic() < self.end:
            with self.session() as page:
                self.stay(page)
        return self

    @contextlib.contextmanager
    def session(self) -> Iterator[Page]:
        """A browser of its own, on a laptop or a phone, in light or dark."""
        size, scheme = PHONE if self.rng.random() < 0.25 else LAPTOP, self.rng.choice(("light", "dark"))
        context = self.browser.new_context(viewport=size, color_scheme=scheme, accept_downloads=True)  # type: ignore[arg-type]
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        context.set_default_timeout(ARRIVAL)
        page = context.new_page()
        page.on("dialog", Dialog.dismiss)
        self.watcher.begin(page, f"a new session, {size['width']} px wide")
        try:
            yield page
        finally:
            context.close()

    def stay(self, page: Page) -> None:
        """Open a page and act until the session's time is over, or the app is broken."""
        self.first = bool(self.unvisited)
        actions = self.rng.randint(*(FIRST if self.first else STAY))
        self.does(page, f"open {(path := self.entrance())!r}", lambda: goto(page, f"{self.url}/{path}"))
        for _ in range(actions):
            if not self.looked(page) or time.monotonic() > self.end:
                return
            self.act(page)

    def looked(self, page: Page) -> bool:
        """Look at the page and learn its controls; False when it broke and the session cannot go on."""
        try:
            seen = self.watcher.look(page)
        except Error as error:
            self.refused[f"look: {str(error).splitlines()[0][:80]}"] += 1
            page.wait_for_timeout(300)
            return True
        self.controls = read(page.url, seen["controls"])
        self.coverage.see(self.controls)
        return "error box" not in seen["wrong"]

    def entrance(self) -> str:
        """Where a session begins: every page once without a run, then anywhere."""
        return self.unvisited.pop() if self.unvisited else self.anywhere()

    def anywhere(self) -> str:
        """An address: a page, more likely one with much left to use, alone or with a run."""
        if self.rng.random() < 0.25:
            return self.rng.choice(DOORS)
        paths = sorted(PAGES)
        path = self.rng.choices(paths, [1 + self.coverage.left(PAGES[path]) for path in paths])[0]
        chance = self.rng.random()
        run = "" if chance < 0.4 else self.rng.choice(STARTERS) if chance < 0.7 or not self.runs else self.rng.choice(self.runs)
        return f"{path}?run={run}" if run else path

    def act(self, page: Page) -> None:
        """One action."""
        chance = self.rng.random()
        if self.server and time.monotonic() > self.next_kill:
            self.does(page, "kill a worker", self.kill)
        elif self.first:
            self.use_one(page)
        elif chance < 0.04:
            how = self.rng.choice(("back", "back", "forward", "reload"))
            self.does(page, how, lambda: history(page, how, self.url))
        elif chance < 0.08:
            self.does(page, f"open {(path := self.anywhere())!r}", lambda: goto(page, f"{self.url}/{path}"))
        elif chance < 0.095 or (not self.runs and time.monotonic() > self.began + 15):
            query = self.rng.choice(SMALL) if self.runs else SMALL[0]
            self.does(page, f"train {query}", lambda: train(page, f"{self.url}/train?{query}"))
        elif chance < 0.105:
            size = self.rng.choice((PHONE, LAPTOP))
            self.does(page, f"{size['width']} px", lambda: page.set_viewport_size(size))  # type: ignore[arg-type]
        else:
            self.use_one(page)

    def kill(self) -> str:
        """Kill a worker, and set the time of the next."""
        assert self.server
        self.next_kill = time.monotonic() + 30 + self.rng.expovariate(1 / KILLS[1])
        self.kills += 1
        return kill_worker(self.server, self.rng)

    def use_one(self, page: Page) -> None:
        """Use one of the controls of the page."""
        if not self.controls:
            page.wait_for_timeout(300)
            return
        used_up = all(self.coverage.times(one) for one in self.controls if not one.target)
        control = self.rng.choices(self.controls, [self.weight(one, used_up) for one in self.controls])[0]
        self.coverage.attempt(control)
        try:
            if self.does(page, control.label, lambda: use(page, control, self.rng)):
                self.coverage.touch(control)
        except AssertionError as problem:
            self.watcher.note(page, "download", f"{control.label}: {problem}")

    def weight(self, control: Control, used_up: bool) -> float:
        """How much the walker wants to use a control: most of all one that it never used, and what may show more of those.

        `used_up`: the page has nothing else to use, so links to pages that have weigh more.
        """
        times = self.coverage.times(control)
        if control.page == "Sidebar" and self.first:
            return 0.05  # the first round looks at each page as it is without a run
        if control.page == "Sidebar" and control.target:
            return (0.05 + min(self.coverage.left(control.target), 20) / 60) * (8 if used_up else 1)
        if control.target and control.target != control.page:
            return (2.0 if times == 0 else 0.2 / (1 + times)) * (4 if used_up else 1)
        wanted = 8.0 if times == 0 else 1.0 / (1 + times)
        if not self.coverage.here(control):
            wanted = max(wanted, OPENS.get(control.kind, 0.0))
        return wanted * (3.0 if control.inside else 0.5 if control.chosen or control.kind == "corner" else 1.0)

    def does(self, page: Page, name: str, action: Callable[[], Any]) -> bool:
        """Do something, remember it, and wait until the page has answered. Whether it could be done."""
        recent, here = self.watcher.recent, page_of(page.url) if page.url.startswith(self.url) else "-"
        self.watcher.steps += 1
        recent.append(f"{self.watcher.steps}: {here}: {name}")
        try:
            answer = action()
            recent[-1] += f": {answer}" if answer else ""
            done = True
        except Error as error:
            done = False
            recent[-1] += ": not possible"
            lines = str(error).splitlines()
            why = next((line.strip(" -")[:120] for line in lines if "intercepts" in line or "not enabled" in line), lines[0][:80])
            self.refused[f"{here}: {name.split('“')[0]}: {why}"] += 1
        settle(page)
        run = run_of(page.url)
        if run and not run.startswith("starter-") and run != "nobody" and run not in self.runs:
            self.runs.append(run)
        return done

    @property
    def findings(self) -> Findings:
        return self.watcher.findings

    @property
    def steps(self) -> int:
        return self.watcher.steps

    def report(self) -> str:
        """Everything that was found, and how much of each page was used."""
        seconds = time.monotonic() - self.began
        head = f"seed {self.watcher.seed}: {self.steps} actions in {seconds:.0f} s ({self.steps / seconds:.1f} a second), {len(self.runs)} runs, {self.kills} workers killed"
        found = "\n\n".join(map(str, self.findings)) or "nothing wrong was found"
        refused = "\n".join(f"  {count}× {words}" for words, count in self.refused.most_common(12))
        return f"{head}\n\n{self.coverage.table()}\n\n{found}\n\nnot possible:\n{refused}"


def chromium(playwright: Playwright) -> Browser:
    found = next((path for name in CHROMES if (path := shutil.which(name))), None)
    return playwright.chromium.launch(executable_path=found or playwright.chromium.executable_path, args=ARGUMENTS.split())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=600.0, help="how long to walk")
    parser.add_argument("--seed", type=int, default=1, help="of all choices")
    parser.add_argument("--url", help="a server that runs already: its workers are left alone and its log is not read")
    parser.add_argument("--screenshots", type=Path, help="folder for a picture of every finding")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        imdb, home = Path(folder) / "imdb", Path(folder) / "home"
        imdb.mkdir()
        home.mkdir()
        server = None if asked.url else Server(home, UNROLLED_IMDB=str(imdb_folder(imdb)), **PLAIN)
        try:
            walk = Walk(chromium(playwright), (asked.url or server.url).rstrip("/"), asked.seed, server, asked.screenshots)  # type: ignore[union-attr]
            print(walk.run(asked.seconds).report())
        finally:
            if server:
                server.stop()
    return 1 if walk.findings else 0


if __name__ == "__main__":
    sys.exit(main())
