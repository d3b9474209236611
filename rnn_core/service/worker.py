"""What runs inside a worker process for a job: a training or stream that sends updates, commands to it, and its files.

A worker shares nothing with the app but the Dask connection. Small data (metric rows, the newest arrays) goes out as events,
large data (weights) waits here as saved files until the app fetches it.
"""

from __future__ import annotations

import pickle
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from rnn_core.service.problems import message_of
from rnn_core.spec.experiment import Experiment
from rnn_core.store.recorder import STATUS_OF_REASON
from rnn_core.store.saved import SavedFile, checkpoint_file, kept_step_file, read_checkpoint
from rnn_core.training.control import Control
from rnn_core.training.history import NormHistory, logarithms
from rnn_core.training.loop import Snapshot, row_of, train

UPDATE_SECONDS = 0.05  # at least this long between two updates of a job
NO_MEMORY = "The worker ran out of memory: try fewer units, a smaller batch or shorter sequences."
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


# Both by (job, attempt): so that an old stop does not end the job after it was resumed.
_controls: OrderedDict[tuple[str, int], Control] = OrderedDict()
_files: dict[tuple[str, int], dict[int, SavedFile]] = {}  # then by number
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
        reporter.status, message = "failed", NO_MEMORY
    except Exception as problem:
        reporter.status, message = "failed", message_of(problem)
    reporter.flush(message)


def _train(
    reporter: Reporter, control: Control, experiment: Experiment, uploads: Mapping[str, bytes], resume: bytes | None, stride: int
) -> tuple[str, str]:
    reporter.norm_history.stride = stride
    start = read_checkpoint(resume) if resume else None
    last: Snapshot | None = None
    for last in train(experiment, uploads=uploads, control=control, resume=start):
        reporter.add_snapshot(last)
    assert last is not None  # the untrained model, at least
    return STATUS_OF_REASON[last.reason], last.advice


def _stream(
    reporter: Reporter, control: Control, function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> tuple[str, str]:
    values = function(*args, **kwargs)
    for value in values:
        reporter.add_value(value)
        control.wait()
        if control.stopped:
            values.close()
            return "stopped", ""
    return "finished", ""
