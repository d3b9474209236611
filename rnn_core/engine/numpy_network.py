"""A `Model`'s network in NumPy: forward through all layers, and back to the states and inputs of each. Loads no TensorFlow.

For a few sequences a TensorFlow graph costs many times the arithmetic, so everything that looks into a model runs here.

Shapes: T time, B batch, D inputs, H units, G packed columns, K outputs. Time comes first.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from rnn_core.engine import recurrence
from rnn_core.engine.cells import Cell, State, cell_of
from rnn_core.engine.model import Model


@dataclass(frozen=True, eq=False)
class Layer:
    """The weights of one recurrent layer, or of one half of a bidirectional one."""

    name: str  # as Keras calls it; a half of a bidirectional layer as "name/forward" or "name/backward"
    cell: Cell
    kernel: np.ndarray  # (D, G) W
    recurrent: np.ndarray  # (H, G) U
    bias: np.ndarray | None  # (G,) of x W
    recurrent_bias: np.ndarray | None  # (G,) of h U, where the cell has one
    backwards: bool = False  # processes a sequence from its last step to its first

    def project(self, x: np.ndarray) -> np.ndarray:
        """(…, G) x W + b."""
        projected = x.reshape(-1, x.shape[-1]) @ self.kernel
        if self.bias is not None:
            projected += self.bias
        return projected.reshape(*x.shape[:-1], -1)

    def forward(self, x: np.ndarray, mask: np.ndarray | None = None) -> LayerPass:
        """All steps from a state of zeros: x (T, B, D) and mask (T, B), in the order of the sequence."""
        if self.backwards:
            x, mask = x[::-1], None if mask is None else mask[::-1]
        initial = tuple(np.zeros((x.shape[1], self.cell.units), self.kernel.dtype) for _ in range(self.cell.parts))
        record = recurrence.forward(self.cell, self.project(x), self.recurrent, self.recurrent_bias, initial, mask)
        return LayerPass(self, x, mask, record)


def layer_of(name: str, cell: Cell, weights: Any, dtype: str, backwards: bool = False) -> Layer:
    """A layer from Keras's weights: kernel, recurrent kernel and, if any, bias (G,) or (2, G)."""
    kernel, recurrent, *biases = (np.asarray(weight).astype(dtype, copy=False) for weight in weights)
    bias = biases[0] if biases else None
    outer, inner = (bias[0], bias[1]) if bias is not None and bias.ndim == 2 else (bias, None)
    return Layer(name, cell, kernel, recurrent, outer, inner, backwards)


@dataclass(frozen=True, eq=False)
class LayerPass:
    """What one layer did, step by step in the order in which it processed the sequence."""

    layer: Layer
    inputs: np.ndarray  # (T, B, D)
    mask: np.ndarray | None  # (T, B) bool, True at real steps
    record: recurrence.Record
    told: np.ndarray | None = None  # (T, B, H) its outputs, where they may differ from h: of Keras's layers at masked steps

    @property
    def outputs(self) -> np.ndarray:
        """(T, B, H) its outputs, each at the place of its input."""
        return self.in_order(self.record.states[0] if self.told is None else self.told)

    @property
    def gates(self) -> dict[str, np.ndarray]:
        """Name → (T, B, H), the candidate among them."""
        return dict(zip(self.layer.cell.gates, self.record.saved, strict=False))

    def in_order(self, values: np.ndarray) -> np.ndarray:
        """(T, …) with every step at the place of its input, also for a layer that processes them backwards."""
        return values[::-1] if self.layer.backwards else values

    def batch_first(self, values: np.ndarray) -> np.ndarray:
        """(T, B, …) as (B, T, …), in the order of the inputs."""
        return np.swapaxes(self.in_order(values), 0, 1)

    def backward(self, direct: State) -> LayerGradient:
        """All steps back. `direct`: (T, B, H) each, the gradient that reaches every state directly, in processing order."""
        return LayerGradient(
            self, *recurrence.backward(self.layer.cell, self.record, direct, self.layer.recurrent, self.mask)[:2]
        )

    def jacobians(self) -> np.ndarray:
        """(T, B, S, S) ds_t/ds_{t−1}: rows after, columns before; the identity at masked steps."""
        record, cell = self.record, self.layer.cell
        local = cell.local_derivatives(record.saved, record.states, record.previous)
        found = cell.jacobian(local, self.layer.recurrent.T)
        return found if self.mask is None else np.where(self.mask[..., None, None], found, np.eye(found.shape[-1]))


@dataclass(frozen=True, eq=False)
class LayerGradient:
    """The gradient of one number per example, at every step of one layer, in processing order."""

    taken: LayerPass
    delta: np.ndarray  # (T, B, G) of the projected inputs; 0 at masked steps
    states: State  # (T, B, H) each: the total derivative of the state after each step, h, or h and c

    @property
    def inputs(self) -> np.ndarray:
        """(T, B, D) of the inputs, in the order of the sequence."""
        steps, batch, _ = self.delta.shape
        found = self.delta.reshape(steps * batch, -1) @ self.taken.layer.kernel.T
        return self.taken.in_order(found.reshape(steps, batch, -1))

    @cached_property
    def kernel_pairs(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """See `Cell.kernel_gradient_pairs`."""
        record = self.taken.record
        return self.taken.layer.cell.kernel_gradient_pairs(self.delta, record.saved, record.previous)


class NumpyNetwork:
    """A model's layers and head. `dtype`: float32 for a page, float64 where gradients may be very small."""

    def __init__(self, model: Model, dtype: str = "float32") -> None:
        spec = model.spec
        self.model, self.dtype, self.halves = model, dtype, 1 + spec.bidirectional
        cell = cell_of(spec)
        names = [f"bidirectional_{n}/{half}" for n in range(1, spec.layers + 1) for half in ("forward", "backward")]
        names = names if spec.bidirectional else [f"{spec.cell}_{n + 1}" for n in range(spec.layers)]
        self.layers = [
            layer_of(name, cell, weights, dtype, name.endswith("/backward"))
            for name, weights in zip(names, model.recurrent, strict=True)
        ]
        self.head, self.offset = (weight.astype(dtype, copy=False) for weight in model.head)

    def vectors(self, inputs: np.ndarray) -> np.ndarray:
        """(T, B, D) what the lowest layer receives for (B, T) token ids or (B, T, D) numbers."""
        embedding = self.model.embedding
        found = inputs if embedding is None else embedding[inputs]
        return np.ascontiguousarray(np.swapaxes(found, 0, 1), self.dtype)

    def mask(self, inputs: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray | None:
        """(T, B) True at real steps, None where all are: the given mask (B, T), else what the model masks."""
        mask = inputs != 0 if mask is None and self.model.mask and inputs.ndim == 2 else mask
        return None if mask is None or mask.all() else mask.T

    def forward(self, vectors: np.ndarray, mask: np.ndarray | None = None) -> list[LayerPass]:
        """A pass through every layer, in the order of `layers`: vectors (T, B, D), mask (T, B)."""
        passes: list[LayerPass] = []
        x = vectors
        for depth in range(0, len(self.layers), self.halves):
            level = [layer.forward(x, mask) for layer in self.layers[depth : depth + self.halves]]
            x = level[0].outputs if self.halves == 1 else np.concatenate([one.outputs for one in level], -1)
            passes += level
        return passes

    def logits(self, passes: list[LayerPass]) -> np.ndarray:
        """(B, K), or (T, B, K) of a model that answers at every step."""
        last = passes[-self.halves :]
        if self.model.interface.per_step:
            return np.concatenate([one.outputs for one in last], -1) @ self.head + self.offset
        return np.concatenate([one.record.states[0][-1] for one in last], -1) @ self.head + self.offset

    def running(self, passes: list[LayerPass]) -> np.ndarray:
        """(T, B, K): the logits if the sequence ended at each step; forward models only."""
        return passes[-1].outputs @ self.head + self.offset

    def backward(self, passes: list[LayerPass], upstream: np.ndarray, lowest: int = 0) -> dict[int, LayerGradient]:
        """The gradient at the layers from `lowest` up, by position in `layers`.

        Args:
            upstream: the gradient of the logits, in their shape.
        """
        gradients: dict[int, LayerGradient] = {}
        outside = np.split(upstream @ self.head.T, self.halves, axis=-1)  # of each half's outputs
        for depth in range(len(passes) - self.halves, lowest - self.halves, -self.halves):
            only_last = depth == len(passes) - self.halves and not self.model.interface.per_step
            level = range(depth, depth + self.halves)
            for position, given in zip(level, outside, strict=True):
                gradients[position] = passes[position].backward(_of_states(passes[position], given, only_last))
            if depth > lowest:
                outside = np.split(sum(gradients[n].inputs for n in level), self.halves, axis=-1)
        return gradients

    def vector_gradient(self, passes: list[LayerPass], upstream: np.ndarray) -> np.ndarray:
        """(T, B, D) of the vectors that the lowest layer receives; `upstream` as for `backward`."""
        gradients = self.backward(passes, upstream)
        return np.sum([gradients[n].inputs for n in range(self.halves)], axis=0)


def _of_states(taken: LayerPass, outputs: np.ndarray, only_last: bool) -> State:
    """The gradient of every state, (T, B, H) each in processing order, from that of the outputs: (B, H) of the last or (T, B, H)."""
    states = tuple(np.zeros_like(part) for part in taken.record.states)
    if only_last:
        states[0][-1] = outputs
    else:
        states[0][:] = taken.in_order(outputs)
    if taken.mask is not None:  # Keras: before the first real step the output is zero, whatever the state
        states[0][~np.logical_or.accumulate(taken.mask, axis=0)] = 0
    return states
