"""Takes the README's pictures from the real app: `python -m tests.benchmarks.pictures` writes static/home.png and static/train.webp."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from tests.browser.conftest import ARGUMENTS, CHROMES
from tests.browser.serving import ROOT, Server

SIZE = {"width": 1280, "height": 860}
SHOWN = (960, 645)  # pixels in the README
FRAMES, PAUSE = 34, 700  # of the training, and milliseconds between two


def frame(page: Page) -> Image.Image:
    return Image.open(io.BytesIO(page.screenshot())).convert("RGB").resize(SHOWN, Image.Resampling.LANCZOS)


def main() -> None:
    from shutil import which

    folder = ROOT / "static"
    folder.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        server = Server(Path(home))
        chrome = playwright.chromium.launch(executable_path=next(filter(None, map(which, CHROMES))), args=ARGUMENTS.split())
        page = chrome.new_page(viewport=SIZE)  # type: ignore[arg-type]
        page.set_default_timeout(120_000)
        try:
            page.goto(server.url)
            page.get_by_text("Workers ready").wait_for()
            page.wait_for_timeout(7500)
            frame(page).save(folder / "home.png", optimize=True)
            page.goto(f"{server.url}/train?task=mackey_glass&cell=gru&units=32&length=60&epochs=30&horizon=6")
            page.locator(".st-key-transport_play button").click()
            page.locator(".st-key-norms .main-svg").first.wait_for()
            pictures = []
            for _ in range(FRAMES):
                page.wait_for_timeout(PAUSE)
                pictures.append(frame(page))
        finally:
            chrome.close()
            server.stop()
    pictures[0].save(folder / "train.webp", save_all=True, append_images=pictures[1:], duration=400, loop=0, quality=70, method=4)
    print(*(f"{path.name}: {path.stat().st_size / 1000:.0f} kB" for path in sorted(folder.iterdir())), sep="\n")


if __name__ == "__main__":
    main()
