"""The Large Movie Review Dataset (Maas et al. 2011): 25,000 training and 25,000 test reviews, as token ids."""

from __future__ import annotations

import numpy as np

from rnn_core.data.sequences import Sequences
from rnn_core.data.task import Dataset, Task, Uploads
from rnn_core.data.text.imdb_files import reviews
from rnn_core.data.text.token_ids import UNKNOWN
from rnn_core.spec.experiment import Experiment
from rnn_core.spec.interface import Interface


def last_tokens(sequences: Sequences, length: int, size: int) -> Sequences:
    """The last `length` tokens of each review, as Keras's `pad_sequences` keeps them; ids from `size` on become unknown."""
    kept = sequences.take(np.arange(len(sequences)), length)
    kept.values[kept.values >= size] = UNKNOWN  # in place: `take` copies
    return kept


def interface(experiment: Experiment, uploads: Uploads = None) -> Interface:
    return Interface("tokens", experiment.data.vocabulary, 1, "binary")


def build(experiment: Experiment, uploads: Uploads = None) -> Dataset:
    """IMDB; the validation part is the last share of the training reviews, as with Keras's `validation_split`."""
    data = experiment.data
    train, test = (last_tokens(part, data.length, data.vocabulary) for part in reviews())
    if data.samples:
        train = train.take(np.arange(min(data.samples, len(train))))
    first = max(1, int(len(train) * (1.0 - data.validation)))
    fitted, validation = train.take(np.arange(first)), train.take(np.arange(first, len(train)))
    guess = float(max(validation.targets.mean(), 1 - validation.targets.mean())) if len(validation) else 0.5
    return Dataset(
        task="imdb",
        interface=interface(experiment),
        train=fitted,
        validation=validation,
        test=test,
        baselines={"the more frequent answer": guess},
        names={"source": "Large Movie Review Dataset (Maas et al. 2011)"},
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
