"""Writes jobs to the run store; a job whose store cannot be written ends with one sentence."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from functools import partial
from typing import Any

from rnn_core.service.job import Job
from rnn_core.service.worker import Update
from rnn_core.spec.experiment import Experiment
from rnn_core.store.saved import SavedFile, read_checkpoint
from rnn_core.store.store import ACTIVE, Store
from rnn_core.training.history import History
from rnn_core.training.loop import Run

NO_SPACE = (28, 122)  # ENOSPC, EDQUOT


class JobStore:
    """The store as the dispatcher writes it. Except `reopen`, no method raises when the disk fails or the run was deleted.

    Args:
        store: the run store.
        on_error: called with a job whose `store_error` has just been set.
    """

    def __init__(self, store: Store, on_error: Callable[[Job], None]) -> None:
        self.store, self.on_error = store, on_error
        self._unwritten: dict[str, tuple[str, str]] = {}  # run → status and message that could not be written

    def reopen(self, job: Job, experiment: Experiment) -> None:
        """Put an ended run back to its last checkpoint, with status "waiting". Raises what the store raises."""
        self._rewind(job, experiment=experiment.to_json(), message="")

    def rewind(self, job: Job) -> bool:
        """Put a run whose worker was lost back to its last checkpoint, with status "waiting". False when the store failed."""
        job.stored_status = "waiting"
        return self._attempt(job, partial(self._rewind, job))

    def add_update(self, job: Job, update: Update) -> None:
        """Write an update's metric rows, gradient norms and changed status."""
        assert job.run is not None
        doubled = [job.run._norms.add(step, logs) for step, logs in update.norms]
        stride = job.run._norms.stride
        kept = [(step, logs) for step, logs in update.norms if job.run._norms.keeps(step)]
        changes = {"status": update.status} if update.status in ACTIVE and update.status != job.stored_status else {}
        record = partial(self.store.record, job.id, update.rows, kept, stride if any(doubled) else 1, **changes)
        if (update.rows or changes) and self._attempt(job, record):
            job.stored_status = changes.get("status", job.stored_status)

    def keep(self, job: Job, file: SavedFile) -> None:
        """Store a file of kept weights or a checkpoint."""
        self._attempt(job, partial(self.store.keep, job.id, file))

    def set_test_metric(self, job: Job, metric: float) -> None:
        self._attempt(job, partial(self.store.record, job.id, test_metric=metric))

    def set_status(self, run_id: str, status: str, message: str) -> None:
        """Write how a run ended; written again by `retry` if the store fails."""
        try:
            self.store.record(run_id, status=status, message=message)
        except KeyError:
            pass  # the run was deleted
        except (sqlite3.Error, OSError):
            self._unwritten[run_id] = (status, message)
            return
        self._unwritten.pop(run_id, None)

    def retry(self) -> None:
        """Write the statuses that `set_status` could not write."""
        for run_id, (status, message) in list(self._unwritten.items()):
            self.set_status(run_id, status, message)

    def _rewind(self, job: Job, **changes: Any) -> None:
        content = self.store.checkpoint(job.id)
        self.store.rewind(job.id, read_checkpoint(content).step if content else -1)
        norms = self.store.norms(job.id)
        job.arguments |= {"resume": content, "stride": norms.stride}
        job.run = Run(job.arguments["experiment"], None, History(self.store.open(job.id).history), norms)
        self.store.record(job.id, status="waiting", **changes)

    def _attempt(self, job: Job, write: Callable[[], None]) -> bool:
        """Call `write`; when the store fails, set the job's `store_error` and call `on_error`. False if it failed, now or before."""
        if job.store_error:
            return False
        try:
            write()
            return True
        except KeyError:
            job.store_error = "This run was deleted."
        except (sqlite3.Error, OSError) as problem:
            job.store_error = self._message(problem)
            self.store.free_reserve()
        self.on_error(job)
        return False

    def _message(self, problem: Exception) -> str:
        if "full" in str(problem) or getattr(problem, "errno", None) in NO_SPACE:
            return f"The disk that holds {self.store.home} is full: free some space, then resume this run; everything up to here is kept."
        return f"The run store in {self.store.home} cannot be written ({problem}): everything up to here is kept."
