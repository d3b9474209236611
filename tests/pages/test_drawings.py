"""One drawing for a class that watches: who draws lets the others see the last board, unless that one is wrong by now."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from pages.parts.train import drawings, live_view
from pages.parts.train.drawings import Board
from rnn_core.spec.experiment import Experiment


class Easel:
    """A run whose every drawing waits for `dry`."""

    def __init__(self) -> None:
        self.now = SimpleNamespace(active=True, begins=False, status="running", revision="1", name="run")
        self.drawing, self.dry = threading.Event(), threading.Event()

    def draw(self, now: Any) -> Board:
        self.drawing.set()
        assert self.dry.wait(10)
        return Board(now, {"loss": now.revision.encode()}, False, time.monotonic())

    def changes(self, **news: str) -> None:
        self.now = SimpleNamespace(**{**vars(self.now), **news})


@pytest.fixture
def easel(monkeypatch: pytest.MonkeyPatch) -> Easel:
    made = Easel()
    monkeypatch.setattr(drawings, "_boards", {})
    monkeypatch.setattr(drawings, "moment", lambda run_id, at: made.now)
    monkeypatch.setattr(drawings, "_status", lambda run_id: made.now.status)
    monkeypatch.setattr(drawings, "_draw", made.draw)
    return made


def meanwhile(easel: Easel, **news: str) -> tuple[Future[Board], Future[Board]]:
    """A first board was drawn and is old by now; news came, one viewer draws it, and another looks."""
    easel.dry.set()
    drawings.board("run")
    drawings._boards["run", None] = replace(drawings._boards["run", None], made=-1e9)
    easel.dry.clear()
    easel.drawing.clear()
    easel.changes(**news)
    pool = ThreadPoolExecutor(2)
    first = pool.submit(drawings.board, "run")
    assert easel.drawing.wait(10)
    second = pool.submit(drawings.board, "run")
    pool.shutdown(wait=False)
    return first, second


def test_while_one_draws_the_others_see_the_last_board(easel: Easel) -> None:
    first, second = meanwhile(easel, revision="2")
    assert second.result(10).drawings == {"loss": b"1"}
    assert not first.done()
    easel.dry.set()
    assert first.result(10).drawings == {"loss": b"2"}
    easel.changes(revision="3")
    assert drawings.board("run").drawings == {"loss": b"2"}, "it is fresh enough for everybody"


def test_a_run_that_ended_is_waited_for(easel: Easel) -> None:
    first, second = meanwhile(easel, revision="2", status="finished")
    assert not wait([second], 5 * drawings.BRIEFLY).done
    easel.dry.set()
    assert first.result(10).drawings == second.result(10).drawings == {"loss": b"2"}


@pytest.mark.parametrize(
    ("status", "pending", "kept", "place"),
    [
        ("running", False, {}, True),
        ("finished", True, {0: 0}, True),
        ("finished", False, {0: 0}, False),
        ("finished", True, {}, False),
    ],
    ids=["trains", "is-read", "was-read", "nothing-to-read"],
)
def test_a_look_at_real_data_has_its_place_before_it_comes(status: str, pending: bool, kept: dict[int, int], place: bool) -> None:
    experiment = Experiment().replace(task="toy_reviews")
    now: Any = SimpleNamespace(active=status == "running", kept=kept, experiment=experiment)
    assert live_view._awaited(Board(now, {}, pending, 0.0), "reading") is place
