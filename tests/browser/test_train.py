"""Training in the browser, with workers: play, pause, step, stop, reset, rewind, download; links, failures, recovery."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from xml.etree.ElementTree import fromstring

from playwright.sync_api import Page, expect

from tests.browser.serving import Server
from tests.browser.steps import button, chart, controls, go, idle, points, runs_as_a_page, saved, settled
from tests.watching import until

LONG = "task=toy_reviews&cell=gru&units=16&epochs=1000&minutes=20"  # does not end during a test
TINY = "task=adding&length=20&cell=gru&units=8&samples=640&epochs=3"  # trains in a few seconds
TIMEOUT = 240_000  # ms: the start of a worker on a busy machine

Visit = Callable[..., Page]


def play(page: Page, words: str = "Pause") -> Page:
    """Press Play and wait until the run is shown."""
    controls(page, "play").click()
    expect(controls(page, "play")).to_contain_text(words, timeout=TIMEOUT)
    expect(page).to_have_url(re.compile(r"run="))
    return page


def step(page: Page) -> int:
    """The training step in the progress line."""
    found = re.search(r"step ([\d,]+) of", page.get_by_test_id("stProgress").inner_text())
    return int(found[1].replace(",", "")) if found else 0


def reaches(page: Page, least: int) -> int:
    """Wait until the progress line shows a step of at least `least`; return it."""
    progress = page.get_by_test_id("stProgress")
    for _ in range(TIMEOUT // 250):
        if progress.count() and step(page) >= least:
            return step(page)
        page.wait_for_timeout(250)
    raise AssertionError(
        f"step {least} was not reached: {progress.all_inner_texts()} {page.get_by_test_id('stAlert').all_inner_texts()}"
    )


def stop(page: Page) -> None:
    controls(page, "stop").click()
    expect(page.get_by_text("Stopped after")).to_be_visible(timeout=TIMEOUT)


def values(page: Page, key: str, trace: int) -> list[float]:
    """The y values of a trace in the browser."""
    return list(chart(page, key).evaluate("(node, n) => Array.from(node.calcdata?.[n] ?? [], (point) => point.y)", trace))


def test_toy_reviews_train_to_the_end_and_accuracy_rises(visit: Visit, server: Server, tmp_path: Path) -> None:
    page = settled(visit(f"{server.url}/train"))
    button(page, "Toy reviews, LSTM").click()
    expect(button(page, "Toy reviews, LSTM")).to_have_attribute("data-testid", "stBaseButton-primary")
    play(page)
    expect(page.get_by_text("Finished after")).to_be_visible(timeout=TIMEOUT)
    until(lambda: values(page, "metric", 1)[-1:] > [0.9], 30)  # the charts follow the words
    assert values(page, "metric", 1)[0] < 0.75
    for key in ("loss", "norms", "norm_map", "states", "eigenvalues", "reading"):
        expect(chart(page, key).locator(".main-svg").first).to_be_visible(timeout=30_000)

    page.get_by_role("button", name="Take away").click()
    for label, suffix in (("Metrics as CSV", "csv"), ("Model as .keras", "keras"), ("Keras program", "py")):
        with page.expect_download(timeout=60_000) as waiting:
            button(page, label).click()
        target = tmp_path / f"taken.{suffix}"
        waiting.value.save_as(target)
    rows = (tmp_path / "taken.csv").read_text().splitlines()
    assert rows[0].startswith("step,epoch,loss,metric")
    assert len(rows) > 100
    assert "model.weights.h5" in zipfile.ZipFile(tmp_path / "taken.keras").namelist()
    assert "keras.Sequential" in (tmp_path / "taken.py").read_text()
    page.keyboard.press("Escape")

    assert saved(page, "loss", "PNG", tmp_path).read_bytes().startswith(b"\x89PNG")
    assert fromstring(saved(page, "norm_map", "SVG", tmp_path).read_bytes()).tag.endswith("svg")
    assert runs_as_a_page(visit("about:blank"), saved(page, "loss", "HTML", tmp_path)) == 0  # it has no animation

    expect(page.get_by_role("link", name="Compare with another run")).to_be_visible()
    page.get_by_role("slider", name="Rewind").press("Home")
    expect(chart(page, "norms").locator(".gtitle")).not_to_contain_text(f"{len(rows) - 2:,} steps")


COVERED = """() => [...document.querySelectorAll('.unrolled-chart')].map((node) => {
    const [title, legend] = ['.gtitle', '.legend'].map((part) => node.querySelector(part)?.getBoundingClientRect());
    return title && legend ? [legend.top - title.bottom, node._fullLayout._size.h] : null;
}).filter((found) => found)"""


def test_on_a_phone_no_legend_covers_a_title_or_shrinks_a_plot(visit: Visit, server: Server) -> None:
    page = settled(visit(f"{server.url}/train?run=starter-gru", phone=True))
    expect(chart(page, "reading").locator(".legend .traces")).to_have_count(4)
    found = page.evaluate(COVERED)
    assert len(found) == 3  # loss, accuracy, four reviews
    assert min(apart for apart, _ in found) > 0
    assert min(height for _, height in found) > 150


def test_pause_step_resume_stop(visit: Visit, server: Server) -> None:
    page = play(visit(f"{server.url}/train?{LONG}"))
    reaches(page, 2)
    controls(page, "play").click()
    expect(controls(page, "play")).to_contain_text("Play")
    expect(page.get_by_test_id("stProgress")).to_contain_text("paused")
    page.wait_for_timeout(1500)
    paused = step(page)
    page.wait_for_timeout(1500)
    assert step(page) == paused, "a paused run must not continue"
    controls(page, "batch").click()
    assert reaches(page, paused + 1) == paused + 1
    controls(page, "play").click()
    reaches(page, paused + 3)
    stop(page)
    expect(controls(page, "play")).to_be_enabled()


def test_a_reload_and_a_second_browser_show_the_run_and_zoom_is_kept_for_ten_redraws(visit: Visit, server: Server) -> None:
    page = play(visit(f"{server.url}/train?{LONG}"))
    reaches(page, 3)
    page.reload()
    here = reaches(settled(page), 3)
    other = settled(visit(page.url))
    assert reaches(other, here) >= here

    node = chart(other, "metric")
    node.locator(".nsewdrag").first.scroll_into_view_if_needed()
    box = node.locator(".nsewdrag").first.bounding_box()
    assert box is not None
    other.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 0.5 * box["height"])
    other.mouse.down()
    other.mouse.move(box["x"] + 0.7 * box["width"], box["y"] + 0.5 * box["height"], steps=5)
    other.mouse.up()
    zoom = node.evaluate("(node) => { node.marked = true; return node._fullLayout.xaxis.range.slice(); }")
    seen = set()
    for _ in range(60):
        seen.add(step(other))
        if len(seen) > 10:
            break
        other.wait_for_timeout(500)
    assert len(seen) > 10, "the page is not redrawn"
    assert node.evaluate("(node) => node.marked === true"), "the chart was mounted anew"
    assert node.evaluate("(node) => node._fullLayout.xaxis.range.slice()") == zoom, "the zoom was lost"
    stop(page)
    expect(other.get_by_text("Stopped after")).to_be_visible(timeout=TIMEOUT)


def test_imdb_trains_for_a_few_batches(visit: Visit, server: Server) -> None:
    page = play(visit(f"{server.url}/train?task=imdb&length=80&epochs=100&batch=16"))
    reaches(page, 3)
    expect(chart(page, "loss").locator(".main-svg").first).to_be_visible(timeout=30_000)
    page.wait_for_timeout(2500)
    assert points(page, "loss") >= 1
    stop(page)


def test_an_uploaded_series_is_forecast(visit: Visit, server: Server, tmp_path: Path) -> None:
    series = tmp_path / "series.csv"
    lines = [f"2026-01-01 {n // 60:02d}:{n % 60:02d},{(n % 24) / 24:.3f},{n % 7}" for n in range(700)]
    series.write_text("\n".join(["time,<script>window.hacked=1</script>,**bold**", *lines]))
    page = settled(visit(f"{server.url}/train?task=csv&length=24&epochs=2"))
    expect(page.get_by_test_id("stAlert").first).to_be_visible()  # says that the file is missing
    expect(controls(page, "play")).to_be_disabled()
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(series)
    expect(controls(page, "play")).to_be_enabled(timeout=30_000)
    controls(page, "play").click()
    expect(page.get_by_text("Finished after")).to_be_visible(timeout=TIMEOUT)
    expect(chart(page, "reading").locator(".main-svg").first).to_be_visible(timeout=TIMEOUT)
    assert points(page, "reading") > 100
    assert page.evaluate("window.hacked") is None


def test_back_returns_from_a_run_to_the_form_and_undoes_settings(visit: Visit, server: Server) -> None:
    page = settled(visit(f"{server.url}/train?task=adding&length=20"))
    expect(page.get_by_text("Workers ready")).to_be_visible(timeout=TIMEOUT)  # no timer reruns the page after this
    length = page.get_by_role("spinbutton", name="Time steps")
    length.fill("30")
    length.press("Enter")
    expect(page).to_have_url(re.compile("length=30"))
    idle(page).get_by_test_id("stSidebar").get_by_role("combobox").click()
    page.get_by_role("option", name="Starter: GRU on IMDB").click()
    expect(page).to_have_url(re.compile(r"train\?run=starter-gru$"))
    button(idle(page), "New experiment").click()
    expect(page).to_have_url(re.compile(r"train\?task=imdb"))
    expect(page.get_by_role("heading", name="Starter: GRU on IMDB")).to_have_count(0)  # else it is the old page's
    idle(page).go_back()
    expect(page.get_by_role("heading", name="Starter: GRU on IMDB")).to_be_visible()
    for steps in ("30", "20"):
        idle(page).go_back()
        expect(length).to_have_value(steps)
    assert "task=adding&length=20" in page.url
    idle(page).go_forward()
    expect(length).to_have_value("30")


def test_a_link_to_a_preset_opens_it_instead_of_the_draft_or_run_before(visit: Visit, server: Server) -> None:
    page = settled(visit(f"{server.url}/train?task=adding&length=20"))
    expect(page).to_have_url(re.compile("length=20"))
    go(page, "Lessons")
    page.get_by_role("link", name="Train: Vanishing: a contractive RNN").click()
    expect(page).to_have_url(re.compile("gain=0.7"))
    expect(page.get_by_role("button", name="Vanishing: a contractive RNN")).to_have_attribute(
        "data-testid", "stBaseButton-primary"
    )
    page.goto(f"{server.url}/lessons?run=starter-gru")
    page.get_by_role("link", name="Train: Vanishing: a contractive RNN").click()
    expect(page.get_by_role("heading", name="Train a network, live")).to_be_visible()
    expect(page).to_have_url(re.compile("gain=0.7"))


def test_keyboard_alone_trains_and_types(visit: Visit, server: Server) -> None:
    page = settled(visit(f"{server.url}/train?{LONG}"))
    expect(controls(page, "play")).to_contain_text("Play")
    seed = page.get_by_label("Units", exact=True)
    seed.focus()
    page.keyboard.press("Backspace")
    page.keyboard.type("8")
    page.keyboard.press("Tab")  # leaves the field
    expect(page).to_have_url(re.compile("units=18"))
    page.keyboard.press("p")
    expect(controls(page, "play")).to_contain_text("Pause", timeout=TIMEOUT)
    reaches(page, 1)
    page.keyboard.press("s")
    expect(page.get_by_text("Stopped after")).to_be_visible(timeout=TIMEOUT)


def test_a_diverged_run_says_what_to_do(visit: Visit, server: Server) -> None:
    query = "task=adding&length=100&activation=relu&gain=5&learning_rate=10&optimiser=sgd&epochs=5&initialiser=random_normal"
    page = visit(f"{server.url}/train?{query}")
    controls(page, "play").click()
    expect(page.get_by_test_id("stAlert").filter(has_text=re.compile("try|clip", re.I)).first).to_be_visible(timeout=TIMEOUT)


def test_one_batch_starts_a_run(visit: Visit, server: Server) -> None:
    page = visit(f"{server.url}/train?{TINY}")
    controls(page, "batch").click()
    assert reaches(page, 1) == 1
    expect(page.get_by_test_id("stProgress")).to_contain_text("paused")
    controls(page, "play").click()
    expect(page.get_by_text("Finished after")).to_be_visible(timeout=TIMEOUT)
    controls(page, "reset").click()
    expect(page.get_by_text("Finished after")).to_be_hidden()
    expect(page.get_by_text("Finished after")).to_be_visible(timeout=TIMEOUT)


def test_a_run_deleted_while_another_browser_shows_it(visit: Visit, server: Server) -> None:
    page = visit(f"{server.url}/train?{TINY}")
    controls(page, "play").click()
    expect(page.get_by_text("Finished after")).to_be_visible(timeout=TIMEOUT)
    other = settled(visit(page.url))
    expect(other.get_by_text("Finished after")).to_be_visible()
    page.get_by_role("button", name="This run").click()
    name = page.get_by_label("Name", exact=True)
    name.evaluate("(box) => box.focus()")
    page.keyboard.insert_text("n" * 1_000_000)
    name.press("Enter")
    expect(page.get_by_role("heading", level=1)).not_to_contain_text("n" * 81)
    if not button(page, "Delete this run").is_visible():
        page.get_by_role("button", name="This run").click()
    button(page, "Delete this run").click()
    button(page, "Delete").click()
    expect(page).not_to_have_url(re.compile("run="))
    other.reload()
    expect(other.get_by_text("is not on this server")).to_be_visible()
    expect(controls(other, "play")).to_contain_text("Play")


def test_a_restarted_server_offers_to_play_on(visit: Visit, fresh_server: Callable[..., Server]) -> None:
    server = fresh_server()
    page = play(visit(f"{server.url}/train?{LONG}"))
    reaches(page, 2)
    address = page.url.replace(server.url, "")
    page.goto("about:blank")
    server.stop(kill=True)
    again = fresh_server(home=server.home)
    back = settled(visit(f"{again.url}{address}"))
    expect(back.get_by_text("Interrupted after")).to_be_visible()
    expect(controls(back, "play")).to_be_enabled()


def test_missing_imdb_offers_the_toy_reviews(visit: Visit, fresh_server: Callable[..., Server], tmp_path: Path) -> None:
    server = fresh_server(UNROLLED_IMDB=str(tmp_path / "nowhere"), HOME=str(tmp_path), KERAS_HOME=str(tmp_path))
    page = visit(f"{server.url}/train?task=imdb&length=80")
    controls(page, "play").click()
    expect(page.get_by_test_id("stAlert").filter(has_text="UNROLLED_IMDB").first).to_be_visible(timeout=TIMEOUT)
    expect(page.get_by_test_id("stAlert").filter(has_text=re.compile("toy reviews", re.I)).first).to_be_visible()
    controls(page, "toy").click()
    reaches(page, 1)
    expect(page.get_by_role("heading", level=1)).to_contain_text("Toy reviews")
