"""Claims of the presets on reviews: the textbook program, its variants, and toy reviews."""

from __future__ import annotations

import numpy as np

from rnn_core import data
from rnn_core.data.text import imdb_files
from rnn_core.engine import model as models
from rnn_core.spec import presets
from tests.spec.claims import needs_imdb, proves, trained


@proves(
    "textbook",
    "Embedding(10000, 32), SimpleRNN(32), one sigmoid",
    "500 tokens padded in front, ten epochs, nothing clipped",
    "though unsteadily",  # with the benchmark's row: an epoch can lose five points
    "and",
)
def test_the_textbook_preset_is_the_textbook_program():
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
def test_the_textbook_presets_with_gates_differ_in_their_cell_only():
    """The benchmark proves "the steadier learner": a higher lowest seed of three, and smaller losses in an epoch."""
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
def test_most_reviews_are_followed_by_more_than_200_padded_steps():
    experiment = presets.get("post_padding")
    assert experiment == presets.get("textbook").replace(padding="post", epochs=4)
    assert np.mean(experiment.data.length - data.build(experiment).train.lengths > 200) > 0.5


@proves("toy", "counting good and bad words guesses")
def test_an_lstm_learns_the_toy_reviews_and_counting_fails():
    experiment = presets.get("toy")
    assert data.build(experiment).baselines["counting good and bad words"] < 0.55
    metrics, _ = trained(experiment.replace(epochs=3))
    assert max(metrics) > 0.9
