"""A random walk through the whole app in a real browser: `python -m tests.browser.walk --seconds 600 --seed 3`.

It uses the controls of a page that it never used, then goes to the address where it saw most unused ones. It also goes back,
forward and to other pages, trains small networks, kills workers, and changes to a phone now and then. After every action it
checks the page, the browser's console and the server's log. Its report tells how many of the controls that it saw it used.
Equal seeds make equal choices, but the app answers in its own time, so no two walks are the same after the first round.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Playwright, sync_playwright

from tests.browser.conftest import ARGUMENTS, CHROMES, imdb_folder
from tests.browser.serving import Server
from tests.browser.walk_checks import PLAIN
from tests.browser.walk_walker import Walk


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
