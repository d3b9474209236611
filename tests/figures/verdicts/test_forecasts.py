"""The verdict on forecasts and on faults found, on made-up results of every kind."""

from __future__ import annotations

import numpy as np
import pytest

from rnn_core.data.series.faults import Detection
from rnn_core.figures.verdicts import forecasts
from rnn_core.probes.forecasts import Anomalies, Forecast
from rnn_core.spec.experiment import Experiment

NAN = float("nan")
RIVALS = {"training mean": 1.0, "last value": 0.25, "linear autoregression": 0.1}
RNN = Experiment().replace(task="sines", epochs=4)


def result(one: float, free: float | None = None, count: int = 200, rivals: dict[str, float] = RIVALS) -> Forecast:
    errors = {"one step": one, **({} if free is None else {"free-running": free}), **rivals}
    zeros = np.zeros((count, 1))
    return Forecast(
        ("x",), np.arange(50 + count), 50, np.zeros((50 + count, 1)), zeros, None if free is None else zeros, {}, errors
    )


@pytest.mark.parametrize(
    ("made", "words", "tone"),
    [
        (result(0.3), "One step ahead: worse than repeating the last value: error 0.300 against 0.250.", "bad"),
        (result(0.26), "One step ahead: no better than repeating the last value: error 0.260 against 0.250.", "bad"),
        (result(0.15), "One step ahead: better than repeating the last value (0.250), but not than a linear autoregression (0.100): error 0.150.", "undecided"),
        (result(0.05), "One step ahead: better than every simple rival: error 0.05; the best of them, a linear autoregression, 0.100.", "good"),
        (result(0.05, 0.4), "One step ahead: better than every simple rival: error 0.05; the best of them, a linear autoregression, 0.100. On its own forecasts it stays better than the mean: error 0.400 against 1.000.", "good"),
        (result(0.3, 1.4), "One step ahead: worse than repeating the last value: error 0.300 against 0.250. On its own forecasts it is worse than the mean: error 1.400 against 1.000.", "bad"),
        (result(0.3, 1.01), "One step ahead: worse than repeating the last value: error 0.300 against 0.250. On its own forecasts it is no better than the mean: error 1.010 against 1.000.", "bad"),
        (result(0.3, NAN), "One step ahead: worse than repeating the last value: error 0.300 against 0.250. On its own forecasts it runs away.", "bad"),
        (result(0.05, count=12, rivals={"training mean": 1.0}), "One step ahead: better than always forecasting the mean: error 0.05 against 1.000. 12 steps are too few to tell.", "undecided"),
        (result(0.05, rivals={}), "One step ahead: error 0.05.", "undecided"),
        (result(NAN), "The forecast is not a number.", "bad"),
    ],
)  # fmt: skip
def test_a_forecast_against_naive_ones(made: Forecast, words: str, tone: str) -> None:
    found = forecasts.forecast(made, RNN)
    assert (found.words, found.tone) == (words, tone)


def test_a_failure_suggests_more_training() -> None:
    found = forecasts.forecast(result(0.3), RNN)
    assert found.next is not None
    assert dict(found.next.changes) == {"epochs": 8}
    assert forecasts.forecast(result(0.05), RNN).next is None
    assert forecasts.forecast(result(0.3)).next is None


@pytest.mark.parametrize(
    ("recall", "precision", "faults", "tone"),
    [
        (0.9, 0.8, 10, "good"),
        (0.7, 0.8, 10, "undecided"),
        (0.2, 0.9, 10, "bad"),
        (0.9, 0.1, 10, "bad"),
        (0.0, NAN, 10, "bad"),
        (NAN, NAN, 0, "undecided"),
    ],
)
def test_faults_found(recall: float, precision: float, faults: int, tone: str) -> None:
    nothing = np.zeros(5)
    found = Anomalies(
        ("x",), np.arange(5), nothing[:, None], nothing, nothing > 0, 1.0, Detection(precision, recall, 0.9, faults, 4)
    )
    assert forecasts.faults(found).tone == tone
    assert "nan" not in forecasts.faults(found).words
