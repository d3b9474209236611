"""Of the zoo: graphs. States handed on, branches, layers called twice, several inputs and outputs, layers of other kinds."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from tests.probes.calls.kinds import (
    BATCH,
    MANY,
    OTHER,
    PADDED,
    Kind,
    L,
    X,
    add,
    chain,
    drawn,
    everything,
    kind,
    ops,
    unknown,
)


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
    return Kind(
        drawn(keras.Model(a, L.Dense(2)(L.LSTM(3, return_sequences=True)(a, initial_state=[h, c])))), PADDED, position=0, layer=0
    )


@kind
def a_mask_beside_an_initial_state() -> Kind:
    a = L.Input((None, 2))
    return Kind(drawn(keras.Model(a, L.Dense(2)(L.GRU(3)(L.Masking()(a), initial_state=L.Dense(3)(a[:, 0]))))), PADDED)


def _stateful(layer: Any) -> Kind:
    network = drawn(keras.Sequential([L.Input(batch_shape=(3, 5, 2)), layer, L.Dense(1)]))
    for state in layer.states:
        state.assign(np.random.default_rng(3).normal(size=state.shape))
    return Kind(network, refused={"attributions": BATCH, "leave_one_out": BATCH})


add("stateful_lstm", lambda: _stateful(L.LSTM(3, stateful=True)))
add("stateful_gru", lambda: _stateful(L.GRU(3, stateful=True, return_sequences=True)))
add("stateful_unrolled", lambda: _stateful(L.SimpleRNN(3, stateful=True, unroll=True)))


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
    return Kind(drawn(keras.Model(a, [L.Dense(1)(gru(a)), L.Dense(2)(gru.output)])), refused={"loss": MANY})


@kind
def outputs_by_name() -> Kind:
    a, gru = L.Input((None, 2)), L.GRU(3)
    return Kind(drawn(keras.Model(a, {"one": L.Dense(1)(gru(a)), "two": gru.output})), refused={"loss": MANY})


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

    return Kind(
        drawn(keras.Sequential([L.Input((5, 2)), Each(), L.Dense(1)])),
        refused=unknown("ran many times|inside a compiled graph|runs over 1 sequences"),
        asked=("trace", "gradients"),
        graph=True,
    )
