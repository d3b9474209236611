"""Presets: each is what its name says, and its claim is proved here or in a benchmark (tests/benchmarks/presets.py)."""

from __future__ import annotations

import dataclasses
from urllib.parse import urlencode

import numpy as np
import pytest

from rnn_core import data, models, presets
from rnn_core.data import imdb_files
from rnn_core.experiment import Experiment
from rnn_core.probes import forecasts
from tests.conftest import SHARED_IMDB

HERE = {
    *("toy", "textbook", "imdb_rnn", "imdb_lstm", "imdb_gru", "sine", "mackey_glass", "lorenz"),
    *("anomalies", "gate_bias", "gain_vanish", "gain_explode"),
}  # claims proved in this file
BENCHMARKED = {"textbook_lstm", "textbook_gru", "post_padding", "adding_100", "adding_200", "temporal_order_100"}
LESSONS = {preset.name for preset in presets._LESSONS}  # proved in tests/test_lessons.py


def test_every_claim_is_proved_somewhere():
    assert set(presets.presets()) == HERE | BENCHMARKED | LESSONS
    with pytest.raises(ValueError, match=r"preset must be one of toy, textbook, .*, got 'best'"):
        presets.get("best")


@pytest.mark.parametrize("name", list(presets.presets()))
def test_preset_is_complete(name):
    preset = presets.presets()[name]
    assert preset.title
    assert preset.claim.endswith(".")
    assert data.interface(preset.experiment).outputs >= 1
    assert Experiment.from_query(preset.experiment.to_query()) == preset.experiment
    assert len(urlencode(preset.experiment.to_query())) < 200
    compile(preset.experiment.to_keras_script(), name, "exec")


def test_textbook_is_the_textbook_program():
    experiment = presets.get("textbook")
    spec, model, training = experiment.data, experiment.model, experiment.training
    assert (spec.task, spec.vocabulary, spec.length, spec.padding, spec.mask, spec.validation) == (
        "imdb",
        10_000,
        500,
        "pre",
        False,
        0.2,
    )
    assert (model.cell, model.units, model.layers, model.embedding, model.bidirectional) == ("simple_rnn", 32, 1, 32, False)
    assert (training.optimiser, training.learning_rate, training.batch, training.epochs, training.clip) == (
        "adam",
        0.001,
        64,
        10,
        0,
    )
    parameters = models.build(experiment, data.interface(experiment)).parameters
    assert parameters == 10_000 * 32 + 32 * (32 + 32 + 1) + 33
    for cell in ("lstm", "gru"):
        assert presets.get(f"textbook_{cell}") == experiment.replace(cell=cell)


@pytest.mark.skipif(not (SHARED_IMDB / "imdb.npz").exists(), reason="IMDB is not on this machine")
def test_bucketed_presets_take_less_than_half_of_the_time_steps():
    imdb_files._reviews.cache_clear()
    dataset = data.build(presets.get("imdb_rnn"))
    steps = sum(batch.inputs.size for batch in data.batches(dataset.train, 64, np.random.default_rng(0)))
    assert steps < 0.5 * 500 * len(dataset.train)
    for cell in ("lstm", "gru"):
        assert presets.get(f"imdb_{cell}") == presets.get("imdb_rnn").replace(cell=cell)


def trained(experiment: Experiment) -> tuple[list[float], models.Model]:
    """Validation metric after each epoch, and the model at the end; the metric stops it early where a target is set."""
    from rnn_core.training import train

    metrics, snapshot = [], None
    for snapshot in train(experiment):
        if np.isfinite(snapshot.validation_metric):
            metrics.append(snapshot.validation_metric)
    assert snapshot is not None
    return metrics, snapshot.run.model


def test_toy_reviews_are_learned_where_counting_fails():
    experiment = presets.get("toy")
    assert data.build(experiment).baselines["counting good and bad words"] < 0.55
    metrics, _ = trained(experiment.replace(epochs=3))
    assert max(metrics) > 0.9


def test_a_vanilla_rnn_beats_the_last_period():
    experiment = presets.get("sine")
    metrics, _ = trained(experiment.replace(epochs=4))
    assert min(metrics) < data.build(experiment).baselines["last period"] * 0.95


@pytest.mark.parametrize(("name", "share", "epochs"), [("mackey_glass", 0.5, 9), ("lorenz", 1 / 3, 9)])
def test_a_gru_beats_linear_autoregression(name, share, epochs):
    experiment = presets.get(name)
    metrics, _ = trained(experiment.replace(epochs=epochs))
    assert min(metrics) < share * data.build(experiment).baselines["linear autoregression"]


def test_forecast_errors_find_planted_faults():
    experiment = presets.get("anomalies")
    _, model = trained(experiment.replace(epochs=8))
    found = forecasts.anomalies_of_experiment(experiment, model).detection
    assert found.faults >= 5
    assert found.recall >= 0.8
    assert found.auc > 0.8


def test_an_open_forget_gate_remembers_at_once_and_the_default_does_not():
    experiment = presets.get("gate_bias")
    assert max(trained(experiment.replace(epochs=1))[0]) >= 0.995
    assert max(trained(experiment.replace(epochs=2, gate_bias=None))[0]) < 0.6


@pytest.mark.parametrize("name", ["gain_vanish", "gain_explode"])
def test_gradients_shrink_or_grow_by_the_gain(name):
    from rnn_core.probes.gradients import state_gradients

    experiment = presets.get(name)
    dataset = data.build(experiment.replace(samples=20))
    norms = state_gradients(
        models.build(experiment, dataset.interface), dataset.train.pad(np.arange(16)).inputs, of="output"
    ).norms
    steps = norms[:, :-1] / norms[:, 1:]  # the factor of one step back
    if name == "gain_vanish":
        assert (steps <= 0.5 * (1 + 1e-5)).all()
        assert (norms[:, 0] < 1e-14 * norms[:, -1]).all()
    else:
        np.testing.assert_allclose(steps, 1.2, rtol=1e-5)
        np.testing.assert_allclose(norms[:, 0] / norms[:, -1], 1.2**49, rtol=1e-4)
        assert round(1.2**49, -2) == 7600


def test_presets_cannot_be_changed_by_those_who_use_them():
    with pytest.raises(dataclasses.FrozenInstanceError):
        presets.get("toy").seed = 3
