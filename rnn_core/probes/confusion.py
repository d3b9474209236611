"""Which class a network answers for which: its confusion matrix on validation data, and the errors it is surest of.

NumPy only. Legend: N sequences, T time steps, K outputs, C classes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from rnn_core import data
from rnn_core.data.sequences import Batch, Sequences
from rnn_core.data.text.vocabulary import vocabulary
from rnn_core.engine.model import Model
from rnn_core.engine.numpy_network import NumpyNetwork
from rnn_core.probes.examples import dataset_of
from rnn_core.probes.strip import shown
from rnn_core.spec.experiment import Experiment

MOST, LEAST = 1000, 20  # sequences that are read
WORK = 2e10  # multiplications, beyond which fewer are read: a few seconds
ERRORS = 10  # the surest, that are listed
PART = 2**20  # sequences × steps × units of one part, which is kept in memory
WORDS = 40  # last inputs of a sequence that are written


@dataclass(frozen=True)
class Mistake:
    """One wrong answer."""

    text: str  # the sequence, or its last WORDS inputs after "…"
    step: int | None  # of the answer, from 1; None where there is one answer at the end
    answered: int  # class
    right: int  # class
    probability: float  # of the answered class


@dataclass(frozen=True, eq=False)
class Confusion:
    """The answers to the first validation sequences."""

    classes: tuple[str, ...]  # C names
    counts: np.ndarray  # (C, C) int64: answers, by right class (row) and answered class (column)
    sequences: int  # read
    available: int  # in the validation part
    mistakes: tuple[Mistake, ...]  # at most ERRORS, the surest first

    @property
    def answers(self) -> int:
        """One for each sequence, or for each time step of each."""
        return int(self.counts.sum())

    @property
    def right(self) -> int:
        return int(np.trace(self.counts))


def confusion(experiment: Experiment, model: Model, uploads: Mapping[str, bytes] | None = None) -> Confusion:
    """The confusion matrix of a model on the first validation sequences (see `readable`), padded as it was trained.

    Raises: ValueError for a model that answers with numbers.
    """
    interface, task = model.interface, data.task(experiment.data.task)
    if interface.loss == "squared":
        raise ValueError(f"a confusion matrix needs a task with classes, got {experiment.data.task}")
    sequences, found = dataset_of(experiment, uploads).validation, []
    network, size = NumpyNetwork(model), max(2, interface.outputs)
    count = readable(experiment, sequences)
    for indices, batch in _parts(sequences, experiment, count):
        probabilities = _probabilities(network, batch)  # (B, C) or (B, T, C)
        right = batch.targets.reshape(probabilities.shape[:-1]).astype(np.int64)
        answered = probabilities.argmax(-1)
        counts = np.zeros((size, size), np.int64)
        np.add.at(counts, (right.ravel(), answered.ravel()), 1)
        wrong = np.argwhere(answered != right)  # (errors, 1 or 2): sequence of the part, and step
        sure = np.array([probabilities[(*place, answered[tuple(place)])] for place in wrong])
        found.append((indices, right, answered, counts, wrong, sure))
    ranked = sorted(((value, part, row) for part, one in enumerate(found) for row, value in enumerate(one[5])), reverse=True)[
        :ERRORS
    ]
    mistakes = []
    for value, part, row in ranked:
        indices, right, answered, _, wrong, _ = found[part]
        place = tuple(wrong[row])
        text = _text(sequences[indices[place[0]]][-experiment.data.length :], experiment, interface.inputs == "tokens")
        step = int(place[1]) + 1 if len(place) > 1 else None
        mistakes.append(Mistake(text, step, int(answered[place]), int(right[place]), float(value)))
    names = task.classes or tuple(map(str, range(size)))
    return Confusion(names, np.sum([one[3] for one in found], axis=0), count, len(sequences), tuple(mistakes))


def readable(experiment: Experiment, sequences: Sequences) -> int:
    """How many sequences are read: MOST, fewer where the network is large and the sequences long, at least LEAST, at most all."""
    spec = experiment.model
    steps = min(experiment.data.length, int(sequences.lengths.max(initial=1)))
    weights = 8 * spec.units**2 * spec.layers * (1 + spec.bidirectional)  # of four gates, input and recurrent
    return min(len(sequences), max(LEAST, min(MOST, int(WORK / (weights * steps)))))


def _parts(sequences: Sequences, experiment: Experiment, count: int) -> Iterator[tuple[np.ndarray, Batch]]:
    """The first `count` sequences in parts: their numbers, and the batch. Of similar lengths, unless padding is part of the input."""
    spec, padded = experiment.data, experiment.data.padding != "bucket" and not experiment.data.mask
    order = np.arange(count) if padded else np.argsort(sequences.lengths[:count], kind="stable")
    longest = min(spec.length, int(sequences.lengths[:count].max(initial=1)))
    size = max(1, PART // (longest * experiment.model.units))
    for start in range(0, count, size):
        part = order[start : start + size]
        yield part, sequences.pad(part, spec.length, spec.padding, mask=False) if padded else sequences.pad(part, mask=True)


def _probabilities(network: NumpyNetwork, batch: Batch) -> np.ndarray:
    """(B, C), or (B, T, C) of a network that answers at every step; of one output, C = 2."""
    logits = network.logits(network.forward(network.vectors(batch.inputs), network.mask(batch.inputs, batch.mask))).astype(
        np.float64
    )
    if network.model.interface.loss == "binary":
        logits = np.concatenate([np.zeros_like(logits), logits], -1)
    powers = np.exp(logits - logits.max(-1, keepdims=True))
    probabilities: np.ndarray = powers / powers.sum(-1, keepdims=True)
    return np.swapaxes(probabilities, 0, 1) if network.model.interface.per_step else probabilities


def _text(inputs: np.ndarray, experiment: Experiment, tokens: bool) -> str:
    """The last WORDS inputs, as they are written over a strip."""
    kept = inputs[-WORDS:]
    written = shown(kept, vocabulary(experiment.data.vocabulary).decode(kept) if tokens else ())
    parts = written.words if written.values is None else [f"{value:.3g}" for value in written.values]
    return ("… " if len(inputs) > WORDS else "") + " ".join(parts)
