"""A forecast of the rows after the last row of a series, with an interval from past errors, beside naive forecasts, and why it is worse.

Shapes: N rows, h steps ahead (horizon), C target columns, n windows that the network was not trained on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rnn_core.data.series.next_dates import next_dates
from rnn_core.data.series.suggest import suggested
from rnn_core.data.series.windows import Series, error, naive_forecasts
from rnn_core.data.task import Uploads
from rnn_core.engine.model import Model
from rnn_core.probes.forecasts import network_of, series_of
from rnn_core.spec.experiment import Experiment

COVERAGE = 0.8  # share of past truths inside the interval
MOST_WINDOWS = 2000
FEW_WINDOWS = 100
SHOWN = 3  # horizons of past values that are kept for the figure


@dataclass(frozen=True, eq=False)
class Beyond:
    """The forecast after the last row, in the data's own units."""

    columns: tuple[str, ...]  # C names
    past_steps: np.ndarray  # (m,) rows, from 1, or datetime64
    past: np.ndarray  # (m, C) the last values
    steps: np.ndarray  # (h,) rows or datetime64 of the forecast
    forecast: np.ndarray  # (h, C)
    low: np.ndarray  # (h, C) lower end of the interval
    high: np.ndarray  # (h, C) upper end
    coverage: float  # share of past truths that lay inside such an interval, by construction
    windows: int  # n: past forecasts of the same horizon from which the interval comes
    baselines: dict[str, np.ndarray]  # "last value", "last period" (seasonal naive), "drift" → (h, C)
    errors: dict[
        str, float
    ]  # "network" and the baselines → root mean squared error of the past forecasts, in training standard deviations
    reasons: tuple[
        str, ...
    ]  # likely reasons why the network is worse than the best of the baselines, as codes of REASONS; empty if it is not
    difference: int = 1  # the steps against which changes would suit this series

    @property
    def worse_than(self) -> str:
        """The best naive forecast, if it is better than the network; else ""."""
        name = min((name for name in self.errors if name != "network"), key=lambda name: self.errors[name])
        return name if self.errors[name] < self.errors["network"] else ""


REASONS = {
    "trend": "the series has left the range of its training part, and a network does not continue a trend: learn changes instead of values",
    "few_windows": "it had few windows to learn from: take a shorter context or horizon, or more rows",
    "lag": "its forecast follows the truth some steps late: it repeats what it has just seen",
    "constant": "running on its own outputs, it falls to a constant: it has not learned the shape of the series",
    "short": "it may have trained too briefly, or too long: compare its validation error over the epochs",
}


def beyond(model: Any, series: Series) -> Beyond:
    """Forecasts the `horizon` steps after the last row.

    Args:
        model: our `Model` or a Keras model, trained on windows of this series.
        series: `Dataset.series`.
    """
    rows, h = len(series.values), series.horizon
    network = network_of(model)
    at = np.array([rows])
    forecast = series.restored(network.forecasts(series.contexts(at)), at)[0]
    steps = np.concatenate([series.steps(part, MOST_WINDOWS // 2) for part in ("validation", "test")])
    truth, past = series.truth(steps), series.restored(network.forecasts(series.contexts(steps)), steps)
    kept = ("last value", "last period", "drift")
    naive = {name: values for name, values in naive_forecasts(series, steps, h).items() if name in kept}
    errors = {"network": error(series, past, truth)} | {name: error(series, values, truth) for name, values in naive.items()}
    low, high = _interval(series, forecast, past, truth)
    ahead = {name: values[0] for name, values in _ahead(series).items() if name in naive}
    last = np.arange(max(0, rows - max(SHOWN * h, 20)), rows)
    times = series.times
    worse = min(value for name, value in errors.items() if name != "network") < errors["network"]
    return Beyond(
        columns=tuple(series.columns[column] for column in series.targets),
        past_steps=last + 1 if times is None else times[last],
        past=series.values[last][:, list(series.targets)],
        steps=rows + 1 + np.arange(h) if times is None else next_dates(times, h),
        forecast=forecast,
        low=low,
        high=high,
        coverage=COVERAGE,
        windows=len(steps),
        baselines=ahead,
        errors=errors,
        reasons=_reasons(network, series, past, truth) if worse else (),
        difference=suggested(series.values[:, list(series.targets)], times)["difference"] or 1,
    )


def of_experiment(experiment: Experiment, model: Model, uploads: Uploads = None) -> Beyond:
    """`beyond` for an experiment's own series, without planted faults."""
    return beyond(model, series_of(experiment.replace(anomalies="none"), uploads))


def _ahead(series: Series) -> dict[str, np.ndarray]:
    return naive_forecasts(series, np.array([len(series.values)]), series.horizon)


def _interval(series: Series, forecast: np.ndarray, past: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper ends (h, C): the forecast plus quantiles of the past errors of the same step ahead, in levels (Hyndman & Athanasopoulos, 5.5).

    The quantiles are those of n + 1 errors, so that few windows give a wider interval (split conformal prediction, Lei et al. 2018).
    """
    errors = series.scaled_levels(truth) - series.scaled_levels(past)  # (n, h, C)
    outside = (1 - COVERAGE) / 2
    rank = max(0.0, min(outside, (outside * (len(errors) + 1) - 1) / max(len(errors) - 1, 1)))
    level = series.scaled_levels(forecast)
    ends = [level + np.quantile(errors, share, axis=0) for share in (rank, 1 - rank)]
    chosen = list(series.targets)
    low, high = (series.from_levels(end * series.level_std[chosen] + series.level_mean[chosen]) for end in ends)
    return low, high


def _reasons(network: Any, series: Series, past: np.ndarray, truth: np.ndarray) -> tuple[str, ...]:
    """Codes of REASONS that apply, the likeliest first."""
    found = []
    levels = series.levels[:, list(series.targets)]
    train, late = levels[: series.ends[0]], levels[series.ends[0] :]
    outside = (late > train.max(0)) | (late < train.min(0))
    if not series.difference and (outside.mean() > 0.1 or (abs(late.mean(0) - train.mean(0)) > train.std(0)).any()):
        found.append("trend")
    if len(series.steps("train")) < FEW_WINDOWS:
        found.append("few_windows")
    if lag_of(past[:, 0, 0], truth[:, 0, 0]) > 0:
        found.append("lag")
    if series.inputs == series.targets:
        free = network.free(series, series.ends[1], min(200, len(series.values) - series.ends[1]))
        half = free[len(free) // 2 :]
        spread = series.values[series.ends[1] :, list(series.targets)].std(0)
        if len(half) > 5 and (half.std(0) < 0.1 * spread).all():
            found.append("constant")
    return tuple(found or ["short"])


def lag_of(forecast: np.ndarray, truth: np.ndarray, most: int = 12) -> int:
    """How many steps a forecast (n,) is behind the truth (n,): the lag of the largest correlation of their changes; 0 where none stands out."""
    moves, true = np.diff(forecast), np.diff(truth)
    if len(true) < 3 * most or moves.std() == 0 or true.std() == 0:
        return 0
    found = [float(np.corrcoef(moves[lag:], true[: len(true) - lag])[0, 1]) for lag in range(most + 1)]
    best = int(np.nanargmax(found))
    return best if found[best] > max(found[0], 0.0) + 0.2 and found[best] > 0.4 else 0


def to_csv(found: Beyond) -> bytes:
    """The forecast as CSV: one row per step with its date, and the forecast, interval and naive forecasts of each column."""
    from rnn_core.data.series.column_names import join_names

    percent = f"{100 * found.coverage:.0f}%"
    head = ["date" if found.steps.dtype.kind == "M" else "row"]
    blocks = []
    for number, name in enumerate(found.columns):
        parts = {"": found.forecast, f" {percent} low": found.low, f" {percent} high": found.high}
        parts |= {f" {words}": values for words, values in found.baselines.items()}
        head += [f"{name}{words}" for words in parts]
        blocks += [values[:, number] for values in parts.values()]
    rows = [[date, *(f"{values[n]:.10g}" for values in blocks)] for n, date in enumerate(dates_of(found))]
    return "\n".join(map(join_names, [head, *rows])).encode() + b"\n"


def dates_of(found: Beyond) -> list[str]:
    """The dates of the forecast as text, without a time of day that is midnight in all of them; or its row numbers."""
    if found.steps.dtype.kind != "M":
        return [str(step) for step in found.steps.tolist()]
    seconds = found.steps.astype("datetime64[s]")
    unit = "D" if (seconds.astype("datetime64[D]") == seconds).all() else "s"
    return [str(one) for one in seconds.astype(f"datetime64[{unit}]")]
