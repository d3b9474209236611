"""Small looks at a run's data through its newest weights, for the screen that follows a training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from rnn_core import data
from rnn_core.data.task import Dataset
from rnn_core.data.text.vocabulary import vocabulary
from rnn_core.engine.model import Model
from rnn_core.spec.experiment import Experiment


@dataclass(frozen=True, eq=False)
class Reviews:
    """A few validation texts as the model reads them. Legend: T_n tokens of text n."""

    openings: tuple[str, ...]  # the last words of each text, to tell them apart
    positive: tuple[bool, ...]  # what each really is
    probabilities: tuple[np.ndarray, ...]  # (T_n,) float32: P(positive) if the text ended at each token


@dataclass(frozen=True)
class Baselines:
    """What naive predictors reach on the same data."""

    metric: tuple[tuple[str, float], ...] = ()  # (name, the task's metric)
    loss: tuple[tuple[str, float], ...] = ()  # (name, loss), where it says more


@lru_cache(maxsize=2)
def _built(experiment: Experiment) -> Dataset:
    return data.build(experiment)


def _dataset(experiment: Experiment, uploads: Mapping[str, bytes] | None) -> Dataset:
    """The data of an experiment; the last two stay in memory, whatever network they are for."""
    bare = Experiment(data=experiment.data, seed=experiment.seed)
    return data.build(bare, uploads) if uploads else _built(bare)


def baselines(experiment: Experiment, uploads: Mapping[str, bytes] | None = None) -> Baselines:
    """What predictors that learn nothing reach, from the experiment's own data."""
    made = _dataset(experiment, uploads)
    return Baselines(tuple(made.baselines.items()), tuple(made.loss_baselines.items()))


def reviews(experiment: Experiment, model: Model, count: int = 4) -> Reviews:
    """The first `count` validation texts, half of them positive, with their running probability.

    Raises ValueError when the experiment does not read texts with a yes or no.
    """
    from rnn_core.probes.states.traces import trace

    if (model.interface.inputs, model.interface.loss) != ("tokens", "binary"):
        raise ValueError(f"running probabilities need texts with a yes or no, got the task {experiment.data.task}")
    part = _dataset(experiment, None).validation
    truths = part.targets[:, 0] > 0.5
    chosen = np.sort(np.concatenate([np.flatnonzero(truths)[: count // 2], np.flatnonzero(~truths)[: count - count // 2]]))
    words = vocabulary(experiment.data.vocabulary)
    running = []
    for number in chosen:
        read = trace(model, part[number][None, -experiment.data.length :])
        if read.running_probability is None:
            raise ValueError("this network reads both ways, so it has no verdict before the end of the text")
        running.append(read.running_probability[0, :, 0])
    openings = tuple("…" + " ".join(words.decode(part[number][-4:])) for number in chosen)
    return Reviews(openings, tuple(bool(truths[number]) for number in chosen), tuple(running))
