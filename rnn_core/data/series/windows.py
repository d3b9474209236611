"""A series to be forecast: its parts, its windows, its scale, and naive forecasts as baselines."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from rnn_core.data.sequences import Sequences

# Shapes: N steps of the series, C columns, n windows, T steps of context (length), D input columns, h steps ahead
# (horizon), K = h * target columns outputs, ordered step by step: (h, columns) flattened.
# The network's numbers are made in two steps: `levels` are the values or their logarithms; `scaled` are the levels, or with a
# `difference` of d steps their changes y[t] - y[t-d], at mean 0. A target k steps after the first forecast step t is the change against
# the newest known level a whole number of d before it; so its error is the error of the level itself, at any horizon.

_CALENDAR = {24: (1, 1), 7: (24, 24), 12: (28 * 24, 31 * 24), 4: (89 * 24, 92 * 24)}  # period → hours between two rows
MOST_FOR_PERIOD = 100_000  # rows, the last ones, in which a period is looked for
PARTS = ("train", "validation", "test")
TEST = 0.15  # share of the steps in the test part, the last ones
MAX_NUMBERS = 20_000_000  # in all windows of a part together: 80 MB


@dataclass(frozen=True, eq=False)
class Series:
    """N steps of C columns, with the windows of an experiment."""

    values: np.ndarray  # (N, C) float64, in the data's own units
    columns: tuple[str, ...]  # C names
    inputs: tuple[int, ...]  # D columns that are the network's inputs
    targets: tuple[int, ...]  # columns that it forecasts
    length: int  # T: steps of context
    horizon: int  # h: steps ahead
    ends: tuple[int, int]  # the first steps after the training and the validation part
    faults: np.ndarray  # (N,) bool: planted anomalies, in the test part only
    times: np.ndarray | None = None  # (N,) datetime64, where the data has dates
    notes: tuple[str, ...] = ()  # changes made to the data: missing values filled, text columns left out
    difference: int = 0  # d: the network learns changes against d steps before; 0: the levels themselves
    log: bool = False  # levels are the logarithms of the values
    mean: np.ndarray = field(init=False)  # (C,) of `levels`, or of their changes, in the training part
    std: np.ndarray = field(init=False)  # (C,) what `scaled` is divided by; 1 where the training part is constant
    level_mean: np.ndarray = field(init=False)  # (C,) of `levels` in the training part
    level_std: np.ndarray = field(init=False)  # (C,) of `levels` in the training part; 1 where it is constant

    def __post_init__(self) -> None:
        if self.log and (bad := np.argwhere(self.values <= 0)).size:
            row, column = bad[0]
            raise ValueError(
                f"only values above 0 have a logarithm, but row {row + 1} of '{self.columns[column][:40]}' is {self.values[row, column]:.6g}: switch the logarithm off"
            )
        known = self.levels[: self.ends[0]]
        scales = {"mean": known.mean(0), "std": _std(known)}
        scales |= {"level_mean": scales["mean"], "level_std": scales["std"]}
        if self.difference:
            known = known[self.difference :] - known[: -self.difference]
            # All columns have the same ratio to their levels' deviation, so that an error in one unit is an error in the other.
            ratio = np.sqrt(np.mean((_std(known) / scales["level_std"])[list(self.targets)] ** 2))
            scales |= {"mean": known.mean(0), "std": ratio * scales["level_std"]}
        for name, value in scales.items():
            object.__setattr__(self, name, value)

    @property
    def levels(self) -> np.ndarray:
        """(N, C) float64: the values, or their logarithms."""
        return np.log(self.values) if self.log else self.values

    @property
    def value_std(self) -> np.ndarray:
        """(columns,) of the targets' values in the training part; 1 where a column is constant."""
        return _std(self.values[: self.ends[0], list(self.targets)])

    @property
    def metric_scale(self) -> float:
        """The factor from the network's error to one in standard deviations of the values in the training part.

        Exact without logarithms; with them for small errors, which are then a share of the value.
        """
        chosen = list(self.targets)
        ratio = float((self.std / self.level_std)[chosen[0]])
        if not self.log:
            return ratio
        size = np.sqrt(np.mean(self.values[: self.ends[0], chosen] ** 2, axis=0))
        return ratio * float(np.sqrt(np.mean((self.level_std[chosen] * size / self.value_std) ** 2)))

    @property
    def scaled(self) -> np.ndarray:
        """(N, C) float32: mean 0 over the training part, and standard deviation 1, or about 1 with a difference (see `std`).

        With a difference, its first d rows are 0 and in no window.
        """
        numbers = self.levels
        if self.difference:
            numbers = np.concatenate(
                [np.tile(self.mean, (self.difference, 1)), numbers[self.difference :] - numbers[: -self.difference]]
            )
        return ((numbers - self.mean) / self.std).astype(np.float32)

    def unscaled(self, targets: np.ndarray) -> np.ndarray:
        """Scaled target columns (..., columns), without a difference, back in the data's own units."""
        chosen = list(self.targets)
        return self.from_levels(targets * self.std[chosen] + self.mean[chosen])

    def restored(self, outputs: np.ndarray, steps: np.ndarray) -> np.ndarray:
        """A network's forecasts (n, K) from each of `steps` (n,) on, in the data's own units: (n, h, columns)."""
        chosen = list(self.targets)
        outputs = np.asarray(outputs, np.float64).reshape(len(steps), -1, len(chosen))
        if not self.difference:
            return self.unscaled(outputs)
        cycles = np.arange(outputs.shape[1]) // self.difference + 1
        known = steps[:, None] + np.arange(outputs.shape[1]) - cycles * self.difference
        change = outputs * self.std[chosen] + cycles[:, None] * self.mean[chosen]
        return self.from_levels(self.levels[:, chosen][known] + change)

    def scaled_levels(self, values: np.ndarray) -> np.ndarray:
        """Target columns (..., columns) in the data's own units → their levels, in standard deviations of the training part."""
        chosen = list(self.targets)
        levels = np.log(np.maximum(values, 1e-300)) if self.log else values
        return (levels - self.level_mean[chosen]) / self.level_std[chosen]

    def from_levels(self, levels: np.ndarray) -> np.ndarray:
        """Values in the data's own units of levels; the inverse of `levels`."""
        return np.exp(np.minimum(levels, 700)) if self.log else levels

    @property
    def first(self) -> int:
        """The first step that has a whole context before it."""
        return self.length + self.difference

    def steps(self, part: str, most: int = 0) -> np.ndarray:
        """(n,) int64: the first forecast step of every window of a part, or of `most` evenly spaced ones.

        A window belongs to the part in which all its targets lie; its context may reach back into the part before.
        There are at most `max_windows` of them.
        """
        start, end = {"train": (0, self.ends[0]), "validation": self.ends, "test": (self.ends[1], len(self.values))}[part]
        steps = np.arange(max(start, self.first), end - self.horizon + 1)
        wanted = min(most or len(steps), max_windows(self.length, len(self.inputs), self.horizon, len(self.targets)))
        return steps if wanted >= len(steps) else steps[np.linspace(0, len(steps) - 1, wanted).round().astype(np.int64)]

    def windows(self, part: str, most: int = 0) -> Sequences:
        """The windows of a part, or `most` of them, as sequences with their targets."""
        steps = self.steps(part, most)
        return Sequences.dense(self.contexts(steps), self.target_values(steps))

    def contexts(self, steps: np.ndarray) -> np.ndarray:
        """(n, T, D) float32: the scaled inputs of the `length` steps before each of `steps`."""
        return self.scaled[:, list(self.inputs)][steps[:, None] + np.arange(-self.length, 0)]

    def target_values(self, steps: np.ndarray) -> np.ndarray:
        """(n, K) float32: the scaled targets from each of `steps` on."""
        targets = self.scaled[:, list(self.targets)][steps[:, None] + np.arange(self.horizon)]
        for ahead in range(self.difference, self.horizon if self.difference else 0):
            targets[:, ahead] += targets[:, ahead - self.difference]
        return targets.reshape(len(steps), -1)

    def truth(self, steps: np.ndarray) -> np.ndarray:
        """(n, h, columns) float64: the values from each of `steps` on, in the data's own units."""
        return self.values[:, list(self.targets)][steps[:, None] + np.arange(self.horizon)]


def _std(values: np.ndarray) -> np.ndarray:
    """(C,) standard deviations; 1 where a column is constant."""
    std = values.std(0)
    return np.asarray(np.where(std > 1e-12 * np.abs(values).max(0, initial=1e-300), std, 1.0))


def max_windows(length: int, inputs: int, horizon: int, targets: int) -> int:
    """The number of windows of `MAX_NUMBERS` numbers, at least 1."""
    return max(1, MAX_NUMBERS // (length * inputs + horizon * targets))


def ends(rows: int, length: int, horizon: int, validation: float, difference: int = 0) -> tuple[int, int]:
    """The first steps after the training and the validation part; the last 15 % of the steps are the test part.

    Raises: ValueError where a part would have no window.
    """
    train, test = _first_ends(rows, validation)
    held_out_too_short = min(test - train, rows - test) < horizon
    if held_out_too_short or train < length + horizon + difference:
        longest = max(train - horizon - difference, 0)
        fits = longest and not held_out_too_short
        advice = f"choose a length of at most {longest}" if fits else "more rows are needed"
        raise ValueError(f"{rows} rows are too few for windows of {length} steps and {horizon} ahead: {advice}")
    return train, test


def rows_for(windows: int, length: int, horizon: int, validation: float) -> int:
    """The length of the shortest series whose training part has that many windows."""
    needed = windows + length + horizon - 1
    rows = int(needed / ((1 - TEST) * (1 - validation)))
    while _first_ends(rows, validation)[0] < needed or min(rows * TEST, rows * (1 - TEST) * validation) < horizon + 1:
        rows += 1
    return rows


def _first_ends(rows: int, validation: float) -> tuple[int, int]:
    """The ends of the training and the validation part of so many rows, whether or not windows fit into them."""
    test = round(rows * (1 - TEST))
    return round(test * (1 - validation)), test


def naive_forecasts(series: Series, steps: np.ndarray, ahead: int = 0) -> dict[str, np.ndarray]:
    """Forecasts without a network from each of `steps` (n,) on: name → (n, ahead, columns) in the data's own units.

    "drift" continues the line from the first value to the last before the forecast (Hyndman & Athanasopoulos, Forecasting, 5.2).
    "linear autoregression", which is fitted to the horizon, is left out where `ahead` (default: the horizon) differs from it.
    """
    columns = list(series.targets)
    levels, steps_ahead = series.levels[:, columns], np.arange(ahead or series.horizon)
    last = levels[steps - 1][:, None]
    slope = (levels[steps - 1] - levels[0]) / np.maximum(steps - 1, 1)[:, None]
    forecasts = {
        "training mean": np.broadcast_to(series.level_mean[columns], (len(steps), len(steps_ahead), len(columns))),
        "last value": np.repeat(last, len(steps_ahead), 1),
        "drift": last + slope[:, None] * (steps_ahead[:, None] + 1),
    }
    period = seasonal_period(series.levels[: series.ends[0], columns[0]], series.times)
    if period and len(steps) and period <= steps.min():
        back = period * (steps_ahead // period + 1)
        forecasts["last period"] = levels[steps[:, None] + steps_ahead - back]
    found = {name: series.from_levels(values) for name, values in forecasts.items()}
    if ahead in (0, series.horizon):
        found["linear autoregression"] = series.restored(_linear(series, steps), steps)
    return found


def error(series: Series, forecasts: np.ndarray, truth: np.ndarray) -> float:
    """Root mean squared error of forecasts (..., columns) in the data's own units, in standard deviations of the training part."""
    return float(np.sqrt(np.mean(((forecasts - truth) / series.value_std) ** 2)))


def baselines(series: Series, part: str = "validation", most: int = 0) -> dict[str, float]:
    """Root mean squared error of the naive forecasts, in standard deviations of the training part."""
    steps = series.steps(part, most)
    truth = series.truth(steps)
    return {name: error(series, forecast, truth) for name, forecast in naive_forecasts(series, steps).items()}


def seasonal_period(values: np.ndarray, times: np.ndarray | None = None, *, certain: bool = False) -> int:
    """The period of a series (N,) in steps; 0 where it has none.

    The calendar's (24 hours, 7 days, 4 quarters, 12 months, as the dates are spaced) where the changes of the series repeat after it;
    else the dominant one of the series without its linear trend; else, unless it must be `certain`, the calendar's.
    """
    values, usual = values[-MOST_FOR_PERIOD:], calendar_period(times)
    changes = np.diff(values)
    if usual and len(changes) > 2 * usual and _repeats(changes, usual):
        return usual
    line = np.arange(len(values)) - (len(values) - 1) / 2
    trend = line * (line @ values) / max(line @ line, 1e-300)
    return dominant_period(values - trend) or (usual if len(values) > 2 * usual and not certain else 0)


def _repeats(values: np.ndarray, lag: int) -> bool:
    """Whether the correlation of values with those `lag` before is above 0.3."""
    first, second = values[:-lag] - values.mean(), values[lag:] - values.mean()
    return bool(first @ second > 0.3 * max(float(np.sqrt((first @ first) * (second @ second))), 1e-300))


def calendar_period(times: np.ndarray | None) -> int:
    """The usual period of dates (N,) that lie an hour, a day, a month or a quarter apart, in steps; 0 for all others and without dates."""
    if times is None or len(times) < 3:
        return 0
    hours = float(np.median(np.diff(times[:10_000]).astype("timedelta64[s]").astype(np.int64))) / 3600
    return next((period for period, (low, high) in _CALENDAR.items() if low <= hours <= high), 0)


def dominant_period(values: np.ndarray) -> int:
    """The lag of the first large peak of the autocorrelation after its first negative value; 0 where none is above 0.3.

    A peak is large from 0.9 of the largest on, so that it is the period and no multiple of it.
    """
    centred = values - values.mean()
    size = len(centred)
    power = np.abs(np.fft.rfft(centred, 2 * size)) ** 2
    correlation = np.fft.irfft(power)[: size // 2] / np.arange(size, size - size // 2, -1)
    below = np.flatnonzero(correlation < 0)
    if not len(below) or correlation[0] <= 1e-12:
        return 0
    lag = int(below[0] + np.argmax(correlation[below[0] :] >= 0.9 * correlation[below[0] :].max()))
    while lag + 1 < len(correlation) and correlation[lag + 1] > correlation[lag]:
        lag += 1
    return lag if correlation[lag] > 0.3 * correlation[0] else 0


def _linear(series: Series, steps: np.ndarray) -> np.ndarray:
    """(n, K) least-squares forecasts from the last few steps of all inputs, fitted to the training windows."""
    known = series.steps("train", 20_000)
    order = max(1, min(series.length, 32 // len(series.inputs), len(known) // (3 * len(series.inputs))))

    def features(at: np.ndarray) -> np.ndarray:
        context = series.scaled[:, list(series.inputs)].astype(np.float64)[at[:, None] + np.arange(-order, 0)]
        return np.concatenate([context.reshape(len(at), -1), np.ones((len(at), 1))], 1)

    weights, *_ = np.linalg.lstsq(features(known), series.target_values(known).astype(np.float64), rcond=None)
    return (features(steps) @ weights).astype(np.float32)
