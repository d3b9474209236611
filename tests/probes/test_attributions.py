"""Attributions: the properties of each method, on networks with a known result."""

import numpy as np
import pytest

from rnn_core import attributions, build, trace
from rnn_core.probes.sentence.attributions import METHODS
from rnn_core.spec.experiment import Experiment
from rnn_core.spec.interface import Interface
from tests.referee import SIZE, close, layer_of, model_of

X = np.random.default_rng(0).normal(size=(2, 12, SIZE))
WORDS = np.array([[0, 0, 3, 4, 5, 6], [7, 8, 9, 1, 2, 3]])


def reader(name="rnn_tanh", seed=0, tokens=0):
    return model_of([layer_of(name, seed, return_sequences=False)], tokens=tokens)


def test_gradients_equal_those_of_the_tape():
    import tensorflow as tf

    model, x = reader("gru"), tf.constant(X)
    kernel, bias = model.layers[-1].get_weights()
    with tf.GradientTape() as tape:
        tape.watch(x)
        logit = model.layers[0](x) @ kernel + bias
    gradient = np.asarray(tape.gradient(logit, x))
    close(attributions(model, X, "gradient_norm").values, np.linalg.norm(gradient, axis=-1), 1e-12)
    found = attributions(model, X, "gradient_times_input")
    close(found.values, np.sum(X * gradient, -1), 1e-12)
    close(found.answer, logit[:, 0], 1e-12)


@pytest.mark.parametrize("method", ["gradient_times_input", "integrated_gradients"])
def test_attributions_of_a_linear_network_are_complete(method):
    layer = layer_of("rnn_linear", return_sequences=False)
    kernel, recurrent, _ = layer.get_weights()
    layer.set_weights([kernel, 0.5 * recurrent, np.zeros(5)])
    model = model_of([layer], activation=None)
    found = attributions(model, X, method, steps=3)
    close(
        found.values.sum(1), found.answer - model.layers[-1].get_weights()[1], 1e-10
    )  # the output for zero inputs is the bias of the head


def test_the_gap_of_integrated_gradients_falls_with_the_square_of_the_steps():
    coarse, fine = (attributions(reader(), 0.3 * X, steps=steps).gap.max() for steps in (10, 20))
    assert coarse / fine == pytest.approx(4, abs=1)
    found = attributions(reader(), X, steps=80)
    close(found.values.sum(1) - (found.answer - found.reference), np.zeros(2), 1e-3)
    close(found.reference, trace(reader(), 0 * X).output[:, 0], 1e-6)


@pytest.mark.parametrize("name", ["lstm", "gru", "gru_before"])
def test_gaps_are_small_for_gated_cells(name):
    found = attributions(reader(name), X, steps=100)
    assert np.all(found.gap <= 1e-3 * np.maximum(1, np.abs(found.answer - found.reference)))


def test_integrated_gradients_are_linear_in_the_output():
    layer = layer_of("gru", return_sequences=False)
    model = model_of([layer], outputs=3, activation=None)
    kernel, bias = model.layers[-1].get_weights()
    kernel[:, 2], bias[2] = kernel[:, 0] + kernel[:, 1], bias[0] + bias[1]
    model.layers[-1].set_weights([kernel, bias])
    first, second, both = (attributions(model, X, output=n, steps=7).values for n in range(3))
    close(first + second, both, 1e-10)


@pytest.mark.parametrize("method", METHODS)
def test_masked_steps_get_exactly_zero(method):
    """Padding of a token model, and a given mask on numbers; other steps are as without padding."""
    model = reader("lstm", tokens=20)
    found = attributions(model, WORDS, method)
    assert found.values[0, :2].tolist() == [0, 0]
    close(found.values[:1, 2:], attributions(model, WORDS[:1, 2:], method).values, 1e-9)
    mask = np.ones((2, 12), bool)
    mask[:, 3] = False
    assert np.all(attributions(reader(), X, method, mask=mask).values[:, 3] == 0)


def test_leaving_a_step_out_equals_deleting_it():
    """The same as the sequence without the step."""
    model = reader("gru", tokens=20)
    found = attributions(model, WORDS, "leave_one_out")
    without = trace(model, np.delete(WORDS[1:], 2, axis=1)).output[0, 0]
    assert found.values[1, 2] == pytest.approx(found.answer[1] - without, abs=1e-6)
    assert "masked" in found.variant


def test_other_weights_give_other_attributions():
    first, second = (attributions(reader(seed=seed), X).values for seed in (0, 1))
    assert np.abs(first - second).max() > 0.05


def test_stacked_bidirectional_models_of_ours_have_attributions():
    model = build(
        Experiment().replace(cell="lstm", units=4, embedding=3, layers=2, bidirectional=True),
        Interface("tokens", 20, 3, "categorical"),
    )
    for method in METHODS:
        found = attributions(model, WORDS, method)
        close(found.answer, trace(model, WORDS).output.max(-1), 1e-5)
        assert found.values.shape == (2, 6)
    assert np.all(attributions(model, WORDS).gap < 1e-3)
    assert attributions(model, WORDS[:, 5:]).values.shape == (2, 1)


def test_the_model_is_unchanged_afterwards():
    model = reader("gru", tokens=20)
    before = np.asarray(model(WORDS))
    for method in METHODS:
        attributions(model, WORDS, method)
    np.testing.assert_array_equal(model(WORDS), before)


def test_bad_arguments_are_refused():
    import keras

    inputs = keras.Input((None,), dtype="int32")
    tables = [keras.layers.Embedding(20, 3)(inputs) for _ in range(2)]
    two = keras.Model(inputs, keras.layers.Dense(1)(keras.layers.GRU(4)(keras.layers.add(tables))))
    for model, given, options, words in (
        (reader(), X, {"method": "magic"}, "must be one of"),
        (reader(), X, {"steps": 0}, "at least 1"),
        (reader(), X, {"output": 1}, "between 0 and 0"),
        (reader(tokens=20), WORDS * 5, {}, "between 0 and 19"),
        (two, WORDS, {}, "exactly one Embedding layer that reads the tokens, the model has 2"),
    ):
        with pytest.raises(ValueError, match=words):
            attributions(model, given, **options)


def test_an_id_embedded_inside_counts_as_its_vector_beside_the_other_numbers():
    """Equal to the model that gets the vectors themselves."""
    import keras

    given, table = keras.Input((None, 3)), keras.layers.Embedding(9, 2)
    layer, head = keras.layers.LSTM(4), keras.layers.Dense(1)
    first = keras.ops.cast(given[..., 0], "int32")
    inside = keras.Model(given, head(layer(keras.ops.concatenate([table(first), given[..., 1:]], -1))))
    plain = keras.Sequential([keras.Input((None, 4)), layer, head])
    rng = np.random.default_rng(0)
    for weight in inside.weights:
        weight.assign(rng.normal(0, 0.5, weight.shape))
    inputs = rng.normal(size=(2, 6, 3)).astype("float32")
    inputs[..., 0] = rng.integers(0, 9, (2, 6))
    vectors = np.concatenate([np.asarray(table(inputs[..., 0].astype("int32"))), inputs[..., 1:]], -1)
    for method in METHODS:
        close(attributions(inside, inputs, method).values, attributions(plain, vectors, method).values, 1e-6)


def test_an_embedding_whose_vectors_do_not_reach_the_layer_step_by_step_is_refused():
    import keras

    given, table = keras.Input((6, 2)), keras.layers.Embedding(9, 2)
    mean = keras.ops.mean(table(keras.ops.cast(given[..., 0], "int32")), axis=1, keepdims=True)
    model = keras.Model(given, keras.layers.Dense(1)(keras.layers.GRU(4)(given + mean)))
    inputs = np.random.default_rng(0).integers(0, 9, (2, 6, 2)).astype("float32")
    with pytest.raises(ValueError, match="Embedding layer inside"):
        attributions(model, inputs)
