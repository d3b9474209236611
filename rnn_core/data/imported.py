"""The data of a model that was trained elsewhere: what it reads, its own words, and sequences to run it on, given or drawn.

Such a model comes without training data. What is known of it is one JSON file, which a run names by its SHA-256 as it would name an
uploaded table. The sequences have no targets.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from rnn_core.data.seeds import generator
from rnn_core.data.sequences import Sequences, offsets_of
from rnn_core.data.task import Dataset, Task, Uploads
from rnn_core.data.text.own_vocabulary import OwnVocabulary, numbered
from rnn_core.data.text.vocabulary import Vocabulary, vocabulary
from rnn_core.spec.experiment import Experiment
from rnn_core.spec.interface import Interface

NAME = "imported"
DRAWN = {"train": 200, "validation": 60}  # sequences, where none were given


@dataclass(frozen=True, eq=False)
class Description:
    """What is known of the data of a model from elsewhere."""

    file: str  # name of the file that it came from
    interface: Interface
    words: dict[str, int] | None = None  # its own vocabulary; None where its words are not known, or it reads numbers
    sequences: list[Any] | None = None  # of token ids, or of rows of numbers; None: drawn

    def to_bytes(self) -> bytes:
        values = {each.name: getattr(self, each.name) for each in dataclasses.fields(self)}
        return json.dumps(values | {"interface": dataclasses.asdict(self.interface)}, sort_keys=True).encode()


def key(content: bytes) -> str:
    """SHA-256 of a description's bytes: the field `source` of its experiment."""
    return hashlib.sha256(content).hexdigest()


def is_imported(experiment: Experiment) -> bool:
    """Whether an experiment is a model from elsewhere, which cannot be trained here."""
    return experiment.data.task == NAME


def description(experiment: Experiment, uploads: Uploads = None) -> Description:
    """What is known of an imported model's data. Raises ValueError where its file is missing or damaged."""
    content = (uploads or {}).get(experiment.data.source)
    if content is None:
        raise ValueError("the description of this imported model is not on this machine: import it again")
    return _read(content)


@lru_cache(8)
def _read(content: bytes) -> Description:
    try:
        values = json.loads(content)
        return Description(**values | {"interface": Interface(**values["interface"])})
    except (ValueError, TypeError, KeyError, RecursionError) as problem:
        raise ValueError("the description of this imported model cannot be read: import it again") from problem


def vocabulary_of(experiment: Experiment, uploads: Uploads = None) -> Vocabulary:
    """The words of an experiment's token ids: of an imported model its own, or its ids where they have no names."""
    return (
        _own(uploads[experiment.data.source]) if is_imported(experiment) and uploads else vocabulary(experiment.data.vocabulary)
    )


@lru_cache(8)
def _own(content: bytes) -> OwnVocabulary:
    found = _read(content)
    size = found.interface.input_size
    return numbered(size) if found.words is None else OwnVocabulary(found.words, size)


def interface(experiment: Experiment, uploads: Uploads = None) -> Interface:
    return description(experiment, uploads).interface


def build(experiment: Experiment, uploads: Uploads = None) -> Dataset:
    found = description(experiment, uploads)

    def part(name: str) -> Sequences:
        return drawn(found.interface, DRAWN[name], experiment.data.length, experiment.seed, name)

    if found.sequences is None:
        train, validation = part("train"), part("validation")
    else:
        train = validation = _given(found)
    return Dataset(NAME, found.interface, train, validation, None, names={"source": source_words(found)})


def source_words(found: Description) -> str:
    """Which sequences an imported model is run on, in words."""
    return "sequences drawn at random" if found.sequences is None else "the sequences that were given with it"


def drawn(interface: Interface, count: int, length: int, seed: int, part: str = "train") -> Sequences:
    """Sequences drawn at random, without targets: token ids from 1 on, or standard normal numbers."""
    rng = generator(seed, f"imported/{part}")
    if interface.inputs == "tokens":
        values = rng.integers(min(1, interface.input_size - 1), interface.input_size, (count, length)).astype(np.int32)
    else:
        values = rng.normal(size=(count, length, interface.input_size)).astype(np.float32)
    return Sequences.dense(values, np.full((count, 1), np.nan, np.float32))


def _given(found: Description) -> Sequences:
    sequences = found.sequences or []
    dtype = np.int32 if found.interface.inputs == "tokens" else np.float32
    values = np.concatenate([np.asarray(one, dtype) for one in sequences])
    return Sequences(values, offsets_of([len(one) for one in sequences]), np.full((len(sequences), 1), np.nan, np.float32))


TASKS = (
    Task(
        name=NAME,
        title="A model from elsewhere",
        description="A Keras model that was trained elsewhere. It came without its training data.",
        group="imported",
        metric="accuracy",
        input_label="step",
        target_label="answer",
        build=build,
        interface=interface,
        knobs=(),
    ),
)
