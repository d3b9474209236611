"""To and from stock Keras layers: the same initial weights as Keras, the same predictions, and back without loss."""

import dataclasses
import random
import threading

import numpy as np
import pytest

from rnn_core.engine import keras_models
from rnn_core.engine.keras_models import new_keras_model
from rnn_core.engine.model import build, from_keras
from rnn_core.spec.interface import Interface
from rnn_core.store.saved import weight_shapes
from tests.engine.test_model import TOKENS, experiment

FLOATS = Interface("floats", 3, 4, "categorical", per_step=True)
SPECS = [
    {"cell": "simple_rnn", "initialiser": "glorot_uniform"},
    {"cell": "simple_rnn", "initialiser": "identity", "activation": "relu", "use_bias": False},
    {"cell": "lstm", "layers": 2, "bidirectional": True},
    {"cell": "gru", "reset_after": False, "layers": 2},
    {"cell": "gru", "initialiser": "random_normal", "bidirectional": True, "use_bias": False},
]


@pytest.mark.parametrize("interface", [TOKENS, FLOATS], ids=["tokens", "floats"])
@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: "-".join(map(str, spec.values())))
def test_initial_weights_are_those_of_keras_after_its_seed(spec, interface):
    import keras

    model = build(experiment(**spec), interface)
    keras.utils.set_random_seed(3)
    expected = new_keras_model(model.spec, interface, model.mask).get_weights()
    assert weight_shapes(model.spec, interface) == [weight.shape for weight in expected]
    for found, wanted in zip(model.weights, expected, strict=True):
        np.testing.assert_array_equal(found, wanted)
    assert model.parameters == sum(weight.size for weight in expected)


def test_other_threads_that_draw_random_numbers_change_no_initial_weight():
    """A worker's event loop draws from Python's generator at any time."""
    expected, over = build(experiment(), TOKENS).weights, threading.Event()

    def draw() -> None:
        while not over.is_set():
            random.random()

    others = [threading.Thread(target=draw) for _ in range(2)]
    for other in others:
        other.start()
    try:
        for _ in range(5):
            keras_models.initial_weights.cache_clear()
            for found, wanted in zip(build(experiment(), TOKENS).weights, expected, strict=True):
                np.testing.assert_array_equal(found, wanted)
    finally:
        over.set()
        for other in others:
            other.join()


def test_building_a_network_leaves_the_module_random_unchanged():
    random.seed(1)
    expected = [random.random(), random.random()]
    random.seed(1)
    first = random.random()
    build(experiment(seed=77), TOKENS)
    assert [first, random.random()] == expected


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # raised inside Keras's own saving
def test_a_saved_keras_file_predicts_the_same(tmp_path):
    import keras

    from rnn_core.training.step import TrainingStep

    model = build(experiment(cell="gru", layers=2), TOKENS)
    network = model.to_keras()
    inputs = np.random.default_rng(0).integers(1, 50, (4, 9))
    inputs[0, :3] = 0
    network.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    expected = network.predict(inputs, verbose=0)
    np.testing.assert_array_equal(loaded.predict(inputs, verbose=0), expected)
    found = TrainingStep(model, experiment().training).predict(inputs, inputs != 0)
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("interface", [TOKENS, FLOATS], ids=["tokens", "floats"])
@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: "-".join(map(str, spec.values())))
def test_to_keras_and_back_gives_the_same_model(spec, interface):
    model = build(experiment(**spec), interface)
    again = from_keras(model.to_keras())
    plain = {"initialiser": "orthogonal", "gain": 1.0}
    assert dataclasses.replace(again.spec, **plain) == dataclasses.replace(model.spec, **plain, embedding=again.spec.embedding)
    assert (again.interface, again.mask) == (interface, model.mask)
    for found, wanted in zip(again.weights, model.weights, strict=True):
        np.testing.assert_array_equal(found, wanted)


def test_keras_models_of_another_structure_are_refused():
    import keras

    conv = keras.Sequential([keras.Input((None, 3)), keras.layers.Conv1D(4, 3), keras.layers.LSTM(4), keras.layers.Dense(1)])
    mixed = keras.Sequential(
        [keras.Input((None, 3)), keras.layers.GRU(4, return_sequences=True), keras.layers.LSTM(4), keras.layers.Dense(1)]
    )
    for network, words in ((conv, "Conv1D"), (mixed, "alike")):
        with pytest.raises(ValueError, match=words):
            from_keras(network)


def test_models_that_answer_alike_are_copied_exactly():
    """A slice of the last state, halves added up or averaged (also below another layer), dropout: the copy answers the same."""
    import keras

    L, given = keras.layers, keras.Input((None, 3))
    words = keras.Input((None,), dtype="int32")
    two = [L.Bidirectional(L.LSTM(4, return_sequences=last < 1), merge_mode="ave") for last in range(2)]
    for inputs, output in (
        (given, L.Dense(1)(L.GRU(5, return_sequences=True)(given)[:, -1])),
        (given, L.Dense(2, "softmax")(L.Bidirectional(L.GRU(5), merge_mode="sum")(given))),
        (given, L.Dense(1)(L.Dropout(0.5)(two[1](two[0](given))))),
        (words, L.Dense(1, "sigmoid")(L.LSTM(4, return_sequences=True)(L.Embedding(9, 3, mask_zero=True)(words))[:, -1])),
    ):
        network = keras.Model(inputs, output)
        rng = np.random.default_rng(0)
        for weight in network.weights:
            weight.assign(rng.normal(0, 0.5, weight.shape))
        x = rng.normal(size=(3, 9, 3)) if inputs is given else rng.integers(0, 9, (3, 9)) * (np.arange(9) < 6)
        np.testing.assert_allclose(from_keras(network).to_keras()(x), network(x), atol=1e-5)
    for network, words in (
        (keras.Model(given, L.Dense(1)(L.GRU(5, return_sequences=True)(given)[:, -2])), "answers otherwise"),
        (keras.Model(given, L.Dense(1)(L.GRU(5, go_backwards=True)(given))), "answers otherwise"),
        (keras.Model(given, L.Dense(1)(L.Bidirectional(L.GRU(5), merge_mode="mul")(given))), "merge mode"),
        (keras.Model(given, [L.Dense(1)(L.GRU(5)(given))] * 2), "one output"),
        (keras.Sequential([keras.Input(batch_shape=(3, 5, 3)), L.GRU(5, stateful=True), L.Dense(1)]), "stateful"),
    ):
        with pytest.raises(ValueError, match=words):
            from_keras(network)
