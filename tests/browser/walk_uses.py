"""How the walker uses each kind of control, as a person might."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable

from playwright.sync_api import ElementHandle, Error, Page

from tests.browser.walk_controls import Control

QUICK = 1500  # ms that one gesture may take; a control that something covers is left alone after that
ARRIVES = 5000  # ms until an uploaded file must be shown
DOWNLOAD = 20_000  # ms until a file must have come
NUMBERS = ("0", "1", "2", "3", "5", "7", "8", "12", "0.5", "0.01", "-1", "20", "64", "999", "100000", "")
TEXTS = (
    "A slow start but a great film",
    "",
    "   ",
    "not bad, not bad at all",
    "größer 映画 😀 naïve",
    "**bold** <b>b</b> $x$ [l](u)",
    "-",
    "terrible",
    "good " * 520,
)
SERIES = "time,value,other\n" + "\n".join(
    f"2026-01-01 {n // 60:02d}:{n % 60:02d},{(n % 24) / 24:.3f},{n % 7}" for n in range(700)
)
UPLOADS = (SERIES, SERIES, SERIES, "value\n1\n2\n3\n", "word,other\n" + "a,b\n" * 300, "", "value\n" + "1\n" * 500)


def use(page: Page, control: Control, rng: random.Random) -> str:
    """Use a control as a person might; what was done. Raises playwright's Error where it cannot be used now."""
    node = page.evaluate_handle(
        "n => { const node = window.walked?.[n]; node?.scrollIntoViewIfNeeded?.(); return node?.isConnected ? node : null; }",
        control.index,
    ).as_element()
    if node is None:
        raise Error("the control is gone")
    return USES.get(control.kind, click)(page, node, rng)


def click(page: Page, node: ElementHandle, rng: random.Random) -> str:
    node.click(timeout=QUICK, no_wait_after=True)
    return "click"


def download(page: Page, node: ElementHandle, rng: random.Random) -> str:
    """Click, and wait for the file. Raises AssertionError when none comes."""
    node.hover(timeout=QUICK)
    try:
        with page.expect_download(timeout=DOWNLOAD) as waiting:
            node.click(timeout=QUICK, no_wait_after=True)
    except Error as error:
        if "download" not in str(error):
            raise
        if not node.evaluate("node => node.isConnected"):  # the chart left the page under the click
            raise Error("the control is gone") from error
        raise AssertionError("a click on it brought no file") from error
    if reason := waiting.value.failure():
        raise AssertionError(f"its file did not come: {reason}")
    return f"took {waiting.value.suggested_filename}"


def corner(page: Page, node: ElementHandle, rng: random.Random) -> str:
    """A button in the corner of a chart: three of them save it."""
    return (download if "Save" in (node.get_attribute("data-title") or "") else click)(page, node, rng)


def keys(page: Page, node: ElementHandle, rng: random.Random) -> str:
    """Move a slider."""
    pressed = rng.choices(
        ("ArrowLeft", "ArrowRight", "Home", "End", "PageUp", "PageDown"), (4, 4, 1, 1, 1, 1), k=rng.randint(1, 2)
    )
    node.focus()
    for one in pressed:
        page.keyboard.press(one)
    return " ".join(pressed)


def choose(page: Page, node: ElementHandle, rng: random.Random) -> str:
    """Open a list and take an option."""
    node.click(timeout=QUICK, no_wait_after=True)
    options = page.get_by_role("option")
    with contextlib.suppress(Error):
        options.first.wait_for(state="visible", timeout=QUICK)
    offered = options.all()
    if not offered:
        page.keyboard.press("Escape")
        return "nothing offered"
    option = rng.choice(offered)
    words = option.inner_text(timeout=QUICK).strip().replace("\n", " ")[:40]
    option.click(timeout=QUICK, no_wait_after=True)
    return f"took “{words}”"


def choose_several(page: Page, node: ElementHandle, rng: random.Random) -> str:
    """Add to a list, or take the last away."""
    if rng.random() < 0.35:
        node.focus()
        page.keyboard.press("Backspace")
        return "Backspace"
    done = choose(page, node, rng)
    page.keyboard.press("Escape")
    return done


def options(page: Page, node: ElementHandle, rng: random.Random) -> str:
    """Take an option of the browser's own list."""
    count = int(node.evaluate("node => node.options.length"))
    place = rng.randrange(max(count, 1))
    node.select_option(index=place, timeout=QUICK)
    return f"option {place}"


def number(page: Page, node: ElementHandle, rng: random.Random) -> str:
    if rng.random() < 0.4:
        node.focus()
        page.keyboard.press(rng.choice(("ArrowUp", "ArrowDown")))
        page.keyboard.press("Enter")
        return "one step"
    return fill(page, node, rng.choice(NUMBERS))


def text(page: Page, node: ElementHandle, rng: random.Random) -> str:
    return fill(page, node, rng.choice(TEXTS))


def fill(page: Page, node: ElementHandle, words: str) -> str:
    node.fill(words, timeout=QUICK)
    node.press("Enter", timeout=QUICK, no_wait_after=True)
    return f"typed “{words[:30]}”"


def upload(page: Page, node: ElementHandle, rng: random.Random) -> str:
    """Bring a file, and wait until the page shows that it has it. Raises AssertionError when it never does."""
    content = rng.choice(UPLOADS)
    node.set_input_files({"name": "series.csv", "mimeType": "text/csv", "buffer": content.encode()})
    shown = page.get_by_test_id("stFileUploader").get_by_text("series.csv").first
    try:
        shown.wait_for(state="attached", timeout=ARRIVES)
    except Error as error:
        raise AssertionError(f"a file of {len(content)} bytes was brought and the page does not show it") from error
    return f"uploaded {len(content)} bytes"


def somewhere(page: Page, node: ElementHandle, rng: random.Random) -> str:
    """Click or drag anywhere inside: a chart, a heat map, a sentence, a table."""
    box = node.bounding_box()
    if not box:
        raise Error("it has no place")
    places = [
        (box["x"] + box["width"] * rng.uniform(0.08, 0.92), box["y"] + box["height"] * rng.uniform(0.12, 0.88)) for _ in "12"
    ]
    if places[0][1] > page.viewport_size["height"]:  # type: ignore[index]
        raise Error("it is out of sight")
    page.mouse.move(*places[0])
    if rng.random() < 0.7:
        page.mouse.down()
        page.mouse.up()
        return "click inside"
    page.mouse.down()
    page.mouse.move(places[1][0], places[0][1] if rng.random() < 0.5 else places[1][1], steps=3)
    page.mouse.up()
    return "drag inside"


def word(page: Page, node: ElementHandle, rng: random.Random) -> str:
    """Click a word, or drag over several."""
    words = node.query_selector_all(".word")
    first, last = rng.choice(words), rng.choice(words)
    first.hover(timeout=QUICK)
    page.mouse.down()
    if dragged := rng.random() < 0.4:
        last.hover(timeout=QUICK)
    page.mouse.up()
    return "drag over words" if dragged else "click a word"


def part(page: Page, node: ElementHandle, rng: random.Random) -> str:
    """Click one of the parts that a legend or a chart's slider has."""
    parts = node.query_selector_all(".legendtoggle, .slider-rail-touch-rect") or [node]
    rng.choice(parts).click(timeout=QUICK, force=True, no_wait_after=True)
    return "click"


USES: dict[str, Callable[[Page, ElementHandle, random.Random], str]] = {
    "download": download, "corner": corner, "slider": keys, "select": choose, "multiselect": choose_several, "options": options, "number": number,
    "text": text, "file": upload, "chart": somewhere, "plot": somewhere, "table": somewhere, "word": word, "legend": part, "moment": part,
}  # fmt: skip
