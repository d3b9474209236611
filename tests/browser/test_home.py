"""Home and the frame of every page: links, deep links, themes, the width of a phone."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.serving import ROOT, Server
from tests.browser.steps import go, settled
from tests.watching import until

PAGES = {
    "": "Home",
    "lessons": "Lessons",
    "train": "Train",
    "compare": "Compare",
    "sentence": "Sentence",
    "states": "Hidden states",
    "gradients": "Gradients",
}


def test_home_links_to_three_pages(page: Page) -> None:
    settled(page)
    for title in ("Paste a sentence", "Train one, live", "Watch gradients vanish"):
        expect(page.get_by_role("heading", name=title)).to_be_visible()
    expect(page.get_by_role("img", name="unrolled over four words")).to_be_visible()
    expect(page.get_by_text("Workers ready")).to_be_visible(timeout=120_000)


def test_home_plays_its_sentence_until_it_is_held(visit: Callable[..., Page], server: Server) -> None:
    page = settled(visit(server.url))
    page.set_viewport_size({"width": 1280, "height": 720})
    stage, play = page.locator(".strip .stage"), page.get_by_role("button", name="Play the sequence step by step")
    expect(play).to_contain_text("Pause")
    first = stage.get_attribute("data-step")
    expect(stage).not_to_have_attribute("data-step", first or "")
    assert stage.evaluate("node => node.getBoundingClientRect().bottom <= innerHeight"), "the picture is not in sight"
    stage.press("End")
    expect(play).to_contain_text("Play")
    expect(page.locator(".strip .answer")).to_have_text("68 %")
    stage.press("Home")
    expect(page.locator(".strip .answer")).to_have_text("50 %")
    expect(page.locator(".strip").get_by_text("gradient")).to_have_count(0)


def test_home_does_not_move_where_motion_is_unwanted(visit: Callable[..., Page], server: Server) -> None:
    page = visit("about:blank")
    page.emulate_media(reduced_motion="reduce")
    page.goto(server.url)
    expect(settled(page).locator(".strip .answer")).to_have_text("68 %")
    expect(page.get_by_role("button", name="Play the sequence step by step")).to_contain_text("Play")
    expect(page.locator(".strip .stage")).to_have_attribute("data-step", "")


def test_the_list_of_pages_is_complete() -> None:
    assert {path.stem for path in (ROOT / "pages").glob("*.py")} == set(PAGES) - {""}


def test_every_page_by_deep_link_on_a_fresh_server(visit: Callable[..., Page], fresh_server: Callable[..., Server]) -> None:
    for path in ("gradients", "train"):  # each is the first request to its server
        server = fresh_server()
        page = settled(visit(f"{server.url}/{path}"))
        expect(page.get_by_role("heading", level=1).first).to_be_visible()
        if path == "gradients":
            page.goto("about:blank")  # before its server stops
            server.stop()
    for path in PAGES:
        expect(settled(visit(f"{server.url}/{path}")).get_by_role("heading", level=1).first).to_be_visible()
    loaded = [library for library in server.web_process_libraries() if re.search("tensorflow|keras|jaxlib|libtorch", library)]
    assert loaded == []


@pytest.mark.parametrize(("scheme", "phone"), [("dark", False), ("light", True), ("dark", True)])
@pytest.mark.parametrize("path", ["", "train"])
def test_a_page_follows_the_theme_and_fits_the_screen(
    visit: Callable[..., Page], server: Server, path: str, scheme: str, phone: bool
) -> None:
    page = settled(visit(f"{server.url}/{path}", scheme=scheme, phone=phone))
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    dark = page.get_by_test_id("stApp").evaluate(
        "(node) => parseInt(getComputedStyle(node).backgroundColor.match(/\\d+/)[0]) < 100"
    )
    assert dark == (scheme == "dark")
    main = page.get_by_test_id("stMain")
    assert main.evaluate("(node) => node.scrollWidth <= node.clientWidth + 1"), "the page is wider than the screen"


CONTRAST = """node => {
  const light = colour => {
    const [red, green, blue] = colour.match(/[\\d.]+/g).map(value => value / 255).map(value => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const page = light(getComputedStyle(document.querySelector("[data-testid=stApp]")).backgroundColor), ink = light(getComputedStyle(node).color);
  return (Math.max(page, ink) + 0.05) / (Math.min(page, ink) + 0.05);
}"""


def legible(node: Locator) -> bool:
    return float(node.evaluate(CONTRAST)) > 4.5


def test_selected_elements_are_legible_in_the_dark_theme(visit: Callable[..., Page], server: Server) -> None:
    page = settled(visit(f"{server.url}/gradients", scheme="dark"))
    for chosen in (page.get_by_role("radio", name="Memory"), page.get_by_role("tab", name="Laboratory"), page.get_by_test_id("stSliderThumbValue")):  # fmt: skip
        expect(chosen.first).to_be_visible()
        until(partial(legible, chosen.first), 10)  # the colour changes with a transition


def test_links_contain_the_run(page: Page, server: Server) -> None:
    settled(page).goto(f"{server.url}/?run=starter-lstm")
    go(settled(page), "Hidden states")
    expect(page).to_have_url(re.compile("states.*run=starter-lstm"))


def test_on_a_phone_the_sidebar_folds_away_after_a_link_was_followed(visit: Callable[..., Page], server: Server) -> None:
    page = settled(visit(server.url, phone=True))
    page.get_by_test_id("stExpandSidebarButton").click()
    go(page, "Lessons")
    expect(page.get_by_test_id("stSidebar")).to_have_attribute("data-collapsed", "true")
    expect(page.get_by_role("heading", name="Lessons", level=1)).to_be_visible()


def test_a_term_is_explained_by_tapping_and_listed_in_the_sidebar(visit: Callable[..., Page], server: Server) -> None:
    page = settled(visit(f"{server.url}/lessons", phone=True))
    term = page.locator(".unrolled-term").first
    expect(term.locator("span")).to_be_hidden()
    term.click()
    expect(term.locator("span")).to_be_visible()
    box = term.locator("span").bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= page.evaluate("innerWidth")
    page.get_by_test_id("stExpandSidebarButton").click()
    page.get_by_role("button", name="Terms").click()
    expect(page.get_by_text("How much of the answer each input is held responsible for")).to_be_visible(timeout=60_000)


def test_the_web_process_never_loaded_tensorflow(server: Server) -> None:
    loaded = [path for path in server.web_process_libraries() if re.search(r"tensorflow|keras|jaxlib|libtorch", path)]
    assert loaded == []
