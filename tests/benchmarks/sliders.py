"""How fast the laboratory answers a slider in the browser: python -m tests.benchmarks.sliders [--json]. 500 steps, 3 cells, 8 sequences.

Seconds from the key press until Chromium has the new curve; goal: median below 0.3 s on an idle machine.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from pathlib import Path
from statistics import median

from playwright.sync_api import sync_playwright

from tests.browser.conftest import ARGUMENTS, LAPTOP
from tests.browser.serving import Server
from tests.browser.test_gradients import drawn, slider_answers


def measure(moves: int = 20) -> list[float]:
    """Seconds of each move, after three that warm the worker up."""
    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        server = Server(Path(home))
        try:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS.split())
            page = browser.new_page(viewport=LAPTOP)  # type: ignore[arg-type]
            page.goto(f"{server.url}/gradients?lab_length=500&lab_gain=1.5")
            drawn(page, "lab")
            slider_answers(page, 3)
            answers = slider_answers(page, moves)
            browser.close()
        finally:
            server.stop()
    return answers


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    answers = measure()
    if arguments.json:
        print(json.dumps({"row": "slider at T = 500", "seconds": answers, "median": median(answers), "goal": 0.3}))
    else:
        print(
            f"slider at T = 500: median {median(answers):.3f} s (goal 0.3), fastest {min(answers):.3f}, slowest {max(answers):.3f}"
        )


if __name__ == "__main__":
    main()
