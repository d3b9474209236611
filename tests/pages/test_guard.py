"""Sections as error boundaries: a failing section becomes one sentence, the others are drawn, and every catch is counted."""

from __future__ import annotations

import ast
import logging
from collections.abc import Iterator
from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

import pytest
from streamlit.runtime.runtime import RuntimeState
from streamlit.testing.v1 import AppTest

from pages.parts import lessons
from pages.parts.compare import contest
from pages.parts.gradients import run
from pages.parts.home import chain, reading
from pages.parts.sentence import models, text_box
from pages.parts.train import form, live_view
from pages.shared import guard, run_picker, share
from pages.shared.session import key
from rnn_core import Experiment
from rnn_core.store.store import Store
from tests.conftest import ROOT
from tests.pages.test_runs import PAGES, words
from tests.pages.test_sentence import InlineService


class UnexpectedError(Exception):
    """An exception that nothing in the project raises."""


def broken(*args: Any, **kwargs: Any) -> Any:
    raise UnexpectedError("boom")


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Iterator[InlineService]:
    store, service_made = Store(tmp_path), InlineService()
    monkeypatch.setattr(service_made, "store", store, raising=False)
    monkeypatch.setattr(service_made, "streamed", lambda job: None, raising=False)
    for name, value in {"service": service_made, "running_service": service_made, "store": store, "start_workers": None}.items():
        monkeypatch.setattr(run_picker, name, lambda value=value: value)
    yield service_made
    guard.caught.clear()
    store.close()


def opened(page: str, **query: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    app.query_params.update(query)
    app.run()
    if page != "Home":
        app.switch_page(PAGES[page])
        app.query_params.update(query)
        app.run()
    return app


FAULTS = [
    ("Home", chain, "unrolled", "The picture", "Paste a sentence"),
    ("Home", reading, "draw", "The reading", "Why it is called unrolled"),
    ("Lessons", lessons, "facts", "The measurement of this lesson", "What would disprove it"),
    ("Train", form, "cards", "The presets", "Or set it up"),
    ("Train", form, "form", "The form", "Start from a preset"),
    ("Train", share, "panel", "What you can take away", "Or set it up"),
    ("Compare", contest, "show", "This view", "compare_arrows: Compare"),
    ("Sentence", text_box, "text_box", "The choice of models and text", "A recurrent network reads one word at a time"),
    ("Sentence", models, "panels", "The reading", "Praise raises"),
]


@pytest.mark.parametrize(
    ("page", "module", "name", "section", "other_text"), FAULTS, ids=[f"{one[0]}, {one[3]}" for one in FAULTS]
)
def test_a_failing_section_leaves_the_others_drawn(
    service: InlineService, monkeypatch: pytest.MonkeyPatch, page: str, module: Any, name: str, section: str, other_text: str
) -> None:
    monkeypatch.setattr(module, name, broken)
    app = opened(page)
    assert not app.exception
    assert f"{section} could not be shown" in words(app)
    assert "boom" not in words(app)
    assert other_text in words(app)
    assert guard.caught[section] >= 1


def test_a_failing_sidebar_leaves_the_page_drawn(service: InlineService, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_picker, "pick_run", broken)
    app = opened("Gradients")
    assert not app.exception
    assert "The choice of a run could not be shown" in words(app)
    assert "Memory" in words(app), "the laboratory needs no run"


def test_a_failing_fragment_leaves_the_page_drawn(service: InlineService, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_view, "figures", broken)
    monkeypatch.setattr(service, "live", lambda run_id: None, raising=False)
    monkeypatch.setattr(service, "viewed", lambda run_id: None, raising=False)
    app = opened("Train", run="starter-lstm")
    assert not app.exception
    assert "The training could not be shown" in words(app)
    assert any(button.label == "Change it and train again" for button in app.button)


def test_a_failing_callback_shows_a_warning_once(service: InlineService, monkeypatch: pytest.MonkeyPatch) -> None:
    app = opened("Train")
    monkeypatch.setattr(form, "set_draft", broken)
    app.run()
    app.button(key=key("train", "preset", "sine")).click().run()
    assert not app.exception
    assert "The preset had no effect" in words(app)
    assert guard.caught == {"The preset": 1}
    app.run()
    assert "had no effect" not in words(app), "shown once"


def test_an_unexpected_error_of_a_probe_is_counted_and_an_expected_one_is_not(
    service: InlineService, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing_call(problem: Exception) -> Any:
        future: Future[Any] = Future()
        future.set_exception(problem)
        return lambda *args, **kwargs: future

    monkeypatch.setattr(service, "call", failing_call(ValueError("the file is not on this machine: upload it again")))
    assert "upload it again" in words(opened("Gradients"))
    assert not guard.caught
    monkeypatch.setattr(service, "call", failing_call(UnexpectedError("boom")))
    assert "Something went wrong" in words(opened("Gradients"))
    assert sum(guard.caught.values()) == 1


def test_an_expected_error_ends_the_section_uncounted(service: InlineService) -> None:
    run_id = service.store.create(Experiment(), status="stopped")  # type: ignore[attr-defined]
    with pytest.raises(guard.SectionEnded), guard.store_errors():
        service.store.open(f"{run_id}x")  # type: ignore[attr-defined]
    assert not guard.caught


def test_a_failure_is_logged_with_its_traceback_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, "unrolled"):
        for _ in range(3):
            try:
                broken()
            except UnexpectedError as bug:
                guard.report("A section of this test", bug)
    assert guard.caught.pop("A section of this test") == 3
    (record,) = [one for one in caplog.records if "caught in section" in one.getMessage()]
    assert record.exc_info is not None


@pytest.mark.parametrize("state", ["STOPPING", "STOPPED"])
def test_what_fails_while_the_app_ends_is_no_fault(monkeypatch: pytest.MonkeyPatch, state: str) -> None:
    """Python refuses threads and some imports as soon as it shuts down, wherever a section stands then."""
    monkeypatch.setattr(guard.runtime, "exists", lambda: True)
    monkeypatch.setattr(guard.runtime, "get_instance", lambda: SimpleNamespace(state=RuntimeState(state)))
    guard.report("A section of this test", RuntimeError("can't register atexit after shutdown"))
    assert not guard.caught


@pytest.mark.parametrize("path", [ROOT / "app.py", *sorted((ROOT / "pages").glob("*.py"))], ids=lambda path: path.name)
def test_every_call_of_a_page_is_in_a_section(path: Any) -> None:
    """Only texts, links and choices between sections are drawn outside a section."""
    allowed = {
        "title",
        "markdown",
        "info",
        "page_link",
        "columns",
        "container",
        "tabs",
        "page",
        "draw_section",
        "choice_section",
        "strip_section",
        "heading_section",
        "show_use",
        "live",
        "fetch_plotly",
        "zip",
        "list",
        "values",
        "key",
    }
    calls = []
    for node in ast.parse(path.read_text("utf-8")).body:
        if not isinstance(node, (ast.FunctionDef, ast.Import, ast.ImportFrom)):
            calls += [call for call in calls_outside_sections(node) if ast.unparse(call.func).rpartition(".")[2] not in allowed]
    assert [ast.unparse(call) for call in calls] == []


def calls_outside_sections(node: ast.AST) -> Iterator[ast.Call]:
    """Calls under a node that are in no section and in no lambda."""
    if isinstance(node, ast.Lambda) or (isinstance(node, ast.With) and any("section(" in ast.unparse(one) for one in node.items)):
        return
    if isinstance(node, ast.Call):
        yield node
    for child in ast.iter_child_nodes(node):
        yield from calls_outside_sections(child)


def test_fragments_with_a_timer_are_sections() -> None:
    for function in (run._live, live_view._tick, contest.watch):
        assert hasattr(function, "__wrapped__")


@pytest.mark.parametrize("path", sorted((ROOT / "pages").rglob("*.py")), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_what_a_timer_redraws_stands_in_a_container_of_its_own(path: Any) -> None:
    """Streamlit addresses it by its place, so nothing that comes and goes may stand before it in the same container."""
    text = path.read_text("utf-8")
    placed = [
        call
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.With)
        for call in ast.walk(node)
        if isinstance(call, ast.keyword) and call.arg == "run_every"
    ]
    at_an_end = ("shell.py", "live_view.py")  # these stand in containers that their callers made for them
    assert len(placed) == text.count("run_every=") or path.name in at_an_end
