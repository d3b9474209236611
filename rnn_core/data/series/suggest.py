"""Fields of an experiment that suit a series, found from its length, period, trend and how its changes grow with its level."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from rnn_core.data.series.windows import MOST_FOR_PERIOD, calendar_period, ends, seasonal_period

HORIZONS = {
    24: 24,
    7: 28,
    12: 12,
    4: 4,
}  # usual period of the dates in rows → rows to forecast: a day, four weeks, a year, a year
LONGEST_SEASON = 60  # rows; longer ones leave too few windows
STEPS = 400  # training steps, about
BATCH = 32


def suggested(values: np.ndarray, times: np.ndarray | None) -> dict[str, Any]:
    """Field → value, for a table (N, C) with dates (N,) or None. They leave windows in every part, if any do."""
    first = values[-MOST_FOR_PERIOD:, 0]
    season, calendar = seasonal_period(first, times, certain=True), calendar_period(times)
    season = season if season <= LONGEST_SEASON else 0
    horizon = HORIZONS.get(calendar, max(1, min(season, 30)) if season else 10)
    length = max(20, min(4 * season, 60), horizon if horizon <= 60 else 0)
    difference = season or int(has_trend(first) or wanders(first))
    while not _fits(len(values), length, horizon, difference) and max(length, horizon, difference) > 1:
        length, horizon = max(1, length // 2), max(1, horizon // 2)
        difference = difference if 8 * difference < len(values) else 0
    windows = max(1, int(0.68 * len(values)) - length - difference - horizon)
    return {
        "horizon": horizon,
        "length": length,
        "difference": difference,
        "log": bool(difference and grows_with_level(first, difference) and (values > 0).all()),
        "units": 16,
        "learning_rate": 0.005,
        "clip": 1.0,
        "batch": BATCH,
        "epochs": int(np.clip(math.ceil(STEPS * BATCH / windows), 2, 60)),
    }


def _fits(rows: int, length: int, horizon: int, difference: int) -> bool:
    try:
        ends(rows, length, horizon, 0.2, difference)
    except ValueError:
        return False
    return True


def has_trend(values: np.ndarray) -> bool:
    """Whether the last fifth of a series (N,) lies on average more than a standard deviation away from the first two thirds."""
    train, late = values[: max(1, 2 * len(values) // 3)], values[-max(1, len(values) // 5) :]
    return bool(abs(late.mean() - train.mean()) > train.std())


def wanders(values: np.ndarray) -> bool:
    """Whether each value of a series (N,) is almost the one before, as in a random walk."""
    if len(values) < 10 or values.std() == 0:
        return False
    centred = values - values.mean()
    return bool(centred[1:] @ centred[:-1] > 0.95 * (centred @ centred))


def grows_with_level(values: np.ndarray, lag: int) -> bool:
    """Whether the size of the changes of a positive series (N,) rises with its level, as in growth by percent."""
    if (values <= 0).any() or len(values) < 3 * lag + 10:
        return False
    sizes, level = np.abs(values[lag:] - values[:-lag]), values[:-lag]
    if sizes.std() == 0 or level.std() == 0:
        return False
    return bool(np.corrcoef(sizes, level)[0, 1] > 0.1)
