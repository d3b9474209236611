"""Forecasts of a model whose outputs are known, and the figures of them."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from rnn_core import data
from rnn_core.data.series.windows import Series
from rnn_core.engine import model as models
from rnn_core.figures import forecasts as figures
from rnn_core.probes import forecasts
from rnn_core.spec.experiment import Experiment


def echo(experiment: Experiment, count: int) -> models.Model:
    """A linear RNN whose forecast is the last input, h times: kernel I, recurrent kernel 0."""
    shape = data.interface(experiment)
    experiment = experiment.replace(cell="simple_rnn", activation="linear", units=count, use_bias=False)
    model = models.build(experiment, shape)
    head = np.tile(np.eye(count, dtype=np.float32), shape.outputs // count)
    return model.with_weights([np.eye(count), np.zeros((count, count)), head, np.zeros(shape.outputs)])


@pytest.mark.parametrize(("task", "count", "horizon"), [("sine", 1, 1), ("lorenz", 3, 4)])
def test_a_model_that_repeats_the_last_value_is_the_naive_forecast(task, count, horizon):
    experiment = Experiment().replace(task=task, length=20, samples=300, horizon=horizon)
    result = forecasts.of_experiment(experiment, echo(experiment, count), ahead=30)
    series = data.build(experiment).series
    start = series.ends[1]
    np.testing.assert_allclose(result.truth, series.values[start - 20 : start + 30], rtol=1e-4, atol=1e-3)
    np.testing.assert_allclose(result.one_step, series.values[start - 1 : start + 29], rtol=1e-4, atol=1e-3)
    np.testing.assert_allclose(
        result.one_step[: len(result.baselines["last value"])], result.baselines["last value"], rtol=1e-4, atol=1e-3
    )
    np.testing.assert_allclose(result.free_running, np.tile(series.values[start - 1], (30, 1)), rtol=1e-4, atol=1e-3)
    assert result.steps.tolist() == list(range(start - 20, start + 30))
    assert result.context == 20
    error = (series.values[start - 1 : start + 29] - series.values[start : start + 30]) / series.std
    assert result.errors["one step"] == pytest.approx(np.sqrt(np.mean(error**2)), rel=1e-4)


@pytest.mark.parametrize("cell", ["simple_rnn", "lstm", "gru"])
def test_free_running_equals_keras_on_its_own_outputs(cell):
    """Window after window through stock Keras."""
    experiment = Experiment().replace(task="sine", length=15, samples=200, cell=cell, units=6, horizon=2)
    dataset = data.build(experiment)
    model = models.build(experiment, dataset.interface)
    result = forecasts.forecast(model, dataset.series, ahead=9)
    network, values = model.to_keras(), list(dataset.series.contexts(np.array([dataset.series.ends[1]]))[0])
    while len(values) < 24:
        values += list(np.asarray(network(np.array([values[-15:]])))[0][:, None])
    np.testing.assert_allclose(result.free_running, dataset.series.unscaled(np.array(values[15:24])), rtol=1e-5, atol=1e-5)
    again = forecasts.forecast(network, dataset.series, ahead=9)  # a Keras model gives the same
    np.testing.assert_allclose(again.free_running, result.free_running, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(again.one_step, result.one_step, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("lag", "log", "horizon"), [(1, False, 2), (3, True, 5), (7, False, 3)])
def test_free_running_of_changes_equals_changes_of_its_own_outputs(lag, log, horizon):
    """Window after window: forecast values, append them to the series, take changes of the longer series."""
    experiment = Experiment().replace(task="ar", length=15, samples=300, horizon=horizon, difference=lag, units=6)
    base = data.build(experiment).series
    values = np.exp(base.values / 10) if log else base.values
    rest = {"length": 15, "horizon": horizon, "ends": base.ends, "difference": lag, "log": log}
    series = Series(values, ("v",), (0,), (0,), faults=base.faults, **rest)
    model, start = models.build(experiment, data.interface(experiment)), base.ends[1]
    result = forecasts.forecast(model, series, ahead=9)
    network, known = model.to_keras(), values[:start]
    while len(known) < start + 9:
        longer = Series(known, ("v",), (0,), (0,), faults=np.zeros(len(known), bool), **rest)
        at = np.array([len(known)])
        known = np.concatenate([known, longer.restored(np.asarray(network(longer.contexts(at))), at)[0]])
    np.testing.assert_allclose(result.free_running, known[start : start + 9], rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(result.one_step[0], result.free_running[0], rtol=1e-5, atol=1e-5)


def test_other_weights_of_the_same_architecture_give_their_own_forecast():
    experiment = Experiment().replace(task="sine", length=15, samples=200, units=6)
    series = data.build(experiment).series
    first, second = (models.build(experiment.replace(seed=seed), data.interface(experiment)) for seed in (0, 1))
    before = forecasts.forecast(first, series, ahead=5).one_step
    assert not np.allclose(before, forecasts.forecast(second, series, ahead=5).one_step)
    np.testing.assert_array_equal(before, forecasts.forecast(first, series, ahead=5).one_step)


def test_without_its_targets_as_inputs_a_model_has_no_free_running_forecast():
    experiment = Experiment().replace(task="narma", length=15, samples=200, units=4)
    result = forecasts.of_experiment(experiment, models.build(experiment, data.interface(experiment)), ahead=20)
    assert result.free_running is None
    assert result.columns == ("response",)
    assert len(figures.forecast(result).data) == 2 + len(result.baselines)


def test_no_forecast_where_there_is_no_series():
    experiment = Experiment().replace(task="adding", samples=20, length=10)
    with pytest.raises(ValueError, match="adding is not a series"):
        forecasts.of_experiment(experiment, models.build(experiment, data.interface(experiment)))
    experiment = Experiment().replace(task="sine", samples=100, length=10)
    series, model = data.build(experiment).series, models.build(experiment, data.interface(experiment))
    for start in (3, len(series.values)):
        with pytest.raises(ValueError, match="a forecast needs 10 steps before it and one after"):
            forecasts.forecast(model, series, start=start)


def test_the_error_of_the_naive_forecast_detects_spikes():
    """The last value as a forecast: only a spike changes a slow sine that much in one step."""
    experiment = Experiment().replace(task="sine", length=20, anomalies="spikes")
    result = forecasts.anomalies_of_experiment(experiment, echo(experiment, 1))
    series = data.build(experiment).series
    judged = slice(series.ends[1], None)
    jumps = np.abs(np.diff(series.values[series.ends[1] - 1 :, 0])) / series.std[0]
    np.testing.assert_allclose(result.scores, jumps, rtol=1e-3, atol=1e-4)
    np.testing.assert_array_equal(result.faults, series.faults[judged])
    assert result.detection.recall == 1
    assert result.detection.precision == 1
    assert result.detection.auc > 0.99
    sound = np.abs(np.diff(series.values[series.ends[0] - 1 : series.ends[1], 0])) / series.std[0]
    assert result.threshold == pytest.approx(np.quantile(sound, 0.995), rel=1e-3)


@pytest.fixture(scope="module")
def result() -> forecasts.Forecast:
    experiment = Experiment().replace(task="lorenz", length=20, samples=300)
    return forecasts.of_experiment(experiment, echo(experiment, 3), ahead=30)


def test_results_can_be_pickled(result):
    copy = pickle.loads(pickle.dumps(result))
    np.testing.assert_array_equal(copy.truth, result.truth)


def test_forecast_figure_shows_truth_forecasts_and_context(result):
    drawing = figures.forecast(result, column=2)
    names = [trace.name.split(" (")[0] for trace in drawing.data]
    assert names[:3] == ["truth", "one step", "free-running"]
    assert set(names[3:]) == set(result.baselines)
    np.testing.assert_allclose(drawing.data[0].y, result.truth[:, 2], atol=1e-5)
    np.testing.assert_allclose(drawing.data[1].y, result.one_step[:, 2], atol=1e-5)
    assert (drawing.layout.shapes[0].x0, drawing.layout.shapes[0].x1) == (result.steps[0], result.steps[20])
    assert drawing.layout.yaxis.title.text == "z"
    assert f"{result.errors['one step']:.3g}" in drawing.data[1].name
    assert "one step" in figures.describe(result)


def test_a_column_name_with_tags_is_escaped():
    lines = b"<b>x</b>\n" + b"".join(b"%d\n" % (n * n % 17) for n in range(100))
    from rnn_core.data.series import table_file

    uploads = {table_file.key(lines): lines}
    experiment = Experiment().replace(task="csv", source=table_file.key(lines), length=8, units=3)
    made = forecasts.of_experiment(experiment, models.build(experiment, data.interface(experiment, uploads)), uploads, ahead=10)
    assert figures.forecast(made).layout.yaxis.title.text == "&lt;b&gt;x&lt;/b&gt;"


def test_dates_are_on_the_axis():
    from rnn_core.data.series import table_file

    lines = b"day,v\n" + b"".join(b"2020-%02d-%02d,%d\n" % (n // 28 + 1, n % 28 + 1, n * n % 17) for n in range(200))
    uploads = {table_file.key(lines): lines}
    experiment = Experiment().replace(task="csv", source=table_file.key(lines), length=8, units=3)
    made = forecasts.of_experiment(experiment, models.build(experiment, data.interface(experiment, uploads)), uploads, ahead=10)
    drawing = figures.forecast(made)
    assert made.steps.dtype.kind == "M"
    assert drawing.layout.xaxis.title.text == "time"
    assert str(drawing.layout.shapes[0].x0).startswith("2020-")


def test_anomaly_figure_shades_faults_and_marks_alarms():
    experiment = Experiment().replace(task="sine", length=20, anomalies="mixed")
    found = forecasts.anomalies_of_experiment(experiment, echo(experiment, 1))
    drawing = figures.anomalies(found)
    assert [trace.name for trace in drawing.data] == ["value", "forecast error", "alarm"]
    runs = (np.diff(found.faults.astype(int), prepend=0) == 1).sum()
    assert len([shape for shape in drawing.layout.shapes if shape.type == "rect"]) == runs == found.detection.faults
    assert len(drawing.data[2].x) == found.detection.alarms
    assert f"of {runs} faults" in figures.verdict(found)
    healthy = forecasts.anomalies_of_experiment(experiment.replace(anomalies="none"), echo(experiment, 1))
    assert figures.verdict(healthy).startswith("No fault was planted")
