"""The figures of the Train page as bytes, made once for all viewers of a run and cached.

Figures that need the run's weights (forecasts, predictions for reviews) come from the probe worker and are drawn when they
arrive; nothing here waits for them.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import plotly.graph_objects as go

from pages.shared import charts, guard, run_picker, strip
from pages.shared.kept_steps import RunView, run_view
from pages.shared.words import advice
from rnn_core import data
from rnn_core.figures import beyond as beyond_figures
from rnn_core.figures import confusion as confusion_figures
from rnn_core.figures import forecasts as forecast_figures
from rnn_core.figures import live as live_figures
from rnn_core.figures.verdicts import Verdict, training
from rnn_core.figures.verdicts import forecasts as forecast_verdicts
from rnn_core.figures.verdicts import gradients as gradient_verdicts
from rnn_core.probes import beyond, confusion, examples, forecasts

MAX_AGE = 0.8  # seconds before the drawings of an active run are made again
LOCK_TIMEOUT = 0.05  # seconds to wait for another thread that draws, before its last drawings are used
CACHE_SIZE = 64  # drawings kept; four times as many probe results
FORECAST_HEIGHT = 300  # height in pixels
BEYOND = ("beyond", "beyond_2", "beyond_3", "beyond_4")  # names of the forecasts after the last row, of one column each
log = logging.getLogger("unrolled")

FigureAndAlt = tuple[go.Figure, str]  # the figure, and one sentence for a screen reader


@dataclass(frozen=True, eq=False)
class Drawings:
    """All figures of one run view."""

    run: RunView
    payloads: dict[str, bytes]  # figure name → bytes for `charts.draw` or `strip.draw_payload`; of "errors" HTML
    pending: bool  # a probe has not finished yet
    made: float  # time.monotonic() when they were made
    verdicts: Mapping[str, Verdict] = field(default_factory=dict)  # figure name → its words; "training" of the whole run
    beyond: Any = None  # rnn_core.probes.beyond.Beyond: the forecast of the user's own series after its last row


_cache: dict[tuple[str, int | None], Drawings] = {}
_lock = threading.Lock()  # held by the one thread that draws


def of_run(run_id: str, at: int | None = None) -> Drawings:
    """The drawings of a run now, or at the kept step `at`. Raises KeyError for a deleted run.

    While one thread draws, others get the last drawings after LOCK_TIMEOUT; if they waited, all would go on at the same time.
    """
    cached = _cached(run_id, at)
    if cached and (_is_fresh(cached) or not _lock.acquire(timeout=LOCK_TIMEOUT)):
        return cached
    if not cached:
        _lock.acquire()
    try:
        cached = _cached(run_id, at)
        return cached if cached and _is_fresh(cached) else _redrawn(run_id, at)
    finally:
        _lock.release()


def _cached(run_id: str, at: int | None) -> Drawings | None:
    """The last drawings of an active run; None if its status has changed since, because they are then out of date."""
    cached = _cache.get((run_id, at))
    if cached is None or not cached.run.active or cached.run.before_first_step or _status(run_id) != cached.run.status:
        return None
    return cached


def _is_fresh(drawings: Drawings) -> bool:
    return time.monotonic() - drawings.made < MAX_AGE


def _redrawn(run_id: str, at: int | None) -> Drawings:
    """The drawings, made again if anything has changed. The caller holds the lock."""
    cached, run = _cache.get((run_id, at)), run_view(run_id, at)
    if cached is None or cached.pending or run.revision != cached.run.revision or cached.run.name != run.name:
        cached = _draw(run)
        while len(_cache) >= CACHE_SIZE:
            _cache.pop(next(iter(_cache)))
    _cache[run_id, at] = replace(cached, run=run, made=time.monotonic())
    return _cache[run_id, at]


def _status(run_id: str) -> str:
    live = run_picker.live_run(run_id)
    return str(live.status) if live else ""


def _draw(run: RunView) -> Drawings:
    """Draw all figures of a run view.

    Draws nothing before the first step: the worker then compiles 0.5 s faster. None for a run that ended before it: nothing to show.
    """
    if run.before_first_step or (not run.active and not len(run.history["step"])):
        return Drawings(run, {}, False, time.monotonic())
    probes = _Probes()
    baselines = _baselines(run, probes)
    verdicts = {"training": _verdict(run, baselines)}
    figures = {**_history_figures(run, baselines), **_step_figures(run), **_probe_figures(run, probes, verdicts)}
    strips = _strip(run, probes, verdicts) | _errors(run, probes)
    data = strips | {name: charts.payload(figure, rev=run.run_id, alt=alt, name=name) for name, (figure, alt) in figures.items()}
    return Drawings(run, data, probes.pending, time.monotonic(), verdicts, _results.get(("beyond", run.run_id)))


def _baselines(run: RunView, probes: _Probes) -> examples.Baselines:
    """The naive predictors on the run's data; empty until the probe worker has measured them."""
    store = run_picker.store()
    found: examples.Baselines | None = probes.result(
        ("baselines", run.experiment.data, run.experiment.seed),
        lambda: (examples.baselines, run.experiment, store.uploads(run.experiment)),
    )  # fmt: skip
    return found or examples.Baselines()


def _verdict(run: RunView, baselines: examples.Baselines) -> Verdict:
    """The verdict on the run's training up to the step that is shown."""
    metric = data.task(run.experiment.data.task).metric
    task = training.Task(metric, dict(baselines.metric), baselines.answers, baselines.per_step)
    shown = run.history["step"] <= run.step
    history = {name: column[shown] for name, column in run.history.items()}
    return training.training(history, task, run.experiment, ended=not run.active and not run.is_past)


def _history_figures(run: RunView, baselines: examples.Baselines) -> dict[str, FigureAndAlt]:
    """Figures of the whole history: loss, metric, gradient norms."""
    task = data.task(run.experiment.data.task)
    loss = live_figures.loss(run.history, dict(baselines.loss), log=task.metric == "rmse")
    metric = live_figures.metric(run.history, task.metric, dict(baselines.metric))
    norm_map = live_figures.norm_heat_map(*run.norm_history)
    figures = {
        "loss": (loss, "Loss of training batches and of the validation part, over training steps."),
        "metric": (metric, f"The {task.metric} over training steps, with naive predictors as lines."),
        "norm_map": (norm_map, "Gradient norm at each time step of each training step, as colours on a log scale."),
    }
    if run.is_past:
        for figure, _ in figures.values():
            figure.add_vline(x=run.step, line={"color": live_figures.GREY, "width": 2, "dash": "dot"})
    return figures


def _step_figures(run: RunView) -> dict[str, FigureAndAlt]:
    """Figures of one step: gradient norms, states, eigenvalues."""
    figures: dict[str, FigureAndAlt] = {}
    when, cell = run.step_label, run.experiment.model.cell
    if run.state_norms is not None and len(run.state_norms):
        words = f"Gradient norm at each time step, {when}, on a log scale."
        figures["norms"] = live_figures.norms(run.state_norms, when), words
    if run.probe_states is not None and len(run.probe_states):
        words = f"Hidden state of one fixed sequence, units over time steps, {when}."
        figures["states"] = live_figures.states(run.probe_states, cell, when), words
    if run.eigenvalues is not None and len(run.eigenvalues):
        words = f"Eigenvalues of the recurrent kernel against the unit circle, {when}."
        figures["eigenvalues"] = live_figures.eigenvalues(run.eigenvalues, when), words
    return figures


def _probe_figures(run: RunView, probes: _Probes, verdicts: dict[str, Verdict]) -> dict[str, FigureAndAlt]:
    """Figures of the newest kept step on validation data: forecasts and anomalies, or predictions for a few reviews. Adds their verdicts."""
    figures: dict[str, FigureAndAlt] = {}
    if (step := _kept_step(run)) is None:
        return figures
    experiment, group = run.experiment, data.task(run.experiment.data.task).group
    uploads = run_picker.store().uploads(experiment)
    probe = partial(_probe, run, probes, step)
    if group == "text" and (found := probe("reviews", examples.reviews)):
        words = "Probability of positive after each word of four validation reviews."
        figures["reading"] = live_figures.running(list(found.probabilities), list(found.endings), list(found.positive)), words
    if found := _confusion(run, probes):
        figures["confusion"] = confusion_figures.matrix(found), confusion_figures.describe(found)
    if group == "series":
        if found := probe("forecast", forecasts.of_experiment, uploads):
            figures["reading"] = forecast_figures.forecast(found, height=FORECAST_HEIGHT), forecast_figures.describe(found)
            if experiment.data.anomalies == "none":  # else its error is that of the planted faults
                verdicts["reading"] = forecast_verdicts.forecast(found)
        own = experiment.data.task == "csv"
        if own and (after := probe("beyond", beyond.of_experiment, uploads)):
            for name, column in zip(BEYOND, range(len(after.columns)), strict=False):
                figures[name] = beyond_figures.beyond(after, column, height=FORECAST_HEIGHT), beyond_figures.describe(after)
        if (own or experiment.data.anomalies != "none") and (
            faults := probe("faults", forecasts.anomalies_of_experiment, uploads)
        ):
            figures["faults"] = forecast_figures.anomalies(faults), forecast_figures.verdict(faults)
            verdicts["faults"] = forecast_verdicts.faults(faults)
    return figures


def _strip(run: RunView, probes: _Probes, verdicts: dict[str, Verdict]) -> dict[str, bytes]:
    """The newest kept step over one validation sequence, as bytes for `strip.draw_payload`. Adds its verdict."""
    if (step := _kept_step(run)) is None:
        return {}
    uploads = run_picker.store().uploads(run.experiment)
    if not (found := _probe(run, probes, step, "strip", examples.kept_strip, step, uploads)):
        return {}
    verdicts["strip"] = gradient_verdicts.verdict(found.strips)
    return {"strip": strip.payload(found.strips, found.shown, answer=found.answer, inputs=found.inputs, live=run.active)}


def _confusion(run: RunView, probes: _Probes) -> confusion.Confusion | None:
    """The confusion matrix of the newest kept step; None for a task without classes, and until it is there."""
    if (step := _kept_step(run)) is None or data.task(run.experiment.data.task).metric != "accuracy":
        return None
    found: confusion.Confusion | None = _probe(
        run, probes, step, "confusion", confusion.confusion, run_picker.store().uploads(run.experiment)
    )
    return found


def _errors(run: RunView, probes: _Probes) -> dict[str, bytes]:
    """The surest errors as HTML."""
    found = _confusion(run, probes)
    return {"errors": confusion_figures.errors(found).encode()} if found else {}


def _kept_step(run: RunView) -> int | None:
    """The newest kept step up to the one that is shown."""
    return max((step for step in run.kept_steps if step <= run.step), default=None)


def _probe(run: RunView, probes: _Probes, step: int, kind: str, function: Callable[..., Any], *more: Any) -> Any:
    """The result of function(experiment, model at that step, *more), computed on the probe worker; None until it is there."""
    store = run_picker.store()
    return probes.result((kind, run.run_id, step), lambda: (function, run.experiment, store.open(run.run_id).model(step), *more))


_futures: dict[tuple[Any, ...], Future[Any]] = {}
_results: dict[tuple[Any, ...], Any] = {}  # (kind, run id) → its last result, shown until the next one arrives


class _Probes:
    """Calls the probe worker without waiting; each request once for all sessions."""

    def __init__(self) -> None:
        self.pending = False

    def result(self, key: tuple[Any, ...], request: Callable[[], tuple[Any, ...]]) -> Any:
        """The result of `request`, which returns (function, *arguments); else the last one of the same kind and run, else None."""
        if key not in _futures:
            service = run_picker.running_service()
            if service is None or service.state != "ready":
                self.pending = True
                return _results.get(key[:2])
            for cache in (_futures, _results):
                while len(cache) >= 4 * CACHE_SIZE:
                    cache.pop(next(iter(cache)))
            try:
                function, *arguments = request()
            except (ValueError, OSError):  # a damaged weights file; the page says so
                return _results.get(key[:2])
            _futures[key] = service.call(function, *arguments)
        future = _futures[key]
        if not future.done():
            self.pending = True
        elif error := future.exception():
            if advice(error):
                log.info("a figure of a run could not be drawn: %s", error)
            else:
                guard.report("The figures of a run", error)
            if isinstance(error, ConnectionError):  # the workers were lost: request it again
                del _futures[key]
        else:
            _results[key[:2]] = future.result()
        return _results.get(key[:2])
