"""The chart component alone: Streamlit may call its clean-up and draw again in the same element, or remove the element."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.serving import Server
from tests.browser.steps import settled

MOUNT = """async (again) => {
    const { draw } = await import(new URL("app/static/chart.js", document.baseURI));
    const place = document.body.appendChild(document.createElement("div"));
    const figure = { data: [{ y: [1, 2, 3] }], layout: { height: 200 } };
    const data = new TextEncoder().encode(JSON.stringify({ figure, rev: "a", alt: "three points", name: "three" }));
    const drawn = () => draw({ data, parentElement: place, setTriggerValue: () => null });
    const until = async (holds) => {
        for (let n = 0; !holds(); n++) {
            if (n > 1000) throw new Error(place.innerText || "nothing was drawn");
            await new Promise((next) => setTimeout(next, 20));
        }
    };
    const clean = drawn();
    const node = place.querySelector(".unrolled-chart");
    await until(() => node.calcdata);
    await window.Plotly.relayout(node, { "xaxis.range": [0, 1] });
    if (!again) place.remove();
    clean();
    if (again) drawn();
    await new Promise((next) => setTimeout(next, 300));
    return {
        nodes: place.querySelectorAll(".unrolled-chart").length,
        same: place.querySelector(".unrolled-chart") === node,
        zoom: node._fullLayout?.xaxis.range.slice() ?? null,
    };
}"""


@pytest.mark.parametrize(
    ("again", "expected"),
    [
        (True, {"nodes": 1, "same": True, "zoom": [0, 1]}),
        (False, {"nodes": 0, "same": False, "zoom": None}),
    ],
    ids=["drawn-again", "gone"],
)
def test_an_element_contains_at_most_one_chart(
    visit: Callable[..., Page], server: Server, again: bool, expected: dict[str, Any]
) -> None:
    assert settled(visit(f"{server.url}/train")).evaluate(MOUNT, again) == expected


RESIZE = """async () => {
    const { draw } = await import(new URL("app/static/chart.js", document.baseURI));
    const place = document.body.appendChild(document.createElement("div"));
    for (let n = 0; n < 40; n++) {
        const y = Array.from({ length: 1 + (n % 7) * 300 }, (_, k) => Math.sin(k));
        const type = ["scatter", "heatmap", "histogram"][n % 3];
        const trace = type === "heatmap" ? { type, z: [y, y] } : type === "histogram" ? { type, x: y } : { y };
        const figure = { data: Array(1 + (n % 3)).fill(trace), layout: { height: 200, margin: { t: 40 }, title: { text: `${n}` } } };
        const data = new TextEncoder().encode(JSON.stringify({ figure, rev: "a", alt: "", name: "many" }));
        place.style.width = `${300 + 10 * n}px`;
        draw({ data, parentElement: place, setTriggerValue: () => null });
        await new Promise((next) => setTimeout(next, n % 4 ? 0 : 60));
    }
    await new Promise((next) => setTimeout(next, 1000));
    const node = place.querySelector(".unrolled-chart");
    return [node.layout.title.text, node._fullLayout.width, node.offsetWidth];
}"""


def test_a_chart_that_is_resized_between_redraws_shows_the_newest_figure(visit: Callable[..., Page], server: Server) -> None:
    """`visit` also checks that the page has no errors."""
    title, width, available = settled(visit(f"{server.url}/train")).evaluate(RESIZE)
    assert title == "39"
    assert width == available == 690
