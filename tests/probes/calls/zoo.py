"""Models that people build with Keras, one of every kind, small, with what each probe must say where it cannot answer.

`KINDS` maps a name to a function that builds the model. Weights are drawn, biases included. What is not in `refused` must be
right to `tolerance`; what is in it must be refused in a sentence that the expression finds.

Shapes: B 3 examples, T 5 steps, D 2 inputs, H 3 units.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np

from tests.probes.calls import zoo_losses

L, ops = keras.layers, keras.ops
PROBES = ("trace", "gradients", "loss", "jacobians", "attributions", "leave_one_out")
MANY, OTHER, BATCH, AXES = "has several outputs", "leaving a step out needs", "batch size", "attributions need one vector"
X = np.random.default_rng(1).normal(size=(3, 5, 2)).astype("float32")
PART = X * np.array([[1, 1, 1, 0, 0], [0, 1, 0, 1, 1], [1, 1, 1, 1, 1]], "float32")[..., None]
PADDED = X * np.array([[1, 1, 1, 0, 0], [0, 1, 0, 1, 1], [0, 0, 0, 0, 0]], "float32")[..., None]  # behind, holes, nothing else
WORDS = np.array([[3, 1, 4, 0, 0], [0, 2, 0, 6, 5], [7, 1, 2, 3, 4]], "int32")


@dataclass(eq=False)
class Kind:
    """One model, and what to ask of it."""

    network: Any
    inputs: Any = field(default_factory=X.copy)
    head: Any = None  # the layer whose sigmoid or softmax comes last
    table: Any = None  # the Embedding layer that gives out the vectors of the steps
    layer: int | str | None = None  # which call is probed; default as the probes'
    position: int | None = None  # the same, among the calls in their order
    given: np.ndarray | None = None  # (B, T) a mask
    targets: Any = None
    loss: Callable[[Any, Any, Any], Any] | None = None  # (targets, answer, mask or None) → (B,)
    number: Callable[[Any], Any] | None = None  # of the answer; default the largest output of the last step
    refused: dict[str, str] = field(default_factory=dict)  # probe → regular expression
    tolerance: float = 1e-5


KINDS: dict[str, Callable[[], Kind]] = {}


def kind(make: Callable[[], Kind]) -> Callable[[], Kind]:
    KINDS[make.__name__] = make
    return make


def drawn(network: Any, scale: float = 0.5) -> Any:
    """The network with random weights, biases included."""
    rng = np.random.default_rng(0)
    for variable in network.weights:
        if "seed" not in variable.path and "rnn_state" not in variable.path and "int" not in str(variable.dtype):
            values = rng.normal(0, scale, variable.shape)
            variable.assign(np.abs(values) + 0.5 if "variance" in variable.path or "gamma" in variable.path else values)
    return network


def chain(*layers: Any, shape: Any = (None, 2), outputs: int = 1, end: str | None = None, scale: float = 0.5, **options: Any) -> Kind:
    """A Sequential of the layers with a dense head."""
    head = L.Dense(outputs, end)
    network = drawn(keras.Sequential([L.Input(shape, dtype=options.pop("dtype", None)), *layers, head]), scale)
    return Kind(network, head=head if end in ("sigmoid", "softmax") else None, **options)


def unknown(words: str) -> dict[str, str]:
    """Of a layer whose equations are not known: attributions need none."""
    return dict.fromkeys(("trace", "gradients", "loss", "jacobians"), words)


def everything(words: str) -> dict[str, str]:
    return dict.fromkeys(PROBES, words)


def add(name: str, make: Callable[[], Kind]) -> None:
    KINDS[name] = make


# ---- cells and their options ----

CELLS: dict[str, Callable[..., Any]] = {"rnn": L.SimpleRNN, "lstm": L.LSTM, "gru": L.GRU}
OPTIONS: dict[str, dict[str, Any]] = {
    "plain": {},
    "no_bias": {"use_bias": False},
    "backwards": {"go_backwards": True},
    "unrolled": {"unroll": True},
    "relu": {"activation": "relu"},
    "half_dropped": {"dropout": 0.5, "recurrent_dropout": 0.5},
}
for cell, make in CELLS.items():
    for option, values in OPTIONS.items():
        shape = (5, 2) if option == "unrolled" else (None, 2)
        add(f"{cell}_{option}", lambda make=make, values=values, shape=shape: chain(make(3, **values), shape=shape, end="sigmoid"))
GATES = ("hard_sigmoid", "linear", "relu", "softsign")
for number, activation in enumerate(("sigmoid", "linear", "elu", "softsign", "softplus", "selu", "hard_sigmoid", "exponential")):
    add(f"gru_{activation}", lambda name=activation, n=number: chain(
        L.SimpleRNN(3, activation="linear" if name == "exponential" else name, return_sequences=True),
        L.GRU(3, activation="hard_sigmoid" if name == "exponential" else name, recurrent_activation=GATES[n % 4]),
    ))  # fmt: skip
    add(f"lstm_{activation}", lambda name=activation, n=number: chain(
        L.LSTM(3, activation=name, recurrent_activation="hard_sigmoid" if name == "exponential" else GATES[(n + 1) % 4]),
        scale=0.05 if name == "exponential" else 0.5,
    ))  # fmt: skip
for name in ("gelu", "silu", "leaky_relu", "mish", "relu6"):
    add(f"rnn_{name}", lambda name=name: chain(L.SimpleRNN(3, activation=name), refused=unknown(f"activation '{name}'")))
add("gru_reset_before", lambda: chain(L.GRU(3, reset_after=False)))
add("gru_reset_before_no_bias", lambda: chain(L.GRU(3, reset_after=False, use_bias=False, return_sequences=True), L.GRU(3)))
add("lstm_implementation_1", lambda: chain(L.LSTM(3, implementation=1), end="softmax", outputs=3))
add("rnn_of_an_lstm_cell", lambda: chain(L.RNN(L.LSTMCell(3))))
add("rnn_of_stacked_cells", lambda: chain(
    L.RNN(L.StackedRNNCells([L.GRUCell(3), L.GRUCell(2)])), refused=unknown("StackedRNNCells, whose equations are not known")
))  # fmt: skip
add("own_tanh", lambda: chain(L.SimpleRNN(3, activation=_tanh), refused=unknown("activation '_tanh'")))
add("own_cell", lambda: chain(L.RNN(_OwnCell(3)), refused=unknown("a _OwnCell, whose equations are not known")))


def _tanh(x: Any) -> Any:
    return 1.2 * ops.tanh(x)


class _OwnCell(L.GRUCell):
    def call(self, inputs: Any, states: Any, training: bool = False) -> Any:
        out, new = super().call(inputs, states, training)
        return 2 * out, [2 * each for each in new]


# ---- stacks, directions, states ----

add("stack_of_three", lambda: chain(
    L.LSTM(3, return_sequences=True), L.GRU(3, return_sequences=True), L.SimpleRNN(3), end="softmax", outputs=3, layer=0, position=0
))  # fmt: skip
for merge in ("concat", "sum", "ave", "mul"):
    add(f"both_ways_{merge}", lambda merge=merge: chain(
        L.Masking(), L.Bidirectional(L.LSTM(3, return_sequences=True), merge_mode=merge), L.Bidirectional(L.GRU(2), merge_mode=merge),
        inputs=PADDED, end="sigmoid",
    ))  # fmt: skip
add("both_ways_below", lambda: chain(
    L.Bidirectional(L.GRU(2, return_sequences=True), name="both"), L.LSTM(3), layer="both/backward", position=1
))  # fmt: skip
add("two_unlike_halves", lambda: chain(
    L.Bidirectional(L.LSTM(3, return_sequences=True), backward_layer=L.LSTM(3, go_backwards=True, return_sequences=True)),
    L.GlobalMaxPooling1D(),
))  # fmt: skip


@kind
def both_ways_apart() -> Kind:
    a = L.Input((None, 2))
    one, two = L.Bidirectional(L.GRU(3), merge_mode=None)(a)
    return Kind(drawn(keras.Model(a, L.Dense(1)(one * two))))


@kind
def states_returned() -> Kind:
    a, lstm = L.Input((None, 2)), L.LSTM(3, return_sequences=True, return_state=True)
    out, h, c = lstm(a)
    return Kind(drawn(keras.Model(a, L.Dense(2)(L.concatenate([L.GlobalAveragePooling1D()(out), h, c])))))


@kind
def states_of_a_short_loop() -> Kind:
    a = L.Input((5, 2))
    _, h, c = L.LSTM(3, return_state=True, unroll=True)(a)
    return Kind(drawn(keras.Model(a, L.Dense(2)(h + c))))


@kind
def encoder_to_decoder() -> Kind:
    a = L.Input((None, 2))
    _, h, c = L.LSTM(3, return_state=True)(L.Masking()(a))
    return Kind(drawn(keras.Model(a, L.Dense(2)(L.LSTM(3, return_sequences=True)(a, initial_state=[h, c])))), PADDED, position=0, layer=0)


@kind
def a_mask_beside_an_initial_state() -> Kind:
    a = L.Input((None, 2))
    return Kind(drawn(keras.Model(a, L.Dense(2)(L.GRU(3)(L.Masking()(a), initial_state=L.Dense(3)(a[:, 0]))))), PADDED)


def _stateful(layer: Any) -> Kind:
    network = drawn(keras.Sequential([L.Input(batch_shape=(3, 5, 2)), layer, L.Dense(1)]))
    for state in layer.states:
        state.assign(np.random.default_rng(3).normal(size=state.shape))
    return Kind(network, refused={"jacobians": BATCH, "attributions": BATCH, "leave_one_out": BATCH})


add("stateful_lstm", lambda: _stateful(L.LSTM(3, stateful=True)))
add("stateful_gru", lambda: _stateful(L.GRU(3, stateful=True, return_sequences=True)))
add("stateful_unrolled", lambda: _stateful(L.SimpleRNN(3, stateful=True, unroll=True)))

# ---- masks ----

for cell, make in CELLS.items():
    add(f"{cell}_masking", lambda make=make: chain(L.Masking(), make(3, return_sequences=True), make(3), inputs=PADDED, end="sigmoid"))
    add(f"{cell}_words", lambda make=make: words(make(3), end="sigmoid"))
    add(f"{cell}_masked_backwards", lambda make=make: chain(L.Masking(), make(3, go_backwards=True, return_sequences=True), inputs=PADDED))
add("zeros_at_masked_steps", lambda: chain(L.Masking(), L.RNN(L.GRUCell(3), zero_output_for_mask=True, return_sequences=True),
                                           L.GlobalAveragePooling1D(), inputs=PART))  # fmt: skip
add("zeros_unrolled", lambda: chain(L.Masking(), L.RNN(L.LSTMCell(3), zero_output_for_mask=True, return_sequences=True, unroll=True),
                                    inputs=PADDED, shape=(5, 2)))  # fmt: skip
add("zeros_unrolled_backwards", lambda: chain(
    L.Masking(), L.RNN(L.GRUCell(3), zero_output_for_mask=True, return_sequences=True, unroll=True, go_backwards=True),
    inputs=PADDED, shape=(5, 2), refused=unknown("zeros at the wrong steps"),
))  # fmt: skip
add("mask_given", lambda: chain(L.GRU(3, return_sequences=True), L.LSTM(3), given=np.abs(PADDED).sum(-1) > 0))


def words(*layers: Any, mask: bool = True, size: int = 8, **options: Any) -> Kind:
    """A model of tokens."""
    table = L.Embedding(size, 2, mask_zero=mask)
    return chain(table, *layers, **{"shape": (None,), "dtype": "int32", "inputs": WORDS.copy(), "table": table, **options})


add("words_mask_given", lambda: words(L.LSTM(3), mask=False, given=WORDS != 0))
add("words_unmasked", lambda: words(L.LSTM(3), mask=False, end="softmax", outputs=4))
add("words_spatial_dropout", lambda: words(L.SpatialDropout1D(0.4), L.Bidirectional(L.LSTM(3)), L.Dropout(0.5), end="sigmoid"))
add("words_tagger", lambda: words(L.GRU(3, return_sequences=True), outputs=3, end="softmax"))

# ---- layers below, above and beside ----

add("convolution_below", lambda: chain(L.Conv1D(3, 2, activation="relu"), L.LSTM(3), refused={"leave_one_out": OTHER}, shape=(5, 2)))
add("convolution_same", lambda: chain(L.Conv1D(3, 3, padding="causal"), L.GRU(3)))
add("pooling_below", lambda: chain(L.AveragePooling1D(2), L.GRU(3), refused={"leave_one_out": OTHER}))
add("max_pooling_above", lambda: chain(L.GRU(3, return_sequences=True), L.GlobalMaxPooling1D()))
add("average_above_a_mask", lambda: words(L.LSTM(3, return_sequences=True), L.GlobalAveragePooling1D()))
add("flatten_above", lambda: chain(L.LSTM(3, return_sequences=True), L.Flatten(), shape=(5, 2)))
add("convolution_above", lambda: chain(L.LSTM(3, return_sequences=True), L.Conv1D(3, 2), L.GlobalMaxPooling1D()))
add("batch_normalization", lambda: chain(L.BatchNormalization(), L.GRU(3, return_sequences=True), L.BatchNormalization(), L.GRU(3)))
add("layer_normalization", lambda: chain(L.LayerNormalization(), L.LSTM(3, return_sequences=True), L.LayerNormalization(), L.LSTM(3)))
add("dropout_between", lambda: chain(L.Dropout(0.5), L.GRU(3, return_sequences=True), L.GaussianNoise(1.0), L.GRU(3)))
add("time_distributed_dense", lambda: chain(L.TimeDistributed(L.Dense(3, "relu")), L.GRU(3, return_sequences=True), L.TimeDistributed(L.Dense(2))))
add("repeat_vector", lambda: chain(L.LSTM(3), L.RepeatVector(4), L.LSTM(3, return_sequences=True), refused={"leave_one_out": OTHER}))
add("permuted", lambda: chain(L.Permute((2, 1)), L.GRU(3), shape=(5, 2), refused={"leave_one_out": OTHER}))
add("reshaped", lambda: chain(L.Reshape((10, 1)), L.GRU(3), shape=(5, 2), refused={"leave_one_out": OTHER}))
add("flat_window", lambda: chain(L.Reshape((5, 2)), L.GRU(3), shape=(10,), inputs=X.reshape(3, 10),
                                 refused={"attributions": "flat row", "leave_one_out": "flat row"}))  # fmt: skip
add("frames", lambda: chain(
    L.TimeDistributed(L.Flatten()), L.GRU(3), shape=(5, 2, 2), inputs=np.repeat(X[..., None], 2, -1),
    refused=dict.fromkeys(("attributions", "leave_one_out"), AXES),
))  # fmt: skip
add("rows_of_rows", lambda: chain(
    L.TimeDistributed(L.LSTM(3)), L.GRU(3), shape=(2, 5, 2), inputs=np.stack([X, -X], 1), position=2, refused=dict.fromkeys(("attributions", "leave_one_out"), AXES)
))  # fmt: skip
add("a_layer_of_each_step", lambda: chain(
    L.TimeDistributed(L.LSTM(3)), shape=(2, 5, 2), inputs=np.stack([X, -X], 1),
    refused=everything("ran 2 times") | dict.fromkeys(("attributions", "leave_one_out"), AXES),
))  # fmt: skip
add("convolutional_lstm", lambda: chain(
    L.ConvLSTM1D(2, 2), L.Flatten(), shape=(5, 4, 1), inputs=np.repeat(X[..., :1], 4, -1)[..., None],
    refused=unknown("ConvLSTMCell, whose equations are not") | dict.fromkeys(("attributions", "leave_one_out"), AXES),
))  # fmt: skip


@kind
def residual() -> Kind:
    a = L.Input((None, 2))
    low = L.GRU(3, return_sequences=True)(L.Dense(3)(a))
    high = L.add([low, L.LSTM(3, return_sequences=True)(L.LayerNormalization()(low))])
    return Kind(drawn(keras.Model(a, L.Dense(2)(high))))


@kind
def attention_above() -> Kind:
    a, head = L.Input((None, 2)), L.Dense(3, "softmax")
    h = L.LSTM(3, return_sequences=True)(a)
    return Kind(drawn(keras.Model(a, head(L.GlobalAveragePooling1D()(L.Attention()([h, h]))))), head=head)


@kind
def heads_of_attention() -> Kind:
    a = L.Input((None, 2))
    h = L.GRU(4, return_sequences=True)(L.Masking()(a))
    return Kind(drawn(keras.Model(a, L.Dense(1)(L.MultiHeadAttention(2, 2)(h, h)[:, 0]))), X)


@kind
def attention_below() -> Kind:
    a = L.Input((None, 2))
    return Kind(drawn(keras.Model(a, L.Dense(1)(L.GRU(3)(L.MultiHeadAttention(1, 2)(a, a))))))


@kind
def scored_steps() -> Kind:
    a = L.Input((5, 2))
    h = L.LSTM(3, return_sequences=True)(a)
    share = L.Softmax(axis=1)(L.Dense(1, "tanh")(h))
    return Kind(drawn(keras.Model(a, L.Dense(2)(L.Flatten()(L.Dot(1)([share, h]))))))


@kind
def one_layer_called_twice() -> Kind:
    a, gru = L.Input((None, 2)), L.GRU(2, return_sequences=True, name="twice")
    return Kind(drawn(keras.Model(a, L.Dense(1)(gru(gru(a))[:, -1]))), layer="twice", position=0)


@kind
def one_layer_on_two_sides() -> Kind:
    a, gru = L.Input((None, 2)), L.GRU(3, name="sides")
    return Kind(drawn(keras.Model(a, L.Dense(1)(L.subtract([gru(a), gru(a * 2.0)])))), layer="sides#2", position=1)


@kind
def one_both_ways_layer_twice() -> Kind:
    a, both = L.Input((None, 2)), L.Bidirectional(L.GRU(1, return_sequences=True), name="again")
    return Kind(drawn(keras.Model(a, L.Dense(1)(both(both(a))[:, -1]))), layer="again/backward#2", position=3)


@kind
def a_model_inside() -> Kind:
    inner = keras.Sequential([L.Input((None, 2)), L.GRU(3, return_sequences=True), L.Dense(2)])
    return chain(inner, L.LSTM(3), end="sigmoid", layer=0, position=0)


@kind
def a_model_inside_twice() -> Kind:
    inner, a = keras.Sequential([L.Input((None, 2)), L.GRU(3, name="shared")]), L.Input((None, 2))
    return Kind(drawn(keras.Model(a, L.Dense(1)(L.multiply([inner(a), inner(-a)])))), layer="shared", position=0)


@kind
def two_embeddings() -> Kind:
    a = L.Input((None,), dtype="int32")
    vectors = L.add([L.Embedding(8, 2)(a), L.Embedding(8, 2)(a)])
    return Kind(drawn(keras.Model(a, L.Dense(1)(L.GRU(3)(vectors)))), WORDS,
                refused=dict.fromkeys(("attributions", "leave_one_out"), "exactly one Embedding"))  # fmt: skip


@kind
def tokens_turned() -> Kind:
    a = L.Input((None,), dtype="int32")
    vectors = L.Embedding(8, 2)(a[:, ::-1])
    return Kind(drawn(keras.Model(a, L.Dense(1)(L.GRU(3)(vectors)))), WORDS,
                refused=dict.fromkeys(("attributions", "leave_one_out"), "other tokens"))  # fmt: skip


# ---- inputs and outputs ----


@kind
def two_inputs() -> Kind:
    a, b = L.Input((None, 2)), L.Input((3,))
    return Kind(drawn(keras.Model([a, b], L.Dense(1)(L.concatenate([L.GRU(3)(a), b])))), [X, X[:, :3, 0]],
                refused=dict.fromkeys(("attributions", "leave_one_out"), "several inputs"))  # fmt: skip


@kind
def inputs_by_name() -> Kind:
    a, b = L.Input((None, 2), name="a"), L.Input((None, 2), name="b")
    return Kind(drawn(keras.Model({"a": a, "b": b}, L.Dense(1)(L.LSTM(3)(a) * L.LSTM(3)(b)))), {"a": X, "b": X[:, ::-1]},
                refused=dict.fromkeys(("attributions", "leave_one_out"), "several inputs"))  # fmt: skip


@kind
def two_outputs() -> Kind:
    a, gru = L.Input((None, 2)), L.GRU(3)
    return Kind(drawn(keras.Model(a, [L.Dense(1)(gru(a)), L.Dense(2)(gru.output)])), refused={
        "trace": MANY, "gradients": MANY, "loss": MANY, "attributions": MANY, "leave_one_out": MANY
    })  # fmt: skip


@kind
def outputs_by_name() -> Kind:
    a, gru = L.Input((None, 2)), L.GRU(3)
    return Kind(drawn(keras.Model(a, {"one": L.Dense(1)(gru(a)), "two": gru.output})), refused={
        "trace": MANY, "gradients": MANY, "loss": MANY, "attributions": MANY, "leave_one_out": MANY
    })  # fmt: skip


@kind
def an_output_beside_the_layer() -> Kind:
    a = L.Input((None, 2))
    beside = L.GRU(3, name="beside")(a)
    network = keras.Model(a, L.Dense(1)(L.GlobalAveragePooling1D()(a)) + 0 * ops.stop_gradient(beside)[:, :1])
    return Kind(drawn(network), refused={"gradients": "no gradient comes back to layer 'beside'"})


@kind
def squeezed() -> Kind:
    a = L.Input((None, 2))
    return Kind(drawn(keras.Model(a, ops.squeeze(L.Dense(1)(L.GRU(3)(a)), -1))))


@kind
def softmax_layer() -> Kind:
    found = chain(L.GRU(3), outputs=3)
    head = L.Softmax()
    return Kind(keras.Sequential([*found.network.layers, head]), head=head)


@kind
def sigmoid_layer() -> Kind:
    found = chain(L.LSTM(3, return_sequences=True), outputs=1)
    head = L.Activation("sigmoid")
    return Kind(keras.Sequential([*found.network.layers, head]), head=head)


add("a_recurrent_layer_last", lambda: Kind(drawn(keras.Sequential([L.Input((None, 2)), L.GRU(3)]))))
add("a_squashing_layer_last", lambda: Kind(drawn(keras.Sequential([L.Input((None, 2)), L.SimpleRNN(3, activation="sigmoid")]))))
add("rescaled", lambda: Kind(drawn(keras.Sequential([L.Input((None, 2)), L.LSTM(3), L.Dense(1, "sigmoid"), L.Rescaling(100.0)]))))

add("dropout_always", lambda: Kind(drawn(keras.Sequential([L.Input((None, 2)), L.LSTM(3), AlwaysDropped(0.5), L.Dense(1)])),
                                   refused=everything("draws random numbers")))  # fmt: skip


class AlwaysDropped(L.Dropout):
    def call(self, inputs: Any, training: bool = False) -> Any:
        return super().call(inputs, training=True)


@kind
def steps_in_the_batch() -> Kind:
    a = L.Input((4, 2))
    return Kind(drawn(keras.Model(a, L.Dense(1)(ops.reshape(L.GRU(2)(ops.reshape(a, (-1, 2, 2))), (-1, 4))))), X[:, :4],
                refused=unknown("runs over 6 sequences|2 sequences") | {"leave_one_out": OTHER})  # fmt: skip


@kind
def mapped() -> Kind:
    class Each(L.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.gru = L.GRU(3)
            self.gru.build((None, None, 2))

        def call(self, inputs: Any) -> Any:
            return ops.vectorized_map(lambda one: self.gru(one[None])[0], inputs)

        def compute_output_shape(self, shape: Any) -> Any:
            return shape[0], 3

    return Kind(drawn(keras.Sequential([L.Input((5, 2)), Each(), L.Dense(1)])), refused=unknown("ran many times"))


# ---- dtypes ----

for policy, tolerance in (("float64", 1e-9), ("mixed_float16", 2e-2), ("mixed_bfloat16", 1e-1)):
    for cell, make in CELLS.items():
        add(f"{cell}_{policy}", lambda make=make, policy=policy, tolerance=tolerance: _of_dtype(make, policy, tolerance))


def _of_dtype(make: Callable[..., Any], policy: str, tolerance: float) -> Kind:
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        found = chain(make(3, return_sequences=True), make(3), end="sigmoid", tolerance=tolerance)
        found.inputs = X.astype("float64" if policy == "float64" else "float32")
        return found
    finally:
        keras.config.set_dtype_policy(before)


add("counts", lambda: chain(
    L.GRU(3), dtype="int32", inputs=np.arange(30).reshape(3, 5, 2) % 4, refused={"attributions": "makes whole numbers of them"}
))  # fmt: skip
add("float64_numbers", lambda: chain(L.GRU(3), inputs=X.astype("float64")))

for name, make_network in zoo_losses.NETWORKS.items():  # a loss asked of its own compiled model
    add(name, lambda make_network=make_network: Kind(**make_network(drawn, X, PADDED, WORDS)))
