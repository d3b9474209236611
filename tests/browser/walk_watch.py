"""Watches a walk: looks at the page after every action, and keeps what is wrong with the way that led to it."""

from __future__ import annotations

import contextlib
import time
from collections import deque
from pathlib import Path
from typing import Any

from playwright.sync_api import Error, Page

from tests.browser.walk_checks import LOOK, Finding, Findings, Listener, Log, wrong
from tests.browser.walk_controls import page_of
from tests.browser.walk_ways import LONGEST, SETTLED

SECOND_LOOK = 2.5  # seconds after which a chart is still empty, or a page too wide
STILL, SURE = 50, 500  # ms without a run of the script after which a page counts as settled; where what it draws last matters
SETTLING = ("chart", "sideways")  # findings that count only when they stay
REMEMBERED = 15  # actions told with a finding


class Watcher:
    """What is known of a walk so far; `log` is the server's, or None."""

    def __init__(self, seed: int, log: Path | None, screenshots: Path | None) -> None:
        self.seed, self.log, self.screenshots = seed, Log(log), screenshots
        self.findings = Findings()
        self.steps = 0
        self.recent: deque[str] = deque(maxlen=REMEMBERED)
        self.heard = Listener()

    def begin(self, page: Page, words: str) -> None:
        """A new browser session."""
        self.heard = Listener()
        self.heard.attach(page)
        self.recent.clear()
        self.recent.append(words)

    def look(self, page: Page, most: int = LONGEST) -> dict[str, Any]:
        """What is on the page (see walk_look.js) once its script has ended, after everything wrong with it was noted.

        Args:
            page: the browser's page.
            most: ms to wait for the script.

        Returns:
            What walk_look.js returned, and "wrong": the kinds of these findings.

        Raises:
            Error: playwright's, while the page is between two documents.
        """
        seen: dict[str, Any] = page.evaluate(
            f"async (times) => {{ await ({SETTLED})(times); return ({LOOK})(); }}",
            {"still": SURE if most >= LONGEST else STILL, "most": most},
        )
        for kind, what in self.heard.heard():
            self.note(page, kind, what)
        found = wrong(seen, page.url)
        end = time.monotonic() + SECOND_LOOK
        while any(kind in SETTLING for kind, _ in found) and time.monotonic() < end:
            page.wait_for_timeout(250)
            seen = page.evaluate(LOOK)
            still = wrong(seen, page.url)
            found = [one for one in found if one[0] not in SETTLING or one in still]
        self._judge(page, found)
        return seen | {"wrong": {kind for kind, _ in found}}

    def _judge(self, page: Page, found: list[tuple[str, str]]) -> None:
        boxes = any(kind == "error box" for kind, _ in found)
        if boxes and self.log.file:
            page.wait_for_timeout(200)  # until the server has written it down
        traces = self.log.new()
        for kind, what in found:
            # The box keeps the error to itself; the traceback tells one from another.
            self.note(page, kind, "\n".join([what, *traces]) if kind == "error box" else what)
        for trace in [] if boxes else traces:
            self.note(page, "log", trace)

    def note(self, page: Page, kind: str, what: str) -> None:
        """Keep a finding, with a picture if it is a new one."""
        found = Finding(kind, page_of(page.url), what, self.seed, self.steps, page.url, tuple(self.recent))
        if self.findings.note(found) and self.screenshots:
            self.screenshots.mkdir(parents=True, exist_ok=True)
            with contextlib.suppress(Error):
                page.screenshot(path=self.screenshots / f"walk-{self.seed}-{self.steps}-{kind.replace(' ', '-')}.png")
