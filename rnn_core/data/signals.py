"""Series made by formulas, to be forecast."""

from __future__ import annotations

import numpy as np

from rnn_core.data.seeds import generator
from rnn_core.data.sequences import Sequences
from rnn_core.data.task import Dataset, Interface, Task, Uploads
from rnn_core.experiment import Experiment


def interface(experiment: Experiment, uploads: Uploads = None) -> Interface:
    return Interface("floats", 1, experiment.data.horizon, "squared")


def _windows(values: np.ndarray, length: int, horizon: int) -> Sequences:
    views = np.lib.stride_tricks.sliding_window_view(values[:, 0], length + horizon)
    return Sequences.dense(np.ascontiguousarray(views[:, :length, None]), np.ascontiguousarray(views[:, length:]))


def build(experiment: Experiment, uploads: Uploads = None) -> Dataset:
    data = experiment.data
    count = (data.samples or 2000) + data.length + data.horizon
    rng = generator(experiment.seed, "sine")
    steps = np.arange(int(count * 1.5))
    values = np.sin(2 * np.pi * steps / 25 + rng.uniform(0, 2 * np.pi)) + data.noise * rng.standard_normal(len(steps))
    values = values.astype(np.float32)[:, None]
    ends = [0, int(len(values) * 0.6), int(len(values) * 0.8), len(values)]
    parts = [_windows(values[start:end], data.length, data.horizon) for start, end in zip(ends, ends[1:], strict=False)]
    return Dataset("sine", interface(experiment), *parts, {"last value": float("nan")})


TASKS = (
    Task(
        name="sine",
        title="Sine wave",
        description="Forecast the next values of a sine.",
        group="series",
        metric="rmse",
        input_label="step",
        target_label="next value",
        build=build,
        interface=interface,
        defaults={"length": 50},
        knobs=("length", "samples", "validation", "horizon", "noise"),
    ),
)
