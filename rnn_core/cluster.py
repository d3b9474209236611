"""Training and probing in worker processes, for a web process that never loads TensorFlow."""

from __future__ import annotations

import atexit
import logging
import math
import os
import pickle
import queue
import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np

from rnn_core import data, jobs
from rnn_core.control import COMMANDS, Control
from rnn_core.experiment import Experiment
from rnn_core.history import History
from rnn_core.link import Link, Worker, failure, lost
from rnn_core.parcels import Parcel, read_checkpoint
from rnn_core.probe_cache import ProbeCache
from rnn_core.queueing import GUESS, Ticket, estimates, order
from rnn_core.runs import ACTIVE, Store
from rnn_core.runs import store as shared_store
from rnn_core.training import Run, Snapshot, reseed

PATIENCE = 600.0  # seconds without a viewer until a job is stopped
DEATHS = 3  # workers that may die under one run without any progress in between
LONGEST_QUEUE = 500  # jobs that wait
ENDED_KEPT = 60  # jobs remembered after their end
log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Live:
    """What is known of a run that waits or trains here (or did, since this process started)."""

    run_id: str
    status: str  # one of runs.STATUSES
    snapshot: Snapshot | None  # the newest; .run.history and .run.norm_history hold everything so far; .model is None
    position: int  # place in the queue, 1 = next; 0 when not waiting
    estimate: float  # seconds until it starts (waiting) or ends (running); nan when unknown
    message: str  # one sentence, or ""
    revision: int  # grows with every change: equal revisions mean nothing new to draw


@dataclass(frozen=True, eq=False)
class Stream:
    """What a streaming job gave so far."""

    job_id: str
    status: str  # "waiting", "running", "paused", "finished", "stopped", "interrupted", "failed"
    values: tuple[Any, ...]  # everything yielded so far, in order
    position: int  # place in the queue, 1 = next; 0 when not waiting
    estimate: float  # seconds until it starts; nan when unknown
    message: str  # one sentence, or ""


@dataclass(eq=False)
class _Job:
    """A training or a stream under way. Guarded by the service's lock."""

    id: str
    kind: str  # "train" or "stream"
    viewer: str
    number: int  # order of submission
    arguments: dict[str, Any]  # for jobs.run
    run: Run | None = None  # what a training made so far
    status: str = "waiting"
    message: str = ""
    snapshot: Snapshot | None = None
    values: list[Any] = field(default_factory=list)
    each: Callable[[Any], None] | None = None  # told every value of a stream
    revision: int = 0
    seen: float = field(default_factory=time.monotonic)
    commands: list[tuple[str, float | None]] = field(default_factory=list)  # to be told when it starts
    wish: tuple[str, float | None] | None = None  # paused, and waits for a free worker to go on with this
    worker: str = ""  # address; "" while it is nowhere
    task: Future[None] | None = None  # of the present attempt
    attempt: int = 0
    deaths: int = 0
    progress: int = -1  # step at the last death
    parcels: int = 0  # fetched
    fetching: bool = False
    ending: jobs.Beat | None = None  # its last beat, when it has ended but parcels are on their way
    broken: str = ""  # a sentence, when the store failed it or it was deleted

    @property
    def ended(self) -> bool:
        return self.status not in ACTIVE

    @property
    def waits(self) -> bool:
        return self.status == "waiting"


class Service:
    """One per web process. Every method returns at once and may be called from any thread.

    Args:
        store: where runs are kept; default: `Store()`.
        scheduler: address of an existing cluster; default: UNROLLED_SCHEDULER, else an embedded cluster.
        trainers: training workers of an embedded cluster; default: one per spare core.
        patience: seconds without a viewer until a job is stopped.
    """

    def __init__(
        self,
        store: Store | None = None,
        *,
        scheduler: str | None = None,
        trainers: int | None = None,
        patience: float | None = None,
    ) -> None:
        self.state, self.message = "starting", "The workers are starting."
        self.store, self.warning = (store, "") if store else _open_store()
        self.patience = float(os.environ.get("UNROLLED_PATIENCE", PATIENCE)) if patience is None else patience
        self._lock = threading.RLock()
        self._jobs: dict[str, _Job] = {}
        self._inbox: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._workers: tuple[Worker, ...] = ()
        self._number = 0
        self._lengths: list[float] = []  # seconds that ended trainings took
        self._unsaid: dict[str, tuple[str, str]] = {}  # run → status and message that the store did not take
        self._probes = ProbeCache()
        scheduler = os.environ.get("UNROLLED_SCHEDULER", "") if scheduler is None else scheduler
        trainers = trainers or min(8, max(1, (os.cpu_count() or 2) - 1))
        self._link = Link(
            scheduler,
            trainers,
            self.store.home / "workers.log",
            on_event=lambda message: self._inbox.put(partial(self._on_beat, message)),
            on_workers=lambda workers: self._inbox.put(partial(self._on_workers, workers)),
            on_gone=lambda address: self._inbox.put(partial(self._on_gone, address)),
            on_state=self._on_state,
        )
        self._clerk = threading.Thread(target=self._work, name="unrolled-clerk", daemon=True)
        self._clerk.start()

    def close(self) -> None:
        """End everything; runs that are still active count as interrupted."""
        self._inbox.put(None)
        self._clerk.join(10)
        self._link.close()
        self._probes.close()
        self.store.close()

    # ---------------------------------------------------------------- asked by pages

    def submit(
        self, experiment: Experiment, *, viewer: str, uploads: Mapping[str, bytes] | None = None, resume: str | None = None
    ) -> str:
        """Queue a training and return its run id.

        `resume` continues that interrupted, stopped, failed or finished run under its own id; the experiment may then differ
        in its training part (more epochs, another learning rate). Raises ValueError with a sentence.
        """
        data.task(experiment.data.task)
        uploads = dict(uploads or {}) | self.store.uploads(experiment)
        arguments: dict[str, Any] = {"experiment": experiment, "uploads": uploads, "resume": None, "stride": 1}
        with self._lock:
            if sum(job.waits for job in self._jobs.values()) >= LONGEST_QUEUE:
                raise ValueError("The queue is full: try again in a few minutes.")
        if resume is None:
            job = self._enrol(self.store.create(experiment, uploads=uploads), "train", viewer, arguments)
            job.run = Run(experiment)
        else:
            job = self._reopen(experiment, resume, viewer, arguments)
        with self._lock:
            self._jobs[job.id] = job
        self._inbox.put(lambda: None)
        return job.id

    def reset(self, run_id: str, *, viewer: str, fresh: bool) -> str:
        """Stop a run and start it again as a new run: with the same initial weights, or (`fresh`) another seed. Returns the new id."""
        experiment = self.store.open(run_id).experiment
        with self._lock:
            if run_id in self._jobs and not self._jobs[run_id].ended:
                self.control(run_id, "stop")
        return self.submit(reseed(experiment) if fresh else experiment, viewer=viewer)

    def control(self, run_id: str, command: str, value: float | None = None) -> None:
        """pause, resume, step, epoch, stop, or learning_rate with its value; reaches the job within a batch or 0.3 s.

        A paused job gives its worker free to others; resume and epoch then wait their turn. Raises ValueError with a sentence.
        """
        Control().send(command, value)  # raises for what no training can be asked
        with self._lock:
            job = self._jobs.get(run_id)
            if job is None or job.ended:
                raise ValueError("This run is not training: resume it first.")
            job.seen = time.monotonic()
            if not job.worker:
                self._control_waiting(job, command, value)
            elif command in ("resume", "epoch") and job.status != "running" and self._busy(job.worker):
                job.wish, job.status = (command, value), "waiting"
            else:
                if command in ("pause", "stop") and job.wish:
                    job.wish, job.status = None, "paused"
                self._tell(job, command, value)
            job.revision += 1
        self._inbox.put(lambda: None)

    def live(self, run_id: str) -> Live | None:
        """None when this process knows nothing of the run (see `store.open`)."""
        with self._lock:
            job = self._jobs.get(run_id)
            if job is None or job.kind != "train":
                return None
            position, estimate = self._place(job)
            return Live(job.id, job.status, job.snapshot, position, estimate, job.message or self._news(job), job.revision)

    def seen(self, run_id: str) -> None:
        """Somebody watches this run (or stream): call on every tick. Unwatched for `patience` seconds, it is stopped and kept."""
        job = self._jobs.get(run_id)
        if job is not None:
            job.seen = time.monotonic()

    def queue(self) -> list[Live]:
        """Every run that trains, is paused or waits: running first, then in the order in which they will be served."""
        with self._lock:
            waiting = [ticket.job for ticket in self._order()]
            found = [job.id for job in self._jobs.values() if job.status == "running"]
            found += waiting + [job.id for job in self._jobs.values() if job.status == "paused"]
            return [live for live in map(self.live, found) if live is not None]

    def stream(
        self, function: Callable[..., Any], *args: Any, viewer: str, each: Callable[[Any], None] | None = None, **kwargs: Any
    ) -> str:
        """Run a module-level generator function of rnn_core on a training worker, through the same queue; returns a job id.

        What it yields must be small and picklable. pause, resume and stop (see `control`) act between two values. `each` is
        called here, in the app's process, with every value as it comes, so that results are kept though nobody watches.
        """
        with self._lock:
            arguments = {"function": function, "args": args, "kwargs": kwargs}
            job = self._enrol(f"stream-{self._number}-{os.urandom(4).hex()}", "stream", viewer, arguments)
            job.each = each
            self._jobs[job.id] = job
        self._inbox.put(lambda: None)
        return job.id

    def streamed(self, job_id: str) -> Stream | None:
        """What a stream gave so far; None for an unknown one."""
        with self._lock:
            job = self._jobs.get(job_id)
            if job is None or job.kind != "stream":
                return None
            position, estimate = self._place(job)
            return Stream(job.id, job.status, tuple(job.values), position, estimate, job.message or self._news(job))

    def call(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Future[Any]:
        """Run any module-level rnn_core function on the probe worker. Same arguments, same (cached) result.

        The future fails with what the function raised, or with ConnectionError when the workers are gone.
        """
        return self._probes.call(function, args, kwargs)

    # ---------------------------------------------------------------- the clerk's day

    def _work(self) -> None:
        swept = 0.0
        while True:
            try:
                item = self._inbox.get(timeout=0.5)
            except queue.Empty:
                item = self._dispatch
            if item is None:
                return
            try:
                item()
                if time.monotonic() - swept > 0.5:
                    swept = time.monotonic()
                    self._sweep()
                self._dispatch()
            except Exception:  # the clerk must live; what failed is in the log
                log.exception("the runs' clerk could not do something")

    def _enrol(self, job_id: str, kind: str, viewer: str, arguments: dict[str, Any]) -> _Job:
        with self._lock:
            self._number += 1
            for old in [job.id for job in self._jobs.values() if job.ended][:-ENDED_KEPT]:
                del self._jobs[old]
            return _Job(job_id, kind, viewer, self._number, arguments)

    def _reopen(self, experiment: Experiment, run_id: str, viewer: str, arguments: dict[str, Any]) -> _Job:
        """An ended run, put back to its last checkpoint."""
        record = self.store.open(run_id)
        known = self._jobs.get(run_id)
        if record.info.builtin:
            raise ValueError("Starter models stay as they are: train a copy of the experiment instead.")
        if record.status in ACTIVE or (known is not None and not known.ended):
            raise ValueError("This run is training already.")
        if (experiment.data, experiment.model, experiment.seed) != (
            record.experiment.data,
            record.experiment.model,
            record.experiment.seed,
        ):
            raise ValueError("A run goes on with its own data, model and seed; for others start a new run.")
        job = self._enrol(run_id, "train", viewer, arguments)
        job.attempt = known.attempt if known else 0
        job.revision = known.revision + 1 if known else 0
        if experiment.training.learning_rate != record.experiment.training.learning_rate:
            job.commands.append(("learning_rate", experiment.training.learning_rate))
        self._rewind(job)
        self.store.record(run_id, experiment=experiment.to_json(), status="waiting", message="")
        return job

    def _rewind(self, job: _Job) -> None:
        """Put a training back to its last checkpoint, in the store and here."""
        parcel = self.store.checkpoint(job.id)
        step = read_checkpoint(parcel).step if parcel else -1
        self.store.rewind(job.id, step)
        record = self.store.open(job.id)
        norms = self.store.norms(job.id)
        with self._lock:
            job.arguments |= {"resume": parcel, "stride": norms.stride}
            job.run = Run(job.arguments["experiment"], None, History(record.history), norms)

    def _on_state(self, state: str, message: str) -> None:
        self.state, self.message = state, message or self.warning
        if state == "failed":
            self._probes.close(message)

    def _on_workers(self, workers: tuple[Worker, ...]) -> None:
        """Somebody joined or left; jobs on those who left go back to the queue."""
        there = {worker.address for worker in workers}
        with self._lock:
            self._workers = workers
            lost = [job for job in self._jobs.values() if job.worker and job.worker not in there and not job.ended]
        self._probes.use(self._link, self._roles()[0])
        for job in lost:
            self._orphan(job)

    def _on_gone(self, address: str) -> None:
        """A worker died just now, says the scheduler."""
        self._on_workers(tuple(worker for worker in self._workers if worker.address != address))

    def _orphan(self, job: _Job) -> None:
        """The job's worker is gone: back to the queue, from the last checkpoint."""
        paused = job.status == "paused"
        step = job.snapshot.step if job.snapshot else 0
        with self._lock:
            job.deaths = 1 if step > job.progress else job.deaths + 1
            job.progress = max(job.progress, step)
            job.worker, job.attempt, job.parcels, job.fetching, job.ending = "", job.attempt + 1, 0, False, None
            if job.task is not None:
                job.task.cancel()  # or the cluster would start it again when a worker of that address comes back
        if job.broken or job.kind == "stream":
            self._end(job, "failed" if job.broken else "interrupted", job.broken or "The worker stopped: start again.")
        elif job.deaths >= DEATHS:
            self._end(job, "failed", "The worker died under this run three times, perhaps for lack of memory: try a smaller one.")
        else:
            if self._saved(job, lambda: self._rewind(job)):
                with self._lock:
                    job.commands = [("pause", None)] if paused else []
                    job.status, job.message, job.wish = (
                        "waiting",
                        "The worker stopped; the run goes on from its last checkpoint.",
                        None,
                    )
                    job.revision += 1
                self._saved(job, lambda: self.store.record(job.id, status="waiting"))

    def _on_beat(self, message: bytes) -> None:
        beat: jobs.Beat = pickle.loads(message)  # from our own worker
        job = self._jobs.get(beat.job)
        if job is None or beat.attempt != job.attempt or job.ended:
            return
        if job.kind == "train":
            self._store_beat(job, beat)  # first on disk, then on screen: what was seen is never lost
        with self._lock:
            self._show(job, beat)
        if job.each is not None:
            for value in beat.values:
                job.each(value)
        if job.kind == "train" and beat.parcels > job.parcels:
            self._fetch(job)
        if beat.status not in ("running", "paused"):
            job.ending = beat
            self._finish(job)

    def _store_beat(self, job: _Job, beat: jobs.Beat) -> None:
        assert job.run is not None
        doubled = [job.run._norms.add(step, logs) for step, logs in beat.norms]
        stride = job.run._norms.stride
        kept = [(step, logs) for step, logs in beat.norms if job.run._norms.keeps(step)]
        changes = {"status": beat.status} if beat.status in ACTIVE and beat.status != job.status else {}
        if beat.rows or changes:
            self._saved(job, lambda: self.store.record(job.id, beat.rows, kept, stride if any(doubled) else 1, **changes))

    def _show(self, job: _Job, beat: jobs.Beat) -> None:
        job.values.extend(beat.values)
        if job.run is not None:
            for row in beat.rows:
                job.run._history.append(row)
        if beat.snapshot is not None:
            job.snapshot = _merged(beat.snapshot, job)
        if beat.status in ACTIVE and not (job.wish and beat.status == "paused"):
            job.status, job.message = beat.status, "" if not job.broken else job.broken
        job.revision += 1

    def _fetch(self, job: _Job) -> None:
        """Ask the worker for the parcels made since the last time."""
        if job.fetching or not job.worker:
            return
        job.fetching = True
        future = self._link.run(job.worker, jobs.fetch, job.id, job.attempt, job.parcels)
        attempt = job.attempt
        future.add_done_callback(lambda done: self._inbox.put(partial(self._on_parcels, job, attempt, done)))

    def _on_parcels(self, job: _Job, attempt: int, done: Future[list[Parcel]]) -> None:
        if attempt != job.attempt:
            return
        job.fetching = False
        if failure(done) is not None:
            return  # the worker is going: whoever notices puts the job back into the queue; else the next beat asks again
        for parcel in done.result():
            self._saved(job, partial(self.store.keep, job.id, parcel))
            job.parcels += 1
        if job.ending is not None:
            self._finish(job)

    def _finish(self, job: _Job) -> None:
        """End a job whose last beat came, when all its parcels have come too."""
        beat = job.ending
        assert beat is not None
        if job.parcels < beat.parcels:
            self._fetch(job)
            return
        self._link.run(job.worker, jobs.forget, job.id)
        if job.snapshot is not None and not math.isnan(job.snapshot.test_metric):
            test = job.snapshot.test_metric
            self._saved(job, lambda: self.store.record(job.id, test_metric=test))
        if job.snapshot is not None:
            self._lengths = [*self._lengths[-20:], job.snapshot.seconds]
        if job.broken:
            self._end(job, "failed", job.broken)
        else:
            self._end(job, beat.status, beat.message or job.message)

    def _end(self, job: _Job, status: str, message: str) -> None:
        with self._lock:
            job.status, job.message, job.worker, job.wish = status, message, "", None
            job.arguments = {"experiment": job.arguments.get("experiment")}
            job.revision += 1
        if job.kind == "train":
            self._say(job.id, status, message)

    def _say(self, run_id: str, status: str, message: str) -> None:
        """Status into the store; tried again later when it does not take it."""
        try:
            self.store.record(run_id, status=status, message=message)
            self._unsaid.pop(run_id, None)
        except KeyError:
            self._unsaid.pop(run_id, None)
        except (sqlite3.Error, OSError):
            self._unsaid[run_id] = (status, message)

    def _saved(self, job: _Job, action: Callable[[], None]) -> bool:
        """Do something to the store for a job. When the store cannot, stop the job and say why in one sentence."""
        if job.broken:
            return False
        try:
            action()
            return True
        except KeyError:
            job.broken = "This run was deleted."
        except (sqlite3.Error, OSError) as problem:
            job.broken = _store_problem(problem, self.store)
            self.store.spend_ballast()
        with self._lock:
            job.message = job.broken
        if job.worker:
            self._tell(job, "stop", None)
        return False

    def _sweep(self) -> None:
        """Twice a second: stop what nobody watches, say what could not be said."""
        now = time.monotonic()
        minutes = f"{self.patience / 60:.3g} minutes"
        for job in list(self._jobs.values()):
            if not job.ended and now - job.seen > self.patience:
                job.seen = now
                with self._lock:
                    job.message = f"Stopped because nobody watched for {minutes}; everything up to here is kept."
                    if job.worker:
                        self._tell(job, "stop", None)
                    else:
                        self._end(job, "stopped", job.message)
            elif job.ending is not None and not job.ended:
                self._finish(job)
        for run_id, (status, message) in list(self._unsaid.items()):
            self._say(run_id, status, message)

    # ---------------------------------------------------------------- the queue

    def _roles(self) -> tuple[list[str], list[str]]:
        """Addresses that probe, and those that train. A worker called "probe…" never trains, so that probes never wait; where
        none is called so, the first probes and the others train, and a worker that is alone does both."""
        workers = sorted(self._workers, key=lambda worker: worker.name)
        every = [worker.address for worker in workers]
        probers = [worker.address for worker in workers if worker.name.startswith("probe")]
        if probers:
            return probers, [address for address in every if address not in probers]
        return every[:1], every[1:] or every

    def _busy(self, worker: str) -> bool:
        return any(job.worker == worker and job.status == "running" for job in self._jobs.values())

    def _order(self) -> list[Ticket]:
        waiting = [Ticket(job.id, job.viewer, job.number) for job in self._jobs.values() if job.waits]
        return order(waiting, [job.viewer for job in self._jobs.values() if job.status == "running"])

    def _dispatch(self) -> None:
        """Start every waiting job for which there is a free worker, and whose viewer has none running."""
        with self._lock:
            trainers = self._roles()[1]
            for ticket in self._order():
                job = self._jobs[ticket.job]
                if any(other.viewer == job.viewer and other.status == "running" for other in self._jobs.values()):
                    continue
                if job.worker and job.wish:
                    if not self._busy(job.worker):
                        command, value = job.wish
                        job.wish, job.status = None, "running"
                        self._tell(job, command, value)
                    continue
                free = [worker for worker in trainers if not self._busy(worker)]
                if free:
                    tenants = {worker: sum(other.worker == worker for other in self._jobs.values()) for worker in free}
                    self._start(job, min(free, key=tenants.__getitem__))

    def _start(self, job: _Job, worker: str) -> None:
        job.worker, job.status, job.attempt = worker, "running", job.attempt + 1
        job.parcels, job.fetching, job.message = 0, False, ""
        job.revision += 1
        commands, job.commands = job.commands, []
        if any(command == "pause" for command, _ in commands):
            job.status = "paused"
        arguments = (job.kind, job.id, job.attempt, self._link.topic, commands)
        try:
            job.task = self._link.submit(worker, False, jobs.run, *arguments, **job.arguments)
        except Exception as problem:  # what cannot be sent cannot be trained
            self._end(job, "failed", jobs.sentence(problem))
            return
        attempt = job.attempt
        job.task.add_done_callback(lambda done: self._inbox.put(partial(self._on_return, job, attempt, done)))

    def _on_return(self, job: _Job, attempt: int, done: Future[None]) -> None:
        """The task itself came to an end. Its last beat is here already, unless something went wrong outside of it."""
        problem = failure(done)
        if attempt != job.attempt or job.ended or job.ending is not None or problem is None:
            return  # its last beat is here, or on its way
        if lost(problem):
            return  # the worker or the cluster is gone: `_on_workers` puts the job back into the queue
        self._end(job, "failed", jobs.sentence(problem))

    def _tell(self, job: _Job, command: str, value: float | None) -> None:
        self._link.run(job.worker, jobs.send, job.id, command, value)

    def _control_waiting(self, job: _Job, command: str, value: float | None) -> None:
        """A wish for a job that has not started."""
        assert command in COMMANDS
        if command == "stop":
            job.status, job.message = "stopped", "Stopped before it started."
            if job.kind == "train":
                self._inbox.put(partial(self._say, job.id, job.status, job.message))
        elif command == "learning_rate":
            job.commands.append((command, value))
        else:
            job.commands = [entry for entry in job.commands if entry[0] == "learning_rate"]
            if command != "resume":
                job.commands.append((command, value))

    def _place(self, job: _Job) -> tuple[int, float]:
        """Position in the queue (1 = next; 0 when not waiting), and seconds until the start (waiting) or the end (running)."""
        left = {other.id: _left(other) for other in self._jobs.values() if other.status == "running"}
        if not job.waits:
            return 0, left.get(job.id, math.nan)
        line = [ticket.job for ticket in self._order()]
        guess = float(np.median(self._lengths)) if self._lengths else GUESS
        busy = [GUESS if math.isnan(seconds) else seconds for seconds in left.values()]
        slots = len(self._roles()[1]) if self._workers else 0
        position = line.index(job.id)
        return position + 1, estimates(busy, slots, [guess] * len(line))[position]

    def _news(self, job: _Job) -> str:
        return self.message if job.waits and self.state != "ready" else ""


def _merged(fresh: Snapshot, job: _Job) -> Snapshot:
    """A light snapshot from a beat, with the probe arrays of the one before where it brings none, and the run as known here."""
    assert job.run is not None
    old = job.snapshot
    if not fresh.eigenvalues.size and old is not None and old.probe_step == fresh.probe_step:
        fresh = replace(fresh, probe_inputs=old.probe_inputs, probe_states=old.probe_states, eigenvalues=old.eigenvalues)
    return replace(fresh, run=job.run)


def _left(job: _Job) -> float:
    return job.snapshot.seconds_left if job.snapshot else math.nan


def _store_problem(problem: Exception, store: Store) -> str:
    if "full" in str(problem) or getattr(problem, "errno", None) in (28, 122):  # ENOSPC, EDQUOT
        return f"The disk that holds {store.home} is full: free some space, then resume this run; everything up to here is kept."
    return f"The run store in {store.home} cannot be written ({problem}): everything up to here is kept."


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
