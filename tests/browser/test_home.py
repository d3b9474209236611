"""Home: it paints at once, leads everywhere, and stands on a phone and in the dark."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.steps import settled


def test_home_opens_with_three_doors(page: Page) -> None:
    settled(page)
    for door in ("Paste a sentence", "Train one, live", "Watch gradients vanish"):
        expect(page.get_by_role("heading", name=door)).to_be_visible()
