"""Takes the README's pictures from the real app: `python -m tests.benchmarks.pictures` writes static/strip.png, home.png and train.webp."""

from __future__ import annotations

import io
import tempfile
import time
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from tests.browser.conftest import ARGUMENTS, CHROMES
from tests.browser.serving import ROOT, Server

SIZE, FILM = {"width": 1280, "height": 860}, {"width": 1280, "height": 1020}  # the film shows the forecast too
SCALE = 0.75  # of the pictures in the README
RUN = "task=mackey_glass&cell=gru&units=32&length=60&horizon=6&epochs=200"  # longer than the film
FRAMES, TIMEOUT = 26, 240  # of the film, each of another training step; seconds for all of them
SHOW, LAST = 450, 2500  # milliseconds of a frame, and of the last one


def frame(page: Page) -> Image.Image:
    taken = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    return taken.resize((round(SCALE * taken.width), round(SCALE * taken.height)), Image.Resampling.LANCZOS)


def film(page: Page) -> list[Image.Image]:
    """One picture of every tick that shows another training step, from the first point on."""
    pictures: list[Image.Image] = []
    last, progress, end = "", page.get_by_test_id("stProgress"), time.monotonic() + TIMEOUT
    while len(pictures) < FRAMES and time.monotonic() < end:
        words = progress.inner_text()
        if words == last:
            page.wait_for_timeout(100)
            continue
        last = words
        page.wait_for_timeout(350)  # the charts are updated after the words
        pictures.append(frame(page))
    return pictures


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
            page.emulate_media(reduced_motion="reduce")  # the picture stands still, with all its steps lit
            page.wait_for_timeout(1000)
            frame(page).save(folder / "home.png", optimize=True)
            page.goto(f"{server.url}/gradients")
            page.locator(".strip canvas").wait_for()
            page.wait_for_timeout(3000)
            frame(page).save(folder / "strip.png", optimize=True)
            page.set_viewport_size(FILM)  # type: ignore[arg-type]
            page.goto(f"{server.url}/train?{RUN}")
            page.locator(".st-key-train-transport_play button").first.click()
            page.locator(".unrolled-chart[data-name=norms] .main-svg").first.wait_for()
            pictures = film(page)
        finally:
            chrome.close()
            server.stop()
    times = [SHOW] * (len(pictures) - 1) + [LAST]
    pictures[0].save(
        folder / "train.webp", save_all=True, append_images=pictures[1:], duration=times, loop=0, quality=70, method=4
    )
    print(f"{len(pictures)} pictures of a training")
    print(*(f"{path.name}: {path.stat().st_size / 1000:.0f} kB" for path in sorted(folder.iterdir())), sep="\n")


if __name__ == "__main__":
    main()
