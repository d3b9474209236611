"""Toy film reviews: synthetic, labelled as such, and available without a download."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnn_core.data.seeds import generator
from rnn_core.data.sequences import Sequences, offsets_of
from rnn_core.data.task import Dataset, Task, Uploads
from rnn_core.data.text import toy_grammar
from rnn_core.data.text.token_ids import START
from rnn_core.data.text.vocabulary import Vocabulary, vocabulary
from rnn_core.spec.experiment import DataSpec, Experiment
from rnn_core.spec.interface import Interface

COUNT = 5000  # training and validation reviews by default
TESTS = 1000  # test reviews


@dataclass(frozen=True)
class Review:
    """One synthetic review."""

    text: str  # sentences with capitals and full stops
    positive: bool  # its verdict
    kind: str  # "plain", "negation", "contrast" or "distance": its difficulty


def reviews(count: int, length: int, seed: int, part: str = "train") -> list[Review]:
    """`count` reviews of at most about `length` tokens; the same arguments give the same reviews."""
    rng = generator(seed, f"toy_reviews/{part}")
    labels = rng.integers(0, 2, count).astype(bool)
    return [
        Review(text, bool(label), kind) for label in labels for text, kind in [toy_grammar.review(label, length - 1, rng.random)]
    ]


def encoded(text: str, words: Vocabulary) -> list[int]:
    """The ids of a toy review, equal to those of `words.encode` and ten times faster: the grammar has only . and , as punctuation."""
    return [START, *map(words.id, text.replace(".", " ").replace(",", " ").split())]


def counting_accuracy(reviews: list[Review]) -> float:
    """Accuracy of counting words of praise and blame, with ties guessed."""
    praise, blame = set(toy_grammar.PRAISE), set(toy_grammar.BLAME)
    right = 0.0
    for review in reviews:
        words = review.text.lower().replace(".", " ").replace(",", " ").split()
        balance = sum((word in praise) - (word in blame) for word in words)
        right += 0.5 if balance == 0 else float((balance > 0) == review.positive)
    return right / max(len(reviews), 1)


def sizes(data: DataSpec) -> dict[str, int]:
    """Number of reviews of each part."""
    count = data.samples or COUNT
    held_out = max(1, min(round(count * data.validation), count - 1))
    return {"train": max(count - held_out, 1), "validation": held_out, "test": TESTS}


def interface(experiment: Experiment, uploads: Uploads = None) -> Interface:
    return Interface("tokens", experiment.data.vocabulary, 1, "binary")


def build(experiment: Experiment, uploads: Uploads = None) -> Dataset:
    data = experiment.data
    words = vocabulary(data.vocabulary)
    written = {part: reviews(size, data.length, experiment.seed, part) for part, size in sizes(data).items()}

    def sequences(part: str) -> Sequences:
        ids = [encoded(review.text, words)[-data.length :] for review in written[part]]
        targets = np.array([review.positive for review in written[part]], np.float32)[:, None]
        return Sequences(np.concatenate(ids).astype(np.int32), offsets_of([len(line) for line in ids]), targets)

    share = float(np.mean([review.positive for review in written["validation"]]))
    return Dataset(
        task="toy_reviews",
        interface=interface(experiment),
        train=sequences("train"),
        validation=sequences("validation"),
        test=sequences("test"),
        baselines={
            "the more frequent answer": max(share, 1 - share),
            "counting good and bad words": counting_accuracy(written["validation"]),
        },
        names={"source": "synthetic reviews, written by a grammar"},
    )


TASKS = (
    Task(
        name="toy_reviews",
        title="Toy reviews (synthetic)",
        description="Is a made-up film review positive or negative? A small grammar writes them, with negation, contrast, and verdicts "
        "long before the end. Counting good and bad words does not help.",
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
