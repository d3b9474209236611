"""A series to be forecast: its parts, its windows, its scale, and naive forecasts as baselines."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from rnn_core.data.sequences import Sequences

# Shapes: N steps of the series, C columns, n windows, T steps of context (length), D input columns, h steps ahead
# (horizon), K = h * target columns outputs, ordered step by step: (h, columns) flattened.

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
    mean: np.ndarray = field(init=False)  # (C,) of the training part
    std: np.ndarray = field(init=False)  # (C,) of the training part; 1 where it is constant

    def __post_init__(self) -> None:
        known = self.values[: self.ends[0]]
        std = known.std(0)
        object.__setattr__(self, "mean", known.mean(0))
        object.__setattr__(self, "std", np.where(std > 1e-12 * np.abs(known).max(0, initial=1e-300), std, 1.0))

    @property
    def scaled(self) -> np.ndarray:
        """(N, C) float32: mean 0 and standard deviation 1 over the training part."""
        return ((self.values - self.mean) / self.std).astype(np.float32)

    def unscaled(self, targets: np.ndarray) -> np.ndarray:
        """Scaled target columns (..., columns) back in the data's own units."""
        chosen = list(self.targets)
        return targets * self.std[chosen] + self.mean[chosen]

    def steps(self, part: str, most: int = 0) -> np.ndarray:
        """(n,) int64: the first forecast step of every window of a part, or of `most` evenly spaced ones.

        A window belongs to the part in which all its targets lie; its context may reach back into the part before.
        There are at most `max_windows` of them.
        """
        start, end = {"train": (0, self.ends[0]), "validation": self.ends, "test": (self.ends[1], len(self.values))}[part]
        steps = np.arange(max(start, self.length), end - self.horizon + 1)
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
        return self.scaled[:, list(self.targets)][steps[:, None] + np.arange(self.horizon)].reshape(len(steps), -1)


def max_windows(length: int, inputs: int, horizon: int, targets: int) -> int:
    """The number of windows of `MAX_NUMBERS` numbers, at least 1."""
    return max(1, MAX_NUMBERS // (length * inputs + horizon * targets))


def ends(rows: int, length: int, horizon: int, validation: float) -> tuple[int, int]:
    """The first steps after the training and the validation part; the last 15 % of the steps are the test part.

    Raises: ValueError where a part would have no window.
    """
    train, test = _first_ends(rows, validation)
    held_out_too_short = min(test - train, rows - test) < horizon
    if held_out_too_short or train < length + horizon:
        longest = max(train - horizon, 0)
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


def naive_forecasts(series: Series, steps: np.ndarray) -> dict[str, np.ndarray]:
    """Forecasts without a network from each of `steps` (n,) on: name → (n, K), scaled."""
    columns = list(series.targets)
    scaled = series.scaled[:, columns]
    ahead = np.arange(series.horizon)
    forecasts = {
        "training mean": np.zeros((len(steps), series.horizon * len(columns)), np.float32),
        "last value": np.repeat(scaled[steps - 1][:, None], series.horizon, 1).reshape(len(steps), -1),
    }
    period = dominant_period(scaled[: series.ends[0], 0])
    if period and len(steps) and period <= steps[0]:
        back = period * (ahead // period + 1)
        forecasts["last period"] = scaled[steps[:, None] + ahead - back].reshape(len(steps), -1)
    forecasts["linear autoregression"] = _linear(series, steps)
    return forecasts


def baselines(series: Series, part: str = "validation", most: int = 0) -> dict[str, float]:
    """Root mean squared error of the naive forecasts, in standard deviations of the training part."""
    steps = series.steps(part, most)
    truth = series.target_values(steps)
    return {name: float(np.sqrt(np.mean((forecast - truth) ** 2))) for name, forecast in naive_forecasts(series, steps).items()}


def dominant_period(values: np.ndarray) -> int:
    """The lag of the largest autocorrelation after its first negative value; 0 where that is below 0.3."""
    centred = values - values.mean()
    size = len(centred)
    power = np.abs(np.fft.rfft(centred, 2 * size)) ** 2
    correlation = np.fft.irfft(power)[: size // 2] / np.arange(size, size - size // 2, -1)
    below = np.flatnonzero(correlation < 0)
    if not len(below) or correlation[0] <= 1e-12:
        return 0
    lag = int(below[0] + np.argmax(correlation[below[0] :]))
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
