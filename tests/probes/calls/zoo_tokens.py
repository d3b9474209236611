"""Of the zoo: which Embedding layer reads the tokens, at which steps, and which others there are."""

from __future__ import annotations

from typing import Any

import keras

from tests.probes.calls.kinds import OTHER, WORDS, Kind, L, drawn, kind, ops


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
    return tokens_moved(vectors, a, (4, 3, 2, 1, 0))


@kind
def first_tokens() -> Kind:
    a = L.Input((5,), dtype="int32")
    return tokens_moved(L.Embedding(8, 2, mask_zero=True)(a[:, :3]), a, (0, 1, 2))


@kind
def tokens_halved() -> Kind:
    a = L.Input((None,), dtype="int32")
    vectors = L.Embedding(8, 2)(a // 2)
    return Kind(drawn(keras.Model(a, L.Dense(1)(L.GRU(3)(vectors)))), WORDS,
                refused=dict.fromkeys(("attributions", "leave_one_out"), "other tokens"))  # fmt: skip


@kind
def tokens_and_their_halves() -> Kind:
    a = L.Input((None,), dtype="int32")
    vectors = L.add([L.Embedding(8, 2)(a), L.Embedding(8, 2)(a // 2)])
    return Kind(drawn(keras.Model(a, L.Dense(1)(L.GRU(3)(vectors)))), WORDS,
                refused=dict.fromkeys(("attributions", "leave_one_out"), "exactly one Embedding layer that reads the tokens, the model has 2"))  # fmt: skip


@kind
def tokens_and_places() -> Kind:
    a, table = L.Input((5,), dtype="int32"), L.Embedding(8, 2)
    network = keras.Model(a, L.Dense(1)(L.GRU(3)(Placed()(table(a)))))
    return Kind(drawn(network), WORDS, table=table)


class Placed(L.Layer):
    """Adds a vector for each place."""

    def __init__(self) -> None:
        super().__init__()
        self.places = L.Embedding(5, 2)
        self.places.build((5,))

    def call(self, inputs: Any) -> Any:
        return inputs + self.places(ops.arange(5))


def tokens_moved(vectors: Any, inputs: Any, places: tuple[int, ...]) -> Kind:
    """Where a step left out of the inputs would be another step of the layer."""
    network = drawn(keras.Model(inputs, L.Dense(1)(L.GRU(3)(vectors))))
    table = next(layer for layer in network.layers if isinstance(layer, L.Embedding))
    return Kind(network, WORDS, table=table, places=places, refused={"leave_one_out": OTHER})
