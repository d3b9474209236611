"""What runs inside a worker process: trainings that report as they go, and the ear that hears what viewers ask of them.

A worker shares nothing with the app but the Dask connection: small things (metric rows, the newest arrays) go out as events,
large ones (weights) wait here as parcels until the app fetches them.
"""

from __future__ import annotations

import pickle
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from rnn_core.spec.experiment import Experiment
from rnn_core.store.saved import Parcel, checkpoint, moment, read_checkpoint
from rnn_core.training.control import Control
from rnn_core.training.history import NormHistory, logarithms
from rnn_core.training.loop import Snapshot, row_of, train

BEAT_SECONDS = 0.05  # at most twenty events per second and job
_KEPT_SILENT = 200  # controls remembered of jobs that ended, so that a late command finds no error


@dataclass(frozen=True, eq=False)
class Beat:
    """One event of a job, as the app receives it."""

    job: str  # run or stream id
    attempt: int  # which start of the job this is: a worker thought dead may still speak
    status: str  # "running", "paused", or how it ended: "finished", "stopped", "failed"
    rows: tuple[tuple[float, ...], ...] = ()  # new metric rows, in the order of history.COLUMNS
    norms: tuple[tuple[int, np.ndarray], ...] = ()  # (step, (T,) float32 logarithms) of thinned steps
    snapshot: Snapshot | None = None  # the newest, without run, weights, and (when unchanged) probe arrays
    parcels: int = 0  # parcels made so far by this attempt
    values: tuple[Any, ...] = ()  # of a stream
    message: str = ""  # one sentence
    sent: float = 0.0  # time.time() in the worker
    number: int = 0  # of this attempt's beats, from 0 on: where one is missing, it was lost on the way


_controls: OrderedDict[tuple[str, int], Control] = OrderedDict()  # (job, attempt): a resumed job must not hear an old "stop"
_parcels: dict[tuple[str, int], dict[int, Parcel]] = {}
_guard = threading.Lock()


def send(job: str, attempt: int, command: str, value: float | None = None) -> None:
    """A viewer's wish, called on the worker's event loop while the job trains in a thread."""
    _control(job, attempt).send(command, value)


def fetch(job: str, attempt: int, number: int) -> Parcel | None:
    """A parcel by its number, from 0 on; those before are known to have arrived and are let go."""
    with _guard:
        waiting = _parcels.get((job, attempt), {})
        for old in [old for old in waiting if old < number]:
            del waiting[old]
        return waiting.get(number)


def forget(job: str) -> int:
    """Let go of everything a job left here; returns the bytes of memory that this process takes."""
    import psutil

    with _guard:
        for held in (_parcels, _controls):
            for key in [key for key in held if key[0] == job]:
                del held[key]
    return int(psutil.Process().memory_info().rss)


def _control(job: str, attempt: int) -> Control:
    with _guard:
        control = _controls.setdefault((job, attempt), Control())
        _controls.move_to_end((job, attempt))
        while len(_controls) > _KEPT_SILENT:
            _controls.popitem(last=False)
        return control


class Reporter:
    """Gathers what a job says and sends it, at most every BEAT_SECONDS, and at once when it matters."""

    def __init__(self, job: str, attempt: int, publish: Callable[[bytes], None], norms: NormHistory | None = None) -> None:
        self.job, self.attempt, self.publish = job, attempt, publish
        self.status, self.norms = "running", norms or NormHistory()
        self.parcels = self.beats = 0
        self._rows: list[tuple[float, ...]] = []
        self._fresh: list[tuple[int, np.ndarray]] = []
        self._values: list[Any] = []
        self._snapshot: Snapshot | None = None
        self._last_row, self._probe_sent, self._sent = -1, -1, 0.0

    def see(self, snapshot: Snapshot) -> None:
        """Take over a snapshot of a training."""
        if snapshot.step > max(self._last_row, 0) and np.size(snapshot.state_norms):
            self._rows.append(row_of(snapshot))
            self._last_row = snapshot.step
            if self.norms.keeps(snapshot.step):
                logs = logarithms(snapshot.state_norms)
                self.norms.add(snapshot.step, logs)
                self._fresh.append((snapshot.step, logs))
        if snapshot.model is not None:
            self._post(moment(snapshot))
        if snapshot.checkpoint is not None:
            self._post(checkpoint(snapshot.checkpoint, snapshot.epoch))
        self._snapshot = snapshot
        if time.perf_counter() - self._sent >= BEAT_SECONDS or snapshot.step <= 1:
            self.flush()

    def value(self, value: Any) -> None:
        """Take over what a stream yielded."""
        self._values.append(value)
        if time.perf_counter() - self._sent >= BEAT_SECONDS:
            self.flush()

    def change(self, status: str) -> None:
        """Paused, or running again: said at once."""
        self.status = status
        self.flush()

    def flush(self, message: str = "") -> None:
        """Send everything gathered."""
        beat = Beat(
            self.job,
            self.attempt,
            self.status,
            tuple(self._rows),
            tuple(self._fresh),
            self._light(),
            self.parcels,
            tuple(self._values),
            message,
            time.time(),
            self.beats,
        )
        self.beats += 1
        self._rows, self._fresh, self._values = [], [], []
        self._sent = time.perf_counter()
        self.publish(pickle.dumps(beat, protocol=5))

    def _light(self) -> Snapshot | None:
        """The newest snapshot as small as it can be."""
        snapshot = self._snapshot
        if snapshot is None:
            return None
        empty = np.empty((0, 0), np.float32)
        if snapshot.probe_step == self._probe_sent:
            snapshot = replace(snapshot, probe_inputs=empty, probe_states=empty, eigenvalues=empty)
        self._probe_sent = snapshot.probe_step
        return replace(snapshot, run=None, model=None, checkpoint=None)  # type: ignore[arg-type] # the app puts its own run in

    def _post(self, parcel: Parcel) -> None:
        with _guard:
            _parcels.setdefault((self.job, self.attempt), {})[self.parcels] = parcel
        self.parcels += 1


def run(kind: str, job: str, attempt: int, topic: str, commands: list[tuple[str, float | None]], **arguments: Any) -> None:
    """The task that the app submits: a training (`kind` "train") or a stream. Never raises: it reports."""
    from distributed import get_worker, secede

    worker = get_worker()
    secede()  # leaves the worker's thread to probes; how many jobs run at once is the app's decision
    reporter = Reporter(job, attempt, lambda message: worker.log_event(topic, message))
    control = _control(job, attempt)
    control.listen(reporter.change)
    for command, value in commands:
        control.send(command, value)
    work = _train if kind == "train" else _stream
    try:
        reporter.status, message = work(reporter, control, **arguments)
    except MemoryError:
        reporter.status, message = (
            "failed",
            "The worker ran out of memory: try fewer units, a smaller batch or shorter sequences.",
        )
    except Exception as problem:
        reporter.status, message = "failed", sentence(problem)
    reporter.flush(message)


def _train(
    reporter: Reporter,
    control: Control,
    experiment: Experiment,
    uploads: Mapping[str, bytes],
    resume: bytes | None,
    stride: int,
) -> tuple[str, str]:
    reporter.norms.stride = stride
    start = read_checkpoint(resume) if resume else None
    last: Snapshot | None = None
    for last in train(experiment, uploads=uploads, control=control, resume=start):
        reporter.see(last)
    reason = last.reason if last else ""
    status = {"finished": "finished", "target": "finished", "time": "finished", "diverged": "failed"}.get(reason, "stopped")
    return status, last.advice if last else ""


def _stream(
    reporter: Reporter,
    control: Control,
    function: Callable[..., Iterator[Any]],
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
) -> tuple[str, str]:
    values = function(*args, **kwargs)
    for value in values:
        reporter.value(value)
        control.wait()
        if control.stopped:
            close = getattr(values, "close", None)
            if close:
                close()
            return "stopped", ""
    return "finished", ""


def sentence(problem: BaseException) -> str:
    """An error as one line that a viewer can read."""
    words = " ".join(str(problem).split()) or type(problem).__name__
    if not isinstance(problem, (ValueError, FileNotFoundError, KeyError, OSError)):
        words = f"{type(problem).__name__}: {words}"
    return words if len(words) <= 400 else words[:399] + "…"


# -------------------------------------------------------------------- probes

_models: OrderedDict[str, Any] = OrderedDict()  # content key → Model: probes cache by identity
_HELD = 16  # models remembered


@dataclass(frozen=True)
class ModelRef:
    """A model in a probe's arguments, sent whole only when the worker does not hold it yet."""

    key: str  # content
    data: bytes | None  # pickled Model


class NotHeldError(Exception):
    """The worker does not know the model that a probe names: send it whole."""


def probe(message: bytes) -> bytes:
    """Call (function, args, kwargs), models given by reference; the result comes pickled, so that its size is known."""
    function, args, kwargs = pickle.loads(message)
    result = function(*(_held(value) for value in args), **{name: _held(value) for name, value in kwargs.items()})
    return pickle.dumps(result, protocol=5)


def _held(value: Any) -> Any:
    if not isinstance(value, ModelRef):
        return value
    with _guard:
        model = _models.get(value.key)
        if model is None:
            if value.data is None:
                raise NotHeldError(value.key)
            model = _models[value.key] = pickle.loads(value.data)
        _models.move_to_end(value.key)
        while len(_models) > _HELD:
            _models.popitem(last=False)
        return model
