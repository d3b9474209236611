"""Presets: each is what its name says, and every word of its claim is proved here, in a benchmark or by a lesson's test."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pytest

from rnn_core import data
from rnn_core.data.series import faults
from rnn_core.data.text import imdb_files
from rnn_core.engine import model as models
from rnn_core.export.keras_program import keras_program
from rnn_core.probes import forecasts
from rnn_core.spec import presets
from rnn_core.spec.experiment import Experiment
from tests.benchmarks.presets import IMDB, MEASURES, ROWS, SIGNS
from tests.conftest import SHARED_IMDB
from tests.studies import test_lessons

PROVED: dict[str, set[str]] = {name: set() for name in presets.presets()}  # preset → words of its claim that something proves
for _row in ROWS + IMDB:
    PROVED[_row.preset].add(_row.proves)
needs_imdb = pytest.mark.skipif(not (SHARED_IMDB / "imdb.npz").exists(), reason="IMDB is not on this machine")


def proves(preset: str, *words: str) -> Callable[[Any], Any]:
    """Says which words of a preset's claim the test below it proves."""
    PROVED[preset].update(words)
    return lambda test: test


# What tests/studies/test_lessons.py proves, by the recorded trainings that its facts quote and by training again.
proves("contractive", "the gradient keeps at most 0.7 of itself at every step back")(test_lessons.test_the_sentence_is_true)
for _name in ("orthogonal", "contractive"):
    proves(_name, "the first of 40 symbols")(test_lessons.test_the_vanilla_pair_trains_as_recorded)
proves("contractive", "is not learned in 800 steps")(test_lessons.test_the_vanilla_pair_trains_as_recorded)
proves("orthogonal", "names the first of 40 symbols more than 98 times in 100")(
    test_lessons.test_the_vanilla_pair_trains_as_recorded
)
proves("closed_gates", "and does not learn the first of 40 symbols in 800 steps")(
    test_lessons.test_the_gate_pair_trains_as_recorded
)
proves("open_gates", "names the first of 40 symbols more than 98 times in 100")(
    test_lessons.test_the_gate_pair_trains_as_recorded
)
proves("runaway", "the first update throws the weights so far that the second loss overflows")(
    test_lessons.test_the_runaway_pair_trains_as_recorded
)
proves("runaway_clipped", "survives, and its error falls to that of guessing the mean")(
    test_lessons.test_the_runaway_pair_trains_as_recorded
)


@pytest.mark.parametrize("preset", presets.presets().values(), ids=lambda preset: preset.name)
def test_every_word_of_the_claim_is_proved_somewhere(preset: presets.Preset):
    left = preset.claim
    for words in sorted(PROVED[preset.name], key=len, reverse=True):
        assert words in preset.claim, "a proof of something that nobody claims"
        left = left.replace(words, "")
    assert not re.search(r"\w", left), f"nothing proves: {left}"


def test_an_unknown_preset_is_refused():
    with pytest.raises(ValueError, match=r"preset must be one of toy, textbook, .*, got 'best'"):
        presets.get("best")


def test_the_benchmark_can_read_its_rows():
    for row in ROWS + IMDB:
        assert row.measure in MEASURES
        assert row.sign in SIGNS
        presets.get(row.preset).replace(**row.changes)
        if isinstance(row.bound, str) and row.bound not in presets.presets():
            assert row.bound.split(" ", 1)[1] in data.build(presets.get(row.preset)).baselines


@pytest.mark.parametrize("name", list(presets.presets()))
def test_preset_is_complete(name):
    preset = presets.presets()[name]
    assert preset.title
    assert preset.claim.endswith(".")
    assert data.interface(preset.experiment).outputs >= 1
    assert Experiment.from_query(preset.experiment.to_query()) == preset.experiment
    assert len(urlencode(preset.experiment.to_query())) < 200
    compile(keras_program(preset.experiment), name, "exec")


@proves(
    "textbook",
    "Embedding(10000, 32), SimpleRNN(32), one sigmoid",
    "500 tokens padded in front, ten epochs, nothing clipped",
    "though unsteadily",  # with the benchmark's row: an epoch can lose five points
    "and",
)
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


@proves(
    "textbook_lstm", "The same program with LSTM(32)", "four times the recurrent parameters", "and the steadier learner", "and"
)
@proves("textbook_gru", "The same program with GRU(32)", "three times the recurrent weights, and a second bias")
def test_the_textbook_with_gates_has_more_to_learn_and_differs_in_nothing_else():
    """The steadier learner: the lowest of its three seeds is higher, and no epoch loses as much (benchmark)."""
    experiment = presets.get("textbook")
    layer = {}
    for cell in ("simple_rnn", "lstm", "gru"):
        assert presets.get("textbook" if cell == "simple_rnn" else f"textbook_{cell}") == experiment.replace(cell=cell)
        built = models.build(experiment.replace(cell=cell), data.interface(experiment))
        layer[cell] = built.weights[1:4]  # kernel, recurrent kernel, bias
    sizes = {cell: [weight.size for weight in weights] for cell, weights in layer.items()}
    assert sizes["lstm"] == [4 * size for size in sizes["simple_rnn"]]
    assert sizes["gru"][:2] == [3 * size for size in sizes["simple_rnn"][:2]]
    assert sizes["gru"][2] == 2 * 3 * sizes["simple_rnn"][2]


@needs_imdb
@proves(
    "imdb_rnn",
    "Similar lengths share a batch and padding is skipped: less than half of the textbook's time steps",
    "The gradient's norm is clipped at 1: with that",
)
@proves("imdb_lstm", "The LSTM without padding, clipped like the vanilla RNN: less than half of the textbook's time steps")
@proves("imdb_gru", "The GRU without padding, clipped like the vanilla RNN: less than half of the textbook's time steps")
def test_bucketed_presets_take_less_than_half_of_the_time_steps():
    imdb_files._reviews.cache_clear()
    experiment = presets.get("imdb_rnn")
    assert experiment == presets.get("textbook").replace(padding="bucket", mask=True, clip=1.0, epochs=5)
    dataset = data.build(experiment)
    shapes = [batch.inputs.shape for batch in data.batches(dataset.train, 64, np.random.default_rng(0))]
    assert sum(size * steps for size, steps in shapes) < 0.5 * 500 * len(dataset.train)
    assert len({steps for _, steps in shapes}) > 3, "batches of several lengths"
    for cell in ("lstm", "gru"):
        assert presets.get(f"imdb_{cell}") == experiment.replace(cell=cell)


@needs_imdb
@proves(
    "post_padding", "The same vanilla RNN, padded behind instead of in front,", "most reviews end in more than 200 empty steps"
)
def test_behind_most_reviews_lie_more_than_200_empty_steps():
    experiment = presets.get("post_padding")
    assert experiment == presets.get("textbook").replace(padding="post", epochs=4)
    assert np.mean(experiment.data.length - data.build(experiment).train.lengths > 200) > 0.5


def trained(experiment: Experiment) -> tuple[list[float], models.Model]:
    """Validation metric after each epoch, and the model at the end; the metric stops it early where a target is set."""
    from rnn_core.training.loop import train

    metrics, snapshot = [], None
    for snapshot in train(experiment):
        if np.isfinite(snapshot.validation_metric):
            metrics.append(snapshot.validation_metric)
    assert snapshot is not None
    return metrics, snapshot.run.model


@proves("toy", "counting good and bad words guesses")
def test_toy_reviews_are_learned_where_counting_fails():
    experiment = presets.get("toy")
    assert data.build(experiment).baselines["counting good and bad words"] < 0.55
    metrics, _ = trained(experiment.replace(epochs=3))
    assert max(metrics) > 0.9


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
def test_the_linear_rival_is_the_least_squares_fit(name):
    """A referee's fit on the same windows: the last 32 numbers of each, all inputs together, and a constant."""
    dataset = data.build(presets.get(name))

    def windows(part: data.Sequences) -> tuple[np.ndarray, np.ndarray]:
        batch = part.pad(np.arange(len(part)))
        order = 32 // batch.inputs.shape[2]
        taps = batch.inputs[:, -order:].reshape(len(part), -1).astype(np.float64)
        return np.concatenate([taps, np.ones((len(part), 1))], 1), batch.targets.reshape(len(part), -1)

    weights = np.linalg.lstsq(*windows(dataset.train), rcond=None)[0]
    read, asked = windows(dataset.validation)
    assert dataset.baselines["linear autoregression"] == pytest.approx(np.sqrt(np.mean((read @ weights - asked) ** 2)), rel=0.02)


@proves("anomalies", "none of which it saw in training")
def test_faults_are_planted_in_the_test_part_alone():
    experiment = presets.get("anomalies")
    planted, clean = data.build(experiment), data.build(experiment.replace(anomalies="none"))
    assert planted.series.faults.any()
    assert np.array_equal(planted.train.values, clean.train.values)
    assert np.array_equal(planted.validation.values, clean.validation.values)


@proves("anomalies", "The forecast's error finds at least four of five planted spikes, level shifts and changes of frequency")
def test_forecast_errors_find_planted_faults():
    experiment = presets.get("anomalies")
    assert experiment.data.anomalies == "mixed"
    assert faults.KINDS == ("spikes", "level_shifts", "frequency_changes"), "mixed plants them by turns"
    _, model = trained(experiment.replace(epochs=8))
    found = forecasts.anomalies_of_experiment(experiment, model).detection
    assert found.faults >= 5
    assert found.recall >= 0.8
    assert found.auc > 0.8


@proves("adding_200", "Twice as far")
@proves("temporal_order_100", "With gates that start open (bias 3)")
def test_memory_contests_are_as_long_as_they_say():
    near, far, order = (presets.get(name) for name in ("adding_100", "adding_200", "temporal_order_100"))
    assert (near.data.length, far.data.length, order.data.length) == (100, 200, 100)
    assert order.model.gate_bias == 3
    assert far == near.replace(length=200, epochs=25)


def test_an_open_forget_gate_remembers_at_once_and_the_default_does_not():
    experiment = presets.get("gate_bias")
    assert max(trained(experiment.replace(epochs=1))[0]) >= 0.995
    assert max(trained(experiment.replace(epochs=2, gate_bias=None))[0]) < 0.6


@proves(
    "gain_vanish",
    "Recurrent gain 0.5: at the start of training the gradient loses at least half at every step back",
    "over 50 steps nothing is left of it",
)
@proves(
    "gain_explode",
    "A linear RNN with recurrent gain 1.2 multiplies the gradient by 1.2 at every step back: 7,600 times over 50 steps, before training",
)
@pytest.mark.parametrize("name", ["gain_vanish", "gain_explode"])
def test_gradients_shrink_or_grow_by_the_gain(name):
    from rnn_core.probes.gradients.state_gradients import state_gradients

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


@proves("contractive", "Recurrent gain 0.7", "and")
@proves("orthogonal", "The same vanilla RNN with Keras's own orthogonal start (gain 1)")
@proves("open_gates", "With an update-gate bias of 2 the same GRU")
@proves("runaway", "A linear RNN with recurrent gain 1.1")
@proves("runaway_clipped", "The same run with the gradient's norm clipped at 1")
def test_lessons_come_in_pairs_that_differ_in_one_number():
    contractive, orthogonal, closed, opened, runaway, clipped = (preset.experiment for preset in presets._LESSONS)
    assert orthogonal.replace(gain=0.7) == contractive
    assert (orthogonal.model.cell, orthogonal.model.gain, orthogonal.model.initialiser) == ("simple_rnn", 1, "orthogonal")
    assert closed.replace(gate_bias=2.0) == opened
    assert runaway.replace(clip=1.0) == clipped
    assert (runaway.model.cell, runaway.model.activation, runaway.model.gain) == ("simple_rnn", "linear", 1.1)


@proves("closed_gates", "Keras's default GRU starts with its update gate at one half on average,")
def test_a_default_gru_starts_half_closed():
    from rnn_core.probes.states.traces import trace

    experiment = presets.get("closed_gates")
    assert experiment.model == dataclasses.replace(Experiment().model, cell="gru")
    dataset = data.build(experiment)
    read = trace(models.build(experiment, dataset.interface), dataset.train.pad(np.arange(32)).inputs)
    assert read.gates["update"].mean() == pytest.approx(0.5, abs=0.03)


def test_presets_cannot_be_changed_by_those_who_use_them():
    with pytest.raises(dataclasses.FrozenInstanceError):
        presets.get("toy").seed = 3
