"""One compiled training step: loss, the gradient of every state, clipping, and the optimiser's update.

Full batches run as an XLA program, compiled once per capacity (the batch's length rounded up; the loop runs the true number of
steps), in two halves in parallel, one per core. Other batches and small evaluations run in one TensorFlow graph for all shapes.
Which of the two runs depends on the batch alone, not on earlier ones, so that a resumed run repeats every bit.

Shapes: B batch, T time, D inputs, H units, G packed columns, K outputs, V vocabulary. Inside, time comes first: (T, B, ·).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import tensorflow as tf

from rnn_core.data.checks import check
from rnn_core.data.sequences import Batch, Sequences, batches
from rnn_core.engine.arrays import Tensor
from rnn_core.engine.model import Model
from rnn_core.engine.network import Network
from rnn_core.spec.experiment import TrainingSpec
from rnn_core.spec.limits import state_bytes
from rnn_core.training import optimisers
from rnn_core.training.batch_lengths import capacity_of, distinct_tokens, padded

HALVES = 2  # parts of a full batch that run in parallel
LARGE_BYTES = 2**28  # of states and gates, from which a batch is padded as little as possible


@dataclass(frozen=True, eq=False)
class StepResult:
    """Measurements of one training step, before its update."""

    loss: float  # mean over the batch
    metric: float  # accuracy in [0, 1], or root mean squared error where the loss is squared
    state_norms: np.ndarray  # (T,) float64: mean over the batch of ‖∂L_i/∂s_t‖, last recurrent layer; the last is the final step
    gradient_norm: float  # global norm of the weights' gradient
    clipped_norm: float  # the same after clipping


def _mean(values: Any) -> Any:
    """Mean of tensors, or element-wise of lists of tensors."""
    if isinstance(values[0], list):
        return [_mean(each) for each in zip(*values, strict=True)]
    return tf.add_n(list(values)) / len(values)


class TrainingStep:
    """Weights and optimiser of one run, and the compiled functions that update and evaluate them.

    Args:
        model: the initial weights.
        training: optimiser, learning rate, clipping.
        seed: of dropout; nothing else is random.
    """

    def __init__(self, model: Model, training: TrainingSpec, seed: int = 0) -> None:
        self._initial, self.training = model, training
        self.network = Network(model.spec, model.interface, seed)
        self.tokens = self.network.tokens
        self.weights = [tf.Variable(weight) for weight in model.weights]
        slots = range(optimisers.SLOTS[training.optimiser])
        self.slots = [[tf.Variable(tf.zeros_like(weight)) for weight in self.weights] for _ in slots]
        self.count = tf.Variable(0, dtype=tf.int64)
        self._rate = tf.Variable(training.learning_rate, dtype=tf.float32)
        self._functions: dict[tuple[str, bool], Any] = {}

    @property
    def learning_rate(self) -> float:
        """Can be set during a run."""
        return float(self._rate.numpy())

    @learning_rate.setter
    def learning_rate(self, value: float) -> None:
        self._rate.assign(value)

    @property
    def model(self) -> Model:
        """The network with its current weights."""
        return self._initial.with_weights([weight.numpy().copy() for weight in self.weights])

    def restart(self, model: Model, training: TrainingSpec) -> None:
        """Resets to a model of the same structure, with the same optimiser and clipping; keeps the compiled functions."""
        self._initial, self.training = model, training
        for weight, start in zip(self.weights, model.weights, strict=True):
            weight.assign(start)
        for value in (value for slot in self.slots for value in slot):
            value.assign(tf.zeros_like(value))
        self.count.assign(0)
        self._rate.assign(training.learning_rate)

    def step(self, batch: Batch) -> StepResult:
        """One gradient step on a batch."""
        check(batch, self._initial.interface)
        full = len(batch.inputs) == self.training.batch
        capacity = capacity_of(batch.inputs.shape[1], state_bytes(self.network.spec, *batch.inputs.shape[:2]) > LARGE_BYTES)
        prepared, start = padded(batch, self.network.interface.per_step, capacity) if full else (batch, 0)
        rows: list[np.ndarray] = []
        if full and self.tokens:
            inputs, *rows = distinct_tokens(prepared.inputs, self._initial.interface.input_size)
            prepared = replace(prepared, inputs=inputs)
        function = self._function("train" if full else "train_any", prepared.mask is not None)
        found = function(*self._tensors(prepared), tf.constant(start), *map(tf.constant, rows))
        loss, metric, norms, gradient, clipped = (value.numpy() for value in found)
        return StepResult(float(loss), self._metric(metric), norms[-batch.inputs.shape[1] :], float(gradient), float(clipped))

    def evaluate(self, sequences: Sequences, batch: int = 256, capacity: int = 0) -> tuple[float, float]:
        """(loss, metric) over all sequences, in batches of similar length.

        Args:
            capacity: time steps of the XLA program that full batches run in; 0 runs them in the graph for all shapes. Must be
                0 for networks that predict at every step.
        """
        totals = np.zeros(2)
        for part in batches(sequences, batch, None, mask=self._initial.mask or not self.tokens):
            if capacity and len(part.inputs) == batch:
                part, start = padded(part, False, capacity)
                found = self._function("measure_fixed", part.mask is not None)(*self._tensors(part), tf.constant(start))
            else:
                found = self._function("measure", part.mask is not None)(*self._tensors(part))
            totals += len(part.inputs) * np.array([value.numpy() for value in found], np.float64)
        loss, metric = totals / len(sequences)
        return float(loss), self._metric(metric)

    def predict(self, inputs: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray:
        """(B, K) or (B, T, K) outputs: probabilities, or forecast values."""
        batch = Batch(inputs, mask, np.zeros(0))
        check(batch, self._initial.interface, targets=False)
        logits = self._function("logits", mask is not None)(*self._tensors(batch)[:-1])
        head = {"binary": tf.sigmoid, "categorical": tf.nn.softmax, "squared": tf.identity}[self._initial.interface.loss]
        return np.asarray(head(logits))

    def gradients(self, batch: Batch) -> list[np.ndarray]:
        """Gradients of the batch's loss, in the order of `Model.weights`; nothing is updated."""
        check(batch, self._initial.interface)
        function = self._function("gradients", batch.mask is not None)
        return [gradient.numpy() for gradient in function(*self._tensors(batch), tf.constant(0))[0]]

    def state(self) -> dict[str, np.ndarray]:
        """Arrays by name: everything that an exact resumption needs."""
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
        return float(np.sqrt(score)) if self._initial.interface.loss == "squared" else float(score)

    def _tensors(self, batch: Batch) -> list[Any]:
        """Inputs, mask if there is one, and targets, with the dtypes and shapes of the compiled functions."""
        interface = self._initial.interface
        inputs = tf.constant(batch.inputs, tf.int32 if self.tokens else tf.float32)
        targets = batch.targets
        if interface.loss != "categorical":
            steps = batch.inputs.shape[1:2] if interface.per_step else ()
            targets = targets.reshape(-1, *steps, interface.outputs)
        targets = tf.constant(targets, tf.int32 if interface.loss == "categorical" else tf.float32)
        return [inputs, *([] if batch.mask is None else [tf.constant(batch.mask, tf.bool)]), targets]

    def _function(self, name: str, masked: bool) -> Any:
        """The compiled function of that name: "train" and "measure_fixed" have one trace per shape, the others one for all."""
        key = name, masked
        if key not in self._functions:
            body: Any = {
                "train": self._train,
                "train_any": self._train,
                "gradients": self._gradients,
                "measure": self._measure,
                "measure_fixed": self._measure_fixed,
                "logits": self._logits,
            }[name]
            bare = body if masked else lambda inputs, *rest: body(inputs, None, *rest)
            fixed = name in ("train", "measure_fixed")
            signature = None if fixed else self._signature(masked)[: {"measure": 2, "logits": 1}.get(name, 3) + masked]
            whole = {"jit_compile": True} if name == "measure_fixed" else {}
            self._functions[key] = tf.function(bare, input_signature=signature, autograph=False, **whole)
        return self._functions[key]

    def _signature(self, masked: bool) -> list[Any]:
        """Inputs, mask, targets and start of any size."""
        interface = self._initial.interface
        rank = 1 + interface.per_step if interface.loss == "categorical" else 2 + interface.per_step
        inputs = tf.TensorSpec((None, None), tf.int32) if self.tokens else tf.TensorSpec((None, None, interface.input_size))
        targets = tf.TensorSpec((None,) * rank, tf.int32 if interface.loss == "categorical" else tf.float32)
        return [inputs, *([tf.TensorSpec((None, None), tf.bool)] if masked else []), targets, tf.TensorSpec((), tf.int32)]

    def _logits(self, inputs: Tensor, mask: Tensor | None) -> Tensor:
        return self.network.logits(self.weights[self.tokens :], self.network.embedded(self.weights, inputs), mask)[0]

    def _measure(self, inputs: Tensor, mask: Tensor | None, targets: Tensor) -> tuple[Tensor, ...]:
        return self.network.measure(self.weights[self.tokens :], self.network.embedded(self.weights, inputs), mask, targets)[:2]

    def _measure_fixed(self, inputs: Tensor, mask: Tensor | None, targets: Tensor, start: Tensor) -> tuple[Tensor, ...]:
        """`_measure` for a fixed shape, as one XLA program; steps before `start` are not run."""
        x = tf.transpose(inputs, (1, 0, *range(2, len(inputs.shape))))
        table = self.network.table(self.weights, projected=True) if self.tokens else None
        return self.network.measure(self.weights[self.tokens :], x, mask, targets, start, table=table)[:2]

    def _core(
        self,
        inputs: Tensor,
        mask: Tensor | None,
        targets: Tensor,
        table: Tensor | None,
        start: Tensor,
        half: Tensor,
        projected: bool = False,
    ) -> tuple[Any, ...]:
        """Loss, metric and gradients of one half of a batch, from the embedding table up.

        Args:
            inputs: (B, T) rows of the table, or (B, T, D) floats.
            table: `Network.table`, or None without an embedding.
            start, half: the first step that is run, and the number of this half.
            projected: whether the table is already multiplied by the first layer's kernels.

        Returns: the gradients of the table, if there is one, and of the weights above; loss, metric, norms (T,).
        """
        x, above = tf.transpose(inputs, (1, 0, *range(2, len(inputs.shape)))), self.weights[self.tokens :]
        tables = [] if table is None else [table]
        with tf.GradientTape() as tape:
            tape.watch(tables)
            x = tf.gather(table, x) if tables and not projected else x
            draw = self.count * HALVES + tf.cast(half, tf.int64)
            options = {"watch": tape.watch, "draw": draw, "table": table if projected else None}
            loss, metric, perturbations = self.network.measure(above, x, mask, targets, start, **options)
        gradients, flow = tape.gradient(loss, [[*tables, *above], perturbations], unconnected_gradients="zero")
        squares = tf.add_n([tf.reduce_sum(tf.square(tf.cast(part, tf.float64)), -1) for part in flow])  # (T, B)
        return list(map(tf.convert_to_tensor, gradients)), loss, metric, tf.reduce_sum(tf.sqrt(squares), 1)

    def _gradients(
        self,
        inputs: Tensor,
        mask: Tensor | None,
        targets: Tensor,
        start: Tensor,
        used: Tensor | None = None,
    ) -> tuple[list[Tensor], Tensor, Tensor, Tensor]:
        """Gradients of all weights, loss, metric, and the states' norms (T,).

        Args:
            inputs: (B, T) token ids or (B, T, D) floats; with `used`, indices into it (see `distinct_tokens`): the first gradient
                is then that of these rows of the embedding only.
        """
        static, spec = inputs.shape.is_fully_defined(), self._initial.spec
        halves = HALVES if static and inputs.shape[0] % HALVES == 0 else 1
        projected = used is not None and not spec.dropout and used.shape[0] < inputs.shape.num_elements()
        core: Any = partial(self._core, projected=projected)
        core = tf.function(core, jit_compile=True, autograph=False) if static else core
        with tf.GradientTape() as tape:
            weights, table = list(self.weights), None
            if self.tokens:
                weights[0] = self.weights[0] if used is None else tf.gather(self.weights[0], used)
                tape.watch(weights[0])
                table = self.network.table(weights, projected)
        masks = [None] * halves if mask is None else tf.split(mask, halves)
        parts = zip(tf.split(inputs, halves), masks, tf.split(targets, halves), strict=True)
        found = [core(*part, table, start, tf.constant(n)) for n, part in enumerate(parts)]
        gradients, *measured = (_mean(values) for values in zip(*found, strict=True))
        if not self.tokens:
            return gradients, *measured
        embedding, *below = tape.gradient(table, weights, gradients[0])
        above = zip(gradients[1:], below, strict=True)
        return [embedding, *(part if more is None else part + more for part, more in above)], *measured

    def _train(self, inputs: Tensor, mask: Tensor | None, targets: Tensor, start: Tensor, *rows: Tensor) -> tuple[Tensor, ...]:
        gradients, loss, metric, norms = self._gradients(inputs, mask, targets, start, *rows[:1])
        norm = tf.linalg.global_norm(gradients)
        clipped = norm
        if self.training.clip:
            clipped = tf.minimum(norm, self.training.clip)
            gradients = [gradient * (clipped / tf.maximum(norm, 1e-30)) for gradient in gradients]
        if rows:  # to the whole vocabulary; the unused index has gradient zero
            gradients[0] = tf.gather(gradients[0], rows[1])
        optimisers.update(self.training.optimiser, self.weights, self.slots, gradients, self._rate, self.count)
        return loss, metric, norms, norm, clipped
