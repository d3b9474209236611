"""Training and probing in worker processes, for a web process that never loads TensorFlow."""

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
from rnn_core.service.dispatcher import Clerk
from rnn_core.service.job import Job, Live, Stream
from rnn_core.spec.experiment import Experiment
from rnn_core.store.store import ACTIVE, Store
from rnn_core.store.store import store as shared_store
from rnn_core.training.control import Control
from rnn_core.training.loop import Run, reseed

__all__ = ["Live", "Service", "Stream", "service"]
PATIENCE = 600.0  # seconds without a viewer until a job is stopped
LONGEST_QUEUE = 500  # jobs that wait


class Service:
    """One per web process. Every method returns at once and may be called from any thread.

    Args:
        store: where runs are kept; default: `store.store()`.
        scheduler: address of an existing cluster; default: UNROLLED_SCHEDULER, else an embedded cluster.
        trainers: training workers of an embedded cluster; default: one per spare core.
        patience: seconds without a viewer until a job is stopped; default: UNROLLED_PATIENCE, else ten minutes.
    """

    def __init__(
        self,
        store: Store | None = None,
        *,
        scheduler: str | None = None,
        trainers: int | None = None,
        patience: float | None = None,
    ) -> None:
        self.store, self._warning = (store, "") if store else _open_store()
        patience = float(os.environ.get("UNROLLED_PATIENCE", PATIENCE)) if patience is None else patience
        scheduler = os.environ.get("UNROLLED_SCHEDULER", "") if scheduler is None else scheduler
        self._clerk = Clerk(self.store, scheduler, trainers or min(8, max(1, (os.cpu_count() or 2) - 1)), patience)

    @property
    def state(self) -> str:
        """One of "starting", "ready", "failed"."""
        return self._clerk.state

    @property
    def message(self) -> str:
        """One sentence about the state, or ""."""
        return self._clerk.message or self._warning

    @property
    def trainers(self) -> int:
        """How many jobs can train at once, at least 1: workers may still be on their way."""
        return max(1, len(self._clerk.roster.trainers()))

    @property
    def patience(self) -> float:
        """Seconds without a viewer until a job is stopped."""
        return self._clerk.patience

    def close(self) -> None:
        """End everything; runs that are still active count as interrupted."""
        self._clerk.close()
        self.store.close()

    def submit(
        self, experiment: Experiment, *, viewer: str, uploads: Mapping[str, bytes] | None = None, resume: str | None = None
    ) -> str:
        """Queue a training and return its run id.

        `resume` continues that interrupted, stopped, failed or finished run under its own id; the experiment may then differ
        in its training part (more epochs, another learning rate). Raises ValueError with a sentence.
        """
        data.task(experiment.data.task)
        uploads = dict(uploads or {}) | self.store.uploads(experiment)
        if experiment.data.source and experiment.data.source not in uploads:
            raise ValueError("The file of this experiment is not on this server: upload it again under Train.")
        arguments: dict[str, Any] = {"experiment": experiment, "uploads": uploads, "resume": None, "stride": 1}
        with self._clerk.roster.lock:
            if len(self._clerk.roster.line()) >= LONGEST_QUEUE:
                raise ValueError("The queue is full: try again in a few minutes.")
        if resume is None:
            job = self._clerk.roster.enrol(self.store.create(experiment, uploads=uploads), "train", viewer, arguments)
            job.run = Run(experiment)
        else:
            with self._clerk.roster.lock:  # of two who resume one run, the second is told that it trains
                return self._queued(self._reopened(experiment, resume, viewer, arguments))
        return self._queued(job)

    def reset(self, run_id: str, *, viewer: str, fresh: bool) -> str:
        """Stop a run and start it again as a new run: with the same initial weights, or (`fresh`) another seed. Returns the new id."""
        experiment = self.store.open(run_id).experiment
        with self._clerk.roster.lock:
            known = self._clerk.roster.jobs.get(run_id)
            if known is not None and not known.ended:
                self.control(run_id, "stop")
        return self.submit(reseed(experiment) if fresh else experiment, viewer=viewer)

    def control(self, run_id: str, command: str, value: float | None = None) -> None:
        """pause, resume, step, epoch, stop, or learning_rate with its value; reaches the job within a batch or 0.3 s.

        A paused job gives its worker free to others; resume and epoch then wait their turn. Raises ValueError with a sentence.
        """
        Control().send(command, value)  # raises for what no training can be asked
        with self._clerk.roster.lock:
            job = self._clerk.roster.jobs.get(run_id)
            if job is None or job.ended:
                raise ValueError("This run is not training: resume it first.")
            job.seen = time.monotonic()
            job.revision += 1
            if not job.worker:
                self._control_waiting(job, command, value)
            elif command in ("resume", "epoch") and job.status != "running" and self._clerk.roster.busy(job.worker):
                job.wish, job.status = (command, value), "waiting"
            else:
                if command in ("pause", "stop") and job.wish:
                    job.wish, job.status = None, "paused"
                job.stopping = job.stopping or command == "stop"
                self._clerk.tell(job, command, value)
        self._clerk.later()

    def live(self, run_id: str) -> Live | None:
        """None when this process knows nothing of the run (see `store.open`)."""
        with self._clerk.roster.lock:
            job = self._clerk.roster.jobs.get(run_id)
            if job is None or job.kind != "train":
                return None
            position, estimate = self._clerk.roster.place(job)
            return Live(job.id, job.status, job.snapshot, position, estimate, job.message or self._news(job), job.revision)

    def seen(self, run_id: str) -> None:
        """Somebody watches this run (or stream): call on every tick. Unwatched for `patience` seconds, it is stopped and kept."""
        job = self._clerk.roster.jobs.get(run_id)
        if job is not None:
            job.seen = time.monotonic()

    def queue(self) -> list[Live]:
        """Every run that trains, is paused or waits: running first, then in the order in which they will be served."""
        with self._clerk.roster.lock:
            waiting = [ticket.job for ticket in self._clerk.roster.line()]
            found = [job.id for job in self._clerk.roster.jobs.values() if job.status == "running"]
            found += waiting + [job.id for job in self._clerk.roster.jobs.values() if job.status == "paused"]
            return [live for live in map(self.live, found) if live is not None]

    def stream(
        self, function: Callable[..., Any], *args: Any, viewer: str, each: Callable[[Any], None] | None = None, **kwargs: Any
    ) -> str:
        """Run a module-level generator function of rnn_core on a training worker, through the same queue; returns a job id.

        What it yields must be small and picklable. pause, resume and stop (see `control`) act between two values. `each` is
        called here, in the app's process, with every value as it comes, so that results are kept though nobody watches.
        """
        job = self._clerk.roster.enrol("", "stream", viewer, {"function": function, "args": args, "kwargs": kwargs})
        job.each = each
        return self._queued(job)

    def streamed(self, job_id: str) -> Stream | None:
        """What a stream gave so far; None for an unknown one."""
        with self._clerk.roster.lock:
            job = self._clerk.roster.jobs.get(job_id)
            if job is None or job.kind != "stream":
                return None
            position, estimate = self._clerk.roster.place(job)
            return Stream(job.id, job.status, tuple(job.values), position, estimate, job.message or self._news(job))

    def call(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Future[Any]:
        """Run any module-level rnn_core function on the probe worker. Same arguments, same (cached) result.

        The future fails with what the function raised, or with ConnectionError when the workers are gone.
        """
        return self._clerk.probes.call(function, args, kwargs)

    # ---------------------------------------------------------------- inside

    def _queued(self, job: Job) -> str:
        with self._clerk.roster.lock:
            self._clerk.roster.jobs[job.id] = job
        self._clerk.later()
        return job.id

    def _reopened(self, experiment: Experiment, run_id: str, viewer: str, arguments: dict[str, Any]) -> Job:
        """An ended run, put back to its last checkpoint."""
        info = self.store.open(run_id).info
        known = self._clerk.roster.jobs.get(run_id)
        if info.builtin:
            raise ValueError("Starter models stay as they are: train a copy of the experiment instead.")
        if info.status in ACTIVE or (known is not None and not known.ended):
            raise ValueError("This run is training already.")
        parts = [(one.data, one.model, one.seed) for one in (experiment, info.experiment)]
        if parts[0] != parts[1]:
            raise ValueError("A run goes on with its own data, model and seed; for others start a new run.")
        job = self._clerk.roster.enrol(run_id, "train", viewer, arguments)
        if known is not None:
            job.attempt, job.revision = known.attempt, known.revision + 1
        if experiment.training.learning_rate != info.experiment.training.learning_rate:
            job.commands.append(("learning_rate", experiment.training.learning_rate))
        self._clerk.ledger.reopen(job, experiment)
        return job

    def _control_waiting(self, job: Job, command: str, value: float | None) -> None:
        """A wish for a job that has not started: remembered until it does."""
        if command == "stop":
            job.status, job.message = "stopped", "Stopped before it started."
            if job.kind == "train":
                self._clerk.later(partial(self._clerk.ledger.say, job.id, job.status, job.message))
        elif command == "learning_rate":
            job.commands.append((command, value))
        else:
            job.commands = [entry for entry in job.commands if entry[0] == "learning_rate"]
            if command != "resume":
                job.commands.append((command, value))

    def _news(self, job: Job) -> str:
        return self.message if job.waits and self.state != "ready" else ""


def _open_store() -> tuple[Store, str]:
    try:
        return shared_store(), ""
    except (OSError, sqlite3.Error) as problem:
        folder = tempfile.mkdtemp(prefix="unrolled-home-")
        return Store(folder), f"Runs are kept for this session only: the run store cannot be opened ({problem})."


_service: Service | None = None
_making = threading.Lock()


def service() -> Service:
    """The process's one Service; the first call starts the workers in the background."""
    global _service
    with _making:
        if _service is None:
            _service = Service()
            atexit.register(_service.close)
        return _service
