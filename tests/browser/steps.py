"""Actions of a user in the browser."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Locator, Page, expect


def settled(page: Page) -> Page:
    """Wait until the page is connected and its script has run once."""
    expect(page.locator("[data-testid=stApp][data-test-connection-state=CONNECTED]")).to_be_visible()
    expect(page.get_by_test_id("stSidebarContent")).to_be_attached()
    return page


def idle(page: Page) -> Page:
    """Wait until no script runs: the next click or Back then meets a page at rest."""
    page.wait_for_timeout(200)
    expect(page.locator("[data-testid=stApp][data-test-script-state=notRunning]")).to_be_visible()
    return page


def go(page: Page, name: str) -> Page:
    """Follow a link of the navigation."""
    page.get_by_test_id("stSidebar").get_by_test_id("stPageLink").get_by_text(name, exact=True).click()
    return settled(page)


def button(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=name, exact=True)


def controls(page: Page, name: str) -> Locator:
    """A button of the training controls: play (with the text Play, Pause or Play on), batch, epoch, stop, reset, weights."""
    return page.locator(f".st-key-train-transport_{name}").get_by_role("button").first  # an old one may still be in the page


def chart(page: Page, key: str) -> Locator:
    """The node that Plotly draws a chart into."""
    return page.locator(f'.unrolled-chart[data-name="{key}"]')


def points(page: Page, key: str, trace: int = 0) -> int:
    """How many points a trace of a chart shows now."""
    return int(
        chart(page, key).evaluate("(node, n) => node.calcdata?.[n]?.filter((point) => point.x !== undefined).length ?? 0", trace)
    )


def saved(page: Page, key: str, name: str, folder: Path) -> Path:
    """Save a chart with its PNG, SVG or HTML button; return the file."""
    chart(page, key).scroll_into_view_if_needed()
    chart(page, key).hover()
    with page.expect_download() as waiting:
        chart(page, key).locator(f'.modebar-btn[data-title^="Save as {"a page" if name == "HTML" else name}"]').click()
    target = folder / waiting.value.suggested_filename
    assert target.name == f"{key}.{name.lower()}"
    waiting.value.save_as(target)
    return target


def runs_as_a_page(page: Page, file: Path) -> int:
    """Open a saved figure without a server; return the number of frames of its animation."""
    page.goto(file.as_uri())
    expect(page.locator("#f .main-svg").first).to_be_visible()
    return int(page.evaluate("document.getElementById('f')._transitionData._frames.length"))
