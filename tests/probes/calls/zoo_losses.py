"""Of the zoo: models compiled with a loss, subclassed models, and models that call themselves in their own ways."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tests.probes.calls.kinds import KINDS, PART, WORDS, Kind, L, X, drawn, everything

losses = keras.losses
ASKED = ("trace", "gradients", "loss")  # of a model of which only the loss is new
YES = np.array([[1.0], [0.0], [1.0]], "float32")
CLASS, SHARES = np.array([0, 2, 1]), np.array([[0.7, 0.2, 0.1], [0.1, 0.5, 0.4], [0, 0, 1]], "float32")
NUMBERS = np.random.default_rng(5).normal(size=(3, 2)).astype("float32")
TAGS, STEPS = np.arange(15).reshape(3, 5) % 3, np.random.default_rng(6).normal(size=(3, 5, 2)).astype("float32")

Each = Callable[[Any, Any], Any]  # (targets, answer) → (B,) or (B, T)
# name → (loss as compiled, the same of each example, targets, outputs, activation of the head)
COMPILED: dict[str, tuple[Any, Each, np.ndarray, int, str | None]] = {
    "mse": ("mse", losses.mean_squared_error, NUMBERS, 2, None),
    "mae": ("mae", losses.mean_absolute_error, NUMBERS, 2, None),
    "huber": (losses.Huber(0.3), lambda t, p: losses.huber(t, p, 0.3), NUMBERS, 2, None),
    "log_cosh": (losses.LogCosh(), losses.log_cosh, NUMBERS, 2, None),
    "mape": ("mape", losses.mean_absolute_percentage_error, NUMBERS, 2, None),
    "cosine": (losses.CosineSimilarity(), losses.cosine_similarity, NUMBERS, 2, None),
    "poisson": ("poisson", losses.poisson, np.abs(NUMBERS), 2, "softplus"),
    "hinge": ("hinge", losses.hinge, 2 * YES - 1, 1, "tanh"),
    "kl_divergence": ("kl_divergence", losses.kl_divergence, SHARES, 3, "softmax"),
    "binary": ("binary_crossentropy", losses.binary_crossentropy, YES, 1, "sigmoid"),
    "binary_smoothed": (
        losses.BinaryCrossentropy(label_smoothing=0.2),
        lambda t, p: losses.binary_crossentropy(t, p, label_smoothing=0.2),
        YES,
        1,
        "sigmoid",
    ),
    "binary_logits": (
        losses.BinaryCrossentropy(from_logits=True),
        lambda t, p: losses.binary_crossentropy(t, p, from_logits=True),
        YES,
        1,
        None,
    ),
    "focal": (losses.BinaryFocalCrossentropy(), losses.binary_focal_crossentropy, YES, 1, "sigmoid"),
    "categorical": ("categorical_crossentropy", losses.categorical_crossentropy, SHARES, 3, "softmax"),
    "sparse": ("sparse_categorical_crossentropy", losses.sparse_categorical_crossentropy, CLASS, 3, "softmax"),
    "sparse_logits": (
        losses.SparseCategoricalCrossentropy(from_logits=True),
        lambda t, p: losses.sparse_categorical_crossentropy(t, p, from_logits=True),
        CLASS,
        3,
        None,
    ),
    "own_fourth_power": (
        lambda t, p: tf.reduce_mean((t - p) ** 4, -1),
        lambda t, p: tf.reduce_mean((t - p) ** 4, -1),
        NUMBERS,
        2,
        None,
    ),
    "summed": (losses.MeanSquaredError(reduction="sum"), losses.mean_squared_error, NUMBERS, 2, None),
}


def _compiled(name: str) -> Callable[[], Kind]:
    def make() -> Kind:
        loss, each, targets, outputs, end = COMPILED[name]
        network = drawn(keras.Sequential([L.Input((None, 2)), L.GRU(3), L.Dense(outputs, end)]))
        network.compile("adam", loss, metrics=["mae"])
        head = network.layers[-1] if end in ("sigmoid", "softmax") else None
        return Kind(network, head=head, targets=targets, loss=lambda t, p, mask: each(t, p), asked=ASKED)

    return make


KINDS.update({f"loss_{name}": _compiled(name) for name in COMPILED})


def tagger() -> Kind:
    """A label at every step, compiled: padding does not count."""
    table, head = L.Embedding(8, 2, mask_zero=True), L.Dense(3, "softmax")
    network = drawn(keras.Sequential([L.Input((None,), dtype="int32"), table, L.LSTM(3, return_sequences=True), head]))
    network.compile(loss="sparse_categorical_crossentropy")
    each = _over_real_steps(losses.sparse_categorical_crossentropy)
    return Kind(network, WORDS, head, table, targets=TAGS, loss=each)


def _over_real_steps(each: Each) -> Callable[[Any, Any, Any], Any]:
    def mean(targets: Any, answer: Any, mask: Any) -> Any:
        found = each(targets, answer)
        real = tf.cast(tf.ones_like(found) if mask is None else mask, found.dtype)
        return tf.reduce_sum(found * real, 1) / tf.reduce_sum(real, 1)

    return mean


def every_step() -> Kind:
    network = drawn(keras.Sequential([L.Input((None, 2)), L.Masking(), L.GRU(3, return_sequences=True), L.Dense(2)]))
    network.compile(loss="mse")
    return Kind(network, PART, targets=STEPS, loss=_over_real_steps(losses.mean_squared_error))


def weighted() -> Kind:
    network = drawn(keras.Sequential([L.Input((None, 2)), L.LSTM(3), L.Dense(2)]))
    network.compile(loss="mse", loss_weights=3.0)
    return Kind(network, targets=NUMBERS, loss=lambda t, p, mask: 3 * losses.mean_squared_error(t, p))


def not_compiled(outputs: int, end: str | None, targets: np.ndarray, each: Each) -> Callable[[], Kind]:
    def make() -> Kind:
        network = drawn(keras.Sequential([L.Input((None, 2)), L.GRU(3), L.Dense(outputs, end)]))
        head = network.layers[-1] if end else None
        return Kind(network, head=head, targets=targets, loss=lambda t, p, mask: each(t, p), asked=ASKED)

    return make


class Reader(keras.Model):
    """Subclassed; a sigmoid gate is defined after the head."""

    def __init__(self) -> None:
        super().__init__()
        self.low, self.gru, self.head = L.LSTM(3, return_sequences=True), L.GRU(3), L.Dense(1, "sigmoid")
        self.gate = L.Dense(3, "sigmoid")

    def call(self, inputs: Any) -> Any:
        h = self.gru(self.low(inputs))
        return self.head(h * self.gate(h))


class Compiled(Reader):
    @tf.function
    def call(self, inputs: Any) -> Any:
        return self.head(self.gru(self.low(inputs)))


class Looped(keras.Model):
    """A layer stepped by hand: no loop of Keras ever runs."""

    def __init__(self) -> None:
        super().__init__()
        self.gru, self.cell, self.head = L.GRU(3), L.GRUCell(3), L.Dense(1)
        self.gru.build((None, None, 2))

    def call(self, inputs: Any) -> Any:
        h = [tf.zeros((tf.shape(inputs)[0], 3))]
        for t in range(inputs.shape[1]):
            h = self.cell(inputs[:, t], h)[1]
        return self.head(h[0])


class Trained(keras.Model):
    """Runs with dropout even when it answers."""

    def __init__(self) -> None:
        super().__init__()
        self.gru, self.head = L.GRU(3, dropout=0.5), L.Dense(1)

    def call(self, inputs: Any) -> Any:
        return self.head(self.gru(inputs, training=True))


class Steered(keras.Model):
    """Python decides by the numbers, which works only without a graph."""

    def __init__(self) -> None:
        super().__init__()
        self.gru, self.head = L.GRU(3), L.Dense(1)

    def call(self, inputs: Any) -> Any:
        return self.head(self.gru(inputs) * (1.0 if float(tf.reduce_sum(inputs)) > 0 else 2.0))


class Counting(keras.Model):
    """Keeps a count of its calls, and adds a loss to each."""

    def __init__(self) -> None:
        super().__init__()
        self.gru, self.head = L.GRU(3, activity_regularizer="l2"), L.Dense(1, kernel_regularizer="l2")
        self.count = self.add_weight(shape=(), initializer="zeros", trainable=False)

    def call(self, inputs: Any) -> Any:
        self.count.assign_add(1.0)
        return self.head(self.gru(inputs))


def _subclassed(
    kind: type,
    traced: bool = False,
    stale: bool = False,
    head: bool = False,
    refused_for: str = "",
    graph: bool = False,
) -> Callable[[], Kind]:
    def make() -> Kind:
        network = kind()
        network(X if stale else X[:1, :2])
        if traced:
            network(X)
        refused = everything(refused_for) if refused_for else {}
        if stale:  # for this one shape of inputs
            refused = dict.fromkeys(("trace", "gradients", "loss"), "own compiled graph answers otherwise")
        return Kind(drawn(network), head=network.head if head else None, refused=refused, own_answer=not stale, graph=graph)

    return make


def rematerialized() -> Kind:
    with keras.RematScope(mode="full"):
        network = keras.Sequential(
            [L.Input((None, 2)), L.LSTM(3, return_sequences=True), L.Dense(2, "tanh"), L.GRU(3), L.Dense(1)]
        )
    return Kind(drawn(network), layer=0, position=0)


KINDS |= {
    "loss_tagger": tagger,
    "loss_every_step": every_step,
    "loss_weighted": weighted,
    "loss_of_a_bare_sigmoid": not_compiled(1, "sigmoid", YES, losses.binary_crossentropy),
    "loss_of_a_bare_softmax": not_compiled(3, "softmax", CLASS, losses.sparse_categorical_crossentropy),
    "loss_of_bare_numbers": not_compiled(2, None, NUMBERS, losses.mean_squared_error),
    "subclassed": _subclassed(Reader, head=True),
    "compiled_call": _subclassed(Compiled, head=True),
    "compiled_call_traced": _subclassed(Compiled, traced=True, head=True, graph=True),
    "compiled_call_stale": _subclassed(Compiled, stale=True, head=True, graph=True),
    "stepped_by_hand": _subclassed(Looped, refused_for="no recurrent layer ran"),
    "dropout_when_it_answers": _subclassed(Trained, refused_for="dropout even when it answers"),
    "steered_by_numbers": _subclassed(Steered),
    "counting": _subclassed(Counting),
    "rematerialized": rematerialized,
}
