"""States of one model at every token of many reviews, in memory: the sentence page searches them for similar tokens and spans.

The reviews are the bundled toy reviews and, where IMDB is on this machine, IMDB's test reviews. Nothing of them is stored on disk.

Legend: N reviews, R tokens of all reviews end to end, H units, S numbers in the state.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rnn_core import data
from rnn_core.data import imported
from rnn_core.data.sequences import Sequences, offsets_of
from rnn_core.data.text import imdb_files, toy_reviews
from rnn_core.data.text import vocabulary as text
from rnn_core.data.text.own_vocabulary import OwnVocabulary
from rnn_core.spec.experiment import Experiment
from rnn_core.spec.interface import Interface

if TYPE_CHECKING:
    from rnn_core.engine.model import Model

EACH = 300  # reviews taken from each source
BATCH = 100  # reviews traced at once


@dataclass(frozen=True, eq=False)
class Passage:
    """A few tokens of some review, as words."""

    origin: str  # "toy review" or "IMDB"
    label: str  # "positive" or "negative": the review's own label; "" of a sequence drawn at random
    before: str  # words just before
    words: str  # the tokens themselves
    after: str  # words just after


@dataclass(frozen=True, eq=False)
class Corpus:
    """The tokens of N reviews end to end, and the states of a model's units at each."""

    sequences: Sequences  # token ids and labels
    origins: tuple[str, ...]  # of each of the N: "toy review" or "IMDB"
    hidden: np.ndarray  # (R, H) float32: h after each token
    words: text.Vocabulary  # of the model's token ids

    def passage(self, first: int, last: int, around: int = 6) -> Passage:
        """Tokens first..last (rows of `hidden`, both in one review) with their neighbours."""
        review = int(np.searchsorted(self.sequences.offsets, first, side="right")) - 1
        low, high = self.sequences.offsets[review : review + 2]
        pieces = [(max(low, first - around), first), (first, last + 1), (last + 1, min(high, last + 1 + around))]
        before, inside, after = (" ".join(self.words.decode(self.sequences.values[start:stop])) for start, stop in pieces)
        target = self.sequences.targets[review, 0]
        label = "" if np.isnan(target) else "positive" if target > 0.5 else "negative"
        return Passage(self.origins[review], label, before, inside, after)


def imdb_present() -> bool:
    """Whether IMDB is on this machine."""
    return imdb_files.available()


def reviews(task: str, count: int, length: int, vocabulary: int, part: str = "test") -> Sequences:
    """The first `count` reviews of one part of a text task, encoded with a vocabulary of that size."""
    sequences = getattr(data.build(Experiment().replace(task=task, length=length, vocabulary=vocabulary)), part)
    return sequences.take(np.arange(min(count, len(sequences))))


def reviews_in(words: OwnVocabulary, count: int, length: int) -> Sequences:
    """Toy reviews in a model's own words; where these are not known, ids drawn at random, without labels."""
    if words.numbers:
        return imported.drawn(Interface("tokens", words.size, 1, "binary"), count, length, 0)
    written = toy_reviews.reviews(count, length, Experiment().seed, "test")
    found = [(words.encode(review.text).ids[-length:], review.positive) for review in written]
    found = [each for each in found if len(each[0])] or [(np.array([0], np.int32), False)]
    targets = np.array([positive for _, positive in found], np.float32)[:, None]
    return Sequences(np.concatenate([ids for ids, _ in found]), offsets_of([len(ids) for ids, _ in found]), targets)


def states(model: Model, sequences: Sequences) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """State (R, S) and gates (R, H) float32 after every token, reviews end to end."""
    from rnn_core.probes.states.traces import trace

    rows, gates = np.empty((len(sequences.values), 0), np.float32), {}
    order = np.argsort(sequences.lengths, kind="stable")  # similar lengths in one batch: little padding
    for part in np.array_split(order, max(1, -(-len(order) // BATCH))):
        batch = sequences.pad(part, mask=True)
        mask = np.ones(batch.inputs.shape[:2], bool) if batch.mask is None else batch.mask
        found = trace(model, batch.inputs, mask)
        if rows.shape[1] == 0:
            rows = np.empty((len(rows), found.states.shape[-1]), np.float32)
            gates = {name: np.empty((len(rows), found.units), np.float32) for name in found.gates}
        at = np.concatenate([np.arange(*sequences.offsets[n : n + 2]) for n in part])
        rows[at] = found.states[mask]
        for name, value in found.gates.items():
            gates[name][at] = value[mask]
    return rows, gates


def joined(parts: list[Sequences]) -> Sequences:
    """Several sets of sequences as one."""
    lengths = np.concatenate([part.lengths for part in parts])
    return Sequences(
        np.concatenate([part.values for part in parts]), offsets_of(lengths), np.concatenate([part.targets for part in parts])
    )


def corpus(model: Model, each: int = EACH, words: OwnVocabulary | None = None) -> Corpus:
    """The corpus of one model: `each` reviews of every source, and its states along them. `words`: a model's own."""
    size = model.interface.input_size
    if words is not None:
        sequences = reviews_in(words, each, 200)
        origins = ("ids drawn at random" if words.numbers else "toy review",) * len(sequences)
        return Corpus(sequences, origins, states(model, sequences)[0][:, : model.spec.units], words)
    found = {"toy review": reviews("toy_reviews", each, 200, size)}
    if imdb_present():
        found["IMDB"] = reviews("imdb", each, 500, size)
    sequences = joined(list(found.values()))
    origins = tuple(name for name, part in found.items() for _ in range(len(part)))
    return Corpus(sequences, origins, states(model, sequences)[0][:, : model.spec.units], text.vocabulary(size))
