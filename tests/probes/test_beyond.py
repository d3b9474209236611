"""The forecast after the last row: its dates, its interval, the naive forecasts beside it, and why it is worse."""

from __future__ import annotations

import csv
import io
import pickle

import numpy as np
import pandas
import pytest

from rnn_core import data
from rnn_core.data.series import table_file
from rnn_core.data.series.next_dates import next_dates
from rnn_core.engine import model as models
from rnn_core.figures import beyond as figures
from rnn_core.figures import forecasts as forecast_figures
from rnn_core.probes import beyond, forecasts
from rnn_core.spec.experiment import Experiment
from tests.probes.test_forecasts import echo


def dated(values: np.ndarray, **changes: object) -> tuple[Experiment, dict[str, bytes]]:
    days = pandas.date_range("2021-03-01", periods=len(values))
    content = ("day,v\n" + "".join(f"{day:%Y-%m-%d},{value:.6f}\n" for day, value in zip(days, values, strict=True))).encode()
    source = table_file.key(content)
    return Experiment().replace(**{"task": "csv", "length": 14, "source": source, **changes}), {source: content}


def linear(experiment: Experiment, uploads: dict[str, bytes], bias: float = 0.0) -> models.Model:
    """A network whose outputs are all `bias`, or its last input where that is None."""
    shape = data.interface(experiment, uploads)
    model = models.build(experiment.replace(cell="simple_rnn", activation="linear", units=1), shape)
    return model.with_weights(
        [np.zeros((1, 1)), np.zeros((1, 1)), np.zeros(1), np.zeros((1, shape.outputs)), np.full(shape.outputs, bias)]
    )


RNG = np.random.default_rng(0)
SEASONAL = 50 + np.tile([0.0, 2, 4, 9, 12, 5, -3], 60) + RNG.normal(0, 1, 420)


def test_no_change_against_last_week_is_the_seasonal_naive_forecast():
    experiment, uploads = dated(SEASONAL, horizon=10, difference=7)
    series = data.build(experiment, uploads).series
    nothing = linear(experiment, uploads, float(-series.mean[0] / series.std[0]))
    found = beyond.of_experiment(experiment, nothing, uploads)
    wanted = SEASONAL[-7:][np.arange(10) % 7]
    # The mean change is removed once for each week; with the bias it is back once.
    np.testing.assert_allclose(found.forecast[:7, 0], wanted[:7], atol=1e-4)
    np.testing.assert_allclose(found.baselines["last period"][:, 0], wanted, atol=1e-5)
    np.testing.assert_allclose(found.baselines["last value"][:, 0], SEASONAL[-1], atol=1e-5)
    slope = (SEASONAL[-1] - SEASONAL[0]) / 419
    np.testing.assert_allclose(found.baselines["drift"][:, 0], SEASONAL[-1] + slope * np.arange(1, 11), atol=1e-4)
    assert [str(day)[:10] for day in found.steps[[0, -1]]] == ["2022-04-25", "2022-05-04"]
    assert found.errors["network"] == pytest.approx(found.errors["last period"], rel=0.01)
    assert found.difference == 7


def test_the_interval_holds_the_share_of_past_truths_that_it_names():
    experiment, uploads = dated(SEASONAL, horizon=5, difference=7)
    network = linear(experiment, uploads)
    found, series = beyond.of_experiment(experiment, network, uploads), data.build(experiment, uploads).series
    steps = np.concatenate([series.steps("validation"), series.steps("test")])
    assert found.windows == len(steps)
    errors = series.truth(steps) - series.restored(np.zeros((len(steps), 5)), steps)
    inside = (errors >= found.low - found.forecast) & (errors <= found.high - found.forecast)
    np.testing.assert_allclose(inside.mean(0), 0.8, atol=0.03)
    assert (found.low < found.forecast).all()
    assert (found.forecast < found.high).all()


def test_a_logarithm_gives_an_interval_in_percent_and_above_zero():
    growing = np.exp(0.01 * np.arange(300) + RNG.normal(0, 0.05, 300))
    experiment, uploads = dated(growing, horizon=4, difference=1, log=True)
    found = beyond.of_experiment(experiment, linear(experiment, uploads), uploads)
    assert (found.low > 0).all()
    assert ((found.high / found.forecast) > 1.02).all()
    assert found.forecast[3, 0] / found.forecast[0, 0] == pytest.approx(np.exp(0.03), rel=0.02)


def test_a_trend_outside_the_training_range_is_named():
    experiment, uploads = dated(0.5 * np.arange(300) + RNG.normal(0, 1, 300), horizon=7)
    found = beyond.of_experiment(experiment, linear(experiment, uploads), uploads)
    assert found.worse_than
    assert found.reasons[0] == "trend"
    assert found.difference == 1
    assert "constant" in found.reasons  # an output that is always 0
    assert figures.verdict(found).startswith("Worse than the naive forecast.")


def test_a_forecast_that_repeats_what_it_saw_lags_behind():
    truth = RNG.normal(0, 1, 400).cumsum()
    assert beyond.lag_of(np.roll(truth, 1), truth) == 1
    assert beyond.lag_of(np.roll(truth, 3), truth) == 3
    assert beyond.lag_of(truth + RNG.normal(0, 0.1, 400), truth) == 0
    assert beyond.lag_of(RNG.normal(0, 1, 400), truth) == 0
    smooth = np.sin(np.arange(300) / 8) * 10 + 20
    experiment, uploads = dated(smooth + RNG.normal(0, 2.5, 300), horizon=1)
    found = beyond.of_experiment(experiment, echo_of(experiment, uploads), uploads)
    assert found.errors["network"] == pytest.approx(found.errors["last value"], rel=1e-3)


def echo_of(experiment: Experiment, uploads: dict[str, bytes]) -> models.Model:
    shape = data.interface(experiment, uploads)
    model = models.build(experiment.replace(cell="simple_rnn", activation="linear", units=1, use_bias=False), shape)
    return model.with_weights([np.eye(1), np.zeros((1, 1)), np.ones((1, shape.outputs)), np.zeros(shape.outputs)])


def test_few_windows_are_named():
    experiment, uploads = dated(SEASONAL[:110], horizon=5)
    found = beyond.of_experiment(experiment, linear(experiment, uploads, 3.0), uploads)
    assert "few_windows" in found.reasons


def test_the_csv_holds_dates_forecast_interval_and_naive_forecasts():
    experiment, uploads = dated(SEASONAL, horizon=3)
    found = pickle.loads(pickle.dumps(beyond.of_experiment(experiment, linear(experiment, uploads), uploads)))
    rows = list(csv.reader(io.StringIO(beyond.to_csv(found).decode())))
    assert rows[0] == ["date", "v", "v 80% low", "v 80% high", "v last value", "v drift", "v last period"]
    assert [row[0] for row in rows[1:]] == ["2022-04-25", "2022-04-26", "2022-04-27"]
    assert float(rows[1][1]) == pytest.approx(found.forecast[0, 0])
    again = table_file.read(beyond.to_csv(found) + b"2022-04-28,1,1,1,1,1,1\n")  # our own reader reads it
    assert again.columns[:2] == ("v", "v 80% low")


def test_the_figure_shows_the_past_the_band_and_the_best_naive_forecast():
    experiment, uploads = dated(SEASONAL, horizon=3)
    found = beyond.of_experiment(experiment, linear(experiment, uploads), uploads)
    drawing = figures.beyond(found)
    lines = {trace.name.split(" (rmse")[0]: trace for trace in drawing.data}
    assert list(lines["network"].y[1:]) == found.forecast[:, 0].round(6).tolist()
    assert lines["past values"].x[-1] == lines["network"].x[0] < lines["network"].x[1]
    best = min((name for name in found.errors if name != "network"), key=found.errors.get)
    assert [name for name, trace in lines.items() if trace.visible is True] == [figures.NAMES[best]]
    assert drawing.layout.xaxis.title.text == "time"
    assert "2022-04-25 to 2022-04-27" in figures.describe(found)


@pytest.mark.parametrize(
    ("times", "wanted"),
    [
        (pandas.date_range("2020-01-31", periods=30, freq="ME"), ["2022-07-31", "2022-08-31", "2022-09-30"]),
        (
            pandas.date_range("2020-01-15", periods=30, freq="MS") + pandas.Timedelta(days=14),
            ["2022-08-15", "2022-09-15", "2022-10-15"],
        ),
        (pandas.date_range("2020-01-01", periods=20, freq="QS"), ["2025-01-01", "2025-04-01", "2025-07-01"]),
        (pandas.date_range("2000-01-01", periods=20, freq="YS"), ["2020-01-01", "2021-01-01", "2022-01-01"]),
        (pandas.bdate_range("2021-01-04", periods=20), ["2021-02-01", "2021-02-02", "2021-02-03"]),
        (pandas.bdate_range("2021-01-04", periods=19), ["2021-01-29", "2021-02-01", "2021-02-02"]),
        (pandas.date_range("2021-01-01", periods=20, freq="W"), ["2021-05-23", "2021-05-30", "2021-06-06"]),
        (pandas.date_range("2021-01-01", periods=20, freq="15min"), ["2021-01-01T05:00", "2021-01-01T05:15", "2021-01-01T05:30"]),
    ],
)
def test_the_next_dates_go_on_as_those_before(times, wanted):
    np.testing.assert_array_equal(next_dates(times.to_numpy(), 3), np.array(wanted, "datetime64[us]"))


def test_dates_that_fall_go_on_falling():
    times = pandas.date_range("2021-01-01", periods=20).to_numpy()[::-1]
    np.testing.assert_array_equal(next_dates(times, 2), np.array(["2020-12-31", "2020-12-30"], "datetime64[us]"))


def test_the_worst_stretches_are_ranked_with_their_dates():
    values = SEASONAL.copy()
    values[400] += 60
    values[380:384] -= 30
    experiment, uploads = dated(values, length=8, difference=7)
    found = forecasts.anomalies_of_experiment(experiment, linear(experiment, uploads), uploads)
    assert not found.faults.any()
    first = found.worst[0]
    assert "2022-04-05" in [str(day)[:10] for day in found.steps[first[0] : first[1] + 1]]
    words = forecast_figures.verdict(found)
    assert words.startswith("No fault was planted. The")
    assert "2022-04-05" in words
    assert "2022-03-16" in words
    assert len(forecast_figures.anomalies(found).layout.shapes) == 1 + len(found.worst)
    quiet = forecasts.worst_stretches(np.ones(50))
    assert quiet == ()


def test_planted_faults_are_not_in_the_headline_error():
    experiment = Experiment().replace(task="sine", length=20)
    sound, planted = data.build(experiment), data.build(experiment.replace(anomalies="spikes"))
    np.testing.assert_array_equal(planted.test.targets, sound.test.targets)
    assert planted.series.faults.any()
    assert forecasts.anomalies_of_experiment(experiment.replace(anomalies="spikes"), echo(experiment, 1)).faults.any()
