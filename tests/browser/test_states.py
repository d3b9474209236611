"""Hidden states: the animation plays, a click on the heat map selects a unit, every view fits a phone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.serving import Server
from tests.browser.steps import chart, runs_as_a_page, saved, settled

TIMEOUT = 60_000  # ms: the first result may wait for the workers

Visit = Callable[..., Page]


def shown(page: Page, key: str) -> None:
    """Wait until a chart is drawn."""
    expect(chart(page, key).locator(".main-svg").first).to_be_visible(timeout=TIMEOUT)


def view(page: Page, name: str) -> None:
    page.locator(".st-key-view").get_by_text(name, exact=True).click()


def test_the_animation_of_the_states_plays(visit: Visit, server: Server, tmp_path: Path) -> None:
    page = settled(visit(f"{server.url}/states"))
    shown(page, "paths")
    expect(page.get_by_text("What am I seeing?").first).to_be_visible()
    expect(page.get_by_text("of all the variance")).to_be_visible()
    frames = chart(page, "paths").evaluate("node => node._transitionData._frames.length")
    assert frames > 10
    label = chart(page, "paths").locator(".slider-label").first
    before = label.text_content()
    chart(page, "paths").locator(".updatemenu-button").first.click()  # at the last frame, play starts again
    expect(label).not_to_have_text(before or "")
    expect(label).to_have_text(before or "", timeout=TIMEOUT)  # it plays to the end
    assert runs_as_a_page(visit("about:blank"), saved(page, "paths", "HTML", tmp_path)) == frames
    view(page, "While it learned")
    shown(page, "growth")
    assert chart(page, "growth").evaluate("node => node._transitionData._frames.length") >= 3


def test_three_dimensions_also_while_the_animation_plays(visit: Visit, server: Server) -> None:
    page = settled(visit(f"{server.url}/states"))
    shown(page, "paths")
    chart(page, "paths").locator(".updatemenu-button").first.click()
    page.locator(".st-key-states_axes").get_by_text("3-D").click()
    expect(chart(page, "paths").locator(".gl-container canvas").first).to_be_attached(timeout=TIMEOUT)
    page.wait_for_function(
        "document.querySelector('.unrolled-chart[data-name=paths]').data.every(trace => trace.type === 'scatter3d')"
    )


def test_a_click_on_the_heat_map_follows_that_unit(visit: Visit, server: Server) -> None:
    page = settled(visit(f"{server.url}/states?view=One+sequence"))
    shown(page, "heat_map")
    shown(page, "unit_over_time")
    box = chart(page, "heat_map").locator(".nsewdrag").first.bounding_box()
    assert box
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] * 0.5)
    title = chart(page, "unit_over_time").locator(".ytitle")
    expect(title).not_to_have_text("unit 0 of h", timeout=TIMEOUT)


@pytest.mark.parametrize("name", ["Paths", "While+it+learned", "One+sequence", "Activations"])
def test_every_view_fits_a_phone_in_the_dark(visit: Visit, server: Server, name: str) -> None:
    page = settled(visit(f"{server.url}/states?view={name}", scheme="dark", phone=True))
    expect(page.locator(".unrolled-chart .main-svg").first).to_be_visible(timeout=TIMEOUT)
    assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= 390
