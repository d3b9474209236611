"""Traces against stock Keras on every kind of model, and refused inputs and layers."""

import numpy as np
import pytest

from rnn_core import build, trace
from rnn_core.spec.experiment import Experiment
from rnn_core.spec.interface import Interface
from tests.referee import SIZE, UNITS, VARIANTS, close, layer_of, model_of, unrolled

X = np.random.default_rng(0).normal(size=(3, 7, SIZE))
MASK = np.array([[0, 0, 1, 1, 1, 1, 1], [1] * 7, [1, 1, 1, 0, 0, 0, 0]], bool)


@pytest.mark.parametrize("mask", [None, MASK], ids=["all", "masked"])
@pytest.mark.parametrize("name", VARIANTS)
def test_states_equal_those_of_an_eager_stock_cell(name, mask):
    layer = layer_of(name, return_sequences=False)
    model = model_of([layer])
    found = trace(model, X, mask)
    _, states, _ = unrolled(layer, X, mask)
    close(found.states, np.stack([np.concatenate(parts, -1) for parts in states], 1), 1e-6)
    close(found.hidden[:, -1], layer(X, mask=mask), 1e-6)
    np.testing.assert_array_equal(found.mask, np.ones((3, 7), bool) if mask is None else mask)
    for gate, values in found.gates.items():
        assert values.shape == (3, 7, UNITS)
        if gate not in ("cell", "candidate"):
            assert np.all((values >= 0) & (values <= 1))
    if mask is None:
        close(found.probability, model(X), 1e-6)
        close(found.running[:, 3], np.log(model(X[:, :4]) / (1 - np.asarray(model(X[:, :4])))), 1e-5)


def test_gates_satisfy_the_cell_equations():
    """LSTM: c = f c' + i g and h = o tanh(c); GRU: h = z h' + (1 - z) h̃."""
    found = trace(model_of([layer_of("lstm", return_sequences=False)]), X)
    gates, memory = found.gates, found.memory
    before = np.concatenate([np.zeros((3, 1, UNITS)), memory[:, :-1]], 1)
    close(gates["forget"] * before + gates["input"] * gates["cell"], memory, 1e-6)
    close(gates["output"] * np.tanh(memory), found.hidden, 1e-6)
    gru = trace(model_of([layer_of("gru", return_sequences=False)]), X)
    before = np.concatenate([np.zeros((3, 1, UNITS)), gru.states[:, :-1]], 1)
    close(gru.gates["update"] * before + (1 - gru.gates["update"]) * gru.gates["candidate"], gru.states, 1e-6)


def test_masked_padding_in_front_or_behind_changes_no_state():
    model = model_of([layer_of("gru", return_sequences=False)], tokens=20)
    words = np.array([[3, 5, 7, 2]])
    plain = trace(model, words)
    before, behind = (trace(model, np.pad(words, [(0, 0), pad])) for pad in ((3, 0), (0, 3)))
    close(before.states[:, -1], plain.states[:, -1], 1e-6)
    close(behind.states[:, -1], plain.states[:, -1], 1e-6)
    assert np.all(before.outputs[:, :3] == 0)  # Keras: zeros before the first real step
    close(behind.outputs[:, 4:], np.repeat(behind.outputs[:, 3:4], 3, 1), 0)  # and repetition of the last
    assert behind.mask.tolist() == [[True] * 4 + [False] * 3]


def test_stacked_bidirectional_and_backward_layers_are_traced():
    import keras

    twice = keras.layers.Bidirectional(layer_of("lstm", size=UNITS), dtype="float64")
    model = model_of([layer_of("gru"), twice, keras.layers.SimpleRNN(UNITS, go_backwards=True, dtype="float64")])
    names = [trace(model, X, layer=n).layer for n in range(4)]
    assert names[1].endswith("/forward")
    assert names[2].endswith("/backward")
    middle = keras.Model(model.inputs[0], twice._inbound_nodes[-1].output_tensors[0])(X)
    close(trace(model, X, layer=1).outputs, np.asarray(middle)[..., :UNITS], 1e-6)
    close(trace(model, X, layer=2).outputs, np.asarray(middle)[..., UNITS:], 1e-6)
    assert trace(model, X, layer=twice.name).layer == names[1]
    assert trace(model, X).layer == names[3]
    close(trace(model, X).probability, model(X), 1e-6)
    assert trace(model, X).running is None  # a backward layer


def test_functional_and_subclassed_models_are_traced():
    """A functional model with two branches, and a subclassed one."""
    import keras

    inputs = keras.Input((None, SIZE), dtype="float64")
    left, right = layer_of("lstm", return_sequences=False), layer_of("gru", return_sequences=False)
    outputs = keras.layers.Dense(2, "softmax", dtype="float64")(keras.layers.concatenate([left(inputs), right(inputs)]))
    model = keras.Model(inputs, outputs)
    found = trace(model, X, layer=left.name)
    close(found.probability, model(X), 1e-6)
    close(found.hidden[:, -1], left(X), 1e-6)
    assert found.running is None  # one branch alone does not give the output

    class Reader(keras.Model):
        def __init__(self):
            super().__init__()
            self.reading = layer_of("gru", return_sequences=False)
            self.answer = keras.layers.Dense(1, "sigmoid", dtype="float64")

        def call(self, x):
            return self.answer(self.reading(x))

    model = Reader()
    expected = np.asarray(model(X))
    close(trace(model, X).probability, expected, 1e-6)
    close(np.asarray(model(X)), expected, 0)  # the model is unchanged


def test_our_models_and_outputs_at_every_step_are_traced():
    model = build(Experiment().replace(cell="gru", units=4), Interface("floats", SIZE, 3, "categorical", per_step=True))
    found = trace(model, X)
    assert found.output.shape == found.running.shape == (3, 7, 3)
    close(found.probability, model.to_keras()(X.astype("float32")), 1e-6)
    assert trace(model, X[:, :1]).states.shape == (3, 1, 4)  # one step


def test_a_fully_masked_sequence_keeps_the_initial_state():
    found = trace(model_of([layer_of("lstm", return_sequences=False)]), X, np.zeros((3, 7), bool))
    assert np.all(found.states == 0)


def test_a_stateful_layer_is_traced_from_its_state_and_left_as_it_was():
    import keras

    gru = keras.layers.GRU(4, stateful=True)
    model = keras.Sequential([keras.Input(batch_shape=(3, 7, SIZE)), gru, keras.layers.Dense(1)])
    model(X)
    before, state = model.get_weights(), gru.states[0].numpy()
    found = trace(model, X)
    np.testing.assert_array_equal(gru.states[0].value, state)
    for weight, old in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, old)
    close(found.output, model(X), 1e-5)


def refused():
    """name → (model, inputs, options, words)"""
    import keras

    words, plain = np.ones((2, 4), int), model_of([layer_of("gru", return_sequences=False)])
    tokens = model_of([layer_of("gru", return_sequences=False)], tokens=20)

    class Odd(keras.layers.SimpleRNNCell):
        pass

    images = keras.Sequential(
        [keras.Input((4, 8, 8, 1)), keras.layers.ConvLSTM2D(2, 3), keras.layers.Flatten(), keras.layers.Dense(1)]
    )
    custom = keras.Sequential([keras.Input((None, SIZE)), keras.layers.RNN(Odd(4)), keras.layers.Dense(1)])
    gelu = keras.Sequential([keras.Input((None, SIZE)), keras.layers.SimpleRNN(4, activation="gelu"), keras.layers.Dense(1)])
    dense = keras.Sequential([keras.Input((SIZE,)), keras.layers.Dense(1)])
    return {
        "empty batch": (plain, X[:0], {}, "at least one sequence"),
        "no steps": (plain, X[:, :0], {}, "at least one step"),
        "ragged": (tokens, [[1, 2], [3]], {}, "ragged"),
        "one sequence": (tokens, [1, 2], {}, r"\(batch, time\)"),
        "width": (plain, X[..., :2], {}, rf"\(batch, time, {SIZE}\)"),
        "token too large": (tokens, words * 20, {}, "between 0 and 19, got 20"),
        "token negative": (tokens, -words, {}, "between 0 and 19, got -1"),
        "token fraction": (tokens, words * 1.5, {}, "whole numbers"),
        "nan": (plain, X * np.nan, {}, "NaN"),
        "infinite": (plain, np.where(X > 0, np.inf, X), {}, "infinity"),
        "text": (plain, [["a"]], {}, "must be numbers"),
        "mask shape": (plain, X, {"mask": MASK[:, 1:]}, r"\(3, 7\)"),
        "layer name": (plain, X, {"layer": "unknown"}, "no recurrent layer is called 'unknown': the model has"),
        "layer number": (plain, X, {"layer": 1}, "between -1 and 0"),
        "no recurrence": (dense, X[:, 0], {}, "no recurrent layer"),
        "custom cell": (custom, X, {}, "Odd, whose equations are not known"),
        "convolution": (images, np.ones((1, 4, 8, 8, 1)), {}, "ConvLSTM"),
        "activation": (gelu, X, {}, "gelu"),
        "no model": (len, X, {}, "expected a Keras model"),
    }


def test_inputs_and_layers_that_do_not_fit_are_refused_with_reasons(subtests):
    for name, (model, inputs, options, words) in refused().items():
        with subtests.test(name), pytest.raises(ValueError, match=words):
            trace(model, inputs, **options)
