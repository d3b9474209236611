"""Gradients and lessons in the browser: sliders, the run, the animation, clipping, the lessons, on a phone and in the dark theme."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.serving import Server
from tests.browser.steps import chart, controls, go, points, settled

SLOW = 120_000  # ms: the first page may wait for a worker to start


def drawn(page: Page, key: str) -> None:
    expect(chart(page, key).locator(".main-svg").first).to_be_visible(timeout=SLOW)


def heights(page: Page, key: str, trace: int = 1) -> list[float]:
    """The y values of one trace in the browser."""
    return chart(page, key).evaluate("(node, n) => Array.from(node.data[n].y)", trace)  # type: ignore[no-any-return]


def test_a_slider_of_the_laboratory_changes_the_curves_and_the_link(visit: Callable[..., Page], server: Server) -> None:
    page = settled(visit(f"{server.url}/gradients?lab_length=25"))
    drawn(page, "lab")
    assert points(page, "lab", 1) == 25
    before = heights(page, "lab")
    page.get_by_role("slider", name="Recurrent gain").press("ArrowLeft")
    changed(page, before)
    assert heights(page, "lab")[-1] < before[-1]
    expect(page).to_have_url(re.compile("lab_gain=0.95"))
    page.get_by_text("Lyapunov exponents", exact=True).click()
    page.wait_for_function("() => document.querySelector('.unrolled-chart[data-name=lab]').data[0].mode === 'lines+markers'")
    expect(page.get_by_text("average growth per step")).to_be_visible()


def test_a_run_shows_its_start_and_its_end_and_its_whole_training(visit: Callable[..., Page], server: Server) -> None:
    page = settled(visit(f"{server.url}/gradients?run=starter-gru"))
    page.get_by_role("tab", name="This run").click()
    drawn(page, "run")
    names = chart(page, "run").evaluate("node => node.data.filter(trace => trace.showlegend !== false).map(trace => trace.name)")
    assert names[0] == "GRU, untrained"
    assert "after" in names[1]
    drawn(page, "over_training")
    drawn(page, "clip_history")


def test_the_gradient_of_a_running_training_is_redrawn(visit: Callable[..., Page], server: Server) -> None:
    page = settled(visit(f"{server.url}/train?task=adding&length=30&cell=lstm&units=8&epochs=1000&minutes=20"))
    controls(page, "play").click()
    expect(controls(page, "play")).to_contain_text("Pause", timeout=SLOW)
    expect(page).to_have_url(re.compile("run="))
    go(page, "Gradients")
    page.get_by_role("tab", name="This run").click()
    drawn(page, "live")
    node = chart(page, "live")
    node.evaluate("node => { node.mark = 1 }")
    assert points(page, "live", 1) == 30
    before = heights(page, "live")
    script = "old => JSON.stringify(Array.from(document.querySelector('.unrolled-chart[data-name=live]').data[1].y)) !== JSON.stringify(old)"
    page.wait_for_function(script, arg=before, timeout=SLOW)
    assert node.evaluate("node => node.mark") == 1  # redrawn in the same node
    expect(page.get_by_text("Live, mean over the batch · status: running")).to_be_visible()
    drawn(page, "run")  # and the curves of its kept steps
    go(page, "Train")
    controls(page, "stop").click()
    expect(page.get_by_text("Stopped after")).to_be_visible(timeout=SLOW)
    go(page, "Gradients")
    page.get_by_role("tab", name="This run").click()
    drawn(page, "run")
    expect(node).to_have_count(0)


def test_the_animation_plays_by_keys_and_stages(visit: Callable[..., Page], server: Server) -> None:
    page = settled(visit(f"{server.url}/gradients", scheme="dark"))
    page.get_by_role("tab", name="Step by step").click()
    player = page.locator(".bptt")
    expect(player.locator("svg")).to_be_visible(timeout=SLOW)
    expect(player).to_have_attribute("data-frame", "0")
    player.focus()
    player.press("ArrowRight")
    expect(player).to_have_attribute("data-frame", "1")
    player.get_by_role("button", name="Stage 4: Gradient flows back").click()
    expect(player).to_have_attribute("data-stage", "3")
    expect(player.get_by_text("Now backwards")).to_be_visible()
    player.get_by_role("button", name="Stage 5: Sum and update").click()
    expect(player.locator(".words")).to_contain_text("contributes its own gradient of U")
    player.press("Space")
    before = int(player.get_attribute("data-frame") or 0)
    page.wait_for_function("old => Number(document.querySelector('.bptt').dataset.frame) > old", arg=before)


def test_clipping_says_how_far_each_rule_turns_the_step(visit: Callable[..., Page], server: Server) -> None:
    page = settled(visit(f"{server.url}/gradients"))
    page.get_by_role("tab", name="Clipping").click()
    drawn(page, "clipping")
    assert sum(value**2 for value in heights(page, "clipping", 1)) ** 0.5 == pytest.approx(1.0, abs=1e-3)
    expect(page.get_by_text("keeps its direction")).to_be_visible()


def test_the_analytic_examples_are_drawn(visit: Callable[..., Page], server: Server) -> None:
    page = settled(visit(f"{server.url}/gradients"))
    page.get_by_role("tab", name="On paper").click()
    drawn(page, "growth-13")
    assert heights(page, "growth-13", 0)[10] == pytest.approx(7240.8, rel=1e-3)


def test_lessons_are_confirmed_and_link_to_their_experiments(visit: Callable[..., Page], server: Server) -> None:
    page = settled(visit(f"{server.url}/lessons"))
    for n, title in enumerate(
        ("Vanishing in a contractive RNN", "Exploding, and clipping", "Padding behind", "Vanilla RNNs do well"), 1
    ):
        if n > 1:
            page.get_by_text(title).first.click()
        expect(page.get_by_role("heading", name=title)).to_be_visible()
        expect(page.get_by_text("What would disprove it.", exact=True)).to_have_count(
            1
        )  # the lesson before is no longer on the page
        source = page.get_by_text("Measured just now").or_(page.get_by_text("Recorded from the models"))
        expect(source).to_have_count(1, timeout=SLOW)
        expect(page.get_by_text("Not so here")).to_have_count(0)
    expect(page).to_have_url(re.compile("lesson=vanilla"))
    page.go_back()
    expect(page.get_by_role("heading", name="Padding behind")).to_be_visible()
    page.go_forward()
    expect(page.get_by_role("heading", name="Vanilla RNNs do well")).to_be_visible()
    page.get_by_text("Train: The textbook program").first.click()
    expect(page).to_have_url(re.compile("/train.*task=imdb"))


def test_a_lesson_fits_a_phone(visit: Callable[..., Page], server: Server) -> None:
    page = settled(visit(f"{server.url}/lessons?lesson=training", scheme="dark", phone=True))
    drawn(page, "figure-training")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1")


def changed(page: Page, before: list[float], trace: int = 1) -> None:
    """Wait until a curve of the laboratory differs from `before`."""
    script = "([old, n]) => JSON.stringify(Array.from(document.querySelector('.unrolled-chart[data-name=lab]').data[n].y)) !== JSON.stringify(old)"
    page.wait_for_function(script, arg=[before, trace], polling=10)


def slider_answers(page: Page, moves: int = 15, trace: int = 1) -> list[float]:
    """Seconds from a key press on the gain slider until the new curve is on the screen."""
    slider = page.get_by_role("slider", name="Recurrent gain")
    answers = []
    for _ in range(moves):
        old = heights(page, "lab", trace)
        began = time.perf_counter()
        slider.press("ArrowLeft")
        changed(page, old, trace)
        answers.append(time.perf_counter() - began)
    return answers
