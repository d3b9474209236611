"""Writes a training into the store while it goes on, where both are in one process (the command line)."""

from __future__ import annotations

import time

from rnn_core.store.saved import checkpoint, moment
from rnn_core.store.store import Store
from rnn_core.training.history import NormHistory, logarithms
from rnn_core.training.loop import Snapshot, row_of

ENDINGS = {"finished": "finished", "target": "finished", "time": "finished", "stopped": "stopped", "diverged": "failed"}


class Recorder:
    """See every snapshot; rows are written twice a second, weights at once."""

    def __init__(self, store: Store, run_id: str) -> None:
        self.store, self.run_id = store, run_id
        record = store.open(run_id)
        self.norms = store.norms(run_id)
        self._last = int(record.history["step"][-1]) if len(record.history["step"]) else 0
        self._rows: list[tuple[float, ...]] = []
        self._fresh = NormHistory(limit=10**9)
        self._written = time.monotonic()
        store.record(run_id, status="running", message="")

    def see(self, snapshot: Snapshot) -> None:
        """Raises OSError or sqlite3.Error when the store cannot take it."""
        if snapshot.step > self._last:
            self._last = snapshot.step
            self._rows.append(row_of(snapshot))
            logs = logarithms(snapshot.state_norms)
            if self.norms.add(snapshot.step, logs) or self.norms.keeps(snapshot.step):
                self._fresh.rows[snapshot.step] = logs
        if snapshot.model is not None:
            self.store.keep(self.run_id, moment(snapshot))
        if snapshot.checkpoint is not None:
            self.store.keep(self.run_id, checkpoint(snapshot.checkpoint, snapshot.epoch))
        if snapshot.reason or snapshot.checkpoint is not None or time.monotonic() - self._written > 0.5:
            self.flush()
        if snapshot.reason:
            test = None if snapshot.test_metric != snapshot.test_metric else snapshot.test_metric
            self.store.record(self.run_id, status=ENDINGS[snapshot.reason], message=snapshot.advice, test_metric=test)

    def flush(self) -> None:
        self.store.record(self.run_id, self._rows, list(self._fresh.rows.items()), self.norms.stride)
        self._rows, self._fresh.rows, self._written = [], {}, time.monotonic()
