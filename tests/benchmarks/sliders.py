"""Latency of the laboratory's sliders in the browser: python -m tests.benchmarks.sliders [--views state singular …] [--json].

500 steps, 3 cells. Seconds from the key press until Chromium has the new curve, one row per view; goal: median below 0.3 s on an
idle machine.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from playwright.sync_api import sync_playwright

from tests.browser.conftest import ARGUMENTS, LAPTOP
from tests.browser.serving import Server
from tests.browser.test_gradients import drawn, slider_answers

# view → a curve of its figure that moves with the gain
VIEWS = {"state": 1, "input": 1, "component": 1, "gates": 1, "singular": 0, "lyapunov": 0}


def measure(views: list[str], moves: int = 20) -> Iterator[tuple[str, list[float]]]:
    """Seconds of each move by view, after three that warm the worker up."""
    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        server = Server(Path(home))
        try:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS.split())
            for view in views:
                page = browser.new_page(viewport=LAPTOP)  # type: ignore[arg-type]
                page.goto(f"{server.url}/gradients?lab_length=500&lab_gain=1.5&lab_view={view}")
                drawn(page, "lab")
                slider_answers(page, 3, VIEWS[view])
                yield view, slider_answers(page, moves, VIEWS[view])
                page.close()
            browser.close()
        finally:
            server.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--views", nargs="+", choices=VIEWS, default=list(VIEWS))
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    for view, answers in measure(arguments.views):
        found = {"row": f"slider at T = 500, {view}", "seconds": answers, "median": median(answers), "goal": 0.3}
        words = (
            f"{found['row']}: median {median(answers):.3f} s (goal 0.3), fastest {min(answers):.3f}, slowest {max(answers):.3f}"
        )
        print(json.dumps(found) if arguments.json else words, flush=True)


if __name__ == "__main__":
    main()
