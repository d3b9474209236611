"""Of the zoo: layers one after another. Cells and their options, masks, what stands below and above, and dtypes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from tests.probes.calls.kinds import AXES, OTHER, PADDED, PART, WORDS, Kind, L, X, add, chain, everything, ops, unknown, words

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
        add(
            f"{cell}_{option}", lambda make=make, values=values, shape=shape: chain(make(3, **values), shape=shape, end="sigmoid")
        )
EQUATIONS = ("trace", "gradients", "jacobians")  # of a kind of which only the equations are new
GATES = ("hard_sigmoid", "linear", "relu", "softsign")
for number, activation in enumerate(("sigmoid", "linear", "elu", "softsign", "softplus", "selu", "hard_sigmoid", "exponential")):
    add(f"gru_{activation}", lambda name=activation, n=number: chain(
        L.SimpleRNN(3, activation="linear" if name == "exponential" else name, return_sequences=True),
        L.GRU(3, activation="hard_sigmoid" if name == "exponential" else name, recurrent_activation=GATES[n % 4]), asked=EQUATIONS,
    ))  # fmt: skip
    add(f"lstm_{activation}", lambda name=activation, n=number: chain(
        L.LSTM(3, activation=name, recurrent_activation="hard_sigmoid" if name == "exponential" else GATES[(n + 1) % 4]),
        scale=0.05 if name == "exponential" else 0.5, asked=EQUATIONS,
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

# ---- masks ----

for cell, make in CELLS.items():
    add(
        f"{cell}_masking",
        lambda make=make: chain(L.Masking(), make(3, return_sequences=True), make(3), inputs=PADDED, end="sigmoid"),
    )
    add(f"{cell}_words", lambda make=make: words(make(3), end="sigmoid"))
    add(
        f"{cell}_masked_backwards",
        lambda make=make: chain(L.Masking(), make(3, go_backwards=True, return_sequences=True), inputs=PADDED),
    )
add("zeros_at_masked_steps", lambda: chain(L.Masking(), L.RNN(L.GRUCell(3), zero_output_for_mask=True, return_sequences=True),
                                           L.GlobalAveragePooling1D(), inputs=PART))  # fmt: skip
add("zeros_unrolled", lambda: chain(L.Masking(), L.RNN(L.LSTMCell(3), zero_output_for_mask=True, return_sequences=True, unroll=True),
                                    inputs=PADDED, shape=(5, 2)))  # fmt: skip
add("zeros_unrolled_backwards", lambda: chain(
    L.Masking(), L.RNN(L.GRUCell(3), zero_output_for_mask=True, return_sequences=True, unroll=True, go_backwards=True),
    inputs=PADDED, shape=(5, 2), refused=unknown("zeros at the wrong steps"),
))  # fmt: skip
add("mask_given", lambda: chain(L.GRU(3, return_sequences=True), L.LSTM(3), given=np.abs(PADDED).sum(-1) > 0))


add("words_mask_given", lambda: words(L.LSTM(3), mask=False, given=WORDS != 0))
add("words_unmasked", lambda: words(L.LSTM(3), mask=False, end="softmax", outputs=4))
add("words_spatial_dropout", lambda: words(L.SpatialDropout1D(0.4), L.Bidirectional(L.LSTM(3)), L.Dropout(0.5), end="sigmoid"))
add("words_tagger", lambda: words(L.GRU(3, return_sequences=True), outputs=3, end="softmax"))

# ---- layers below, above and beside ----

add(
    "convolution_below",
    lambda: chain(L.Conv1D(3, 2, activation="relu"), L.LSTM(3), refused={"leave_one_out": OTHER}, shape=(5, 2)),
)
add("convolution_same", lambda: chain(L.Conv1D(3, 3, padding="causal"), L.GRU(3)))
add("pooling_below", lambda: chain(L.AveragePooling1D(2), L.GRU(3), refused={"leave_one_out": OTHER}))
add("max_pooling_above", lambda: chain(L.GRU(3, return_sequences=True), L.GlobalMaxPooling1D()))
add("average_above_a_mask", lambda: words(L.LSTM(3, return_sequences=True), L.GlobalAveragePooling1D()))
add("flatten_above", lambda: chain(L.LSTM(3, return_sequences=True), L.Flatten(), shape=(5, 2)))
add("convolution_above", lambda: chain(L.LSTM(3, return_sequences=True), L.Conv1D(3, 2), L.GlobalMaxPooling1D()))
add(
    "batch_normalization",
    lambda: chain(L.BatchNormalization(), L.GRU(3, return_sequences=True), L.BatchNormalization(), L.GRU(3)),
)
add(
    "layer_normalization",
    lambda: chain(L.LayerNormalization(), L.LSTM(3, return_sequences=True), L.LayerNormalization(), L.LSTM(3)),
)
add("dropout_between", lambda: chain(L.Dropout(0.5), L.GRU(3, return_sequences=True), L.GaussianNoise(1.0), L.GRU(3)))
add(
    "time_distributed_dense",
    lambda: chain(L.TimeDistributed(L.Dense(3, "relu")), L.GRU(3, return_sequences=True), L.TimeDistributed(L.Dense(2))),
)
add(
    "repeat_vector",
    lambda: chain(L.LSTM(3), L.RepeatVector(4), L.LSTM(3, return_sequences=True)),
)
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

# ---- dtypes ----

for policy, tolerance in (("float64", 1e-9), ("mixed_float16", 2e-2), ("mixed_bfloat16", 1e-1)):
    for cell, make in CELLS.items():
        add(f"{cell}_{policy}", lambda make=make, policy=policy, tolerance=tolerance: _of_dtype(make, policy, tolerance))


def _of_dtype(make: Callable[..., Any], policy: str, tolerance: float) -> Kind:
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        found = chain(make(3, return_sequences=True), make(3), end="sigmoid", tolerance=tolerance, asked=EQUATIONS)
        found.inputs = X.astype("float64" if policy == "float64" else "float32")
        return found
    finally:
        keras.config.set_dtype_policy(before)


add("counts", lambda: chain(
    L.GRU(3), dtype="int32", inputs=np.arange(30).reshape(3, 5, 2) % 4, refused={"attributions": "makes whole numbers of them"}
))  # fmt: skip
add("float64_numbers", lambda: chain(L.GRU(3), inputs=X.astype("float64")))
