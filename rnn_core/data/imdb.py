"""The Large Movie Review Dataset (Maas et al. 2011): 25,000 training and 25,000 test reviews, as token ids."""

from __future__ import annotations

import json
import os
from functools import lru_cache
from pathlib import Path

import numpy as np

from rnn_core.data.sequences import Sequences
from rnn_core.data.task import Dataset, Interface, Task, Uploads
from rnn_core.data.text import OFFSET, START, UNKNOWN
from rnn_core.experiment import Experiment


def _folder() -> Path:
    return Path(os.environ.get("UNROLLED_IMDB", Path.home() / ".keras" / "datasets"))


def word_index() -> dict[str, int]:
    """Word → rank, 1 = most frequent."""
    return json.loads((_folder() / "imdb_word_index.json").read_text("utf-8"))


@lru_cache(1)
def _ranks(folder: Path) -> dict[str, Sequences]:
    with np.load(folder / "imdb.npz", allow_pickle=True) as file:
        parts = {}
        for part in ("train", "test"):
            reviews, labels = file[f"x_{part}"], file[f"y_{part}"]
            order = np.arange(len(reviews))
            np.random.RandomState(113).shuffle(order)  # as keras.datasets.imdb.load_data
            reviews, labels = reviews[order], labels[order]
            offsets = np.concatenate([[0], np.cumsum([len(review) + 1 for review in reviews])]).astype(np.int64)
            values = np.empty(offsets[-1], np.int32)
            for review, start in zip(reviews, offsets, strict=False):
                values[start] = START
                values[start + 1 : start + 1 + len(review)] = review
                values[start + 1 : start + 1 + len(review)] += OFFSET
            parts[part] = Sequences(values, offsets, labels.astype(np.float32)[:, None])
    return parts


def _last(sequences: Sequences, length: int, size: int) -> Sequences:
    """The last `length` tokens of each review, with ids outside the vocabulary made unknown."""
    kept = np.minimum(sequences.lengths, length)
    offsets = np.concatenate([[0], np.cumsum(kept)]).astype(np.int64)
    rows = np.repeat(sequences.offsets[1:] - offsets[1:], kept) + np.arange(offsets[-1])
    values = sequences.values[rows]
    return Sequences(np.where(values < size, values, UNKNOWN), offsets, sequences.targets)


def interface(experiment: Experiment, uploads: Uploads = None) -> Interface:
    return Interface("tokens", experiment.data.vocabulary, 1, "binary")


def build(experiment: Experiment, uploads: Uploads = None) -> Dataset:
    """IMDB, the validation part being the last share of the training reviews, as Keras's `validation_split`."""
    data = experiment.data
    parts = _ranks(_folder())
    train, test = (_last(parts[part], data.length, data.vocabulary) for part in ("train", "test"))
    if data.samples:
        train = train.take(np.arange(min(data.samples, len(train))))
    first = int(len(train) * (1 - data.validation))
    validation = train.take(np.arange(first, len(train)))
    return Dataset(
        "imdb", interface(experiment), train.take(np.arange(first)), validation, test, {"the more frequent answer": 0.5}
    )


TASKS = (
    Task(
        name="imdb",
        title="IMDB film reviews",
        description="Is a film review positive or negative? 25,000 real reviews to learn from, 239 words each on average.",
        group="text",
        metric="accuracy",
        input_label="token",
        target_label="positive review",
        build=build,
        interface=interface,
        defaults={"length": 500},
        knobs=("length", "vocabulary", "padding", "mask", "samples", "validation"),
        classes=("negative", "positive"),
    ),
)
