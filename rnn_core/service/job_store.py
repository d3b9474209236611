"""What the clerk writes into the store for its jobs, and what becomes of a job when the store cannot take it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from functools import partial

from rnn_core.service.job import Job
from rnn_core.service.worker import Beat
from rnn_core.spec.experiment import Experiment
from rnn_core.store.saved import Parcel, read_checkpoint
from rnn_core.store.store import ACTIVE, Store
from rnn_core.training.history import History
from rnn_core.training.loop import Run

NO_SPACE = (28, 122)  # ENOSPC, EDQUOT


class Ledger:
    """Writes for jobs; never raises for what a disk or a deleted run may do. `give_up` is called with a job that is broken."""

    def __init__(self, store: Store, give_up: Callable[[Job], None]) -> None:
        self.store, self.give_up = store, give_up
        self._unsaid: dict[str, tuple[str, str]] = {}  # run → status and message that the store did not take

    def reopen(self, job: Job, experiment: Experiment) -> None:
        """Put an ended run back to its last checkpoint, waiting; raises what the store raises."""
        self._rewind(job)
        self.store.record(job.id, experiment=experiment.to_json(), status="waiting", message="")

    def rewind(self, job: Job) -> bool:
        """Put a run whose worker died back to its last checkpoint, waiting."""
        job.stored = "waiting"
        return self._saved(job, partial(self._rewind, job)) and self._saved(
            job, partial(self.store.record, job.id, status="waiting")
        )

    def beat(self, job: Job, beat: Beat) -> None:
        """Rows, norms and a changed status."""
        assert job.run is not None
        doubled = [job.run._norms.add(step, logs) for step, logs in beat.norms]
        stride = job.run._norms.stride
        kept = [(step, logs) for step, logs in beat.norms if job.run._norms.keeps(step)]
        changes = {"status": beat.status} if beat.status in ACTIVE and beat.status != job.stored else {}
        record = partial(self.store.record, job.id, beat.rows, kept, stride if any(doubled) else 1, **changes)
        if (beat.rows or changes) and self._saved(job, record):
            job.stored = changes.get("status", job.stored)

    def keep(self, job: Job, parcel: Parcel) -> None:
        self._saved(job, partial(self.store.keep, job.id, parcel))

    def tested(self, job: Job, metric: float) -> None:
        self._saved(job, partial(self.store.record, job.id, test_metric=metric))

    def say(self, run_id: str, status: str, message: str) -> None:
        """How a run ended; tried again by `retry` when the store does not take it."""
        try:
            self.store.record(run_id, status=status, message=message)
        except KeyError:
            pass  # deleted: there is nobody to tell
        except (sqlite3.Error, OSError):
            self._unsaid[run_id] = (status, message)
            return
        self._unsaid.pop(run_id, None)

    def retry(self) -> None:
        for run_id, (status, message) in list(self._unsaid.items()):
            self.say(run_id, status, message)

    def _rewind(self, job: Job) -> None:
        parcel = self.store.checkpoint(job.id)
        self.store.rewind(job.id, read_checkpoint(parcel).step if parcel else -1)
        norms = self.store.norms(job.id)
        job.arguments |= {"resume": parcel, "stride": norms.stride}
        job.run = Run(job.arguments["experiment"], None, History(self.store.open(job.id).history), norms)

    def _saved(self, job: Job, action: Callable[[], None]) -> bool:
        """Do something for a job. When the store cannot, the job is broken, and says why in one sentence."""
        if job.broken:
            return False
        try:
            action()
            return True
        except KeyError:
            job.broken = "This run was deleted."
        except (sqlite3.Error, OSError) as problem:
            job.broken = self._sentence(problem)
            self.store.spend_ballast()
        self.give_up(job)
        return False

    def _sentence(self, problem: Exception) -> str:
        if "full" in str(problem) or getattr(problem, "errno", None) in NO_SPACE:
            return f"The disk that holds {self.store.home} is full: free some space, then resume this run; everything up to here is kept."
        return f"The run store in {self.store.home} cannot be written ({problem}): everything up to here is kept."
