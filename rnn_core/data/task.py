"""The description of a task, and its data: all that the other stages know about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rnn_core.data.sequences import Sequences
from rnn_core.spec.experiment import Experiment
from rnn_core.spec.interface import Interface

Uploads = Mapping[str, bytes] | None  # SHA-256 → content of uploaded files


@dataclass(frozen=True)
class Task:
    """One entry of the registry: its functions, and its texts for the screen."""

    name: str  # registry key, as in DataSpec.task
    title: str  # a few words
    description: str  # one or two sentences: the question, and why it is interesting
    group: str  # "text", "series" or "memory"
    metric: str  # "accuracy" (higher is better) or "rmse" (lower is better)
    input_label: str  # name of one time step: "token", "day", "step"
    target_label: str  # name of the target
    build: Callable[[Experiment, Uploads], Dataset]  # builds the data
    interface: Callable[[Experiment, Uploads], Interface]  # the shapes, without building the data
    defaults: Mapping[str, Any] = field(default_factory=dict)  # experiment fields when this task is chosen
    knobs: tuple[str, ...] = ("length", "samples", "validation")  # fields of DataSpec that this task uses
    classes: tuple[str, ...] = ()  # names of the classes, in the order of their ids; empty for numbers


@dataclass(frozen=True, eq=False)
class Dataset:
    """Training, validation and test sequences of one experiment, with baselines for a model on them."""

    task: str  # registry key
    interface: Interface  # shape of inputs and outputs
    train: Sequences  # the weights are fitted to these
    validation: Sequences  # measured after every epoch
    test: Sequences | None  # measured once at the end; None where the task has none
    baselines: Mapping[str, float] = field(default_factory=dict)  # naive predictor → its metric, on the validation part or exact
    loss_baselines: Mapping[str, float] = field(default_factory=dict)  # naive predictor → its exact loss (memory tasks)
    names: Mapping[str, str] = field(default_factory=dict)  # texts for the screen that depend on the data: column names, units
    resample: Callable[[int], Sequences] | None = None  # epoch → new training sequences (memory tasks)
    metric_scale: float = 1.0  # factor on the root mean squared error of the network's outputs: 1 but for changes and logarithms
    score: Callable[[str, np.ndarray], float] | None = None  # (part, outputs (n, K)) → metric, where `metric_scale` is not exact
    series: object | None = None  # series tasks: the `Series` of data/series/windows.py
