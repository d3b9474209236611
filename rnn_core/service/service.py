"""The service that pages call: trainings, streams and probes in worker processes, without TensorFlow in this one."""

from __future__ import annotations

import atexit
import os
import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from functools import partial
from typing import Any

from rnn_core import data
from rnn_core.data.imported import is_imported
from rnn_core.service.dispatcher import Dispatcher
from rnn_core.service.job import Job, Live, Stream
from rnn_core.spec.experiment import Experiment
from rnn_core.store.store import ACTIVE, Store
from rnn_core.store.store import store as shared_store
from rnn_core.training.control import Control
from rnn_core.training.loop import Run, reseed

__all__ = ["Live", "Service", "Stream", "service"]
IDLE_TIMEOUT = 600.0  # seconds without a viewer until a job is stopped
MAX_WAITING = 500  # jobs in the queue
NOT_HERE = (
    "This model was imported without the data it was trained on, so it cannot be trained here: start a new run under Train."
)


class Service:
    """One per web process. Every method returns at once and may be called from any thread.

    Args:
        store: where runs are kept; default: `store.store()`.
        scheduler: address of an existing cluster; default: UNROLLED_SCHEDULER, else an embedded cluster.
        trainers: training workers of an embedded cluster; default: one per spare core.
        idle_timeout: seconds without a viewer until a job is stopped; default: UNROLLED_PATIENCE, else ten minutes.
    """

    def __init__(
        self,
        store: Store | None = None,
        *,
        scheduler: str | None = None,
        trainers: int | None = None,
        idle_timeout: float | None = None,
    ) -> None:
        self.store, self._warning = (store, "") if store else _open_store()
        if idle_timeout is None:
            idle_timeout = float(os.environ.get("UNROLLED_PATIENCE", IDLE_TIMEOUT))
        scheduler = os.environ.get("UNROLLED_SCHEDULER", "") if scheduler is None else scheduler
        trainers = trainers or min(8, max(1, (os.cpu_count() or 2) - 1))
        self._dispatcher = Dispatcher(self.store, scheduler, trainers, idle_timeout)

    @property
    def state(self) -> str:
        """State of the workers: "starting", "ready" or "failed"."""
        return self._dispatcher.state

    @property
    def message(self) -> str:
        """One sentence about the state, or ""."""
        return self._dispatcher.message or self._warning

    @property
    def trainers(self) -> int:
        """How many jobs can train at once; 1 while no worker has joined yet."""
        return max(1, len(self._dispatcher.queue.trainers()))

    @property
    def idle_timeout(self) -> float:
        """Seconds without a viewer until a job is stopped."""
        return self._dispatcher.idle_timeout

    def close(self) -> None:
        """End the workers and close the store; runs that are still active count as interrupted."""
        self._dispatcher.close()
        self.store.close()

    def submit(
        self, experiment: Experiment, *, viewer: str, uploads: Mapping[str, bytes] | None = None, resume: str | None = None
    ) -> str:
        """Queue a training and return its run id.

        `resume` continues that interrupted, stopped, failed or finished run under its own id; the experiment may then differ
        in its training part (more epochs, another learning rate). Raises ValueError with a sentence for the viewer.
        """
        data.task(experiment.data.task)
        if is_imported(experiment):
            raise ValueError(NOT_HERE)
        uploads = dict(uploads or {}) | self.store.uploads(experiment)
        if experiment.data.source and experiment.data.source not in uploads:
            raise ValueError("The file of this experiment is not on this server: upload it again under Train.")
        arguments: dict[str, Any] = {"experiment": experiment, "uploads": uploads, "resume": None, "stride": 1}
        with self._dispatcher.queue.lock:
            if len(self._dispatcher.queue.waiting()) >= MAX_WAITING:
                raise ValueError("The queue is full: try again in a few minutes.")
        if resume is not None:
            with self._dispatcher.queue.lock:  # so that of two viewers who resume one run, the second is refused
                return self._enqueue(self._resumed_job(experiment, resume, viewer, arguments))
        job = self._dispatcher.queue.new_job(self.store.create(experiment, uploads=uploads), "train", viewer, arguments)
        job.run = Run(experiment)
        return self._enqueue(job)

    def reset(self, run_id: str, *, viewer: str, fresh: bool) -> str:
        """Stop a run and start it again as a new run: with the same initial weights, or (`fresh`) another seed. Returns the new id."""
        experiment = self.store.open(run_id).experiment
        with self._dispatcher.queue.lock:
            known = self._dispatcher.queue.jobs.get(run_id)
            if known is not None and not known.ended:
                self.control(run_id, "stop")
        return self.submit(reseed(experiment) if fresh else experiment, viewer=viewer)

    def control(self, run_id: str, command: str, value: float | None = None) -> None:
        """Send pause, resume, step, epoch, stop, or learning_rate with its value; takes effect within a batch or 0.3 s.

        A paused job lets other jobs use its worker; resume and epoch then wait in the queue. Raises ValueError with a sentence.
        """
        Control().send(command, value)  # raises for an unknown command or an impossible value
        with self._dispatcher.queue.lock:
            job = self._dispatcher.queue.jobs.get(run_id)
            if job is None or job.ended:
                raise ValueError("This run is not training: resume it first.")
            job.last_viewed = time.monotonic()
            job.revision += 1
            if not job.worker:
                self._control_unstarted(job, command, value)
            elif command in ("resume", "epoch") and job.status != "running" and self._dispatcher.queue.busy(job.worker):
                job.pending_command, job.status = (command, value), "waiting"
            else:
                if command in ("pause", "stop") and job.pending_command:
                    job.pending_command, job.status = None, "paused"
                job.stopping = job.stopping or command == "stop"
                self._dispatcher.send_command(job, command, value)
        self._dispatcher.schedule()

    def live(self, run_id: str) -> Live | None:
        """The present state of a run; None when this process has not queued it (see `store.open`)."""
        with self._dispatcher.queue.lock:
            job = self._dispatcher.queue.jobs.get(run_id)
            if job is None or job.kind != "train":
                return None
            position, estimate = self._dispatcher.queue.position_and_estimate(job)
            message = job.message or self._waiting_message(job)
            return Live(job.id, job.status, job.snapshot, position, estimate, message, job.revision)

    def viewed(self, run_id: str) -> None:
        """Record that a viewer has this run or stream open; call it at every refresh.

        After `idle_timeout` seconds without a call, the job is stopped and everything up to there is kept.
        """
        job = self._dispatcher.queue.jobs.get(run_id)
        if job is not None:
            job.last_viewed = time.monotonic()

    def queue(self) -> list[Live]:
        """All active runs: the running, the waiting in the order in which they start, the paused."""
        with self._dispatcher.queue.lock:
            queue = self._dispatcher.queue
            paused = [job for job in queue.jobs.values() if job.status == "paused"]
            found = [self.live(job.id) for job in (*queue.running(), *queue.waiting(), *paused)]
            return [live for live in found if live is not None]

    def stream(
        self, function: Callable[..., Any], *args: Any, viewer: str, on_value: Callable[[Any], None] | None = None, **kwargs: Any
    ) -> str:
        """Run a module-level generator function of rnn_core on a training worker, through the same queue; returns a job id.

        Its values must be small and picklable. pause, resume and stop (see `control`) take effect between two values. `on_value`
        is called in this process with every value as it arrives, so that results can be kept without a viewer.
        """
        job = self._dispatcher.queue.new_job("", "stream", viewer, {"function": function, "args": args, "kwargs": kwargs})
        job.on_value = on_value
        return self._enqueue(job)

    def streamed(self, job_id: str) -> Stream | None:
        """The present state of a stream; None for an unknown id."""
        with self._dispatcher.queue.lock:
            job = self._dispatcher.queue.jobs.get(job_id)
            if job is None or job.kind != "stream":
                return None
            position, estimate = self._dispatcher.queue.position_and_estimate(job)
            return Stream(job.id, job.status, tuple(job.values), position, estimate, job.message or self._waiting_message(job))

    def call(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Future[Any]:
        """Run any module-level rnn_core function on the probe worker. Equal arguments share one cached result.

        The future fails with the function's exception, or with ConnectionError when the workers are lost.
        """
        return self._dispatcher.probes.call(function, args, kwargs)

    # ---------------------------------------------------------------- inside

    def _enqueue(self, job: Job) -> str:
        with self._dispatcher.queue.lock:
            self._dispatcher.queue.jobs[job.id] = job
        self._dispatcher.schedule()
        return job.id

    def _resumed_job(self, experiment: Experiment, run_id: str, viewer: str, arguments: dict[str, Any]) -> Job:
        """A job that continues an ended run from its last checkpoint. Raises ValueError with a sentence."""
        info = self.store.open(run_id).info
        known = self._dispatcher.queue.jobs.get(run_id)
        if info.builtin:
            raise ValueError("Starter models stay as they are: train a copy of the experiment instead.")
        if info.status in ACTIVE or (known is not None and not known.ended):
            raise ValueError("This run is training already.")
        parts = [(one.data, one.model, one.seed) for one in (experiment, info.experiment)]
        if parts[0] != parts[1]:
            raise ValueError("A run goes on with its own data, model and seed; for others start a new run.")
        job = self._dispatcher.queue.new_job(run_id, "train", viewer, arguments)
        if known is not None:
            job.attempt, job.revision = known.attempt, known.revision + 1
        if experiment.training.learning_rate != info.experiment.training.learning_rate:
            job.commands.append(("learning_rate", experiment.training.learning_rate))
        self._dispatcher.job_store.reopen(job, experiment)
        return job

    def _control_unstarted(self, job: Job, command: str, value: float | None) -> None:
        """Apply a command to a job on no worker: stop it, or keep the command until it starts."""
        if command == "stop":
            job.status, job.message = "stopped", "Stopped before it started."
            if job.kind == "train":
                self._dispatcher.schedule(partial(self._dispatcher.job_store.set_status, job.id, job.status, job.message))
        elif command == "learning_rate":
            job.commands.append((command, value))
        else:
            job.commands = [entry for entry in job.commands if entry[0] == "learning_rate"]
            if command != "resume":
                job.commands.append((command, value))

    def _waiting_message(self, job: Job) -> str:
        """Why no worker can take a waiting job, or ""."""
        return self.message if job.waiting and self.state != "ready" else ""


def _open_store() -> tuple[Store, str]:
    """The process's store, or a temporary one and a sentence that says why."""
    try:
        return shared_store(), ""
    except (OSError, sqlite3.Error) as problem:
        folder = tempfile.mkdtemp(prefix="unrolled-home-")
        return Store(folder), f"Runs are kept for this session only: the run store cannot be opened ({problem})."


_service: Service | None = None
_service_lock = threading.Lock()


def service() -> Service:
    """The process's one Service; the first call starts the workers in the background."""
    global _service
    with _service_lock:
        if _service is None:
            _service = Service()
            atexit.register(_service.close)
        return _service
