"""Fixtures: Chromium, and the app with its workers. Every page is checked for console errors and exception boxes."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from tests.browser.serving import Server

CHROMES = ("chromium", "google-chrome", "google-chrome-stable", "chromium-browser", "chrome")
# --no-sandbox: continuous integration runs as root. The other options prevent network requests by Chromium itself.
ARGUMENTS = "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync"
PHONE = {"width": 390, "height": 844}
LAPTOP = {"width": 1280, "height": 800}

TIMEOUT = 60_000  # ms; generous, because speed is measured in tests/benchmarks
expect.set_options(timeout=TIMEOUT)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/browser" in item.path.as_posix():
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    installed = next((path for name in CHROMES if (path := shutil.which(name))), None)
    with sync_playwright() as playwright:
        path = installed or playwright.chromium.executable_path
        if not Path(path).exists():
            words = "no Chromium here: install one, or run `playwright install chromium`"
            pytest.fail(words) if os.environ.get("CI") else pytest.skip(words)
        running = playwright.chromium.launch(executable_path=path, args=ARGUMENTS.split())
        yield running
        running.close()


def imdb_folder(folder: Path) -> Path:
    """The folder of real IMDB if there is one, else one with random reviews in the same format."""
    if installed := os.environ.get("UNROLLED_IMDB"):
        return Path(installed)
    rng = np.random.default_rng(0)
    arrays = {}
    for part in ("train", "test"):
        reviews = np.empty(400, object)
        reviews[:] = [[1, *rng.integers(4, 5000, rng.integers(20, 120)).tolist()] for _ in reviews]
        arrays |= {f"x_{part}": reviews, f"y_{part}": rng.integers(0, 2, 400)}
    np.savez(folder / "imdb.npz", **arrays)
    (folder / "imdb_word_index.json").write_text(json.dumps({f"word{rank}": rank for rank in range(1, 5001)}))
    return folder


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all browser tests."""
    imdb = imdb_folder(tmp_path_factory.mktemp("imdb"))
    running = Server(tmp_path_factory.mktemp("home"), UNROLLED_IMDB=str(imdb))
    yield running
    running.stop()


@pytest.fixture
def fresh_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Server]]:
    """A function that starts another server, by default with an empty store: fresh_server(home=None, **environment)."""
    started: list[Server] = []

    def start(home: Path | None = None, **environment: str) -> Server:
        started.append(Server(home or tmp_path_factory.mktemp("home"), **environment))
        return started[-1]

    yield start
    for running in started:
        running.stop()
    failed = "\n".join(entry for running in started for entry in running.caught())
    assert not failed, f"a section of a page failed: {failed}"


class Complaints(list[str]):
    """Errors in the browser's console, without those that Streamlit itself causes."""

    def console(self, message: ConsoleMessage) -> None:
        # On a deep link Streamlit requests its endpoints under the page's path first, which gives 404s.
        if message.type == "error" and "/_stcore/" not in message.location.get("url", ""):
            self.append(f"{message.text} ({message.location.get('url', '')})")


@pytest.fixture
def visit(browser: Browser, server: Server, fresh_server: Callable[..., Server]) -> Iterator[Callable[..., Page]]:
    """A function that opens a page in a new browser context: visit(url, scheme="dark", phone=True). All are checked at the end.

    It depends on `fresh_server` only so that pages are checked and closed before a test's servers stop.
    """
    opened: list[tuple[Page, Complaints]] = []

    def visitor(url: str, scheme: str = "light", phone: bool = False) -> Page:
        context = browser.new_context(viewport=PHONE if phone else LAPTOP, color_scheme=scheme, accept_downloads=True)  # type: ignore[arg-type]
        context.set_default_timeout(TIMEOUT)
        page, complaints = context.new_page(), Complaints()
        page.on("console", complaints.console)
        page.on("pageerror", lambda error: complaints.append(error.stack or str(error)))
        opened.append((page, complaints))
        page.goto(url)
        return page

    yield visitor
    for page, complaints in opened:
        boxes = page.get_by_test_id("stException").count()
        page.context.close()
        assert not complaints, complaints
        assert boxes == 0, "an exception box is on the page"
    assert server.caught() == [], "a section of a page failed"


@pytest.fixture
def page(visit: Callable[..., Page], server: Server) -> Page:
    """The home page, with the window size of a laptop and the light theme."""
    return visit(server.url)
