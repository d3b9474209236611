"""Forecasts of a series model: one step ahead from the true past, free-running on its own outputs, and as a fault detector.

Shapes: N steps of the series, C target columns, n forecast steps, T steps of context, D inputs, h steps ahead (horizon).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from rnn_core import data
from rnn_core.data.series.faults import Detection, detection
from rnn_core.data.series.windows import Series, error, naive_forecasts
from rnn_core.data.task import Dataset, Uploads
from rnn_core.engine.keras_models import new_keras_model
from rnn_core.engine.model import Model
from rnn_core.spec.experiment import Experiment, ModelSpec
from rnn_core.spec.interface import Interface


@dataclass(frozen=True, eq=False)
class Forecast:
    """Part of a series with its forecasts, in the data's own units: n steps after T steps of context."""

    columns: tuple[str, ...]  # C names
    steps: np.ndarray  # (T + n,) int64 steps of the series, or datetime64 where the data has dates
    context: int  # T: the first forecast is for steps[T]
    truth: np.ndarray  # (T + n, C)
    one_step: np.ndarray  # (n, C) each from the true past
    free_running: np.ndarray | None  # (n, C) each from the forecasts before it; None where inputs are not the targets
    baselines: dict[str, np.ndarray]  # name → (n, C) naive one-step forecasts
    errors: dict[str, float]  # name of a forecast → its root mean squared error here, in training standard deviations


@dataclass(frozen=True, eq=False)
class Anomalies:
    """The error of the one-step forecast over the test part as a detector of faults."""

    columns: tuple[str, ...]  # C names
    steps: np.ndarray  # (n,) int64, or datetime64 where the data has dates
    truth: np.ndarray  # (n, C) in the data's own units
    scores: np.ndarray  # (n,) root mean square over columns of the error, in training standard deviations
    faults: np.ndarray  # (n,) bool: planted
    threshold: float  # the 99.5th percentile of the scores of the validation part, which has no planted faults
    detection: Detection  # how well scores above the threshold match the faults
    worst: tuple[tuple[int, int], ...] = ()  # first and last n of the stretches with the largest scores, the worst first


def forecast(model: Any, series: Series, *, start: int | None = None, ahead: int = 200) -> Forecast:
    """One-step and free-running forecasts of a series.

    Args:
        model: our `Model` or a Keras model, trained on windows of this series.
        series: `Dataset.series`.
        start: first step to forecast; by default the first of the test part.
        ahead: n, cut where the series ends.

    Raises: ValueError where there is too little before `start`, or nothing after it.
    """
    start = series.ends[1] if start is None else start
    steps = np.arange(start, min(start + ahead, len(series.values)))
    if not len(steps) or start < series.first:
        raise ValueError(
            f"a forecast needs {series.first} steps before it and one after, got step {start} of {len(series.values)}"
        )
    network = network_of(model)
    first = series.restored(network.forecasts(series.contexts(steps)), steps)[:, 0]
    free = network.free(series, start, len(steps)) if series.inputs == series.targets else None
    truth = series.values[:, list(series.targets)]
    naive = {name: values[:, 0] for name, values in naive_forecasts(series, _complete(steps, series)).items()}
    named = {"one step": first, **({} if free is None else {"free-running": free}), **naive}
    window = np.arange(start - series.length, steps[-1] + 1)
    return Forecast(
        columns=tuple(series.columns[column] for column in series.targets),
        steps=window if series.times is None else series.times[window],
        context=series.length,
        truth=truth[window],
        one_step=first,
        free_running=free,
        baselines=naive,
        errors={name: error(series, values, truth[steps[: len(values)]]) for name, values in named.items()},
    )


def anomalies(model: Any, series: Series) -> Anomalies:
    """Scores every step by the error of its one-step forecast: of the test part, or where no fault is planted of all rows not trained on."""
    network, columns = network_of(model), list(series.targets)

    def scores(steps: np.ndarray) -> np.ndarray:
        forecasts = series.restored(network.forecasts(series.contexts(steps)), steps)[:, 0]
        errors = series.scaled_levels(forecasts) - series.scaled_levels(series.values[:, columns][steps])
        return np.asarray(np.sqrt(np.mean(errors**2, axis=1)))

    validation = np.arange(*series.ends)
    test = np.arange(series.ends[1] if series.faults.any() else max(series.ends[0], series.first), len(series.values))
    threshold = float(np.quantile(scores(validation[validation >= series.first]), 0.995))
    found, planted = scores(test), series.faults[test]
    return Anomalies(
        columns=tuple(series.columns[column] for column in series.targets),
        steps=test if series.times is None else series.times[test],
        truth=series.values[test][:, columns],
        scores=found,
        faults=planted,
        threshold=threshold,
        detection=detection(found, planted, threshold),
        worst=worst_stretches(found),
    )


def worst_stretches(scores: np.ndarray, most: int = 5) -> tuple[tuple[int, int], ...]:
    """First and last index of the stretches around the largest of the scores (n,), at most `most`, the worst first.

    A stretch goes on as long as a score within three steps is above half of its largest. Scores below twice the median start none.
    """
    left, floor = scores.copy(), 2 * float(np.median(scores))
    found: list[tuple[int, int]] = []
    while len(found) < most and left.max(initial=0.0) > floor:
        peak = int(left.argmax())
        ends = [peak, peak]
        for side, way in enumerate((-1, 1)):
            ahead = left[peak::way]
            high = np.flatnonzero(ahead > left[peak] / 2)
            breaks = np.flatnonzero(np.diff(high) > 3)
            ends[side] = peak + way * int(high[breaks[0]] if len(breaks) else high[-1])
        found.append((ends[0], ends[1]))
        left[ends[0] : ends[1] + 1] = 0.0
    return tuple(found)


def of_experiment(experiment: Experiment, model: Model, uploads: Uploads = None, ahead: int = 200) -> Forecast:
    """`forecast` of an experiment's own test part."""
    return forecast(model, series_of(experiment, uploads), ahead=ahead)


def anomalies_of_experiment(experiment: Experiment, model: Model, uploads: Uploads = None) -> Anomalies:
    """`anomalies` for an experiment's own test part."""
    return anomalies(model, series_of(experiment, uploads))


def series_of(experiment: Experiment, uploads: Uploads) -> Series:
    """The series of an experiment; the last two are kept. Raises ValueError for a task without one."""
    source = experiment.data.source
    content = (uploads or {}).get(source)
    series = _built(Experiment(data=experiment.data, seed=experiment.seed), content).series
    if not isinstance(series, Series):
        raise ValueError(
            f"{experiment.data.task} is not a series, so there is nothing to forecast: choose a task of the group series"
        )
    return series


@lru_cache(2)
def _built(experiment: Experiment, content: bytes | None) -> Dataset:
    return data.build(experiment, None if content is None else {experiment.data.source: content})


def _complete(steps: np.ndarray, series: Series) -> np.ndarray:
    """The steps whose whole horizon lies inside the series."""
    return steps[steps + series.horizon <= len(series.values)]


@dataclass(frozen=True)
class _Network:
    """A model as a function of scaled contexts (n, T, D) float32."""

    once: Callable[[Any], Any]  # (n, T, D) → (n, h * C)
    repeatedly: Callable[[Any, Any, Any, Any], Any]  # (1, T, C) contexts, number of forecasts, C, lag → (1, number * h, C) inputs

    def forecasts(self, contexts: np.ndarray) -> np.ndarray:
        """(n, h * C) scaled forecasts."""
        return np.asarray(self.once(contexts))

    def free(self, series: Series, start: int, count: int) -> np.ndarray:
        """(count, C) in the data's own units: forecasts h steps, appends them to the window as if they were true, and continues from there."""
        blocks, lag = -(-count // series.horizon), series.difference
        contexts = series.contexts(np.array([start]))
        scaled = np.array(self.repeatedly(contexts, blocks, len(series.targets), lag or series.horizon)[0], np.float64)
        for ahead in range(lag, len(scaled) if lag else 0):
            scaled[ahead] += scaled[ahead - lag]  # from changes to what `restored` expects
        return series.restored(scaled[None], np.array([start]))[0, :count]


def network_of(model: Any) -> _Network:
    """Of our models one compiled network per architecture; a Keras model is compiled for this call."""
    if not isinstance(model, Model):
        return _compiled(model)
    network, compiled = _network_of(
        replace(model.spec, initialiser="orthogonal", gain=1.0, gate_bias=None, dropout=0.0), model.interface
    )
    network.set_weights(list(model.weights))
    return compiled


@lru_cache(8)
def _network_of(spec: ModelSpec, interface: Interface) -> tuple[Any, _Network]:
    """One network for all models that differ only in their weights and in fields that only training uses."""
    network = new_keras_model(spec, interface, False)
    return network, _compiled(network)


def _compiled(network: Any) -> _Network:
    import tensorflow as tf

    @tf.function(reduce_retracing=True)
    def once(contexts: Any) -> Any:
        return network(contexts, training=False)

    @tf.function(reduce_retracing=True)
    def repeatedly(contexts: Any, blocks: Any, columns: int, lag: int) -> Any:
        outputs = tf.TensorArray(contexts.dtype, blocks)
        for block in tf.range(blocks):
            predicted = tf.reshape(network(contexts, training=False), (1, -1, columns))
            # Of a differenced series each target is the sum of the changes `lag` steps apart (see `Series.target_values`).
            predicted = tf.concat(
                (predicted[:, :lag], predicted[:, lag:] - predicted[:, : tf.maximum(tf.shape(predicted)[1] - lag, 0)]), 1
            )
            outputs = outputs.write(block, predicted[0])
            contexts = tf.ensure_shape(tf.concat((contexts, predicted), 1)[:, -tf.shape(contexts)[1] :], contexts.shape)
        return tf.reshape(outputs.stack(), (1, -1, columns))

    return _Network(
        once, lambda contexts, blocks, columns, lag: repeatedly(tf.constant(contexts), tf.constant(blocks), columns, lag)
    )
