"""Series tasks: the formulas of `formulas.py`, and `forecasting`, which makes a dataset of any table of numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

from rnn_core.data.seeds import generator
from rnn_core.data.series import faults, formulas
from rnn_core.data.series.windows import Series, baselines, ends, error, rows_for
from rnn_core.data.task import Dataset, Task, Uploads
from rnn_core.spec.experiment import Experiment
from rnn_core.spec.interface import Interface

COUNT = 2000  # training windows of a formula by default; a file has up to five times as many
KNOBS = ("length", "samples", "validation", "horizon", "noise", "anomalies", "difference", "log")
Formula = Callable[[int, np.random.Generator], np.ndarray]


def forecasting(experiment: Experiment, values: np.ndarray, columns: tuple[str, ...], **rest: Any) -> Dataset:
    """The dataset of a series: windows scaled by the training part, naive forecasts, planted faults.

    Args:
        experiment: length, horizon, shares, noise and faults.
        values: (N, C) in the data's own units.
        columns: C names.
        **rest: `inputs`, `targets` (column numbers; all by default), `times` and `notes` of `Series`.
    """
    data, seed = experiment.data, experiment.seed
    if data.noise:
        rng = generator(seed, f"{data.task}/noise")
        values = values + data.noise * values.std(0) * rng.standard_normal(values.shape)
    limits = ends(len(values), data.length, data.horizon, data.validation, data.difference)
    every, times = tuple(range(len(columns))), rest.pop("times", None)
    rest = {"inputs": every, "targets": every, **rest}
    rest |= {"length": data.length, "horizon": data.horizon, "ends": limits, "difference": data.difference, "log": data.log}
    sound = series = Series(values, columns, faults=np.zeros(len(values), bool), times=times, **rest)
    if data.anomalies != "none":
        values, planted, rows = faults.plant(values, limits[1], data.anomalies, generator(seed, f"{data.task}/faults"))
        series = Series(values, columns, faults=planted, times=times if times is None else times[rows], **rest)
    return Dataset(
        task=data.task,
        interface=Interface("floats", len(series.inputs), data.horizon * len(series.targets), "squared"),
        train=series.windows("train", data.samples or 5 * COUNT),
        validation=series.windows("validation", COUNT),
        test=sound.windows("test", COUNT),  # planted faults are to be found, not to be counted as errors
        baselines=baselines(series, "validation", COUNT),
        names={
            "columns": ", ".join(columns),
            "unit": "standard deviations of the training part",
            "notes": "; ".join(series.notes),
        },
        metric_scale=series.metric_scale,
        score=partial(_score, sound) if data.log else None,
        series=series,
    )


def _score(series: Series, part: str, outputs: np.ndarray) -> float:
    """Root mean squared error of the network's outputs (n, K) for the windows of a part, in standard deviations of the values."""
    steps = series.steps(part, COUNT)
    return error(series, series.restored(outputs, steps), series.truth(steps))


_COLUMNS: Mapping[str, tuple[str, ...]] = {"lorenz": ("x", "y", "z"), "narma": ("input", "response")}


def roles(name: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Input and target columns of a formula: all of them, except for NARMA, whose response is predicted from its input."""
    every = tuple(range(len(_COLUMNS.get(name, ("value",)))))
    return ((0,), (1,)) if name == "narma" else (every, every)


def _build(formula: Formula, experiment: Experiment, uploads: Uploads = None) -> Dataset:
    data, name = experiment.data, formula.__name__
    rows = rows_for(data.samples or COUNT, data.length + data.difference, data.horizon, data.validation)
    inputs, targets = roles(name)
    values = formula(rows, generator(experiment.seed, f"{name}/series"))
    return forecasting(experiment, values, _COLUMNS.get(name, ("value",)), inputs=inputs, targets=targets)


def _interface(formula: Formula, experiment: Experiment, uploads: Uploads = None) -> Interface:
    inputs, targets = roles(formula.__name__)
    return Interface("floats", len(inputs), experiment.data.horizon * len(targets), "squared")


def _task(formula: Formula, title: str, description: str, **defaults: Any) -> Task:
    return Task(
        name=formula.__name__,
        title=title,
        description=description,
        group="series",
        metric="rmse",
        input_label="step",
        target_label="next value",
        build=partial(_build, formula),
        interface=partial(_interface, formula),
        defaults={"length": 50, "learning_rate": 0.005, "clip": 1.0, **defaults},
        knobs=KNOBS,
    )


TASKS = (
    _task(formulas.sine, "Sine", "The simplest cycle. Its hidden states go round in a ring."),
    _task(
        formulas.sines,
        "Sum of sines",
        "Three sines at once. Six past values and a linear rule predict it exactly: can the network?",
    ),
    _task(formulas.square, "Square wave", "Nothing happens, then a jump: to forecast it, the network must count."),
    _task(formulas.sawtooth, "Sawtooth", "A slow rise and a sudden fall."),
    _task(formulas.damped, "Plucked string", "Oscillations that ring down and start again with a new force."),
    _task(formulas.chirp, "Swinging frequency", "A sine whose period swings between 15 and 45 steps."),
    _task(
        formulas.ar,
        "Noisy autoregression",
        "A linear rule and fresh noise at each step: the error has a floor that no forecast passes.",
    ),
    _task(
        formulas.random_walk, "Random walk", "The best forecast is the last value. A network that claims more has fooled itself."
    ),
    _task(formulas.mackey_glass, "Mackey-Glass", "Chaos from a delay of 17 steps: predictable soon, not late.", horizon=6),
    _task(formulas.lorenz, "Lorenz's butterfly", "Three axes of the classic chaotic flow. Its hidden states show the two wings."),
    _task(
        formulas.narma,
        "NARMA-10",
        "The response of a nonlinear system to random input, to be predicted from the input of the last ten steps.",
    ),
)
