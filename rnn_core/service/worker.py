"""What runs inside a worker process: trainings and streams that send updates, commands to them, and probes.

A worker shares nothing with the app but the Dask connection. Small data (metric rows, the newest arrays) goes out as events,
large data (weights) waits here as saved files until the app fetches it.
"""

from __future__ import annotations

import logging
import pickle
import threading
import time
import traceback
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from rnn_core.spec.experiment import Experiment
from rnn_core.store.saved import SavedFile, checkpoint_file, kept_step_file, read_checkpoint
from rnn_core.training.control import Control
from rnn_core.training.history import NormHistory, logarithms
from rnn_core.training.loop import Snapshot, row_of, train

PACKAGE = Path(__file__).parents[1]  # rnn_core, which may be installed beside the libraries
log = logging.getLogger(__name__)
UPDATE_SECONDS = 0.05  # at least this long between two updates of a job
_MAX_CONTROLS = 200  # controls kept, of ended jobs too, so that a late command raises no error


@dataclass(frozen=True, eq=False)
class Update:
    """What a job sends to the app in one event: everything new since its last update."""

    job: str  # run or stream id
    attempt: int  # counts the starts of the job: a worker believed lost may still send updates of an earlier one
    status: str  # "running", "paused", or how it ended: "finished", "stopped", "failed"
    rows: tuple[tuple[float, ...], ...] = ()  # new metric rows, in the order of history.COLUMNS
    norms: tuple[tuple[int, np.ndarray], ...] = ()  # (step, (T,) float32 logarithms) of thinned steps
    snapshot: Snapshot | None = None  # the newest, without run, weights, and (when unchanged) probe arrays
    files: int = 0  # saved files made so far by this attempt
    values: tuple[Any, ...] = ()  # new values of a stream
    message: str = ""  # one sentence
    sent: float = 0.0  # time.time() in the worker
    number: int = 0  # counts the updates of this attempt from 0, so that a lost one is noticed


_controls: OrderedDict[tuple[str, int], Control] = (
    OrderedDict()
)  # by (job, attempt): so that an old stop does not end the job after it was resumed
_files: dict[tuple[str, int], dict[int, SavedFile]] = {}  # by (job, attempt), then by number
_lock = threading.Lock()


def send_command(job: str, attempt: int, command: str, value: float | None = None) -> None:
    """Pass a viewer's command to a job; called on the worker's event loop while the job runs in a thread."""
    _control(job, attempt).send(command, value)


def fetch_file(job: str, attempt: int, number: int) -> SavedFile | None:
    """Saved file `number` (from 0); None when it is not here. Drops those before it, which the app has received."""
    with _lock:
        files = _files.get((job, attempt), {})
        for received in [earlier for earlier in files if earlier < number]:
            del files[received]
        return files.get(number)


def release(job: str) -> int:
    """Drop the saved files and controls of an ended job; returns the resident memory of this process in bytes."""
    import psutil

    with _lock:
        for kept in (_files, _controls):
            for key in [key for key in kept if key[0] == job]:
                del kept[key]
    return int(psutil.Process().memory_info().rss)


def _control(job: str, attempt: int) -> Control:
    with _lock:
        control = _controls.setdefault((job, attempt), Control())
        _controls.move_to_end((job, attempt))
        while len(_controls) > _MAX_CONTROLS:
            _controls.popitem(last=False)
        return control


class Reporter:
    """Collects what a job produces and sends it as updates: every UPDATE_SECONDS at most, but a changed status at once."""

    def __init__(self, job: str, attempt: int, publish: Callable[[bytes], None], norms: NormHistory | None = None) -> None:
        self.job, self.attempt, self.publish = job, attempt, publish
        self.status, self.norm_history = "running", norms or NormHistory()
        self.files_made = self.updates_sent = 0
        self._rows: list[tuple[float, ...]] = []
        self._norms: list[tuple[int, np.ndarray]] = []
        self._values: list[Any] = []
        self._snapshot: Snapshot | None = None
        self._last_row, self._probe_sent, self._sent = -1, -1, 0.0

    def add_snapshot(self, snapshot: Snapshot) -> None:
        """Add a snapshot of a training: its metric row, norms and files."""
        if snapshot.step > max(self._last_row, 0) and np.size(snapshot.state_norms):
            self._rows.append(row_of(snapshot))
            self._last_row = snapshot.step
            if self.norm_history.keeps(snapshot.step):
                logs = logarithms(snapshot.state_norms)
                self.norm_history.add(snapshot.step, logs)
                self._norms.append((snapshot.step, logs))
        if snapshot.model is not None:
            self._add_file(kept_step_file(snapshot))
        if snapshot.checkpoint is not None:
            self._add_file(checkpoint_file(snapshot.checkpoint, snapshot.epoch))
        self._snapshot = snapshot
        if time.perf_counter() - self._sent >= UPDATE_SECONDS or snapshot.step <= 1:
            self.flush()

    def add_value(self, value: Any) -> None:
        """Add a value that a stream yielded."""
        self._values.append(value)
        if time.perf_counter() - self._sent >= UPDATE_SECONDS:
            self.flush()

    def set_status(self, status: str) -> None:
        """Set the status to "paused" or "running" and send it at once."""
        self.status = status
        self.flush()

    def flush(self, message: str = "") -> None:
        """Send everything collected since the last update."""
        update = Update(
            self.job,
            self.attempt,
            self.status,
            tuple(self._rows),
            tuple(self._norms),
            self._light_snapshot(),
            self.files_made,
            tuple(self._values),
            message,
            time.time(),
            self.updates_sent,
        )
        self.updates_sent += 1
        self._rows, self._norms, self._values = [], [], []
        self._sent = time.perf_counter()
        self.publish(pickle.dumps(update, protocol=5))

    def _light_snapshot(self) -> Snapshot | None:
        """The newest snapshot without run, weights and checkpoint, and without probe arrays that were sent before."""
        snapshot = self._snapshot
        if snapshot is None:
            return None
        empty = np.empty((0, 0), np.float32)
        if snapshot.probe_step == self._probe_sent:
            snapshot = replace(snapshot, probe_inputs=empty, probe_states=empty, eigenvalues=empty)
        self._probe_sent = snapshot.probe_step
        return replace(snapshot, run=None, model=None, checkpoint=None)  # type: ignore[arg-type] # the app sets its own run

    def _add_file(self, file: SavedFile) -> None:
        with _lock:
            _files.setdefault((self.job, self.attempt), {})[self.files_made] = file
        self.files_made += 1


def run(kind: str, job: str, attempt: int, topic: str, commands: list[tuple[str, float | None]], **arguments: Any) -> None:
    """The task that the app submits: a training (`kind` "train") or a stream. Never raises: failures are reported by the final update."""
    from distributed import get_worker, secede

    worker = get_worker()
    secede()  # frees the worker's thread for probes; the dispatcher decides how many jobs run at once
    reporter = Reporter(job, attempt, lambda message: worker.log_event(topic, message))
    control = _control(job, attempt)
    control.listen(reporter.set_status)
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
        reporter.status, message = "failed", message_of(problem)
    reporter.flush(message)


def _train(
    reporter: Reporter,
    control: Control,
    experiment: Experiment,
    uploads: Mapping[str, bytes],
    resume: bytes | None,
    stride: int,
) -> tuple[str, str]:
    reporter.norm_history.stride = stride
    start = read_checkpoint(resume) if resume else None
    last: Snapshot | None = None
    for last in train(experiment, uploads=uploads, control=control, resume=start):
        reporter.add_snapshot(last)
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
        reporter.add_value(value)
        control.wait()
        if control.stopped:
            close = getattr(values, "close", None)
            if close:
                close()
            return "stopped", ""
    return "finished", ""


def message_of(problem: BaseException) -> str:
    """An exception as one line for viewers, 400 characters at most; with its type where a viewer's input cannot be the cause."""
    text = problem.args[0] if isinstance(problem, KeyError) and problem.args else problem  # str(KeyError) adds quotes
    message = " ".join(str(text).split()) or type(problem).__name__
    if not is_expected(problem):
        message = f"{type(problem).__name__}: {message}"
    return message if len(message) <= 400 else message[:399] + "…"


def is_expected(problem: BaseException) -> bool:
    """Whether an exception may be the answer to somebody's input: an error of the system, or one that the project itself raises.

    The project's own ValueError advises. One that a library raises, or Python for a failed operation, is a fault, however it reads.
    """
    if isinstance(problem, OSError):
        return True
    frames = traceback.extract_tb(problem.__traceback__)
    if not isinstance(problem, (ValueError, LookupError)) or not frames:
        return False
    place = Path(frames[-1].filename)
    ours = PACKAGE in place.parents or (PACKAGE.parent in place.parents and "site-packages" not in place.parts)
    return ours and (frames[-1].line or "").startswith("raise")


# -------------------------------------------------------------------- probes

_models: OrderedDict[str, Any] = OrderedDict()  # content key → the one Model object, since probes cache by identity
_MAX_MODELS = 16  # models kept


@dataclass(frozen=True)
class ModelRef:
    """Stands for a model in a probe's arguments; carries the model only when the worker does not have it yet."""

    key: str  # hash of the content
    data: bytes | None  # pickled Model, or None


class ProbeError(Exception):
    """A probe failed in a way that nobody expected; the message names the exception. The worker's log has the traceback."""


class UnknownModelError(Exception):
    """The worker does not have a model that a probe refers to: send the model itself."""


def probe(message: bytes) -> bytes:
    """Call a pickled (function, args, kwargs), with ModelRefs replaced by their models; returns the pickled result.

    Raises what the function raised; ProbeError for a ValueError or LookupError that nobody expected.
    """
    function, args, kwargs = pickle.loads(message)
    args, kwargs = [_resolved(value) for value in args], {name: _resolved(value) for name, value in kwargs.items()}
    try:
        result = function(*args, **kwargs)
    except (ValueError, LookupError) as problem:
        if is_expected(problem):
            raise
        log.exception("a probe failed")
        raise ProbeError(f"{type(problem).__name__}: {problem}") from problem
    return pickle.dumps(result, protocol=5)


def _resolved(value: Any) -> Any:
    """The model of a ModelRef; any other value as it is."""
    if not isinstance(value, ModelRef):
        return value
    with _lock:
        model = _models.get(value.key)
        if model is None:
            if value.data is None:
                raise UnknownModelError(value.key)
            model = _models[value.key] = pickle.loads(value.data)
        _models.move_to_end(value.key)
        while len(_models) > _MAX_MODELS:
            _models.popitem(last=False)
        return model
