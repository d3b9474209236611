"""The strip in the browser: in sight, under the cursor, played, opened at a step, on a phone, and gone without a trace."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Locator, Page, expect

from tests.browser.serving import Server
from tests.browser.steps import go, settled

VISIBLE = "node => { const box = node.getBoundingClientRect(); return box.top >= 0 && box.bottom <= innerHeight; }"


def strip(page: Page) -> Locator:
    found = page.locator(".strip")
    expect(found.locator("canvas")).to_be_visible()
    return found


def test_gradients_opens_on_the_strip_and_its_words(visit: Callable[..., Page], server: Server) -> None:
    page = settled(visit(f"{server.url}/gradients"))
    page.set_viewport_size({"width": 1280, "height": 720})
    stage = strip(page).locator(".stage")
    expect(page.get_by_role("heading", name=re.compile("The vanilla RNN learns from the last 2 steps; the LSTM and GRU from all 100"))).to_be_visible()  # fmt: skip
    assert stage.evaluate(VISIBLE), "the picture is not in sight at 1280 × 720"
    assert strip(page).get_by_role("button", name="Play the sequence").evaluate(VISIBLE)
    expect(strip(page).get_by_text("below 1 % from 2 steps back")).to_be_visible()
    page.get_by_text("Before", exact=True).click()
    expect(page.get_by_role("heading", name=re.compile("from the last 17|from the last 1[0-9]"))).to_be_visible()


def test_the_cursor_moves_by_keys_and_a_click_opens_the_cell_with_its_numbers(visit: Callable[..., Page], server: Server) -> None:
    page = settled(visit(f"{server.url}/gradients", scheme="dark"))
    stage = strip(page).locator(".stage")
    stage.focus()
    stage.press("End")
    expect(page.get_by_text("Step 100 of 100, now")).to_be_visible()
    stage.press("ArrowLeft")
    expect(page.get_by_text("Step 99 of 100, 1 step ago")).to_be_visible()
    expect(page.get_by_text(re.compile(r"gradient: 0\.\d+ %|gradient: \d+\.\d+ %")).first).to_be_visible()
    stage.press("ArrowDown")
    stage.press("Enter")
    cell = strip(page).locator(".cell")
    expect(cell.get_by_text("forget gate f")).to_be_visible()
    names, values = cell.locator(".term small").all_inner_texts(), cell.locator(".term b").all_inner_texts()
    terms = {name: 0.0 if "·" in text else float(text.replace("−", "-")) for name, text in zip(names, values, strict=True)}
    assert {
        "forget gate f",
        "c before",
        "input gate i",
        "candidate g",
        "c now",
        "output gate o",
        "tanh(c)",
        "h now",
    } <= terms.keys()
    assert abs(terms["forget gate f"] * terms["c before"] + terms["input gate i"] * terms["candidate g"] - terms["c now"]) < 0.05
    assert abs(terms["output gate o"] * terms["tanh(c)"] - terms["h now"]) < 0.02
    stage.press("Escape")
    expect(cell).to_be_hidden()


def test_playing_moves_in_sight_and_leaves_nothing_running(visit: Callable[..., Page], server: Server) -> None:
    page = settled(visit(f"{server.url}/gradients"))
    page.set_viewport_size({"width": 1280, "height": 720})
    play = strip(page).get_by_role("button", name="Play the sequence")
    play.click()
    page.wait_for_function("() => Number(document.querySelector('.strip .stage').dataset.step) > 20")
    assert strip(page).locator(".line").evaluate("node => node.getBoundingClientRect().top < innerHeight")
    expect(play).to_contain_text("Pause")
    for stage in ("1 Forward", "2 Loss: the Vanilla RNN answers 0.94", "3 Back", "4 Update"):
        expect(strip(page).get_by_text(stage)).to_be_visible()
    expect(play).to_contain_text("Play")
    play.click()
    script = "() => { window.frames_asked = 0; const ask = window.requestAnimationFrame; window.requestAnimationFrame = (call) => { if (String(call).includes('progress')) window.frames_asked++; return ask(call); }; }"
    page.evaluate(script)
    go(page, "Lessons")
    expect(page.locator(".strip")).to_have_count(0)
    page.wait_for_timeout(300)
    before = page.evaluate("window.frames_asked")
    page.wait_for_timeout(500)
    assert page.evaluate("window.frames_asked") == before


def test_reduced_motion_shows_still_pictures(visit: Callable[..., Page], server: Server) -> None:
    page = settled(visit(f"{server.url}/gradients"))
    page.emulate_media(reduced_motion="reduce")
    strip(page).get_by_role("button", name="Play the sequence").click()
    page.wait_for_timeout(600)
    assert strip(page).locator(".stage").get_attribute("data-step") == "", "the cursor does not sweep"


def test_scenarios_set_the_knobs_and_a_knob_makes_own_settings(visit: Callable[..., Page], server: Server) -> None:
    page = settled(visit(f"{server.url}/gradients?scene=Shrinks"))
    expect(page.get_by_role("heading", name=re.compile(r"0\.70⁵ = 0\.17 of it is left"))).to_be_visible(timeout=120_000)
    page.get_by_role("slider", name="Recurrent gain").press("ArrowRight")
    expect(page).to_have_url(re.compile("lab_gain=0.75.*lab_length=6"))
    expect(page).not_to_have_url(re.compile("scene=Shrinks"))
    page.reload()
    expect(strip(settled(page)).get_by_text("Vanilla RNN", exact=True).first).to_be_visible(timeout=120_000)


def test_the_strip_fits_a_phone_and_its_numbers_are_a_table(visit: Callable[..., Page], server: Server) -> None:
    page = settled(visit(f"{server.url}/gradients", phone=True))
    main = page.get_by_test_id("stMain")
    expect(strip(page).get_by_text("1.53, should be 1.50")).to_be_visible()
    assert main.evaluate("(node) => node.scrollWidth <= node.clientWidth + 1"), "the page is wider than the screen"
    strip(page).get_by_text("These numbers as a table").click()
    expect(strip(page).locator("tbody tr")).to_have_count(100)
