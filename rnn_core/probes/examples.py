"""Examples from a run's data for the page that shows a training: reviews with their running probability, and baselines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from rnn_core import data
from rnn_core.data.task import Dataset
from rnn_core.data.text.vocabulary import vocabulary
from rnn_core.engine.model import Model
from rnn_core.probes.gradients.run import KeptModel, RunStrips, strips_on
from rnn_core.spec.experiment import Experiment


@dataclass(frozen=True, eq=False)
class Reviews:
    """A few validation texts and the model's output along them. Legend: T_n tokens of text n."""

    endings: tuple[str, ...]  # the last words of each text, as its name
    positive: tuple[bool, ...]  # the label of each
    probabilities: tuple[np.ndarray, ...]  # (T_n,) float32: P(positive) if the text ended at each token


@dataclass(frozen=True)
class Baselines:
    """Metric and loss of naive predictors on the same data, and how many answers the validation part has."""

    metric: tuple[tuple[str, float], ...] = ()  # (name, the task's metric)
    loss: tuple[tuple[str, float], ...] = ()  # (name, loss), for tasks whose baselines have one
    answers: int = 0  # validation sequences; 0 where not known
    per_step: bool = False  # each has an answer at every time step


@lru_cache(maxsize=2)
def _built(experiment: Experiment) -> Dataset:
    return data.build(experiment)


def dataset_of(experiment: Experiment, uploads: Mapping[str, bytes] | None) -> Dataset:
    """The data of an experiment; the last two data sets stay in memory, shared by all networks."""
    data_only = Experiment(data=experiment.data, seed=experiment.seed)
    return data.build(data_only, uploads) if uploads else _built(data_only)


def baselines(experiment: Experiment, uploads: Mapping[str, bytes] | None = None) -> Baselines:
    """Metric and loss of predictors that learn nothing, on the experiment's own data, and the size of its validation part."""
    dataset = dataset_of(experiment, uploads)
    metric, loss = tuple(dataset.baselines.items()), tuple(dataset.loss_baselines.items())
    return Baselines(metric, loss, len(dataset.validation), dataset.interface.per_step)


def kept_strip(experiment: Experiment, model: Model, step: int, uploads: Mapping[str, bytes] | None = None) -> RunStrips:
    """The network after `step` training steps over one validation sequence."""
    return strips_on(dataset_of(experiment, uploads), (KeptModel(model, step),), experiment, uploads=uploads)


def reviews(experiment: Experiment, model: Model, count: int = 4) -> Reviews:
    """The first `count` validation texts, half of them positive, with their running probability.

    Raises ValueError for a task other than binary classification of texts, and for a bidirectional network.
    """
    from rnn_core.probes.states.traces import trace

    if (model.interface.inputs, model.interface.loss) != ("tokens", "binary"):
        raise ValueError(f"running probabilities need a task that classifies texts in two classes, got {experiment.data.task}")
    part = dataset_of(experiment, None).validation
    truths = part.targets[:, 0] > 0.5
    chosen = np.sort(np.concatenate([np.flatnonzero(truths)[: count // 2], np.flatnonzero(~truths)[: count - count // 2]]))
    words = vocabulary(experiment.data.vocabulary)
    running = []
    for number in chosen:
        traced = trace(model, part[number][None, -experiment.data.length :])
        if traced.running_probability is None:
            raise ValueError("a bidirectional network has no output before the end of the text: choose a unidirectional one")
        running.append(traced.running_probability[0, :, 0])
    endings = tuple("…" + " ".join(words.decode(part[number][-4:])) for number in chosen)
    return Reviews(endings, tuple(bool(truths[number]) for number in chosen), tuple(running))
