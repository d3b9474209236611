"""Loss and metric on sequences that are not trained on, measured in parts, two at a time."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np

from rnn_core.data.sequences import Sequences
from rnn_core.engine.cells import cell_of
from rnn_core.spec.experiment import DataSpec, ModelSpec

if TYPE_CHECKING:
    from rnn_core.training.step import TrainingStep

COMPILE_FROM = 8  # parts from which a program compiled for their size repays the third of a second of its compilation
MAX_PROJECTED = 2**24  # numbers in the projected inputs (sequences × steps × columns) of one part: 64 MB


def as_trained(sequences: Sequences, spec: DataSpec) -> Sequences:
    """The sequences as training gets them: padded to full length where padding is not masked, else sorted by length."""
    if spec.padding != "bucket" and not spec.mask:
        everything = sequences.pad(np.arange(len(sequences)), spec.length, spec.padding, mask=False)
        return Sequences.dense(everything.inputs, everything.targets)
    return sequences.take(np.argsort(sequences.lengths, kind="stable"))


class Validation:
    """Loss and metric of a network on a fixed set of sequences.

    The steps of a sequence are sequential and occupy one core, so parts are measured in parallel. They are summed in a fixed
    order: the result does not depend on which part is ready first.

    Args:
        training_step: its current weights are measured.
        sequences: the result of `as_trained`; neighbours should be of similar length.
        stopped: called before each part; once it returns true, the result is (nan, nan).
    """

    def __init__(self, training_step: TrainingStep, sequences: Sequences, stopped: Callable[[], bool]) -> None:
        self.training_step, self.sequences, self.stopped = training_step, sequences, stopped
        model, longest = training_step.model, int(sequences.lengths.max(initial=1))
        self.squared = model.interface.loss == "squared"
        size, count = _part(model.spec, longest), len(sequences)
        self.parts = [np.arange(start, min(start + size, count)) for start in range(0, count, size)][::-1]  # longest first
        self.capacity = longest if not model.interface.per_step and len(self.parts) >= COMPILE_FROM else 0
        self._size, self._sequential = size, 2  # the first parts are not run in parallel, so that each program is compiled once

    def measure(self) -> tuple[float, float]:
        """(loss, metric) over all sequences."""
        with ThreadPoolExecutor(_cores()) as pool:
            totals = [self._total(part) for part in self.parts[: self._sequential]]
            totals += pool.map(self._total, self.parts[self._sequential :])
        self._sequential = 0
        loss, metric = np.sum(totals, axis=0) / len(self.sequences)
        return float(loss), float(np.sqrt(metric) if self.squared else metric)

    def _total(self, part: np.ndarray) -> np.ndarray:
        """Sums over one part: of the loss, and of the accuracy or squared error."""
        if self.stopped():
            return np.full(2, math.nan)
        loss, metric = self.training_step.evaluate(
            self.sequences.take(part), len(part), self.capacity if len(part) == self._size else 0
        )
        return len(part) * np.array([loss, metric**2 if self.squared else metric])


def _part(spec: ModelSpec, longest: int) -> int:
    """Sequences in one part: more share a step's fixed costs, fewer need less memory."""
    columns = len(cell_of(spec).columns) * spec.units * (1 + spec.bidirectional)
    return int(np.clip(MAX_PROJECTED // (longest * columns), 32, 512))


def _cores() -> int:
    """Parts measured in parallel: TensorFlow's threads, at most two to bound the memory."""
    return min(2, int(os.environ.get("UNROLLED_TF_THREADS", "0")) or os.cpu_count() or 1)
