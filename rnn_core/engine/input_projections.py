"""The projected inputs x W + b of a recurrent layer, for a block of steps at a time, and their gradients.

The projection of all steps at once would be the largest array of a training step, and its gradient as large again. Computed
block by block both stay in the cache: with 200 steps of two inputs a seventh off the whole training step.

Shapes: T time, B batch, D inputs, G packed columns, V rows; n is the number of a block of `size` steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from rnn_core.engine.arrays import Tensor


def take_block(value: Tensor, n: Tensor, size: int, more: int = 0) -> Tensor:
    """Block n of (T, …), and the `more` steps after it."""
    return tf.slice(value, [n * size] + [0] * (len(value.shape) - 1), [size + more, *value.shape[1:]])


def outer_sum(left: Tensor, right: Tensor) -> Tensor:
    """(D, G) sum of the outer products of all steps and examples of (T, B, D) and (T, B, G)."""
    left, right = (tf.reshape(value, (-1, value.shape[-1])) for value in (left, right))
    return tf.matmul(left, right, transpose_a=True)


class Projection:
    """x W + b of all steps or of a block of them. Gradients flow to `tensors`."""

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        raise NotImplementedError

    @property
    def inputs(self) -> Tensor:
        """(T, B, …) inputs or ids."""
        raise NotImplementedError

    def block(self, n: Tensor, size: int) -> Projection:
        """The projection of the steps of block n."""
        raise NotImplementedError

    def values(self) -> Tensor:
        """(T, B, G)."""
        raise NotImplementedError

    def gradients(self, delta: Tensor) -> tuple[Tensor, ...]:
        """Gradients of `tensors`, from delta (T, B, G), the gradient of the values."""
        raise NotImplementedError

    def zero_gradients(self, blocks: int, size: int) -> tuple[Any, ...]:
        """The initial value of the sum that `add` continues."""
        raise NotImplementedError

    def add(self, gradients: tuple[Any, ...], delta: Tensor, n: Tensor) -> tuple[Any, ...]:
        """`gradients` plus those from delta (size, B, G) of block n."""
        raise NotImplementedError

    def total(self, gradients: tuple[Any, ...]) -> tuple[Tensor, ...]:
        """Gradients of `tensors`, after the last `add`."""
        raise NotImplementedError


@dataclass(frozen=True)
class Dense(Projection):
    """Of inputs that are multiplied block by block."""

    x: Tensor  # (T, B, D)
    kernel: Tensor  # (D, G)
    bias: Tensor | None = None  # (G,)

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        return (self.x, self.kernel) if self.bias is None else (self.x, self.kernel, self.bias)

    @property
    def inputs(self) -> Tensor:
        return self.x

    def block(self, n: Tensor, size: int) -> Dense:
        return Dense(take_block(self.x, n, size), self.kernel, self.bias)

    def values(self) -> Tensor:
        product = tf.tensordot(self.x, self.kernel, 1)
        return product if self.bias is None else product + self.bias

    def gradients(self, delta: Tensor) -> tuple[Tensor, ...]:
        into = tf.tensordot(delta, tf.transpose(self.kernel), 1)
        if self.bias is None:
            return into, outer_sum(self.x, delta)
        left = tf.concat((self.x, tf.ones_like(self.x[..., :1])), -1)  # XLA takes five times as long for a separate sum
        weights = outer_sum(left, delta)
        return into, weights[:-1], weights[-1]

    def zero_gradients(self, blocks: int, size: int) -> tuple[Any, ...]:
        stack = tf.TensorArray(self.x.dtype, blocks, element_shape=(size, *self.x.shape[1:]))
        return stack, *(tf.zeros_like(weight) for weight in self.tensors[1:])

    def add(self, gradients: tuple[Any, ...], delta: Tensor, n: Tensor) -> tuple[Any, ...]:
        into, *weights = self.block(n, delta.shape[0]).gradients(delta)
        return gradients[0].write(n, into), *(a + b for a, b in zip(gradients[1:], weights, strict=True))

    def total(self, gradients: tuple[Any, ...]) -> tuple[Tensor, ...]:
        return tf.reshape(gradients[0].stack(), self.x.shape), *gradients[1:]


@dataclass(frozen=True)
class Projected(Projection):
    """Of inputs that are already projected."""

    x: Tensor  # (T, B, G)

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        return (self.x,)

    @property
    def inputs(self) -> Tensor:
        return self.x

    def block(self, n: Tensor, size: int) -> Projected:
        return Projected(take_block(self.x, n, size))

    def values(self) -> Tensor:
        return self.x

    def gradients(self, delta: Tensor) -> tuple[Tensor, ...]:
        return (delta,)

    def zero_gradients(self, blocks: int, size: int) -> tuple[Any, ...]:
        return (tf.TensorArray(self.x.dtype, blocks, element_shape=(size, *self.x.shape[1:])),)

    def add(self, gradients: tuple[Any, ...], delta: Tensor, n: Tensor) -> tuple[Any, ...]:
        return (gradients[0].write(n, delta),)

    def total(self, gradients: tuple[Any, ...]) -> tuple[Tensor, ...]:
        return (tf.reshape(gradients[0].stack(), self.x.shape),)


@dataclass(frozen=True)
class TableRows(Projection):
    """Of tokens: rows of a table that is already projected."""

    table: Tensor  # (V, G)
    ids: Tensor  # (T, B)

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        return (self.table,)

    @property
    def inputs(self) -> Tensor:
        return self.ids

    def block(self, n: Tensor, size: int) -> TableRows:
        return TableRows(self.table, take_block(self.ids, n, size))

    def values(self) -> Tensor:
        return tf.gather(self.table, self.ids)

    def gradients(self, delta: Tensor) -> tuple[Tensor, ...]:
        return (tf.math.unsorted_segment_sum(delta, self.ids, tf.shape(self.table)[0]),)

    def zero_gradients(self, blocks: int, size: int) -> tuple[Any, ...]:
        return (tf.zeros_like(self.table),)

    def add(self, gradients: tuple[Any, ...], delta: Tensor, n: Tensor) -> tuple[Any, ...]:
        ids = tf.reshape(take_block(self.ids, n, delta.shape[0]), (-1, 1))
        return (tf.tensor_scatter_nd_add(gradients[0], ids, tf.reshape(delta, (-1, delta.shape[2]))),)

    def total(self, gradients: tuple[Any, ...]) -> tuple[Tensor, ...]:
        return gradients


def dense(x: Tensor, weights: list[Tensor]) -> Dense:
    """x W + b of inputs x (T, B, D); `weights` as in `blocks.layer`."""
    bias = None if len(weights) < 3 else weights[2][0] if len(weights[2].shape) == 2 else weights[2]
    return Dense(x, tf.convert_to_tensor(weights[0]), None if bias is None else tf.convert_to_tensor(bias))
