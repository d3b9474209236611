"""The numbers of a run: one row per step, and gradient norms by time step for a bounded choice of steps."""

from __future__ import annotations

import math
import threading
from array import array
from collections.abc import Iterable, Mapping

import numpy as np

# Columns of a row, in the order of the store's table and of updates.
COLUMNS = (
    "step",
    "epoch",
    "loss",
    "metric",
    "validation_loss",
    "validation_metric",
    "gradient_norm",
    "clipped_norm",
    "learning_rate",
    "seconds",
)
INTEGERS = ("step", "epoch")
NORM_ROWS = 1024  # gradient-norm rows kept per run: more than the pixels of a heat map


class History:
    """Rows in the order of their steps, returned as columns. Step 0 is the untrained model: loss, metric and norms are nan."""

    def __init__(self, columns: Mapping[str, np.ndarray] | None = None) -> None:
        self._columns = {name: array("d", np.asarray(columns[name], np.float64) if columns else ()) for name in COLUMNS}
        self._lock = threading.Lock()  # pages read while the training appends

    def __len__(self) -> int:
        return len(self._columns["step"])

    @property
    def last(self) -> int:
        """The last step appended; -1 without rows."""
        return int(self._columns["step"][-1]) if len(self) else -1

    def append(self, row: Iterable[float]) -> None:
        with self._lock:
            for name, value in zip(COLUMNS, row, strict=True):
                self._columns[name].append(value)

    def truncate(self, step: int) -> None:
        """Removes every row after `step`."""
        with self._lock:
            kept = int(np.searchsorted(np.array(self._columns["step"]), step, side="right"))
            for column in self._columns.values():
                del column[kept:]

    def columns(self) -> dict[str, np.ndarray]:
        """A copy: name → (rows,) float64, int64 for step and epoch."""
        with self._lock:
            return {
                name: np.array(column, np.int64 if name in INTEGERS else np.float64) for name, column in self._columns.items()
            }

    def __getstate__(self) -> dict[str, np.ndarray]:
        return self.columns()

    def __setstate__(self, columns: dict[str, np.ndarray]) -> None:
        self.__init__(columns)  # type: ignore[misc]


class NormHistory:
    """Base-10 logarithms of the gradient norm at each time step, for every stride-th training step.

    Steps s with (s - 1) % stride == 0 are kept; the stride doubles when there are more than `limit` rows. The choice
    depends on the step alone, so a resumed run keeps the same steps. Logarithms, because float32 has no norms below 1e-38.
    """

    def __init__(self, rows: Iterable[tuple[int, np.ndarray]] = (), limit: int = NORM_ROWS) -> None:
        self.limit = limit
        self.rows: dict[int, np.ndarray] = dict(rows)
        common = math.gcd(*(step - 1 for step in self.rows))
        self.stride = common & -common or 1  # the largest power of two that divides s - 1 for all kept steps

    def keeps(self, step: int) -> bool:
        return step > 0 and (step - 1) % self.stride == 0

    def add(self, step: int, logs: np.ndarray) -> bool:
        """Adds the (T,) float32 logarithms of `step` if it is one of the kept steps; True when the stride doubled."""
        if not self.keeps(step):
            return False
        self.rows[step] = logs
        doubled = False
        while len(self.rows) > self.limit:
            self.stride, doubled = self.stride * 2, True
            self.rows = {kept: row for kept, row in self.rows.items() if self.keeps(kept)}
        return doubled

    def truncate(self, step: int) -> None:
        self.rows = {kept: row for kept, row in self.rows.items() if kept <= step}

    def matrix(self) -> tuple[np.ndarray, np.ndarray]:
        """(R,) int64 steps and (R, T) float64 norms, aligned at the last time step (last column); nan in front of shorter rows."""
        rows = dict(self.rows)  # a copy: the training may add rows
        steps = sorted(rows)
        longest = max(map(len, rows.values()), default=0)
        norms = np.full((len(steps), longest), np.nan)
        for n, step in enumerate(steps):
            row = rows[step]
            norms[n, longest - len(row) :] = 10.0 ** row.astype(np.float64)
        return np.array(steps, np.int64), norms


def logarithms(norms: np.ndarray) -> np.ndarray:
    """(T,) float64 norms → (T,) float32 base-10 logarithms; -inf for exactly 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log10(norms).astype(np.float32)
