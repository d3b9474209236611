"""Puzzles that only memory solves: the data is endless, fresh at every epoch."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from rnn_core.data.seeds import generator
from rnn_core.data.sequences import Sequences
from rnn_core.data.task import Dataset, Interface, Task, Uploads
from rnn_core.experiment import DataSpec, Experiment

Draw = Callable[[int, DataSpec, np.random.Generator], Sequences]


def adding(count: int, data: DataSpec, rng: np.random.Generator) -> Sequences:
    """Two channels: numbers in [0, 1] and a marker; the target is the sum of the two marked numbers.

    One mark lies in each half of the sequence (Hochreiter & Schmidhuber 1997, in the form of Arjovsky et al. 2016).
    """
    length = max(data.length, 2)
    values = np.zeros((count, length, 2), np.float32)
    values[..., 0] = rng.random((count, length), np.float32)
    first = rng.integers(0, length // 2, count)
    second = rng.integers(length // 2, length, count)
    rows = np.arange(count)
    values[rows, first, 1] = values[rows, second, 1] = 1
    return Sequences.dense(values, (values[rows, first, :1] + values[rows, second, :1]))


def first_token(count: int, data: DataSpec, rng: np.random.Generator) -> Sequences:
    """Ten one-hot symbols; the first is A or B and is the answer, the rest are distractors (Bengio et al. 1994)."""
    symbols = rng.integers(2, 10, (count, data.length))
    answers = rng.integers(0, 2, count)
    symbols[:, 0] = answers
    return Sequences.dense(np.eye(10, dtype=np.float32)[symbols], answers.astype(np.float32)[:, None])


def _task(name: str, draw: Draw, shape: Interface, baselines: dict[str, float], **words: object) -> Task:
    def build(experiment: Experiment, uploads: Uploads = None) -> Dataset:
        data = experiment.data
        count = data.samples or 6400

        def part(size: int, purpose: str, number: int = 0) -> Sequences:
            return draw(size, data, generator(experiment.seed, f"{name}/{purpose}", number))

        held_out = min(max(round(count * data.validation), 1), 512)
        return Dataset(
            name,
            shape,
            part(count, "train"),
            part(held_out, "validation"),
            part(1000, "test"),
            baselines,
            resample=lambda epoch: part(count, "train", epoch),
        )

    return Task(name=name, group="memory", build=build, interface=lambda experiment, uploads=None: shape, **words)  # type: ignore[arg-type]


TASKS = (
    _task(
        "adding",
        adding,
        Interface("floats", 2, 1, "squared"),
        {"always 1": (1 / 6) ** 0.5},
        title="Adding problem",
        description="Add the two marked numbers of a long sequence: both must be remembered to the end.",
        metric="rmse",
        input_label="step",
        target_label="sum of the marked numbers",
        defaults={"length": 100, "learning_rate": 0.01, "clip": 1.0},
    ),
    _task(
        "first_token",
        first_token,
        Interface("floats", 10, 1, "binary"),
        {"guessing": 0.5},
        title="First token decides",
        description="Was the first symbol A or B? All that follows is distraction.",
        metric="accuracy",
        input_label="step",
        target_label="first symbol was B",
        defaults={"length": 50, "learning_rate": 0.01, "clip": 1.0},
        classes=("A", "B"),
    ),
)
