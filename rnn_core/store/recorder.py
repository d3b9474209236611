"""Writes a training to the store as it runs, when both are in one process (the command line)."""

from __future__ import annotations

import time

from rnn_core.store.saved import checkpoint_file, kept_step_file
from rnn_core.store.store import Store
from rnn_core.training.history import NormHistory, logarithms
from rnn_core.training.loop import Snapshot, row_of

STATUS_OF_REASON = {"finished": "finished", "target": "finished", "time": "finished", "stopped": "stopped", "diverged": "failed"}


class Recorder:
    """Call `add` with every snapshot. Rows are written twice a second, weights at once."""

    def __init__(self, store: Store, run_id: str) -> None:
        self.store, self.run_id = store, run_id
        record = store.open(run_id)
        self.norms = store.norms(run_id)
        self._last = int(record.history["step"][-1]) if len(record.history["step"]) else 0
        self._rows: list[tuple[float, ...]] = []
        self._new_norms = NormHistory(limit=10**9)
        self._written = time.monotonic()
        store.record(run_id, status="running", message="")

    def add(self, snapshot: Snapshot) -> None:
        """Record a snapshot. Raises OSError or sqlite3.Error when the store cannot be written."""
        if snapshot.step > self._last:
            self._last = snapshot.step
            self._rows.append(row_of(snapshot))
            logs = logarithms(snapshot.state_norms)
            if self.norms.add(snapshot.step, logs) or self.norms.keeps(snapshot.step):
                self._new_norms.rows[snapshot.step] = logs
        if snapshot.model is not None:
            self.store.keep(self.run_id, kept_step_file(snapshot))
        if snapshot.checkpoint is not None:
            self.store.keep(self.run_id, checkpoint_file(snapshot.checkpoint, snapshot.epoch))
        if snapshot.reason or snapshot.checkpoint is not None or time.monotonic() - self._written > 0.5:
            self.flush()
        if snapshot.reason:
            status, test = STATUS_OF_REASON[snapshot.reason], snapshot.test_metric  # SQLite stores nan as NULL
            self.store.record(self.run_id, status=status, message=snapshot.advice, test_metric=test)

    def flush(self) -> None:
        """Write the rows and norms collected so far."""
        self.store.record(self.run_id, self._rows, list(self._new_norms.rows.items()), self.norms.stride)
        self._rows, self._new_norms.rows, self._written = [], {}, time.monotonic()
