"""The referee of foreign models: the model itself, eagerly, with every recurrent layer stepped through its stock cell under a tape.

Nothing of the library is used. Of each call of a recurrent layer every state and every input gets a zero added that the tape
watches: the gradient with respect to it is the total derivative. That the model still gives its own answer is checked every time.

Shapes: B batch, T steps of a layer, D inputs, H units, S state, E numbers in the vector of a step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

import keras
import numpy as np
import tensorflow as tf

LOOP = keras.layers.RNN.inner_loop
RECURRENT = (keras.layers.RNN, keras.layers.LSTM, keras.layers.GRU)  # the classes that have an `inner_loop` of their own


@dataclass
class Stepped:
    """One call of one layer. Lists by step, in the order in which the layer reads."""

    layer: Any
    mask: Any  # (B, T) or None
    x: list[Any] = field(default_factory=list)  # (B, D)
    before: list[Any] = field(default_factory=list)  # parts of (B, H)
    after: list[Any] = field(default_factory=list)
    outputs: list[Any] = field(default_factory=list)  # (B, H)
    pushes: list[Any] = field(default_factory=list)  # zeros for each part of the state after the step
    reads: list[Any] = field(default_factory=list)  # zeros (B, D) for the input

    def inplace(self, values: list[Any]) -> np.ndarray:
        """(B, T, …) float64, every step where its input stands."""
        stacked = np.stack([np.asarray(tf.cast(value, tf.float64)) for value in values], 1)
        return stacked[:, ::-1] if self.layer.go_backwards else stacked

    @property
    def real(self) -> np.ndarray:
        """(B, T) True at real steps, in the order of the inputs."""
        shape = (self.x[0].shape[0], len(self.x))
        return np.ones(shape, bool) if self.mask is None else np.asarray(self.mask).astype(bool)

    @property
    def states(self) -> np.ndarray:
        """(B, T, S)."""
        return self.inplace([tf.concat(parts, -1) for parts in self.after])


class Unrolled:
    """Calls of a model, stepped.

    Args:
        head: the layer whose sigmoid or softmax comes last and is taken off; None where nothing is.
        table: the Embedding layer that gives out the vectors of the steps.
        given: (B, T) bool that replaces the masks of recurrent layers of T steps.
        places: the step of the inputs that each step of the table reads.
    """

    def __init__(
        self, network: Any, head: Any = None, table: Any = None, given: np.ndarray | None = None, places: tuple[int, ...] = ()
    ) -> None:
        self.network, self.head, self.table, self.given, self.places = network, head, table, given, places
        self.calls: list[Stepped] = []
        self.tape: tf.GradientTape | None = None
        self.masks: list[Any] | None = None  # of every call, in the place of its own

    def answer(self, inputs: Any, tape: Any = None, vectors: Any = None, masks: list[Any] | None = None) -> Any:
        """The model's answer, of several the first, before the last sigmoid or softmax; `calls` has what ran."""
        self.calls, self.tape, self.masks = [], tape, masks
        given = inputs if vectors is None or self.table is not None else vectors
        before = tf.config.functions_run_eagerly()
        tf.config.run_functions_eagerly(True)
        try:
            with self._stepped(vectors):
                return keras.tree.flatten(self.network(keras.tree.map_structure(tf.convert_to_tensor, given), training=False))[0]
        finally:
            tf.config.run_functions_eagerly(before)

    @contextmanager
    def _stepped(self, vectors: Any) -> Iterator[None]:
        def inner_loop(layer: Any, sequences: Any, initial_state: Any, mask: Any = None, training: bool = False) -> Any:
            return self._loop(layer, sequences, initial_state, mask, training)

        moved = tf.gather(vectors, self.places, axis=1) if self.places and vectors is not None else vectors
        with ExitStack() as stack:
            for layer in self.network._flatten_layers():  # what is computed twice is cut off from the tape's pushes
                stack.enter_context(mock.patch.dict(layer.__dict__, {"_remat_mode": None}))
            for kind in RECURRENT:
                stack.enter_context(mock.patch.object(kind, "inner_loop", inner_loop))
            if self.head is not None and isinstance(self.head, keras.layers.Softmax):
                stack.enter_context(mock.patch.dict(self.head.__dict__, {"call": lambda inputs, mask=None: inputs}))
            elif self.head is not None:
                stack.enter_context(mock.patch.dict(self.head.__dict__, {"activation": keras.activations.linear}))
            if self.table is not None and vectors is not None:
                stack.enter_context(mock.patch.dict(self.table.__dict__, {"call": lambda inputs: tf.convert_to_tensor(moved)}))
            yield

    def _loop(self, layer: Any, sequences: Any, initial: Any, mask: Any, training: bool) -> Any:
        state = list(initial) if isinstance(initial, (list, tuple)) else [initial]
        state = [tf.identity(part) for part in state]  # of a stateful layer they are variables
        if self.masks is not None:
            mask = self.masks[len(self.calls)]
        elif self.given is not None and self.given.shape[1] == sequences.shape[1]:
            mask = self.given
        one = Stepped(layer, mask)
        self.calls.append(one)
        if not isinstance(layer.cell, (keras.layers.SimpleRNNCell, keras.layers.LSTMCell, keras.layers.GRUCell)):
            return LOOP(layer, sequences, initial, mask, training)
        steps = range(sequences.shape[1])
        for t in reversed(steps) if layer.go_backwards else steps:
            state = self._step(one, sequences[:, t], state, None if mask is None else tf.convert_to_tensor(mask)[:, t], training)
        if mask is not None and layer.unroll and layer.zero_output_for_mask and layer.go_backwards:
            return one.outputs[-1], tf.where(tf.convert_to_tensor(mask)[..., None], tf.stack(one.outputs, 1), 0.0), state
        return one.outputs[-1], tf.stack(one.outputs, 1), state

    def _step(self, one: Stepped, x: Any, state: list[Any], real: Any, training: bool) -> list[Any]:
        """One step: states after it. What is added to the states reaches the output, too, as it would from the loop."""
        x = x if x.dtype.is_floating else tf.cast(x, one.layer.cell.compute_dtype)
        read = tf.zeros_like(x)
        self._watch([read])
        _, after = one.layer.cell(x + read, state, training=training)
        after = list(after) if isinstance(after, (list, tuple)) else [after]
        if real is not None:
            real = tf.cast(real, tf.bool)[:, None]
            after = [tf.where(real, new, old) for new, old in zip(after, state, strict=True)]
        push = [tf.zeros_like(part) for part in after]
        self._watch(push)
        after = [part + extra for part, extra in zip(after, push, strict=True)]
        output = after[0]
        if real is not None:  # a masked step repeats the last output, or gives zeros
            shown = (
                real
                if not one.outputs or (one.layer.zero_output_for_mask and not (one.layer.unroll and one.layer.go_backwards))
                else real | self._shown
            )
            output, self._shown = tf.where(shown, output, tf.zeros_like(output)), shown
        for values, value in (
            (one.x, x + read), (one.before, state), (one.after, after), (one.outputs, output), (one.pushes, push), (one.reads, read)
        ):  # fmt: skip
            values.append(value)
        return after

    def _watch(self, values: list[Any]) -> None:
        if self.tape is not None:
            self.tape.watch(values)

    def default(self) -> int:
        """The position of the call that is meant where none is named: the last, of a bidirectional layer its forward half."""
        last = len(self.calls) - 1
        for layer in self.network._flatten_layers():
            if isinstance(layer, keras.layers.Bidirectional) and self.calls[last].layer is layer.backward_layer:
                return last - 1
        return last


def last_step(answer: Any) -> Any:
    """(B, K) of an answer (B,), (B, K) or (B, T, K)."""
    if len(answer.shape) == 1:
        return answer[:, None]
    return answer[:, -1] if len(answer.shape) == 3 else answer


def largest(answer: Any) -> Any:
    """(B,) the largest output of each example, of the last step."""
    return tf.reduce_max(last_step(answer), -1)


def flow(referee: Unrolled, inputs: Any, number: Callable[[Any], Any], position: int | None = None) -> dict[str, Any]:
    """The number (B,), the norms (B, T) of its gradient in the states and inputs of one call, and that in its weights."""
    with tf.GradientTape(persistent=True) as tape:
        answer = referee.answer(inputs, tape)
        value = number(answer)
        total = tf.reduce_sum(value)
    one = referee.calls[referee.default() if position is None else position]

    def of(sources: list[Any]) -> list[Any]:
        slopes = tape.gradient(total, sources)
        return [tf.zeros_like(source) if slope is None else slope for slope, source in zip(slopes, sources, strict=True)]

    flat = of([part for push in one.pushes for part in push])
    parts = len(one.pushes[0])
    states = [tf.concat(flat[n : n + parts], -1) for n in range(0, len(flat), parts)]
    names = ("kernel", "recurrent_kernel", "bias") if one.layer.cell.use_bias else ("kernel", "recurrent_kernel")
    totals = of([getattr(one.layer.cell, name).value for name in names])
    return {
        "value": np.asarray(value, np.float64),
        "signed": one.inplace(states),
        "inputs": np.linalg.norm(one.inplace(of(one.reads)), axis=-1),
        "totals": dict(zip(names, map(np.asarray, totals), strict=True)),
        "real": one.real,
    }


def jacobians(one: Stepped) -> np.ndarray:
    """(T, S, S) ds_t/ds_{t−1} of the first example, in the order in which the layer reads."""
    before = tf.concat([tf.concat([part[:1] for part in parts], -1) for parts in one.before], 0)
    x = tf.concat([x[:1] for x in one.x], 0)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(before)
        _, after = one.layer.cell(x, tf.split(before, len(one.before[0]), -1))
        after = tf.concat(list(after) if isinstance(after, (list, tuple)) else [after], -1)
        columns = [after[:, n] for n in range(after.shape[1])]
    found = np.stack([np.asarray(tf.cast(tape.gradient(column, before), tf.float64)) for column in columns], 1)
    real = one.real[0][::-1] if one.layer.go_backwards else one.real[0]
    return np.where(real[:, None, None], found, np.eye(found.shape[-1]))


def attributions(referee: Unrolled, inputs: np.ndarray, method: str, points: int) -> np.ndarray:
    """(B, T) as the product defines each method: from zero vectors, midpoints; a step left out is masked in the recurrent layers."""
    vectors = np.asarray(tf.cast(inputs if referee.table is None else referee.table(inputs), referee.network.compute_dtype))
    columns = np.asarray(last_step(referee.answer(inputs))).argmax(-1)
    masks = [one.mask for one in referee.calls]
    steps = vectors.shape[1]
    mine = next(
        (one.real for one in referee.calls if one.mask is not None and len(one.x) == steps), np.ones(vectors.shape[:2], bool)
    )

    def answer(values: Any, forced: list[Any]) -> Any:
        return tf.gather(last_step(referee.answer(inputs, None, values, forced)), columns, axis=1, batch_dims=1)

    def slope(values: np.ndarray) -> np.ndarray:
        with tf.GradientTape() as tape:
            tensor = tf.convert_to_tensor(values)
            tape.watch(tensor)
            total = tf.reduce_sum(answer(tensor, masks))
        return np.asarray(tf.cast(tape.gradient(total, tensor), tf.float64))

    if method == "leave_one_out":
        alike = [len(one.x) > 1 and all(np.array_equal(one.x[0], x) for x in one.x) for one in referee.calls]  # RepeatVector
        left = [np.repeat(np.where(np.arange(steps) == t, False, True)[None], len(vectors), 0) for t in range(steps)]
        without = [
            answer(
                vectors,
                [
                    mask if repeated else each if mask is None else np.asarray(mask) & each
                    for mask, repeated in zip(masks, alike, strict=True)
                ],
            )
            for each in left
        ]
        values = np.stack([np.asarray(answer(vectors, masks) - one, np.float64) for one in without], 1)
    elif method == "gradient_norm":
        values = np.linalg.norm(slope(vectors), axis=-1)
    else:
        places = ((np.arange(points) + 0.5) / points).astype(vectors.dtype)
        values = np.sum(vectors * np.mean([slope(vectors * place) for place in places], 0), -1)
    return np.where(mine, values, 0.0)
