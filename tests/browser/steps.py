"""What a person does, by name."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect


def settled(page: Page) -> Page:
    """Wait until the page is connected and its script has run once."""
    expect(page.locator("[data-testid=stApp][data-test-connection-state=CONNECTED]")).to_be_visible()
    expect(page.get_by_test_id("stSidebarContent")).to_be_attached()
    return page


def go(page: Page, name: str) -> Page:
    """Follow a link of the navigation."""
    page.get_by_test_id("stSidebar").get_by_test_id("stPageLink").get_by_text(name, exact=True).click()
    return settled(page)


def button(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=name, exact=True)


def transport(page: Page, name: str) -> Locator:
    """A button of the transport: play (which may read Pause or Play on), batch, epoch, stop, reset, weights."""
    return page.locator(f".st-key-transport_{name}").get_by_role("button").first  # an old one may linger for a moment


def chart(page: Page, key: str) -> Locator:
    """The node that Plotly draws a chart into."""
    return page.locator(f".st-key-{key} .unrolled-chart")


def points(page: Page, key: str, trace: int = 0) -> int:
    """How many points a trace of a chart shows now."""
    return int(
        chart(page, key).evaluate("(node, n) => node.calcdata?.[n]?.filter((point) => point.x !== undefined).length ?? 0", trace)
    )
