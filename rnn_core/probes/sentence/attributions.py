"""Attribution of a model's output to its input steps, by four methods that need not agree.

The output is always the logit (before a final sigmoid or softmax). Sources: gradient norm, Simonyan et al.
2014 and Madsen 2019; gradient × input, Shrikumar et al. 2017; integrated gradients, Sundararajan et al. 2017 (midpoint rule);
leave-one-out, Li et al. 2016.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnn_core.probes import keras_layers
from rnn_core.probes.recording import one_at_a_time, recording
from rnn_core.probes.sentence import quadrature

# Shapes: B batch, T time, E embedding size (or D inputs).

METHODS = ("gradient_norm", "gradient_times_input", "integrated_gradients", "leave_one_out")


@dataclass(frozen=True, eq=False)
class Attributions:
    """One number per input step. Positive raises the output (gradient norms have no sign)."""

    method: str  # one of METHODS
    variant: str  # the baseline, or how a step was left out
    values: np.ndarray  # (B, T) float64, in units of the output; exactly 0 at masked steps
    answer: np.ndarray  # (B,) the explained output of each example
    reference: np.ndarray  # (B,) the output at the baseline (integrated gradients); otherwise nan
    gap: np.ndarray  # (B,) |sum of values − (answer − reference)|: 0 is complete; nan for methods without such a sum
    mask: np.ndarray  # (B, T) bool: True where a step is real


@one_at_a_time
def attributions(
    model: Any,
    inputs: Any,
    method: str = "integrated_gradients",
    mask: Any = None,
    output: int | None = None,
    steps: int | None = 50,
) -> Attributions:
    """The attribution of a model's output to each input step.

    Args:
        model: a Keras model with stock recurrent layers, or our `Model`; token models need one Embedding layer.
        inputs: (B, T) token ids or (B, T, D) numbers.
        method: "gradient_norm", "gradient_times_input", "integrated_gradients" (baseline: the zero vector) or
            "leave_one_out" (variant: the step is masked, the state stays unchanged).
        mask: (B, T) bool, True at real steps; default: what the model itself masks.
        output: which of K outputs; default the largest of each example.
        steps: points of the midpoint rule for integrated gradients; the gap falls as 1/steps². None: as many points as are
            needed for a gap below 5e-4 of the output's change (see `quadrature`).

    Raises: ValueError for inputs that do not fit the model, or an unknown method.
    """
    if method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}, got {method!r}")
    if steps is not None and steps < 1:
        raise ValueError(f"steps must be at least 1, got {steps}")
    inputs, mask = keras_layers.check(model, inputs, mask)
    network = keras_layers.keras_model(model)
    with keras_layers.logits(network):
        probe = _Probe(network, inputs, mask, output)
        values, variant = getattr(probe, method)(*([steps] if method == "integrated_gradients" else []))
        reference = np.full(len(inputs), np.nan)
        if method == "integrated_gradients":
            reference = probe.answers(np.arange(len(inputs)), np.zeros_like(probe.vectors))
    return Attributions(
        method=method,
        variant=variant,
        values=np.where(probe.mask, values, 0.0),
        answer=probe.answer,
        reference=reference,
        gap=np.abs(values.sum(1) - (probe.answer - reference)),
        mask=probe.mask,
    )


class _Probe:
    """A model as a function of the vectors (B, T, E) of its input steps."""

    def __init__(self, network: Any, inputs: np.ndarray, mask: np.ndarray | None, output: int | None) -> None:
        _, self.layers = keras_layers.choose(network, None)
        self.network, self.inputs, self.chosen = network, inputs, mask
        self.table = _embedding(network) if inputs.ndim == 2 else None
        weights = None if self.table is None else np.asarray(self.table.embeddings)
        self.vectors = inputs if weights is None else weights[inputs]  # (B, T, E)
        with recording(self.layers, mask):
            answer = np.asarray(network(inputs, training=False), np.float64)
        real = next((recorded for recorded in self.layers if recorded.mask is not None), None)
        self.mask = np.ones(inputs.shape[:2], bool) if real is None else real.batch_first(real.mask)
        answer = answer[:, -1] if answer.ndim == 3 else answer
        self.index = answer.argmax(-1) if output is None else np.full(len(answer), output)
        if not 0 <= int(self.index.min()) <= int(self.index.max()) < answer.shape[1]:
            raise ValueError(f"output must be between 0 and {answer.shape[1] - 1}, got {output}")
        self.answer = answer[np.arange(len(answer)), self.index]

    def gradient_norm(self) -> tuple[np.ndarray, str]:
        return np.linalg.norm(
            self.gradients(np.arange(len(self.inputs)), self.vectors), axis=-1
        ), "norm of the gradient in each step's vector"

    def gradient_times_input(self) -> tuple[np.ndarray, str]:
        return np.sum(
            self.vectors * self.gradients(np.arange(len(self.inputs)), self.vectors), -1
        ), "gradient times each step's vector"

    def integrated_gradients(self, steps: int | None) -> tuple[np.ndarray, str]:
        """The mean gradient on the straight line from zero vectors to the inputs, times the inputs."""
        if steps is None:
            found = [self._line(n) for n in range(len(self.inputs))]
            mean = np.stack([one.mean for one in found])
            return np.sum(self.vectors * mean, -1), f"from zero vectors, {max(one.points for one in found)} points"
        total = np.zeros(self.vectors.shape)
        points = (np.arange(steps) + 0.5) / steps
        pairs = [(n, point) for point in points for n in range(len(self.inputs))]
        for part in _parts(pairs):
            rows, scale = np.array([n for n, _ in part]), np.array([point for _, point in part])
            np.add.at(total, rows, self.gradients(rows, self.vectors[rows] * scale[:, None, None]))
        return np.sum(self.vectors * total / steps, -1), f"from zero vectors, {steps} midpoints"

    def _line(self, n: int) -> quadrature.Integral:
        """The integral of one example's gradient, refined until it is complete."""
        vector = self.vectors[n].astype(np.float64)

        def many(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            return np.full(len(points), n), points[:, None, None] * vector

        def evaluate(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            parts = [many(part) for part in _parts(points)]
            return np.concatenate([self.answers(*part) for part in parts]), np.concatenate(
                [self.gradients(*part) for part in parts]
            )

        return quadrature.line_integral(evaluate, vector, tolerance=5e-4)

    def leave_one_out(self) -> tuple[np.ndarray, str]:
        """The output with every step minus the output with one step masked, so that the state stays unchanged there."""
        values = np.zeros(self.mask.shape)
        for part in _parts(np.argwhere(self.mask)):
            rows, steps = np.array(part).T
            mask = self.mask[rows]
            mask[np.arange(len(rows)), steps] = False
            values[rows, steps] = self.answer[rows] - self.answers(rows, self.vectors[rows], mask)
        return values, "each step masked: the state stays unchanged there"

    def answers(self, rows: np.ndarray, vectors: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray:
        """(N,) the explained output of the sequences `rows` with other vectors (N, T, E)."""
        return np.asarray(self._run(rows, vectors, None, mask))

    def gradients(self, rows: np.ndarray, vectors: np.ndarray) -> np.ndarray:
        """(N, T, E) its gradient with respect to the vectors."""
        import tensorflow as tf

        point = tf.constant(vectors, tf.float64)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(point)
            answer = self._run(rows, point, tape)
        found = tape.gradient(answer, point)
        return np.zeros(vectors.shape) if found is None else np.asarray(found, np.float64)

    def _run(self, rows: np.ndarray, vectors: Any, tape: Any, mask: np.ndarray | None = None) -> Any:
        import tensorflow as tf

        mask = mask if mask is not None else None if self.chosen is None else self.chosen[rows]
        point = tf.cast(vectors, tf.float64)
        with recording(self.layers, mask):
            if self.table is None:
                answer = self.network(point, training=False)
            else:
                with _replaced(self.table, point):
                    answer = self.network(self.inputs[rows], training=False)
        answer = tf.cast(answer[:, -1] if answer.shape.rank == 3 else answer, tf.float64)
        return tf.gather(answer, self.index[rows], axis=1, batch_dims=1)


def _embedding(network: Any) -> Any:
    """The one Embedding layer of the model. Raises ValueError where there is none or several."""
    from keras import layers

    found = [layer for layer in network._flatten_layers(include_self=False) if isinstance(layer, layers.Embedding)]
    if len(found) != 1:
        raise ValueError(f"attributions need exactly one Embedding layer, the model has {len(found)}")
    return found[0]


@contextmanager
def _replaced(table: Any, vectors: Any) -> Iterator[None]:
    """Inside, the embedding returns these vectors for all tokens, and still masks by the tokens."""
    try:
        table.__dict__["call"] = lambda inputs: vectors
        yield
    finally:
        table.__dict__.pop("call", None)


def _parts(items: Any, size: int = 128) -> Iterator[Any]:
    """`items` in pieces of at most `size`."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
