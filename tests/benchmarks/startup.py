"""Start-up times in a real browser: `python -m tests.benchmarks.startup [--rounds 3] [--json]`.

From `streamlit run` to a Home page whose three doors can be clicked, and from Play to the first point of the loss curve:
on a server that has just started (its workers have not), and on warm workers for a synthetic task and for IMDB.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path
from shutil import which

from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.conftest import ARGUMENTS, CHROMES, LAPTOP, imdb_folder
from tests.browser.serving import Server

DOORS = ("Paste a sentence", "Train one, live", "Watch gradients vanish")
SYNTHETIC = "task=adding&length=50&cell=lstm&units=16&epochs=1000&minutes=5"
IMDB = "task=imdb&length=500&cell=simple_rnn&units=32&epochs=5"
DRAWN = "() => document.querySelector('.unrolled-chart[data-name=loss]')?.calcdata?.[0]?.some((point) => point.x !== undefined)"
GOALS = {"home": 3.0, "cold server": 12.0, "synthetic": 1.5, "IMDB": 3.0}  # seconds


def home(page: Page, server: Server) -> None:
    """Returns when every link of the home page can be clicked."""
    page.goto(server.url)
    for door in DOORS:
        page.locator("main, [data-testid=stMain]").first.get_by_role("link", name=door).click(trial=True)


def first_point(page: Page, server: Server, experiment: str) -> float:
    """Open an experiment, press Play; seconds from there to the first point in the loss chart. The run is stopped."""
    page.goto(f"{server.url}/train?{experiment}")
    play = page.locator(".st-key-train-transport_play button")
    play.click(trial=True)
    began = time.perf_counter()
    play.click()
    page.wait_for_function(DRAWN, polling=20)
    seconds = time.perf_counter() - began
    page.locator(".st-key-train-transport_stop button").click()
    page.get_by_text("Stopped after").wait_for()
    return seconds


def measure(chrome: Browser, imdb: Path) -> dict[str, float]:
    """One round on a server with an empty store."""
    page = chrome.new_page(viewport=LAPTOP)  # type: ignore[arg-type]
    page.set_default_timeout(120_000)
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        server = Server(Path(folder), UNROLLED_IMDB=str(imdb))
        try:
            home(page, server)
            found = {"home": time.perf_counter() - began, "cold server": first_point(page, server, SYNTHETIC)}
            return found | {"synthetic": first_point(page, server, SYNTHETIC), "IMDB": first_point(page, server, IMDB)}
        finally:
            page.goto("about:blank")
            page.close()
            server.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="one JSON object instead of words")
    options = parser.parse_args()
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        chrome = playwright.chromium.launch(executable_path=next(filter(None, map(which, CHROMES))), args=ARGUMENTS.split())
        imdb = imdb_folder(Path(folder))
        rounds = [measure(chrome, imdb) for _ in range(options.rounds)]
        chrome.close()
    if options.json:
        print(json.dumps(rounds))
        return
    for name, goal in GOALS.items():
        seconds = [found[name] for found in rounds]
        print(f"{name:>12}  median {statistics.median(seconds):5.2f} s  worst {max(seconds):5.2f} s  goal {goal:g} s")


if __name__ == "__main__":
    main()
