"""What goes into a call of a Keras model: tensors, masks, and the vectors that take the place of its steps."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Source:
    """Where the vectors of the steps enter a network; by default they are its inputs."""

    table: Any = None  # the Embedding layer that gives them out
    places: tuple[int, ...] = ()  # the step of the input that each step of this layer reads; () for its own
    calls: tuple[int, ...] = ()  # the calls of recurrent layers that receive them


INPUTS = Source()


def tensors_of(inputs: Any, mask: np.ndarray | None) -> Any:
    """Inputs as tensors; a given mask hangs on them as Keras's own do."""
    import tensorflow as tf
    from keras import tree
    from keras.src.backend.common.masking import set_keras_mask

    found = tree.map_structure(tf.constant, inputs)
    if mask is not None:
        set_keras_mask(found, tf.constant(mask))
    return found


def embeddings(network: Any) -> list[Any]:
    """The Embedding layers of a network."""
    from keras import layers

    return [layer for layer in network._flatten_layers(include_self=False) if isinstance(layer, layers.Embedding)]


def fixed_batch(network: Any) -> int:
    """The number of examples that a network was built for; 0 where it may be any."""
    expected = getattr(network, "inputs", None) or []
    return int(expected[0].shape[0] or 0) if expected else 0


@contextmanager
def mask_passed_on(network: Any, mask: np.ndarray | None) -> Iterator[None]:
    """Inside, Embedding layers pass a given mask on, whether or not they mask token 0."""
    import tensorflow as tf

    tables = [] if mask is None else embeddings(network)
    before = [table.supports_masking for table in tables]

    def compute_mask(inputs: Any, previous: Any = None) -> Any:
        return tf.constant(mask) if mask is not None and tuple(inputs.shape) == mask.shape else previous

    try:
        for table in tables:
            table.supports_masking = True
            table.__dict__["compute_mask"] = compute_mask
        yield
    finally:
        for table, supported in zip(tables, before, strict=True):
            table.supports_masking = supported
            table.__dict__.pop("compute_mask", None)


@contextmanager
def embedded(network: Any, source: Source | None = None, vectors: Any = None) -> Iterator[list[tuple[Any, Any]]]:
    """Inside, calls of Embedding layers by this thread append the layer and its ids to the list.

    The layer of `source` gives out `vectors` for all tokens, and still masks by the tokens.
    """
    import tensorflow as tf

    calls: list[tuple[Any, Any]] = []
    graph = None if tf.executing_eagerly() else tf.compat.v1.get_default_graph()
    thread, tables = threading.get_ident(), embeddings(network)

    def noted(table: Any) -> Any:
        def call(inputs: Any) -> Any:
            if threading.get_ident() != thread:
                return type(table).call(table, inputs)
            if getattr(inputs, "graph", None) is graph:
                calls.append((table, inputs))
            if source is None or table is not source.table:
                return type(table).call(table, inputs)
            return tf.gather(vectors, source.places, axis=1) if source.places else vectors

        return call

    try:
        for table in tables:
            table.__dict__["call"] = noted(table)
        yield calls
    finally:
        for table in tables:
            table.__dict__.pop("call", None)
