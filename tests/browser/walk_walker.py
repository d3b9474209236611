"""The walker: browser sessions on a laptop or a phone, one action after another, and what became of each."""

from __future__ import annotations

import contextlib
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Dialog, Error, Page

from tests.browser.conftest import LAPTOP, PHONE
from tests.browser.serving import Server
from tests.browser.walk_checks import Findings
from tests.browser.walk_controls import Control, Coverage, page_of, read, run_of
from tests.browser.walk_plan import Plan
from tests.browser.walk_uses import use
from tests.browser.walk_watch import Watcher
from tests.browser.walk_ways import ARRIVAL, ARRIVED, FIRST_TAB, LONGEST, SHORT, SMALL, goto, history, kill_worker, train

FIRST, STAY = (7, 8), (60, 120)  # actions of a browser session: in the first round, and later
KILLS = 25.0, 120.0  # seconds until a worker is killed: the first time at the earliest, later on average
GONE = ("is gone", "not attached", "not enabled", "not visible")  # why a control that was seen could not be used after all


class Walk:
    """One walk. `server` is given where its workers may be killed and its log read."""

    def __init__(
        self, browser: Browser, url: str, seed: int, server: Server | None = None, screenshots: Path | None = None
    ) -> None:
        self.browser, self.url, self.server = browser, url, server
        self.rng = random.Random(seed)
        self.watcher = Watcher(seed, server.home / "server.log" if server else None, screenshots)
        self.coverage = Coverage()
        self.plan = Plan(self.rng, self.coverage)
        self.controls: list[Control] = []  # of the page as it was last seen
        self.used: Control | None = None  # the last action used it
        self.most = LONGEST  # ms that the page may take to answer the last action
        self.refused: Counter[str] = Counter()  # what could not be used, and why: the walker's own weaknesses
        self.kills = 0
        self.runs: list[str] = []  # ids of runs that it trained
        self.uploads: list[str] = []  # what was uploaded, once the page showed it
        self.first = True  # in the first round over all pages

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
        self.first = bool(self.plan.unvisited)
        actions = self.rng.randint(*(FIRST if self.first else STAY))
        self.open(page, self.plan.entrance(self.runs))
        last = self.watcher.steps + actions
        for _ in range(3 * actions):  # some only wait
            if not self.looked(page) or time.monotonic() > self.end or self.watcher.steps >= last:
                return
            self.act(page)

    def open(self, page: Page, path: str) -> None:
        self.does(page, f"open {path!r}", lambda: goto(page, f"{self.url}/{path}"))

    def looked(self, page: Page) -> bool:
        """Wait for the page's answer, look at it and learn its controls; False when it broke and the session cannot go on."""
        before = {one.name for one in self.controls}
        try:
            seen = self.watcher.look(page, self.most)
        except Error as error:
            self.refused[f"look: {str(error).splitlines()[0][:80]}"] += 1
            self.controls = []
            page.wait_for_timeout(100)
            return True
        self.controls = read(page.url, seen["controls"])
        self.coverage.see(self.controls, page.url)
        if self.used:
            self.coverage.appeared(self.used, self.controls, before)
        run = run_of(page.url)
        if run and not run.startswith("starter-") and run != "nobody" and run not in self.runs:
            self.runs.append(run)
        return "error box" not in seen["wrong"]

    def act(self, page: Page) -> None:
        """One action."""
        chance = self.rng.random()
        if self.server and not self.first and time.monotonic() > self.next_kill:
            self.does(page, "kill a worker", self.kill)
        elif self.first:
            self.use_one(page, self.plan.first(self.controls))
        elif chance < 0.03:
            how = self.rng.choice(("back", "back", "forward", "reload"))
            self.does(page, how, lambda: history(page, how, self.url))
        elif chance < 0.04 or (not self.runs and time.monotonic() > self.began + 15):
            query = self.rng.choice(SMALL) if self.runs else SMALL[0]
            self.does(page, f"train {query}", lambda: train(page, f"{self.url}/train?{query}"))
        elif chance < 0.05:
            size = self.rng.choice((PHONE, LAPTOP))
            self.does(page, f"{size['width']} px", lambda: page.set_viewport_size(size))  # type: ignore[arg-type]
        elif control := self.plan.next(self.controls):
            self.use_one(page, control)
        elif self.most < LONGEST:
            self.most, self.used = LONGEST, None  # what is still being drawn may be of interest: look once more
        else:
            self.go(page)

    def go(self, page: Page) -> None:
        """To another page: by its address, or by a link of the sidebar, which keeps what the session remembers."""
        path = self.plan.elsewhere(self.runs, page.url)
        name = page_of(f"{self.url}/{path}")
        links = [one for one in self.controls if one.page == "Sidebar" and one.target == name]
        if links and name != page_of(page.url) and "?" not in path:
            self.use_one(page, links[0])
        else:
            self.open(page, path)

    def kill(self) -> str:
        """Kill a worker, and set the time of the next."""
        assert self.server
        self.next_kill = time.monotonic() + 30 + self.rng.expovariate(1 / KILLS[1])
        self.kills += 1
        return kill_worker(self.server, self.rng)

    def use_one(self, page: Page, control: Control | None) -> None:
        """Use one of the controls of the page; None: there is none yet."""
        if control is None:
            page.wait_for_timeout(300)
            return
        self.coverage.attempt(control)
        try:
            if self.does(page, control.label, lambda: use(page, control, self.rng), control):
                self.coverage.touch(control)
        except AssertionError as problem:
            self.watcher.note(page, "upload" if control.kind == "file" else "download", f"{control.label}: {problem}")
        self.used = control

    def does(self, page: Page, name: str, action: Callable[[], Any], control: Control | None = None) -> bool:
        """Do something and remember it. Whether it could be done."""
        recent, here = self.watcher.recent, page_of(page.url) if page.url.startswith(self.url) else "-"
        self.watcher.steps += 1
        recent.append(f"{self.watcher.steps}: {here}: {name}")
        self.used = None
        self.most = self.patience(control)
        try:
            answer = action()
        except Error as error:
            recent[-1] += ": not possible"
            self.refuse(f"{here}: {name.split('“')[0]}", str(error), control)
            return False
        recent[-1] += f": {answer}" if answer else ""
        if str(answer).startswith("uploaded"):
            self.uploads.append(str(answer))
        return True

    def patience(self, control: Control | None) -> int:
        """ms that the page may take to answer the use of a control, or (None) any other action."""
        if self.first and control and control.kind == "tab":
            return FIRST_TAB
        return SHORT if control and not control.leaves and not self.first else ARRIVED

    def refuse(self, name: str, error: str, control: Control | None) -> None:
        """Count why something could not be done."""
        lines = error.splitlines()
        why = next((line.strip(" -")[:120] for line in lines if "intercepts" in line), "")
        why = why or next((words for words in GONE if words in error), lines[0][:80])
        self.refused[f"{name}: {why}"] += 1
        if control and why in GONE:
            self.coverage.unsee(control)

    @property
    def findings(self) -> Findings:
        return self.watcher.findings

    @property
    def steps(self) -> int:
        return self.watcher.steps

    def report(self) -> str:
        """Everything that was found, and how much of each page was used."""
        seconds = time.monotonic() - self.began
        head = f"seed {self.watcher.seed}: {self.steps} actions in {seconds:.0f} s ({self.steps / seconds:.1f} a second), {len(self.runs)} runs trained, {self.kills} workers killed"
        head += f", {len(self.uploads)} files uploaded ({', '.join(sorted(set(self.uploads))) or 'none'})"
        found = "\n\n".join(map(str, self.findings)) or "nothing wrong was found"
        refused = "\n".join(f"  {count}× {words}" for words, count in self.refused.most_common(12))
        return f"{head}\n\n{self.coverage.table()}\n\n{found}\n\nnot possible:\n{refused}"
