"""Models as plain numbers: the same start as Keras, to Keras and back, and no TensorFlow until it is needed."""

import dataclasses
import pickle
import random
import subprocess
import sys
import threading

import numpy as np
import pytest

from rnn_core.engine import model as models
from rnn_core.engine.model import build, from_keras, skeleton
from rnn_core.spec.experiment import Experiment
from rnn_core.spec.interface import Interface
from rnn_core.store.saved import weight_shapes

TOKENS = Interface("tokens", 50, 1, "binary")
FLOATS = Interface("floats", 3, 4, "categorical", per_step=True)
SPECS = [
    {"cell": "simple_rnn", "initialiser": "glorot_uniform"},
    {"cell": "simple_rnn", "initialiser": "identity", "activation": "relu", "use_bias": False},
    {"cell": "lstm", "layers": 2, "bidirectional": True},
    {"cell": "gru", "reset_after": False, "layers": 2},
    {"cell": "gru", "initialiser": "random_normal", "bidirectional": True, "use_bias": False},
]


def experiment(**changes):
    return Experiment().replace(**{"units": 6, "embedding": 4, "seed": 3, **changes})


@pytest.mark.parametrize("interface", [TOKENS, FLOATS], ids=["tokens", "floats"])
@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: "-".join(map(str, spec.values())))
def test_starts_as_keras_starts_after_its_seed(spec, interface):
    import keras

    model = build(experiment(**spec), interface)
    keras.utils.set_random_seed(3)
    expected = skeleton(model.spec, interface, model.mask).get_weights()
    assert weight_shapes(model.spec, interface) == [weight.shape for weight in expected]
    for found, wanted in zip(model.weights, expected, strict=True):
        np.testing.assert_array_equal(found, wanted)
    assert model.parameters == sum(weight.size for weight in expected)


def test_the_first_network_of_a_process_starts_like_every_other():
    """Importing Keras draws from `random`: it must not come between the seed and the weights."""
    program = (
        "import sys; from tests.engine.test_model import *\n"
        "assert 'keras' not in sys.modules\n"
        "print(sum(float(weight.astype('float64').sum()) for weight in build(experiment(), TOKENS).weights).hex())"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    here = sum(float(weight.astype("float64").sum()) for weight in build(experiment(), TOKENS).weights)
    assert done.stdout.strip() == here.hex(), done.stderr


def test_what_other_threads_draw_meanwhile_changes_no_weight():
    """A worker's event loop draws from Python's generator whenever it likes; a run must start the same nevertheless."""
    expected, over = build(experiment(), TOKENS).weights, threading.Event()

    def draw() -> None:
        while not over.is_set():
            random.random()

    others = [threading.Thread(target=draw) for _ in range(2)]
    for other in others:
        other.start()
    try:
        for _ in range(5):
            models._drawn.cache_clear()
            for found, wanted in zip(build(experiment(), TOKENS).weights, expected, strict=True):
                np.testing.assert_array_equal(found, wanted)
    finally:
        over.set()
        for other in others:
            other.join()


def test_building_leaves_other_randomness_alone():
    random.seed(1)
    expected = [random.random(), random.random()]
    random.seed(1)
    first = random.random()
    build(experiment(seed=77), TOKENS)
    assert [first, random.random()] == expected


def test_gain_and_gate_bias():
    plain, changed = build(experiment(cell="lstm"), TOKENS), build(experiment(cell="lstm", gain=0.5, gate_bias=3.0), TOKENS)
    np.testing.assert_array_equal(changed.recurrent[0][1], plain.recurrent[0][1] * np.float32(0.5))
    assert plain.recurrent[0][2].tolist() == [0.0] * 6 + [1.0] * 6 + [0.0] * 12
    assert changed.recurrent[0][2].tolist() == [0.0] * 6 + [3.0] * 6 + [0.0] * 12
    gru = build(experiment(cell="gru", gate_bias=2.0), TOKENS)
    assert gru.recurrent[0][2].tolist() == [[2.0] * 6 + [0.0] * 12, [0.0] * 18]
    orthogonal = build(experiment(gain=1.5), TOKENS).recurrent[0][1]
    np.testing.assert_allclose(np.linalg.svd(orthogonal, compute_uv=False), 1.5, rtol=1e-5)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # raised inside Keras's own saving
def test_saved_as_keras_it_predicts_the_same(tmp_path):
    import keras

    from rnn_core.training.step import Stepper

    model = build(experiment(cell="gru", layers=2), TOKENS)
    network = model.to_keras()
    inputs = np.random.default_rng(0).integers(1, 50, (4, 9))
    inputs[0, :3] = 0
    network.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    expected = network.predict(inputs, verbose=0)
    np.testing.assert_array_equal(loaded.predict(inputs, verbose=0), expected)
    found = Stepper(model, experiment().training).predict(inputs, inputs != 0)
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("interface", [TOKENS, FLOATS], ids=["tokens", "floats"])
@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: "-".join(map(str, spec.values())))
def test_back_from_keras(spec, interface):
    model = build(experiment(**spec), interface)
    again = from_keras(model.to_keras())
    plain = {"initialiser": "orthogonal", "gain": 1.0}
    assert dataclasses.replace(again.spec, **plain) == dataclasses.replace(model.spec, **plain, embedding=again.spec.embedding)
    assert (again.interface, again.mask) == (interface, model.mask)
    for found, wanted in zip(again.weights, model.weights, strict=True):
        np.testing.assert_array_equal(found, wanted)


def test_what_is_no_model_of_ours_is_refused():
    import keras

    conv = keras.Sequential([keras.Input((None, 3)), keras.layers.Conv1D(4, 3), keras.layers.LSTM(4), keras.layers.Dense(1)])
    mixed = keras.Sequential(
        [keras.Input((None, 3)), keras.layers.GRU(4, return_sequences=True), keras.layers.LSTM(4), keras.layers.Dense(1)]
    )
    for network, words in ((conv, "Conv1D"), (mixed, "alike")):
        with pytest.raises(ValueError, match=words):
            from_keras(network)


def test_weights_of_the_wrong_shape_are_refused():
    model = build(experiment(), TOKENS)
    with pytest.raises(ValueError, match="expected weights of shapes"):
        model.with_weights(model.weights[:-1])


def test_a_model_travels_without_tensorflow():
    """Pickled here, opened in a process that has not loaded TensorFlow and does not load it for that."""
    data = pickle.dumps(build(experiment(), TOKENS))
    code = "import sys, pickle, rnn_core; m = pickle.loads(bytes.fromhex(sys.argv[1])); print(m.parameters, 'tensorflow' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code, data.hex()], capture_output=True, text=True, check=True)
    assert found.stdout.split() == [str(build(experiment(), TOKENS).parameters), "False"]
