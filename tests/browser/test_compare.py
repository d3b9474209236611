"""Compare: a contest runs, is paused and stopped; a sweep is stopped and resumed."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.serving import Server
from tests.browser.steps import button, chart, points, settled

TIMEOUT = 90_000  # ms: the time to compile on a busy machine

Visit = Callable[..., Page]


def test_a_contest_runs_to_its_verdict_without_flicker(visit: Visit, server: Server) -> None:
    page = settled(visit(f"{server.url}/compare?length=10&budget=500"))
    expect(page.get_by_text("A contest that we ran before")).to_be_visible()
    button(page, "Start the contest").click()
    expect(page.get_by_role("heading", name="So far")).to_be_visible(timeout=TIMEOUT)
    node = chart(page, "contest_curves")
    expect(node.locator(".main-svg").first).to_be_visible()
    node.evaluate("node => { node.mark = 1 }")
    first = points(page, "contest_curves")
    page.wait_for_function("first => document.querySelector('.unrolled-chart[data-name=contest_curves]').data[0].x.length > first", arg=first, timeout=TIMEOUT)  # fmt: skip
    assert node.evaluate("node => node.mark") == 1  # redrawn in the same node
    expect(page.get_by_role("heading", name="One seed decides nothing")).to_be_visible(timeout=TIMEOUT)
    expect(page.get_by_text("the gradient of the loss reached")).to_be_visible()
    expect(page.get_by_text("One seed stands behind this")).to_be_visible()
    expect(button(page, "Start the contest")).to_be_enabled()
    assert "contest=" in page.url
    link = page.url
    other = settled(visit(link))  # the link shows the same contest
    expect(other.get_by_role("heading", name="One seed decides nothing")).to_be_visible(timeout=TIMEOUT)
    expect(other.get_by_text("A contest that we ran before")).to_have_count(0)


def test_a_contest_is_paused_and_stopped(visit: Visit, server: Server) -> None:
    page = settled(visit(f"{server.url}/compare?length=200&budget=4000"))
    button(page, "Start the contest").click()
    expect(page.get_by_role("heading", name="So far")).to_be_visible(timeout=TIMEOUT)
    button(page, "Pause").click()
    expect(button(page, "Go on")).to_be_visible(timeout=TIMEOUT)
    expect(page.get_by_text("Paused.")).to_be_visible()
    button(page, "Go on").click()
    expect(button(page, "Pause")).to_be_visible(timeout=TIMEOUT)
    button(page, "Stop").click()
    expect(page.get_by_text("It was stopped before everybody had finished.")).to_be_visible(timeout=TIMEOUT)
    expect(page.get_by_text("gates made the difference")).to_have_count(0)


def test_a_sweep_is_stopped_and_resumed(visit: Visit, server: Server) -> None:
    page = settled(visit(f"{server.url}/compare?compare=How+far+back+can+it+remember%3F"))
    expect(chart(page, "map-adding").locator(".main-svg").first).to_be_visible(timeout=TIMEOUT)
    page.locator(".st-key-compare-sweep_tasks [data-testid=stMultiSelect] input").press("Backspace")
    page.locator(".st-key-compare-sweep_tasks input").fill("Delayed")
    page.locator(".st-key-compare-sweep_tasks input").press("Enter")
    page.keyboard.press("Escape")
    button(page, "Run 15 missing trials").click()
    expect(page.get_by_text(re.compile("[1-9] of 15 trials")).first).to_be_visible(timeout=TIMEOUT)
    button(page, "Stop").click()
    again = page.get_by_role(
        "button", name=re.compile("Run [1-9][0-4]? missing trial")
    )  # fewer than before: finished trials are stored
    expect(again).to_be_enabled(timeout=TIMEOUT)
    expect(chart(page, "map-delayed_recall").locator(".main-svg").first).to_be_visible()
    again.click()
    expect(page.get_by_text(re.compile("of [1-9][0-4]? trials")).first).to_be_visible(timeout=TIMEOUT)
    button(page, "Stop").click()
    expect(again).to_be_enabled(timeout=TIMEOUT)


def test_both_views_fit_a_phone(visit: Visit, server: Server) -> None:
    for name in ("Contest", "How+far+back+can+it+remember%3F"):
        page = settled(visit(f"{server.url}/compare?compare={name}", scheme="dark", phone=True))
        if name == "Contest":
            page.get_by_text("A contest that we ran before").click()
        expect(page.locator(".unrolled-chart .main-svg").first).to_be_visible(timeout=TIMEOUT)
        assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= 390
