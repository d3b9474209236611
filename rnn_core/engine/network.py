"""A `Model`'s network as a TensorFlow graph, from inputs to loss. The weights are arguments of every call.

Shapes: B batch, T time, D inputs, H units, G packed columns, K outputs, V vocabulary. Inside, time comes first: (T, B, ·).
Weights are in the order of `Model.weights`: the embedding if there is one, the recurrent layers, the head's kernel and bias.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from rnn_core.engine import blocks
from rnn_core.engine.arrays import Tensor
from rnn_core.engine.cells import cell_of
from rnn_core.engine.input_projections import TableRows, dense
from rnn_core.spec.experiment import ModelSpec
from rnn_core.spec.interface import Interface

Weights = list[Any]  # tensors or variables
Watch = Callable[[Any], None] | None  # GradientTape.watch while training, else None


def losses(interface: Interface, logits: Tensor, targets: Tensor) -> Tensor:
    """(B,) or (B, T) loss of each example or step, from logits (…, K)."""
    if interface.loss == "categorical":
        return tf.nn.sparse_softmax_cross_entropy_with_logits(labels=targets, logits=logits)
    targets = tf.reshape(tf.cast(targets, logits.dtype), tf.shape(logits))
    if interface.loss == "binary":
        return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=targets, logits=logits), -1)
    return tf.reduce_mean(tf.square(logits - targets), -1)


def scores(interface: Interface, logits: Tensor, targets: Tensor) -> Tensor:
    """(B,) or (B, T): 1 where the prediction is right; the squared error where the loss is squared."""
    if interface.loss == "categorical":
        return tf.cast(tf.equal(tf.argmax(logits, -1, tf.int32), tf.cast(targets, tf.int32)), tf.float32)
    if interface.loss == "binary":
        targets = tf.reshape(tf.cast(targets, logits.dtype), tf.shape(logits))
        return tf.reduce_mean(tf.cast(tf.equal(logits > 0, targets > 0.5), tf.float32), -1)
    return losses(interface, logits, targets)


def reversed_steps(values: Tensor, start: Tensor | int) -> Tensor:
    """(T, …) with the steps from `start` on in reverse order; the steps before `start`, which are not run, stay in front.

    The permutation is its own inverse, so its gradient is itself; TensorFlow's gradient of a gather would add rows one by one.
    """
    steps = tf.shape(values)[0]
    order = (tf.range(steps - 1, -1, -1) + start) % steps

    @tf.custom_gradient
    def permuted(values: Tensor) -> Any:
        return tf.gather(values, order), lambda upstream: tf.gather(upstream, order)

    return permuted(values)


@dataclass(frozen=True)
class Network:
    """The structure of a network, and its computations."""

    spec: ModelSpec
    interface: Interface
    seed: int = 0  # of dropout

    @property
    def tokens(self) -> bool:
        """Whether the first weight is an embedding."""
        return self.interface.inputs == "tokens"

    def embedded(self, weights: Weights, inputs: Tensor) -> Tensor:
        """(T, B, D) inputs of the first recurrent layer."""
        return tf.gather(weights[0], tf.transpose(inputs)) if self.tokens else tf.transpose(inputs, (1, 0, 2))

    def table(self, weights: Weights, projected: bool) -> Tensor:
        """(V, ·) the embedding, or with `projected` the embedding times the first layer's kernels.

        Projecting the table is cheaper where a batch has more positions than distinct tokens: each is projected once.
        """
        if not projected:
            return tf.identity(weights[0])
        directions, each = 1 + self.spec.bidirectional, 3 if self.spec.use_bias else 2
        kernels = [weights[1 + each * n : 1 + each * (n + 1)] for n in range(directions)]
        return tf.concat([dense(weights[0], layer_weights).values() for layer_weights in kernels], -1)

    def logits(
        self,
        above: Weights,
        x: Tensor,
        mask: Tensor | None,
        watch: Watch = None,
        start: Tensor | int = 0,
        draw: Tensor | None = None,
        table: Tensor | None = None,
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """(B, K) or (B, T, K) logits, and the perturbations of the last layer's states (forward direction).

        Args:
            above: the weights above the embedding.
            x: (T, B, D) inputs, or with `table` the ids (T, B) of its rows.
            mask: (B, T) True at real steps, or None.
            start: steps before this one are not run.
            draw: () int64, seed of this call's dropout; None drops nothing.
            table: (V, G) or (V, 2G), the embedding times the first layer's kernels.
        """
        spec, weights = self.spec, list(above)
        time_mask = None if mask is None else tf.transpose(mask)[..., None]
        cell, perturbations = cell_of(spec), ()
        for depth in range(spec.layers):
            final = depth == spec.layers - 1 and not self.interface.per_step
            outputs = []
            for reverse in range(1 + spec.bidirectional):
                layer_weights = [weights.pop(0) for _ in range(3 if spec.use_bias else 2)]
                layer_inputs = x if draw is None or not spec.dropout else self._dropped(x, 2 * depth + reverse, draw)
                real = time_mask
                if reverse:
                    layer_inputs = reversed_steps(layer_inputs, start)
                    real = None if real is None else reversed_steps(real, start)
                if table is not None and depth == 0:
                    layer_inputs = TableRows(tf.split(table, 1 + spec.bidirectional, -1)[reverse], layer_inputs)
                states, perturbation = blocks.layer(cell, layer_inputs, layer_weights, real, watch, start, final)
                perturbations = perturbations if reverse else perturbation
                outputs.append(reversed_steps(states, start) if reverse and not final else states)
            x = tf.concat(outputs, -1)
        logits = tf.tensordot(x, weights[0], 1) + weights[1]
        return tf.transpose(logits, (1, 0, 2)) if self.interface.per_step else logits, perturbations

    def measure(
        self, above: Weights, x: Tensor, mask: Tensor | None, targets: Tensor, start: Tensor | int = 0, **options: Any
    ) -> tuple[Tensor, Tensor, tuple[Tensor, ...]]:
        """Mean loss and score of a batch, and the perturbations. Arguments and options as for `logits`."""
        logits, perturbations = self.logits(above, x, mask, start=start, **options)
        loss, score = losses(self.interface, logits, targets), scores(self.interface, logits, targets)
        if self.interface.per_step:
            steps = tf.range(tf.shape(x)[0])[None] >= start
            real = tf.cast(steps if mask is None else steps & mask, tf.float32)
            share = real / tf.maximum(tf.reduce_sum(real, 1, keepdims=True), 1)
            loss, score = tf.reduce_sum(loss * share, 1), tf.reduce_sum(score * share, 1)
        return tf.reduce_mean(loss), tf.reduce_mean(score), perturbations

    def _dropped(self, x: Tensor, salt: int, draw: Tensor) -> Tensor:
        """Dropout on (T, B, D): each sequence drops the same inputs at every step; the others are scaled by 1 / (1 - rate)."""
        rate, shape = self.spec.dropout, (tf.shape(x)[1], x.shape[2])
        drawn = tf.random.stateless_uniform(shape, tf.stack([tf.constant(self.seed * 16 + salt, tf.int64), draw]))
        return x * tf.cast(drawn >= rate, x.dtype) / (1 - rate)
