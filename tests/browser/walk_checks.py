"""What must hold after every action of the walker: on the page, in the browser's console, and in the server's log."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, Request, Response

from tests.browser.conftest import Complaints
from tests.browser.walk_controls import page_of

LOOK = (Path(__file__).parent / "walk_look.js").read_text()
CAUGHT = "caught in section"  # what the app's guard of a section writes to the log
TRACE = "Traceback (most recent call last)"
OURS = re.compile(r"/(pages|rnn_core)/|app\.py")  # a frame of a traceback in the app's own code
PLAIN = {"STREAMLIT_LOGGER_ENABLE_RICH": "false"}  # for a server whose log is read: tracebacks as Python prints them
CHAINED = ("During handling of the above", "The above exception was the direct cause")


@dataclass
class Finding:
    """Something that must not be, with the way to it."""

    kind: str  # "error box", "console", "request", "log", "words", "chart", "sideways", "download", "upload"
    page: str  # name of the page
    what: str  # a sentence, an error's text, or a traceback
    seed: int  # of the walk
    step: int  # actions before it
    url: str  # of the page
    actions: tuple[str, ...]  # the last of them, the newest at the end
    count: int = 1  # how often it was found

    @property
    def same(self) -> tuple[str, str, str]:
        """Equal for the same finding met again: its kind, its page, and what it says, without numbers."""
        lines = [line.strip() for line in self.what.splitlines() if line.strip()]
        places = [line for line in lines if line.startswith("File ")]
        place = next((line for line in reversed(places) if OURS.search(line)), places[-1] if places else "")
        said = re.sub(r"'[^']*'|\d+|0x\w+", "#", lines[-1][:160])
        return self.kind, "" if self.kind == "log" else self.page, f"{said} {place}"

    def __str__(self) -> str:
        way = "\n".join(f"      {action}" for action in self.actions)
        said = self.what.replace("\n", "\n    ")
        return f"{self.kind} on {self.page}, {self.count}×; first: seed {self.seed}, step {self.step}, {self.url}\n    {said}\n    after\n{way}"


class Findings(list[Finding]):
    """Every distinct finding once, with how often it was met."""

    def note(self, found: Finding) -> bool:
        """Whether it is a new one."""
        for known in self:
            if known.same == found.same:
                known.count += 1
                return False
        self.append(found)
        return True


@dataclass
class Listener:
    """What a browser page said since it was last asked: errors of the console and of scripts, requests that failed."""

    complaints: Complaints = field(default_factory=Complaints)
    failures: list[str] = field(default_factory=list)

    def attach(self, page: Page) -> None:
        page.on("console", self.complaints.console)
        page.on("pageerror", lambda error: self.complaints.append(error.stack or str(error)))
        page.on("crash", lambda _: self.complaints.append("the browser's page crashed"))
        page.on("response", self._answered)
        page.on("requestfailed", self._failed)

    def _answered(self, response: Response) -> None:
        if response.status >= 400 and "/_stcore/" not in response.url:
            self.failures.append(f"{response.status} {response.url}")

    def _failed(self, request: Request) -> None:
        # A page that is left ends its requests; on a deep link Streamlit looks for its endpoints in the wrong place first.
        if request.failure != "net::ERR_ABORTED" and "/_stcore/" not in request.url:
            self.failures.append(f"{request.failure} {request.url}")

    def heard(self) -> list[tuple[str, str]]:
        """(kind, what) of everything since the last call."""
        console = [words for words in self.complaints if not words.startswith("Failed to load resource")]  # told as a request
        found = [("console", words) for words in console] + [("request", words) for words in self.failures]
        self.complaints.clear()
        self.failures.clear()
        return found


class Log:
    """The server's log, read on from where it was left."""

    def __init__(self, file: Path | None) -> None:
        self.file, self.read = file, 0
        self.new()

    def new(self) -> list[str]:
        """Every guard's catch and every traceback since the last call, each with the line before it."""
        if self.file is None:
            return []
        with self.file.open("rb") as log:
            log.seek(self.read)
            content = log.read()
        whole = content[: content.rfind(b"\n") + 1]  # the rest of a half-written line comes next time
        self.read += len(whole)
        return tracebacks(whole.decode(errors="replace").splitlines())


def tracebacks(lines: list[str]) -> list[str]:
    """Each traceback among the lines of a log, chained ones as one, with the line that announces it."""
    found: list[list[str]] = []
    inside = chained = False
    for n, line in enumerate(lines):
        if line.lstrip().startswith(TRACE):
            if not chained:
                found.append([lines[n - 1]] if n else [])
            found[-1].append(line)
            inside, chained = True, False
        elif inside or chained:
            found[-1].append(line)
            if inside and line and not line.startswith((" ", "\t")):
                inside = False  # this was the exception's own line
                chained = any(later.startswith(CHAINED) for later in lines[n + 1 : n + 3])
        elif CAUGHT in line and not any(later.startswith(TRACE) for later in lines[n + 1 : n + 2]):
            found.append([line])
    return ["\n".join(block) for block in found]


def wrong(seen: dict[str, Any], url: str) -> list[tuple[str, str]]:
    """(kind, what) of everything on a page that must not be there; `seen` is what walk_look.js returned."""
    found = [("error box", box) for box in seen["boxes"]]
    if seen["broken"] and not found:
        found.append(("error box", seen["broken"]))
    found += [("words", slip) for slip in seen["slips"]]
    found += [("chart", f"the chart “{key}” shows no point, and the page does not say why") for key in seen["empty"]]
    if seen["wide"]:
        found.append(("sideways", f"{page_of(url)} scrolls sideways: {seen['wide']}"))
    return found
