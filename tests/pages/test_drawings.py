"""Drawings are shared by all viewers: while one thread draws, others get the last drawings, unless they are out of date."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from pages.parts.train import drawings, live_view
from pages.parts.train.drawings import Drawings
from rnn_core.spec.experiment import Experiment
from tests import made_up


class SlowDrawing:
    """A run whose every drawing waits for `release`."""

    def __init__(self) -> None:
        self.run = SimpleNamespace(active=True, before_first_step=False, status="running", revision="1", name="run")
        self.drawing, self.release = threading.Event(), threading.Event()

    def draw(self, run: Any) -> Drawings:
        self.drawing.set()
        assert self.release.wait(10)
        return Drawings(run, {"loss": run.revision.encode()}, False, time.monotonic())

    def change(self, **fields: str) -> None:
        self.run = SimpleNamespace(**{**vars(self.run), **fields})


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> SlowDrawing:
    made = SlowDrawing()
    monkeypatch.setattr(drawings, "_cache", {})
    monkeypatch.setattr(drawings, "run_view", lambda run_id, at: made.run)
    monkeypatch.setattr(drawings, "_status", lambda run_id: made.run.status)
    monkeypatch.setattr(drawings, "_draw", made.draw)
    return made


def concurrently(slow: SlowDrawing, **fields: str) -> tuple[Future[Drawings], Future[Drawings]]:
    """Two requests for an out-of-date drawing of a changed run: the first one draws, the second one comes meanwhile."""
    slow.release.set()
    drawings.of_run("run")
    drawings._cache["run", None] = replace(drawings._cache["run", None], made=-1e9)
    slow.release.clear()
    slow.drawing.clear()
    slow.change(**fields)
    pool = ThreadPoolExecutor(2)
    first = pool.submit(drawings.of_run, "run")
    assert slow.drawing.wait(10)
    second = pool.submit(drawings.of_run, "run")
    pool.shutdown(wait=False)
    return first, second


def test_while_one_thread_draws_others_get_the_last_drawings(slow: SlowDrawing) -> None:
    first, second = concurrently(slow, revision="2")
    assert second.result(10).payloads == {"loss": b"1"}
    assert not first.done()
    slow.release.set()
    assert first.result(10).payloads == {"loss": b"2"}
    slow.change(revision="3")
    assert drawings.of_run("run").payloads == {"loss": b"2"}, "drawings younger than MAX_AGE are shared"


def test_drawings_of_an_ended_run_are_waited_for(slow: SlowDrawing) -> None:
    first, second = concurrently(slow, revision="2", status="finished")
    assert not wait([second], 5 * drawings.LOCK_TIMEOUT).done
    slow.release.set()
    assert first.result(10).payloads == second.result(10).payloads == {"loss": b"2"}


@pytest.mark.parametrize(
    ("status", "pending", "kept_steps", "expected"),
    [
        ("running", False, {}, True),
        ("finished", True, {0: 0}, True),
        ("finished", False, {0: 0}, False),
        ("finished", True, {}, False),
    ],
    ids=["training", "probe-pending", "probe-failed", "no-kept-step"],
)
def test_space_is_kept_for_a_figure_that_is_still_to_come(
    status: str, pending: bool, kept_steps: dict[int, int], expected: bool
) -> None:
    experiment = Experiment().replace(task="toy_reviews")
    run: Any = SimpleNamespace(active=status == "running", kept_steps=kept_steps, experiment=experiment)
    assert live_view._is_coming(Drawings(run, {}, pending, 0.0), "reading") is expected


@pytest.mark.parametrize(("task", "shown"), [("toy_reviews", True), ("temporal_order", True), ("adding", False), ("sine", False)])
def test_every_classifier_has_its_confusion_matrix_and_its_errors(
    monkeypatch: pytest.MonkeyPatch, task: str, shown: bool
) -> None:
    experiment = Experiment().replace(task=task, length=20, samples=100, units=4)
    monkeypatch.setattr(drawings, "_probe", lambda run, probes, step, kind, function, *more: kind == "confusion" and function(experiment, made_up.model(experiment), *more))  # fmt: skip
    monkeypatch.setattr(drawings.run_picker, "store", lambda: SimpleNamespace(uploads=lambda experiment: {}))
    run: Any = SimpleNamespace(experiment=experiment, kept_steps={0: 0}, step=10)
    probes = drawings._Probes()
    assert ("confusion" in drawings._probe_figures(run, probes, {})) is shown
    assert ("errors" in drawings._errors(run, probes)) is shown
