"""What a recurrent layer adds to its state's product, x K + b, some steps at a time; and the way back from its gradient.

A product of all steps at once would be the largest array of a training step, and its gradient another one as large. Made and
used up block by block they stay in the cache: with 200 steps of two numbers that is a seventh off the whole training step.

Shapes: T time, B batch, D inputs, G packed columns, V rows; n is the number of a block of `size` steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from rnn_core.engine.cells import Tensor


def cut(value: Tensor, n: Tensor, size: int, more: int = 0) -> Tensor:
    """Block n of (T, …), and `more` steps behind it."""
    return tf.slice(value, [n * size] + [0] * (len(value.shape) - 1), [size + more, *value.shape[1:]])


def outer_sum(left: Tensor, right: Tensor) -> Tensor:
    """(D, G) sum of the outer products of all steps and examples of (T, B, D) and (T, B, G)."""
    left, right = (tf.reshape(value, (-1, value.shape[-1])) for value in (left, right))
    return tf.matmul(left, right, transpose_a=True)


class Projection:
    """x K + b of all steps or of a block of them. `tensors` are what gradients flow to."""

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        raise NotImplementedError

    @property
    def steps(self) -> Tensor:
        """(T, B, …): has the number of steps and of examples."""
        raise NotImplementedError

    def block(self, n: Tensor, size: int) -> Projection:
        """The same for the steps of one block."""
        raise NotImplementedError

    def values(self) -> Tensor:
        """(T, B, G)."""
        raise NotImplementedError

    def gradients(self, delta: Tensor) -> tuple[Tensor, ...]:
        """Of `tensors`, from delta (T, B, G), the gradient of the values."""
        raise NotImplementedError

    def nothing(self, blocks: int, size: int) -> tuple[Any, ...]:
        """The gradients before any block: what `add` adds to."""
        raise NotImplementedError

    def add(self, found: tuple[Any, ...], delta: Tensor, n: Tensor) -> tuple[Any, ...]:
        """`found` and what delta (size, B, G) of block n gives."""
        raise NotImplementedError

    def total(self, found: tuple[Any, ...]) -> tuple[Tensor, ...]:
        """Gradients of `tensors`, once every block was added."""
        raise NotImplementedError


@dataclass(frozen=True)
class Dense(Projection):
    """Of inputs, multiplied when they are read."""

    x: Tensor  # (T, B, D)
    kernel: Tensor  # (D, G)
    bias: Tensor | None = None  # (G,)

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        return (self.x, self.kernel) if self.bias is None else (self.x, self.kernel, self.bias)

    @property
    def steps(self) -> Tensor:
        return self.x

    def block(self, n: Tensor, size: int) -> Dense:
        return Dense(cut(self.x, n, size), self.kernel, self.bias)

    def values(self) -> Tensor:
        product = tf.tensordot(self.x, self.kernel, 1)
        return product if self.bias is None else product + self.bias

    def gradients(self, delta: Tensor) -> tuple[Tensor, ...]:
        into = tf.tensordot(delta, tf.transpose(self.kernel), 1)
        if self.bias is None:
            return into, outer_sum(self.x, delta)
        left = tf.concat((self.x, tf.ones_like(self.x[..., :1])), -1)  # XLA takes five times as long for a sum of its own
        weights = outer_sum(left, delta)
        return into, weights[:-1], weights[-1]

    def nothing(self, blocks: int, size: int) -> tuple[Any, ...]:
        stack = tf.TensorArray(self.x.dtype, blocks, element_shape=(size, *self.x.shape[1:]))
        return stack, *(tf.zeros_like(weight) for weight in self.tensors[1:])

    def add(self, found: tuple[Any, ...], delta: Tensor, n: Tensor) -> tuple[Any, ...]:
        into, *weights = self.block(n, delta.shape[0]).gradients(delta)
        return found[0].write(n, into), *(a + b for a, b in zip(found[1:], weights, strict=True))

    def total(self, found: tuple[Any, ...]) -> tuple[Tensor, ...]:
        return tf.reshape(found[0].stack(), self.x.shape), *found[1:]


@dataclass(frozen=True)
class Ready(Projection):
    """Of inputs that came already multiplied."""

    x: Tensor  # (T, B, G)

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        return (self.x,)

    @property
    def steps(self) -> Tensor:
        return self.x

    def block(self, n: Tensor, size: int) -> Ready:
        return Ready(cut(self.x, n, size))

    def values(self) -> Tensor:
        return self.x

    def gradients(self, delta: Tensor) -> tuple[Tensor, ...]:
        return (delta,)

    def nothing(self, blocks: int, size: int) -> tuple[Any, ...]:
        return (tf.TensorArray(self.x.dtype, blocks, element_shape=(size, *self.x.shape[1:])),)

    def add(self, found: tuple[Any, ...], delta: Tensor, n: Tensor) -> tuple[Any, ...]:
        return (found[0].write(n, delta),)

    def total(self, found: tuple[Any, ...]) -> tuple[Tensor, ...]:
        return (tf.reshape(found[0].stack(), self.x.shape),)


@dataclass(frozen=True)
class Rows(Projection):
    """Of tokens: rows of a table that is already multiplied."""

    table: Tensor  # (V, G)
    ids: Tensor  # (T, B)

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        return (self.table,)

    @property
    def steps(self) -> Tensor:
        return self.ids

    def block(self, n: Tensor, size: int) -> Rows:
        return Rows(self.table, cut(self.ids, n, size))

    def values(self) -> Tensor:
        return tf.gather(self.table, self.ids)

    def gradients(self, delta: Tensor) -> tuple[Tensor, ...]:
        return (tf.math.unsorted_segment_sum(delta, self.ids, tf.shape(self.table)[0]),)

    def nothing(self, blocks: int, size: int) -> tuple[Any, ...]:
        return (tf.zeros_like(self.table),)

    def add(self, found: tuple[Any, ...], delta: Tensor, n: Tensor) -> tuple[Any, ...]:
        ids = tf.reshape(cut(self.ids, n, delta.shape[0]), (-1, 1))
        return (tf.tensor_scatter_nd_add(found[0], ids, tf.reshape(delta, (-1, delta.shape[2]))),)

    def total(self, found: tuple[Any, ...]) -> tuple[Tensor, ...]:
        return found
