"""What a kind of the zoo is, and how its small models are made.

Shapes: B 3 examples, T 5 steps, D 2 inputs, H 3 units.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np

L, ops = keras.layers, keras.ops
PROBES = ("trace", "gradients", "loss", "jacobians", "attributions", "leave_one_out")
MANY, OTHER, BATCH, AXES = (
    "has several outputs, and its loss",
    "leaving a step out needs",
    "batch size",
    "attributions need one vector",
)
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
    places: tuple[int, ...] = ()  # the step of the inputs that each step of the table reads; () for its own
    layer: int | str | None = None  # which call is probed; default as the probes'
    position: int | None = None  # the same, among the calls in their order
    given: np.ndarray | None = None  # (B, T) a mask
    targets: Any = None
    loss: Callable[[Any, Any, Any], Any] | None = None  # (targets, answer, mask or None) → (B,)
    number: Callable[[Any], Any] | None = None  # of the answer; default the largest output of the last step
    refused: dict[str, str] = field(default_factory=dict)  # probe → regular expression
    tolerance: float = 1e-5
    asked: tuple[str, ...] = PROBES
    own_answer: bool = True  # whether the model answers as its layers do
    graph: bool = False  # whether only a call of the model as Keras compiles it shows what the kind is about


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


def chain(
    *layers: Any, shape: Any = (None, 2), outputs: int = 1, end: str | None = None, scale: float = 0.5, **options: Any
) -> Kind:
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


def words(*layers: Any, mask: bool = True, size: int = 8, **options: Any) -> Kind:
    """A model of tokens."""
    table = L.Embedding(size, 2, mask_zero=mask)
    return chain(table, *layers, **{"shape": (None,), "dtype": "int32", "inputs": WORDS.copy(), "table": table, **options})
