"""Synthetic tasks that need memory. Every epoch has new sequences, the same for every cell.

Sources: Hochreiter & Schmidhuber 1997 (adding, temporal order 6a), Arjovsky et al. 2016 (adding, copying in these forms),
Bengio et al. 1994 (first token decides, parity).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from rnn_core.data import puzzles
from rnn_core.data.seeds import generator
from rnn_core.data.sequences import Sequences
from rnn_core.data.task import Dataset, Task, Uploads
from rnn_core.spec.experiment import DataSpec, Experiment
from rnn_core.spec.interface import Interface

COUNT = 6400  # training sequences by default: 100 steps of 64
HELD_OUT = 512  # validation sequences at most, and test sequences
Baselines = tuple[dict[str, float], dict[str, float]]  # exact metric and loss of a predictor without memory
SYMBOLS = tuple("abcdefgh")


@dataclass(frozen=True)
class Puzzle:
    """A memory task: its generator and its exact baselines."""

    draw: Callable[[int, int, int, np.random.Generator], tuple[np.ndarray, np.ndarray]]  # a function of rnn_core.data.puzzles
    interface: Interface  # shapes of inputs and outputs
    baselines: Callable[[int, int], Baselines]  # of (length, delay)
    shortest: int = 1  # smallest length at which the task is defined

    def sequences(self, experiment: Experiment, purpose: str, count: int, number: int = 0) -> Sequences:
        """`count` sequences; the same arguments give the same bits."""
        rng = generator(experiment.seed, f"{self.draw.__name__}/{purpose}", number)
        return Sequences.dense(*self.draw(count, experiment.data.length, experiment.data.horizon, rng))

    def build(self, experiment: Experiment, uploads: Uploads = None) -> Dataset:
        """The data of an experiment; each epoch has new training sequences, epoch 0 those of `Dataset.train`."""
        data = experiment.data
        if data.length < self.shortest:
            raise ValueError(f"{data.task} needs a length of at least {self.shortest}, got {data.length}")
        count, held_out = sizes(data)
        metric, loss = self.baselines(data.length, data.horizon)
        return Dataset(
            task=data.task,
            interface=self.interface,
            train=self.sequences(experiment, "train", count),
            validation=self.sequences(experiment, "validation", held_out),
            test=self.sequences(experiment, "test", HELD_OUT),
            baselines=metric,
            loss_baselines=loss,
            resample=partial(self.sequences, experiment, "train", count),
        )


def sizes(data: DataSpec) -> tuple[int, int]:
    """Numbers of training and validation sequences; by default fewer for long sequences, 4 million steps in all."""
    count = data.samples or min(COUNT, 4_000_000 // data.length)
    return count, min(max(round(count * data.validation), 1), HELD_OUT)


def _interface(puzzle: Puzzle, experiment: Experiment, uploads: Uploads = None) -> Interface:
    return puzzle.interface


def _task(
    puzzle: Puzzle, title: str, description: str, target_label: str, defaults: Mapping[str, Any], classes: tuple[str, ...] = ()
) -> Task:
    name = puzzle.draw.__name__
    return Task(
        name=name,
        title=title,
        description=description,
        group="memory",
        metric="rmse" if puzzle.interface.loss == "squared" else "accuracy",
        input_label="step",
        target_label=target_label,
        build=puzzle.build,
        interface=partial(_interface, puzzle),
        defaults={"learning_rate": 0.01, "clip": 1.0, **defaults},
        knobs=("length", "samples", "validation") + (("horizon",) if name == "delayed_recall" else ()),
        classes=classes,
    )


def _guess(classes: int, length: int, delay: int) -> Baselines:
    """Guessing one of several equally likely classes."""
    return {"guessing": 1 / classes}, {"guessing": math.log(classes)}


def _always_one(length: int, delay: int) -> Baselines:
    """The sum of two numbers in [0, 1) has mean 1 and variance 2/12."""
    return {"always 1": math.sqrt(1 / 6)}, {"always 1": 1 / 6}


def _copying(length: int, delay: int) -> Baselines:
    return _blanks_known(length, min(10, (length - 1) // 2))


def _delayed(length: int, delay: int) -> Baselines:
    return _blanks_known(length, max(length - delay, 0))


def _blanks_known(length: int, guessed: int) -> Baselines:
    """Right about every blank, guessing `guessed` symbols among eight. Loss of copying over T steps: 10 ln 8 / (T + 20)."""
    words = "knowing when, not what"
    return {words: (length - guessed * 7 / 8) / length}, {words: guessed * math.log(8) / length}


TASKS = (
    _task(
        Puzzle(puzzles.adding, Interface("floats", 2, 1, "squared"), _always_one, 2),
        "Adding problem",
        "Add the two marked numbers of a long sequence. Both must be kept until the end, whatever comes between.",
        "sum of the marked numbers",
        {"length": 100},
    ),
    _task(
        Puzzle(puzzles.temporal_order, Interface("floats", 6, 4, "categorical"), partial(_guess, 4), 10),
        "Temporal order",
        "X or Y appears twice among distractors, far from the end and far apart. In which order?",
        "order",
        {"length": 100},
        ("X X", "X Y", "Y X", "Y Y"),
    ),
    _task(
        Puzzle(puzzles.first_token, Interface("floats", 10, 1, "binary"), partial(_guess, 2)),
        "First token decides",
        "Was the first symbol A or B? All that follows is distraction.",
        "first symbol was B",
        {"length": 50},
        ("A", "B"),
    ),
    _task(
        Puzzle(puzzles.copying, Interface("floats", 10, 9, "categorical", per_step=True), _copying, 3),
        "Copying",
        "Ten symbols, a long silence, a signal: now repeat the ten. Hard for every cell; the first plateau is knowing when, not what.",
        "symbol",
        {"length": 60, "learning_rate": 0.001},
        (*SYMBOLS, "blank"),
    ),
    _task(
        Puzzle(puzzles.delayed_recall, Interface("floats", 8, 9, "categorical", per_step=True), _delayed),
        "Delayed recall",
        "Name, at every step, the symbol that was shown a fixed number of steps ago.",
        "symbol shown before",
        {"length": 60, "horizon": 5},
        (*SYMBOLS, "none"),
    ),
    _task(
        Puzzle(puzzles.parity, Interface("floats", 1, 1, "binary"), partial(_guess, 2)),
        "Parity",
        "Is the number of ones odd? One state to flip would do, but no gradient points the way: often unsolved, by any cell.",
        "odd number of ones",
        {"length": 12},
        ("even", "odd"),
    ),
)
