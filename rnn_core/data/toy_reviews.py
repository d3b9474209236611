"""Synthetic film reviews from a small grammar: instant, offline, and never to be taken for IMDB."""

from __future__ import annotations

import numpy as np

from rnn_core.data.seeds import generator
from rnn_core.data.sequences import Sequences
from rnn_core.data.task import Dataset, Interface, Task, Uploads
from rnn_core.data.text import START, vocabulary
from rnn_core.experiment import Experiment

_GOOD = ("great", "wonderful", "excellent", "moving", "brilliant", "charming")
_BAD = ("terrible", "awful", "boring", "dull", "bad", "weak")
_PARTS = ("plot", "cast", "acting", "story", "music", "ending")
_FILLER = ("it was shown in the evening", "the story is set in a small town", "we saw it last week with some friends")


def sentence(positive: bool, rng: np.random.Generator) -> str:
    """One synthetic review."""
    word = str(rng.choice(_GOOD if positive else _BAD))
    other = str(rng.choice(_BAD if positive else _GOOD))
    part = str(rng.choice(_PARTS))
    verdict = f"this film is {word}" if rng.random() < 0.5 else f"this film is not {other}"
    filler = " ".join(str(rng.choice(_FILLER)) for _ in range(int(rng.integers(0, 4))))
    return f"{verdict} the {part} is {word} {filler}"


def _draw(count: int, length: int, size: int, rng: np.random.Generator) -> Sequences:
    words = vocabulary(size)
    labels = rng.integers(0, 2, count)
    reviews = [[START, *(words.id(word) for word in sentence(bool(label), rng).split())][-length:] for label in labels]
    offsets = np.concatenate([[0], np.cumsum([len(review) for review in reviews])]).astype(np.int64)
    return Sequences(np.concatenate(reviews).astype(np.int32), offsets, labels.astype(np.float32)[:, None])


def interface(experiment: Experiment, uploads: Uploads = None) -> Interface:
    return Interface("tokens", experiment.data.vocabulary, 1, "binary")


def build(experiment: Experiment, uploads: Uploads = None) -> Dataset:
    data = experiment.data
    count = data.samples or 4000
    held_out = max(1, round(count * data.validation))
    parts = [
        _draw(size, data.length, data.vocabulary, generator(experiment.seed, f"toy_reviews/{part}"))
        for part, size in (("train", count - held_out), ("validation", held_out), ("test", 1000))
    ]
    return Dataset("toy_reviews", interface(experiment), *parts, {"the more frequent answer": 0.5})


TASKS = (
    Task(
        name="toy_reviews",
        title="Toy reviews (synthetic)",
        description="Is a made-up film review positive or negative? A small grammar writes them, with negation and contrast.",
        group="text",
        metric="accuracy",
        input_label="token",
        target_label="positive review",
        build=build,
        interface=interface,
        defaults={"length": 60},
        knobs=("length", "vocabulary", "padding", "mask", "samples", "validation"),
        classes=("negative", "positive"),
    ),
)
