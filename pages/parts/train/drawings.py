"""What the screen shows of a moment: every drawing as bytes, made once for all the students who watch the run.

Drawings that need the run's weights (forecasts, reviews read word by word) come from the probe worker and are shown when
they arrive; nothing here waits for them.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from pages.shared import charts, guard, run_picker
from pages.shared.kept_steps import Moment, moment
from pages.shared.words import advice
from rnn_core import data
from rnn_core.figures import forecasts as forecast_figures
from rnn_core.figures import live as figures
from rnn_core.probes import examples, forecasts

FRESH = 0.8  # seconds that a board of an active run is shared
BRIEFLY = 0.05  # seconds to wait for somebody who draws it
KEPT = 64  # boards, and answers, remembered
FORECAST = 300  # pixels
log = logging.getLogger("unrolled")

Drawing = tuple[go.Figure, str]  # with one sentence for a screen reader


@dataclass(frozen=True, eq=False)
class Board:
    """Everything on the screen for one moment of one run."""

    now: Moment
    drawings: dict[str, bytes]  # name → what `live.draw` sends
    pending: bool  # an answer of the probe worker is still to come
    made: float  # time.monotonic()


_boards: dict[tuple[str, int | None], Board] = {}
_drawing = threading.Lock()  # one student's request draws, the others find it done


def board(run_id: str, at: int | None = None) -> Board:
    """The run's board now, or at the kept step `at`. Raises KeyError for a run that is gone.

    While somebody draws, the others take the board of a second ago: waiting, they would all come at once when it is done.
    """
    known = _shareable(run_id, at)
    if known and (_fresh(known) or not _drawing.acquire(timeout=BRIEFLY)):
        return known
    if not known:
        _drawing.acquire()
    try:
        known = _shareable(run_id, at)
        return known if known and _fresh(known) else _renewed(run_id, at)
    finally:
        _drawing.release()


def _shareable(run_id: str, at: int | None) -> Board | None:
    """The last board of a run under way, unless the run paused or ended since: then it says what is wrong by now."""
    known = _boards.get((run_id, at))
    shared = known is not None and known.now.active and not known.now.begins and _status(run_id) == known.now.status
    return known if shared else None


def _fresh(board: Board) -> bool:
    return time.monotonic() - board.made < FRESH


def _renewed(run_id: str, at: int | None) -> Board:
    """The board drawn anew, where anything changed; the caller holds the lock."""
    known, now = _boards.get((run_id, at)), moment(run_id, at)
    if known is None or known.pending or now.revision != known.now.revision or known.now.name != now.name:
        known = _draw(now)
        while len(_boards) >= KEPT:
            _boards.pop(next(iter(_boards)))
    else:
        known = Board(now, known.drawings, known.pending, time.monotonic())
    _boards[run_id, at] = known
    return known


def _status(run_id: str) -> str:
    known = run_picker.under_way(run_id)
    return str(known.status) if known else ""


def _draw(now: Moment) -> Board:
    """Nothing before the first step: with the machine to itself, the trainer compiles it half a second sooner. And nothing
    for a run that ended before it: empty axes say less than its message."""
    if now.begins or (not now.active and not len(now.history["step"])):
        return Board(now, {}, False, time.monotonic())
    asked = _Asked()
    drawn = {**_curves(now, asked), **_inside(now), **_reading(now, asked)}
    data = {name: charts.payload(figure, rev=now.run_id, alt=alt, name=name) for name, (figure, alt) in drawn.items()}
    return Board(now, data, asked.pending, time.monotonic())


def _curves(now: Moment, asked: _Asked) -> dict[str, Drawing]:
    """What all steps so far say."""
    task = data.task(now.experiment.data.task)
    store = run_picker.store()
    known = asked.answer(
        ("baselines", now.experiment.data, now.experiment.seed),
        lambda: (examples.baselines, now.experiment, store.uploads(now.experiment)),
    ) or examples.Baselines()  # fmt: skip
    drawn = {
        "loss": (
            figures.loss(now.history, dict(known.loss), log=task.metric == "rmse"),
            "Loss of training batches and of the validation part, over training steps.",
        ),
        "metric": (
            figures.metric(now.history, task.metric, dict(known.metric)),
            f"The {task.metric} over training steps, with naive predictors as lines.",
        ),
        "norm_map": (
            figures.norm_map(*now.norm_history),
            "Gradient norm at each time step of each training step, as colours on a log scale.",
        ),
    }
    if now.rewound:
        for figure, _ in drawn.values():
            figure.add_vline(x=now.step, line={"color": figures.GREY, "width": 2, "dash": "dot"})
    return drawn


def _inside(now: Moment) -> dict[str, Drawing]:
    """What this moment says."""
    drawn: dict[str, Drawing] = {}
    if now.state_norms is not None and len(now.state_norms):
        drawn["norms"] = figures.norms(now.state_norms, now.when), f"Gradient norm at each time step, {now.when}, on a log scale."
    if now.probe_states is not None and len(now.probe_states):
        words = f"Hidden state of one fixed sequence, units over time steps, {now.when}."
        drawn["states"] = figures.states(now.probe_states, now.experiment.model.cell, now.when), words
    if now.eigenvalues is not None and len(now.eigenvalues):
        words = f"Eigenvalues of the recurrent kernel against the unit circle, {now.when}."
        drawn["eigenvalues"] = figures.eigenvalues(now.eigenvalues, now.when), words
    return drawn


def _reading(now: Moment, asked: _Asked) -> dict[str, Drawing]:
    """What the newest kept weights make of real data: a forecast, or a few reviews."""
    steps = [step for step in now.kept if step <= now.step]
    if not steps:
        return {}
    step, store, experiment = max(steps), run_picker.store(), now.experiment
    group = data.task(experiment.data.task).group

    def ask(kind: str, function: Callable[..., Any], *more: Any) -> Any:
        return asked.answer((kind, now.run_id, step), lambda: (function, experiment, store.open(now.run_id).model(step), *more))

    drawn: dict[str, Drawing] = {}
    if group == "text" and (found := ask("reviews", examples.reviews)):
        words = "Probability of positive while four validation reviews are read word by word."
        drawn["reading"] = figures.running(list(found.probabilities), list(found.endings), list(found.positive)), words
    if group == "series":
        uploads = store.uploads(experiment)
        if found := ask("forecast", forecasts.of_experiment, uploads):
            drawn["reading"] = forecast_figures.forecast(found, height=FORECAST), forecast_figures.describe(found)
        if experiment.data.anomalies != "none" and (faults := ask("faults", forecasts.anomalies_of_experiment, uploads)):
            drawn["faults"] = forecast_figures.anomalies(faults), forecast_figures.verdict(faults)
    return drawn


_answers: dict[tuple[Any, ...], Future[Any]] = {}
_newest: dict[tuple[Any, ...], Any] = {}  # (kind, run) → its last answer, shown until the next one is there


class _Asked:
    """Asks the probe worker without waiting, the same question once for all sessions."""

    def __init__(self) -> None:
        self.pending = False

    def answer(self, key: tuple[Any, ...], question: Callable[[], tuple[Any, ...]]) -> Any:
        """The answer to `question` (function and arguments), else the last one of its kind for the same run, else None."""
        if key not in _answers:
            service = run_picker.running_service()
            if service is None or service.state != "ready":
                self.pending = True
                return _newest.get(key[:2])
            for memory in (_answers, _newest):
                while len(memory) >= 4 * KEPT:
                    memory.pop(next(iter(memory)))
            function, *arguments = question()
            _answers[key] = service.call(function, *arguments)
        future = _answers[key]
        if not future.done():
            self.pending = True
        elif error := future.exception():
            if advice(error):
                log.info("a drawing of a run failed: %s", error)
            else:
                guard.count("The drawings of a run", error)
            if isinstance(error, ConnectionError):  # the workers went away: ask again
                del _answers[key]
        else:
            _newest[key[:2]] = future.result()
        return _newest.get(key[:2])
