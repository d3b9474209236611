"""One compiled training step: loss, the gradient of every state on the way, clipping, and the optimiser's update.

Shapes: B batch, T time, D inputs, H units, G packed columns, K outputs. Inside, time comes first: (T, B, ·).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from rnn_core import recurrence
from rnn_core.cells import CELLS, Cell, Tensor
from rnn_core.data.sequences import Batch, Sequences, batches
from rnn_core.data.task import Interface
from rnn_core.experiment import ModelSpec, TrainingSpec
from rnn_core.models import Model

Watch = Callable[[Any], None] | None  # GradientTape.watch while training, else None


@dataclass(frozen=True, eq=False)
class StepResult:
    """What one training step measured, before its update."""

    loss: float  # mean over the batch
    metric: float  # accuracy in [0, 1], or root mean squared error where the loss is squared
    state_norms: np.ndarray  # (T,) float64: mean over the batch of ‖∂L_i/∂s_t‖, last recurrent layer; the last is the final step
    gradient_norm: float  # global norm of the weights' gradient
    clipped_norm: float  # the same after clipping


def cell_of(spec: ModelSpec) -> Cell:
    """The recurrence that a spec describes."""
    return CELLS[spec.cell](spec.units, spec.activation, reset_after=spec.reset_after)


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


class Stepper:
    """Weights and optimiser of one run, and the functions that move them.

    Args:
        model: where to start.
        training: optimiser, learning rate, clipping.
        seed: of dropout; nothing else here is random.
    """

    def __init__(self, model: Model, training: TrainingSpec, seed: int = 0) -> None:
        self._start, self.training, self.seed = model, training, seed
        self.cell = cell_of(model.spec)
        self.weights = [tf.Variable(weight) for weight in model.weights]
        slots = {"adam": 2, "rmsprop": 1, "sgd": 0}[training.optimiser]
        self.slots = [[tf.Variable(tf.zeros_like(weight)) for weight in self.weights] for _ in range(slots)]
        self.count = tf.Variable(0, dtype=tf.int64)
        self._rate = tf.Variable(training.learning_rate, dtype=tf.float32)
        self._step = tf.function(self._train, autograph=False, reduce_retracing=True)
        self._forward = tf.function(self._measure, autograph=False, reduce_retracing=True)
        self._measured = tf.function(self._gradients, autograph=False, reduce_retracing=True)
        self._logits = tf.function(
            lambda inputs, mask: self._network(inputs, mask, None)[0], autograph=False, reduce_retracing=True
        )

    @property
    def learning_rate(self) -> float:
        """Size of a step; may be set in mid-run."""
        return float(self._rate.numpy())

    @learning_rate.setter
    def learning_rate(self, value: float) -> None:
        self._rate.assign(value)

    @property
    def model(self) -> Model:
        """The network with its present weights."""
        return self._start.with_weights([weight.numpy().copy() for weight in self.weights])

    def step(self, batch: Batch) -> StepResult:
        """One gradient step on a batch."""
        self._check(batch)
        loss, metric, norms, gradient, clipped = (
            value.numpy() for value in self._step(*_tensors(batch), tf.constant(batch.targets))
        )
        return StepResult(float(loss), self._metric(metric), norms, float(gradient), float(clipped))

    def evaluate(self, sequences: Sequences, batch: int = 256) -> tuple[float, float]:
        """(loss, metric) over all sequences, in batches of similar length."""
        totals = np.zeros(2)
        for part in batches(sequences, batch, None, mask=self._start.mask or self._start.interface.inputs == "floats"):
            loss, metric, _ = self._forward(*_tensors(part), tf.constant(part.targets))
            totals += len(part.inputs) * np.array([loss, metric], np.float64)
        loss, metric = totals / len(sequences)
        return float(loss), self._metric(metric)

    def predict(self, inputs: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray:
        """(B, K) or (B, T, K) outputs: probabilities, or forecast values."""
        logits = self._logits(*_tensors(Batch(inputs, mask, inputs)))
        head = {"binary": tf.sigmoid, "categorical": tf.nn.softmax, "squared": tf.identity}[self._start.interface.loss]
        return np.asarray(head(logits))

    def gradients(self, batch: Batch) -> list[np.ndarray]:
        """The gradient of the batch's loss in each weight, as `get_weights` orders them; nothing is updated."""
        return [gradient.numpy() for gradient in self._measured(*_tensors(batch), tf.constant(batch.targets))[0]]

    def state(self) -> dict[str, np.ndarray]:
        """Everything an exact resumption needs."""
        arrays = {f"weight.{n}": weight.numpy().copy() for n, weight in enumerate(self.weights)}
        arrays |= {f"slot.{k}.{n}": value.numpy().copy() for k, slot in enumerate(self.slots) for n, value in enumerate(slot)}
        return arrays | {"count": self.count.numpy(), "learning_rate": self._rate.numpy()}

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """The inverse of `state`."""
        for n, weight in enumerate(self.weights):
            weight.assign(state[f"weight.{n}"])
        for k, slot in enumerate(self.slots):
            for n, value in enumerate(slot):
                value.assign(state[f"slot.{k}.{n}"])
        self.count.assign(int(state["count"]))
        self._rate.assign(float(state["learning_rate"]))

    def _metric(self, score: float) -> float:
        return float(np.sqrt(score)) if self._start.interface.loss == "squared" else float(score)

    def _check(self, batch: Batch) -> None:
        if batch.inputs.shape[0] == 0 or batch.inputs.shape[1] == 0:
            raise ValueError(f"a batch needs at least one sequence of one step, got inputs of shape {batch.inputs.shape}")

    def _network(self, inputs: Tensor, mask: Tensor | None, watch: Watch) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Logits (B, K) or (B, T, K), and the nudges of the last layer's states (forward half)."""
        spec, interface, cell = self._start.spec, self._start.interface, self.cell
        weights = list(self.weights)
        time_mask = None if mask is None else tf.transpose(mask)[..., None]
        x = tf.gather(weights.pop(0), tf.transpose(inputs)) if interface.inputs == "tokens" else tf.transpose(inputs, (1, 0, 2))
        nudges: tuple[Tensor, ...] = ()
        for depth in range(spec.layers):
            runs = []
            for backwards in range(1 + spec.bidirectional):
                kernel, recurrent = weights.pop(0), weights.pop(0)
                bias = weights.pop(0) if spec.use_bias else None
                fed = self._dropped(x, 2 * depth + backwards) if watch and spec.dropout else x
                states, pushed = self._layer(cell, fed, kernel, recurrent, bias, time_mask, bool(backwards), watch)
                nudges = nudges if backwards else pushed
                runs.append(states[0])
            if depth < spec.layers - 1 or interface.per_step:
                x = tf.concat([run[::-1] if n else run for n, run in enumerate(runs)], -1)
            else:
                x = tf.concat([run[-1] for run in runs], -1)
        logits = x @ weights[0] + weights[1]
        return tf.transpose(logits, (1, 0, 2)) if interface.per_step else logits, nudges

    def _layer(
        self,
        cell: Cell,
        x: Tensor,
        kernel: Tensor,
        recurrent: Tensor,
        bias: Tensor | None,
        mask: Tensor | None,
        backwards: bool,
        watch: Watch,
    ) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
        """States of one recurrent layer and the zeros that nudge them."""
        if backwards:
            x, mask = x[::-1], None if mask is None else mask[::-1]
        projected = tf.tensordot(x, kernel, 1)
        inner = None
        if bias is not None:
            outer, inner = (bias[0], bias[1]) if len(bias.shape) == 2 else (bias, None)
            projected += outer
        shape = tf.shape(projected)
        nudge = tuple(tf.zeros((shape[0], shape[1], cell.units)) for _ in range(cell.parts))
        if watch is not None:
            watch(nudge)
        states, _ = recurrence.scan(cell, projected, recurrent, inner, recurrence.zeros(cell, shape[1], tf.float32), mask, nudge)
        return states, nudge

    def _dropped(self, x: Tensor, salt: int) -> Tensor:
        """(T, B, D) with the same inputs of a sequence dropped at every step, the others scaled up."""
        rate = self._start.spec.dropout
        shape = (tf.shape(x)[1], x.shape[2])
        draw = tf.random.stateless_uniform(shape, tf.stack([tf.cast(self.seed, tf.int64) * 16 + salt, self.count]))
        return x * tf.cast(draw >= rate, x.dtype) / (1 - rate)

    def _measure(
        self, inputs: Tensor, mask: Tensor | None, targets: Tensor, watch: Watch = None
    ) -> tuple[Tensor, Tensor, tuple[Tensor, ...]]:
        logits, nudges = self._network(inputs, mask, watch)
        loss, score = losses(self._start.interface, logits, targets), scores(self._start.interface, logits, targets)
        if self._start.interface.per_step and mask is not None:
            share = tf.cast(mask, tf.float32) / tf.maximum(tf.reduce_sum(tf.cast(mask, tf.float32), 1, keepdims=True), 1)
            loss, score = tf.reduce_sum(loss * share, 1), tf.reduce_sum(score * share, 1)
        return tf.reduce_mean(loss), tf.reduce_mean(score), nudges

    def _gradients(self, inputs: Tensor, mask: Tensor | None, targets: Tensor) -> tuple[list[Tensor], Tensor, Tensor, Tensor]:
        with tf.GradientTape() as tape:
            loss, metric, nudges = self._measure(inputs, mask, targets, tape.watch)
        found = tape.gradient(loss, [*self.weights, *nudges])
        gradients = [tf.convert_to_tensor(gradient) for gradient in found[: len(self.weights)]]
        flow = [tf.cast(push, tf.float64) for push in found[len(self.weights) :]]
        squares = tf.add_n([tf.reduce_sum(push * push, -1) for push in flow])  # (T, B)
        return gradients, loss, metric, tf.reduce_sum(tf.sqrt(squares), 1)

    def _train(self, inputs: Tensor, mask: Tensor | None, targets: Tensor) -> tuple[Tensor, ...]:
        gradients, loss, metric, norms = self._gradients(inputs, mask, targets)
        norm = tf.linalg.global_norm(gradients)
        clipped = norm
        if self.training.clip:
            clipped = tf.minimum(norm, self.training.clip)
            gradients = [gradient * (clipped / tf.maximum(norm, 1e-30)) for gradient in gradients]
        self._update(gradients)
        return loss, metric, norms, norm, clipped

    def _update(self, gradients: list[Tensor]) -> None:
        """Keras's Adam, RMSprop or SGD with their default constants, by TensorFlow's fused kernels."""
        self.count.assign_add(1)
        powers = [tf.pow(decay, tf.cast(self.count, tf.float32)) for decay in (0.9, 0.999)]
        for n, (weight, gradient) in enumerate(zip(self.weights, gradients, strict=True)):
            slots = [slot[n].handle for slot in self.slots]
            if self.training.optimiser == "adam":
                tf.raw_ops.ResourceApplyAdam(
                    var=weight.handle, m=slots[0], v=slots[1], beta1_power=powers[0], beta2_power=powers[1],
                    lr=self._rate, beta1=0.9, beta2=0.999, epsilon=1e-7, grad=gradient,
                )  # fmt: skip
            elif self.training.optimiser == "rmsprop":
                slots[0] = self.slots[0][n]
                slots[0].assign(0.9 * slots[0] + 0.1 * tf.square(gradient))
                weight.assign_sub(self._rate * gradient * tf.math.rsqrt(slots[0] + 1e-7))
            else:
                weight.assign_sub(self._rate * gradient)


def _tensors(batch: Batch) -> tuple[Any, Any]:
    return tf.constant(batch.inputs), None if batch.mask is None else tf.constant(batch.mask)
