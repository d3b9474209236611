"""Claims of the presets on series: forecasts against naive ones, and planted faults."""

from __future__ import annotations

import numpy as np
import pytest

from rnn_core import data
from rnn_core.data.series import faults
from rnn_core.probes import forecasts
from rnn_core.spec import presets
from tests.spec.claims import proves, trained


@proves("sine", "A vanilla RNN forecasts a noisy sine", "which carries the noise twice")
def test_a_vanilla_rnn_beats_the_last_period():
    experiment = presets.get("sine")
    assert experiment.model.cell == "simple_rnn"
    noise = experiment.data.noise / np.sqrt(1 + experiment.data.noise**2)  # in standard deviations of the noisy series
    assert data.build(experiment).baselines["last period"] == pytest.approx(np.sqrt(2) * noise, rel=0.05)
    assert data.build(experiment.replace(noise=0.0)).baselines["last period"] < 1e-6
    metrics, _ = trained(experiment.replace(epochs=4))
    assert min(metrics) < data.build(experiment).baselines["last period"] * 0.95


@proves("mackey_glass", "A GRU forecasts the next twenty steps")
@proves("lorenz", "A GRU forecasts all three axes")
@pytest.mark.parametrize(
    ("name", "share", "epochs", "outputs"),
    [("mackey_glass", 0.5, 9, 20), ("lorenz", 1 / 3, 9, 3)],
    ids=["mackey_glass", "lorenz"],
)
def test_a_gru_beats_linear_autoregression(name, share, epochs, outputs):
    experiment = presets.get(name)
    assert experiment.model.cell == "gru"
    assert data.interface(experiment).outputs == outputs
    metrics, _ = trained(experiment.replace(epochs=epochs))
    assert min(metrics) < share * data.build(experiment).baselines["linear autoregression"]


@proves("mackey_glass", "a least-squares linear autoregression")
@proves("lorenz", "a least-squares linear autoregression")
@pytest.mark.parametrize("name", ["mackey_glass", "lorenz"])
def test_the_linear_baseline_is_the_least_squares_fit(name):
    """Against a separate fit on the same windows: the last 32 numbers of each, all inputs together, and a constant."""
    dataset = data.build(presets.get(name))

    def windows(part: data.Sequences) -> tuple[np.ndarray, np.ndarray]:
        batch = part.pad(np.arange(len(part)))
        order = 32 // batch.inputs.shape[2]
        context = batch.inputs[:, -order:].reshape(len(part), -1).astype(np.float64)
        return np.concatenate([context, np.ones((len(part), 1))], 1), batch.targets.reshape(len(part), -1)

    weights = np.linalg.lstsq(*windows(dataset.train), rcond=None)[0]
    features, targets = windows(dataset.validation)
    assert dataset.baselines["linear autoregression"] == pytest.approx(
        np.sqrt(np.mean((features @ weights - targets) ** 2)), rel=0.02
    )


@proves("anomalies", "none of which it saw in training")
def test_faults_are_planted_in_the_test_part_only():
    experiment = presets.get("anomalies")
    planted, clean = data.build(experiment), data.build(experiment.replace(anomalies="none"))
    assert planted.series.faults.any()
    assert np.array_equal(planted.train.values, clean.train.values)
    assert np.array_equal(planted.validation.values, clean.validation.values)


@proves("anomalies", "The forecast's error finds at least four of five planted spikes, level shifts and changes of frequency")
def test_forecast_errors_find_planted_faults():
    experiment = presets.get("anomalies")
    assert experiment.data.anomalies == "mixed"
    assert faults.KINDS == ("spikes", "level_shifts", "frequency_changes"), "mixed plants them in turn"
    _, model = trained(experiment.replace(epochs=8))
    found = forecasts.anomalies_of_experiment(experiment, model).detection
    assert found.faults >= 5
    assert found.recall >= 0.8
    assert found.auc > 0.8
