"""What a task tells the rest of the project, so that no stage needs a special case for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rnn_core.data.sequences import Sequences
from rnn_core.spec.experiment import Experiment
from rnn_core.spec.interface import Interface

Uploads = Mapping[str, bytes] | None  # SHA-256 → content of files that the user brought


@dataclass(frozen=True)
class Task:
    """One entry of the registry: `build(experiment, uploads)` makes its Dataset; the rest are words for the screen."""

    name: str  # registry key, as in DataSpec.task
    title: str  # a few words
    description: str  # one or two sentences: what is asked, and why it is interesting
    group: str  # "text", "series" or "memory"
    metric: str  # "accuracy" (higher is better) or "rmse" (lower is better)
    input_label: str  # what one time step is: "token", "day", "step"
    target_label: str  # what is predicted
    build: Callable[[Experiment, Uploads], Dataset]  # makes the data
    interface: Callable[[Experiment, Uploads], Interface]  # the shapes alone, without making the data
    defaults: Mapping[str, Any] = field(default_factory=dict)  # experiment fields that suit this task, for whoever picks it first
    knobs: tuple[str, ...] = ("length", "samples", "validation")  # fields of DataSpec that this task reads
    classes: tuple[str, ...] = ()  # names of the classes, in the order of their ids; empty for numbers


@dataclass(frozen=True, eq=False)
class Dataset:
    """Training, validation and test sequences of one experiment, with what is needed to judge a model on them."""

    task: str  # registry key
    interface: Interface  # shape of inputs and outputs
    train: Sequences  # fitted on
    validation: Sequences  # watched while learning, model choice
    test: Sequences | None  # measured once; None where the task has none
    baselines: Mapping[str, float] = field(
        default_factory=dict
    )  # name of a naive predictor → its metric, on the validation part or exact
    loss_baselines: Mapping[str, float] = field(
        default_factory=dict
    )  # the same predictors' loss, where it says more than the metric
    names: Mapping[str, str] = field(default_factory=dict)  # words for the screen that depend on the data (column names, units)
    resample: Callable[[int], Sequences] | None = None  # epoch → fresh training sequences, for tasks with endless data
    series: object | None = None  # series tasks: the underlying series and normalisation (data/series.py)
