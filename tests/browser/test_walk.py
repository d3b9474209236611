"""A minute of the walker on a server of its own, whose workers it may kill: nothing may be wrong anywhere."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import PHONE, imdb_folder
from tests.browser.serving import Server
from tests.browser.walk_checks import CAUGHT, LOOK, PLAIN, tracebacks, wrong
from tests.browser.walk_controls import Control, Coverage, identity
from tests.browser.walk_plan import Plan
from tests.browser.walk_walker import Walk

SECONDS = 60
LOG = """2026-01-01 00:00:00.000 Uncaught app execution
Traceback (most recent call last):
  File "app.py", line 1, in <module>
KeyError: 'cause'

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "app.py", line 2, in <module>
ValueError: the end
caught in section “The experiment”
Traceback (most recent call last):
  File "page.py", line 3, in <module>
TypeError: inside
a line of no interest""".splitlines()


def test_a_walk_through_the_whole_app_finds_nothing_wrong(
    browser: Browser, fresh_server: Callable[..., Server], tmp_path: Path
) -> None:
    server = fresh_server(UNROLLED_IMDB=str(imdb_folder(tmp_path)), **PLAIN)
    walk = Walk(browser, server.url, seed=1, server=server).run(SECONDS)
    assert walk.findings == [], walk.report()
    assert walk.steps > SECONDS / 4, walk.report()  # it walked, and did not only wait; slow machines take 2 s an action


def test_the_walker_reads_every_traceback_of_a_log() -> None:
    first, second = tracebacks(LOG)
    assert first.startswith("2026-01-01")
    assert "KeyError: 'cause'" in first
    assert first.endswith("ValueError: the end")
    assert CAUGHT in second
    assert second.endswith("TypeError: inside")
    assert tracebacks(["all is well"]) == []


PAGE = """<div data-testid="stApp" data-test-script-state="notRunning"><main data-testid="stMain" style="width: 300px; overflow: auto">
<p>best: nan</p> <label>None</label> <code>NaN</code> <p>None of them</p> <svg><text>undefined</text></svg> <input value="None">
<div data-testid="stAlert">The loss was no finite number any more at step 3</div> <div data-testid="stException">KeyError: 1</div>
<div style="overflow: auto"><p style="width: 900px">scrolls by itself</p></div> <p style="width: 800px">too wide</p>
<div class="st-key-loss"><div class="unrolled-chart" style="height: 9px"><svg class="main-svg"></svg></div></div></main>
<a href="https://elsewhere.example/">away</a> <button disabled>Stop</button> <button>Play 12</button></div>"""
CHART = """value => { document.querySelector("[data-testid=stAlert]").remove(); const chart = document.querySelector(".unrolled-chart");
Object.assign(chart, { _fullLayout: { yaxis: { type: "log" } }, _fullData: [{ x: [1, 2, null], y: [NaN, value, 3] }] }); }"""


def test_the_walker_sees_what_must_not_be_there(browser: Browser) -> None:
    page = browser.new_page(viewport=PHONE)  # type: ignore[arg-type]
    page.set_content(PAGE)
    found = wrong(page.evaluate(LOOK), "http://localhost/train")
    assert [what.split(" in ")[0] for kind, what in found if kind == "words"] == ["“nan”", "“undefined”"]
    assert [what for kind, what in found if kind == "error box"] == ["KeyError: 1"]
    assert "800 px on 300" in next(what for kind, what in found if kind == "sideways")
    assert [each["label"] for each in page.evaluate(LOOK)["controls"] if each["kind"] == "button"] == ["Play 12"]
    for value, empty in ((0.0, ["loss"]), (1.0, [])):  # a zero has no place on a log axis
        page.set_content(PAGE)
        page.evaluate(CHART, value)
        assert page.evaluate(LOOK)["empty"] == empty
    page.close()


@pytest.mark.parametrize(
    ("kind", "label", "key", "own", "name"),
    [
        ("number", "Seed", "lessons-seed-vanilla", False, "number Seed [lessons-seed]"),  # one per lesson
        ("number", "Units", "train-set-units", False, "number Units [train-set-units]"),  # a field of the form
        ("button", "IMDB, GRU, fast", "train-preset-imdb_gru", True, "button [train-preset]"),  # one per preset
        ("button", "Play on", "sentence-player", False, "button Play on"),  # inside a component
        ("chart", "sentence-correlations-LSTM", "sentence-correlations-LSTM", False, "chart [sentence-correlations]"),
        ("slider", "Gate bias at the start", "bias_parity", False, "slider Gate bias at the start [bias]"),
        ("link", "Train: The textbook program, LSTM", "", False, "link Train"),
        ("choice", "Read by: LSTM · Toy reviews", "who", False, "choice Read by: a run"),
        ("button", "Stage 2: Loss", "gradients-bptt", False, "button Stage #: Loss"),
    ],
)
def test_a_control_repeated_per_item_is_one_control(kind: str, label: str, key: str, own: bool, name: str) -> None:
    assert identity(kind, label, key, own) == name


def control(kind: str, name: str, **other: object) -> Control:
    fields = {"index": 0, "page": "Train", "label": name, "href": "", "inside": False, "chosen": False, "run": "none"}
    return Control(kind=kind, name=name, **{**fields, **other})  # type: ignore[arg-type]


def test_the_plan_stays_for_what_is_unused_and_goes_where_more_of_it_is() -> None:
    coverage = Coverage()
    plan = Plan(random.Random(1), coverage)
    used, unused, opener = control("slider", "used"), control("slider", "unused"), control("expander", "more")
    away = control("link", "away", href="http://localhost/compare")
    coverage.see([used, unused, opener, away], "http://localhost/train?run=1")
    coverage.attempt(used)
    coverage.touch(used)
    coverage.appeared(opener, [used, unused], {"used"})
    assert plan.reason(used) == 0
    assert plan.reason(unused) > plan.reason(away) > 0
    coverage.attempt(opener)
    coverage.touch(opener)
    assert plan.reason(opener) > 0  # the unused one is behind it
    coverage.unsee(unused)  # it was disabled when it should be used
    assert coverage.missing("Train") == {"away"}
    plan.errands.clear()
    assert Counter(plan.elsewhere([]) for _ in range(200)).most_common(1)[0][0] == "train?run=1"
    assert all(plan.elsewhere([], "http://localhost/train?run=1") != "train?run=1" for _ in range(50))
