"""How well a network does on sequences it does not train on: measured part by part, several parts at once."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np

from rnn_core.data.sequences import Sequences
from rnn_core.spec.experiment import DataSpec, ModelSpec

if TYPE_CHECKING:
    from rnn_core.training.step import Stepper

MANY = 8  # parts from which on a program compiled for their size is worth the third of a second that it takes, once
ROOM = 2**24  # numbers that the projected inputs (sequences × steps × columns) of one part may fill: 64 MB


def as_read(sequences: Sequences, spec: DataSpec) -> Sequences:
    """The sequences as training reads them: padded to full length where padding is not skipped, else sorted by length."""
    if spec.padding != "bucket" and not spec.mask:
        everything = sequences.pad(np.arange(len(sequences)), spec.length, spec.padding, mask=False)
        return Sequences.dense(everything.inputs, everything.targets)
    return sequences.take(np.argsort(sequences.lengths, kind="stable"))


class Validation:
    """Loss and metric of a stepper on sequences that stay the same.

    The steps of a sequence must follow one another and keep one core busy, so parts are measured side by side. Their sum is
    taken in a fixed order: the result does not depend on which was ready first.

    Args:
        stepper: whose present weights are measured.
        sequences: see `as_read`; neighbours should be of similar length.
        stopped: looked at before each part; once it is true, the result is (nan, nan).
    """

    def __init__(self, stepper: Stepper, sequences: Sequences, stopped: Callable[[], bool]) -> None:
        self.stepper, self.sequences, self.stopped = stepper, sequences, stopped
        model, longest = stepper.model, int(sequences.lengths.max(initial=1))
        self.squared = model.interface.loss == "squared"
        size, count = _part(model.spec, longest), len(sequences)
        self.parts = [np.arange(start, min(start + size, count)) for start in range(0, count, size)][::-1]  # longest first
        self.room = longest if not model.interface.per_step and len(self.parts) >= MANY else 0
        self._size, self._alone = size, 2  # parts that go first, alone: what is compiled is compiled once

    def measure(self) -> tuple[float, float]:
        """(loss, metric) over all sequences."""
        with ThreadPoolExecutor(_cores()) as pool:
            totals = [self._total(part) for part in self.parts[: self._alone]]
            totals += pool.map(self._total, self.parts[self._alone :])
        self._alone = 0
        loss, metric = np.sum(totals, axis=0) / len(self.sequences)
        return float(loss), float(np.sqrt(metric) if self.squared else metric)

    def _total(self, part: np.ndarray) -> np.ndarray:
        """Sums over one part of the loss and of what the metric is the mean of."""
        if self.stopped():
            return np.full(2, math.nan)
        loss, metric = self.stepper.evaluate(self.sequences.take(part), len(part), self.room if len(part) == self._size else 0)
        return len(part) * np.array([loss, metric**2 if self.squared else metric])


def _part(spec: ModelSpec, longest: int) -> int:
    """Sequences in one part: many share a step's fixed costs, but what they read must fit into memory."""
    columns = {"simple_rnn": 1, "gru": 3, "lstm": 4}[spec.cell] * spec.units * (1 + spec.bidirectional)
    return int(np.clip(ROOM // (longest * columns), 32, 512))


def _cores() -> int:
    """Parts at once: as many as TensorFlow may use threads, but no more than memory likes."""
    return min(2, int(os.environ.get("UNROLLED_TF_THREADS", "0")) or os.cpu_count() or 1)
