"""Sentence: paste, play, scrub, hover, pick, edit; on a phone; hostile texts."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from rnn_core.data.text.vocabulary import vocabulary
from tests.browser.serving import Server
from tests.browser.steps import button, settled

NASTY = (
    "don’t stop—now “great” 'film' 'n' l'été",
    "😀 🎬🎬 👩‍👩‍👧 great💔film",
    "<script>alert(1)</script><br/>it's a well-made film...",
    "הסרט הזה נפלא\tمرحبا\u00a0بالعالم\u2028end",
    "'' ' ’’ – — \u200d\ufeff a\x1cb\x85c ´ it´s",
    "  many   spaces\n\nand lines  ",
    "",
)


def opened(visit: Callable[..., Page], server: Server, **options: Any) -> Page:
    page = settled(visit(f"{server.url}/sentence", **options))
    expect(player(page).locator(".panel").first).to_be_visible(timeout=240_000)  # the workers may still be starting
    return page


def player(page: Page) -> Locator:
    return page.locator(".player")


def read(page: Page, text: str) -> None:
    """Type a text and press Enter."""
    box = page.get_by_label("Your text")
    box.fill(text)
    box.press("Enter")


def at_step(page: Page, step: int) -> None:
    expect(player(page)).to_have_attribute("data-step", str(step))


def cover(page: Page, name: str) -> Locator:
    """The canvas over a plot that receives pointer events."""
    return page.get_by_role("img", name=name).locator("xpath=following-sibling::canvas")


def word(page: Page, step: int) -> Locator:
    return page.locator(f".word[data-step='{step}']").first


@pytest.fixture
def sentence(visit: Callable[..., Page], server: Server) -> Page:
    return opened(visit, server)


def test_paste_and_play_to_the_end(sentence: Page) -> None:
    read(sentence, "I did not expect to love this quiet little film.")
    expect(word(sentence, 5)).to_have_text("to")
    expect(player(sentence).locator(".panel")).to_have_count(3)
    at_step(sentence, 10)  # the whole reading is shown at first
    sentence.get_by_label("Speed").select_option("20")
    button(sentence, "Play").click()
    expect(player(sentence)).to_have_attribute("data-playing", "true")
    at_step(sentence, 10)
    expect(player(sentence)).to_have_attribute("data-playing", "false")
    expect(player(sentence).locator(".reads").first).to_contain_text("“film”")
    expect(player(sentence).locator(".reads").first).to_contain_text("% positive")


def test_scrub_and_step_leave_other_keys_to_the_browser(sentence: Page) -> None:
    sentence.get_by_role("slider", name="Token").fill("4")
    at_step(sentence, 4)
    button(sentence, "One token on").click()
    sentence.keyboard.press("ArrowRight")
    at_step(sentence, 6)
    sentence.keyboard.press("Home")
    at_step(sentence, 0)
    sentence.keyboard.press("ArrowLeft")
    at_step(sentence, 0)
    sentence.keyboard.press("End")
    at_step(sentence, 13)
    sentence.keyboard.press("Tab")  # moves the focus to the next control
    assert sentence.evaluate(FOCUSED) == "To the end"
    box = sentence.get_by_label("Your text")
    box.fill("abc")
    box.press("Backspace")
    box.press("ArrowLeft")
    expect(box).to_have_value("ab")
    at_step(sentence, 13)  # keys typed elsewhere do not move the player


FOCUSED = """() => {
    let at = document.activeElement;
    while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
    return at.getAttribute("aria-label");
}"""


def test_hovering_a_word_or_a_column_updates_all_panels(sentence: Page) -> None:
    word(sentence, 3).hover()
    expect(player(sentence)).to_have_attribute("data-hover", "3")
    for now in player(sentence).locator(".reads").all():
        expect(now).to_contain_text("“great”")
    heat = cover(sentence, "Hidden state h: 32 units by tokens, LSTM")
    box = heat.bounding_box()
    assert box
    heat.hover(position={"x": 34 + (box["width"] - 36) * (13.5 / 14), "y": 3})
    expect(player(sentence)).to_have_attribute("data-hover", "13")
    expect(word(sentence, 13)).to_have_class("word now hovered")
    expect(player(sentence).locator(".reads").nth(1)).to_contain_text("unit 0 h")
    sentence.mouse.move(5, 5)
    expect(player(sentence)).to_have_attribute("data-hover", "")


def test_a_click_on_a_word_shows_its_arithmetic_and_on_a_row_its_unit(sentence: Page) -> None:
    word(sentence, 13).click()
    expect(sentence.get_by_role("heading", name="Token 14, “terrible”: what LSTM computes")).to_be_visible()
    expect(sentence.locator(".katex").first).to_be_visible()
    at_step(sentence, 13)
    heat = cover(sentence, "Hidden state h: 32 units by tokens, GRU")
    box = heat.bounding_box()
    assert box
    heat.click(position={"x": box["width"] / 2, "y": box["height"] - 2})
    expect(sentence.get_by_role("heading", name="Unit 31 of GRU")).to_be_visible()
    expect(sentence.get_by_text("Strongest and weakest among")).to_be_visible(
        timeout=90_000
    )  # the first time, other reviews are processed


def test_dragging_over_words_finds_spans_like_them(sentence: Page) -> None:
    word(sentence, 1).hover()
    sentence.mouse.down()
    word(sentence, 3).hover()
    sentence.mouse.up()
    expect(sentence.get_by_role("heading", name="Spans like “Great cast great” for LSTM")).to_be_visible()
    expect(sentence.get_by_text("ranked by the Jaccard index")).to_be_visible(timeout=90_000)


def test_a_changed_word_is_compared_in_the_same_plots(sentence: Page) -> None:
    sentence.get_by_role("radio", name="GRU").click()
    expect(player(sentence).locator(".panel")).to_have_count(1)
    sentence.get_by_role("radio", name="one word changed").click()
    sentence.get_by_label("into").fill("wonderful")
    sentence.get_by_label("into").press("Enter")
    expect(sentence.get_by_text("the readings first differ at")).to_be_visible()
    expect(player(sentence).locator(".sentence")).to_have_count(2)
    expect(player(sentence).locator(".reads").first).to_contain_text("→")


def test_a_link_opens_the_same_reading(sentence: Page) -> None:
    sentence.get_by_text("Sarcasm", exact=True).click()
    sentence.get_by_role("radio", name="GRU").click()
    sentence.get_by_role("radio", name="another text").click()
    sentence.get_by_label("Attribution method").click()
    sentence.get_by_role("option", name="Leave one out").click()
    apart = sentence.get_by_text("the readings first differ at")
    expect(apart).to_be_visible()
    words = apart.inner_text()
    expect(player(sentence).locator(".sentence")).to_have_count(2)
    expect(sentence).to_have_url(re.compile("method="))
    sentence.reload()
    expect(apart).to_have_text(words)
    expect(player(sentence).locator(".panel")).to_have_count(1)
    expect(sentence.get_by_label("Attribution method")).to_have_value("Leave one out")


def test_the_box_counts_tokens_like_the_vocabulary(sentence: Page) -> None:
    box = sentence.get_by_label("Your text")
    for text in NASTY:
        box.fill(text)
        typed = box.input_value()
        expect(sentence.get_by_text(f"{len(vocabulary().encode(typed).ids)} of 500 tokens")).to_be_visible()


def test_html_emoji_and_right_to_left_are_shown_as_typed(sentence: Page) -> None:
    read(sentence, "<img src=x onerror=alert(1)> 😀 שלום zorgblatt")
    expect(sentence.get_by_text("words are not among")).to_be_visible()
    expect(player(sentence).locator(".word.unknown").last).to_have_text("zorgblatt")
    assert player(sentence).locator("img[src=x]").count() == 0
    expect(player(sentence).locator(".word", has_text="😀")).to_be_visible()


def test_ten_thousand_words_have_a_clear_limit(sentence: Page) -> None:
    box = sentence.get_by_label("Your text")
    box.fill("great " * 170_000)  # a megabyte, pasted
    expect(sentence.get_by_text("the last 500 are read")).to_be_visible()
    box.press("Enter")
    at_step(sentence, 499)
    box.fill("good " * 5000 + "bad " * 5000)
    expect(sentence.get_by_text("10001 tokens: the last 500 are read")).to_be_visible()
    box.press("Enter")
    at_step(sentence, 499)
    expect(word(sentence, 0)).to_have_text("bad")
    sentence.get_by_role("radio", name="first", exact=True).click()
    expect(word(sentence, 499)).to_have_text("good")


def test_an_empty_text_and_unknown_words_only(sentence: Page) -> None:
    read(sentence, "")
    expect(sentence.get_by_text("Nothing to read yet")).to_be_visible()
    read(sentence, "zorgblatt flumpets")
    expect(sentence.get_by_text("None of the words is")).to_be_visible()
    expect(player(sentence).locator(".word.unknown")).to_have_count(2)


def test_the_player_fits_a_phone_in_the_dark_theme(visit: Callable[..., Page], server: Server) -> None:
    page = opened(visit, server, phone=True, scheme="dark")
    assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth <= window.innerWidth")
    wide = player(page).bounding_box()
    assert wide
    assert wide["x"] >= 0
    assert wide["x"] + wide["width"] <= 390
    columns = [box["x"] for panel in player(page).locator(".panel").all() if (box := panel.bounding_box())]
    assert max(columns) - min(columns) < 2  # one below the other
    button(page, "To the first token").click()
    at_step(page, 0)
    word(page, 6).click()
    at_step(page, 6)
