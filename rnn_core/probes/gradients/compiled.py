"""`state_gradients` of our own models as one XLA program, for batches of a shape that is asked for repeatedly.

The general way runs Keras's layers one by one, for any model. Here everything from the inputs to the norms is one program: several
times faster, but half a second to compile, so it is used from the `COMPILED_FROM`-th call of a shape on, as when a page draws one batch
at every kept step. Both give the same numbers (tests/probes/test_compiled.py).

Shapes as in `gradients`; inside, time comes first: (T, B, ·). float64 throughout.
"""

from __future__ import annotations

import functools
from collections import Counter
from typing import Any

import numpy as np
import tensorflow as tf

from rnn_core.engine import blocks
from rnn_core.engine.cells import Cell, Tensor
from rnn_core.engine.input_projections import Projected, dense, outer_sum
from rnn_core.engine.model import Model
from rnn_core.engine.network import cell_of

COMPILED_FROM = 3  # number of the call of one shape that compiles
MAX_PROGRAMS = 16  # shapes compiled in one process: each takes some 20 MB, which TensorFlow does not free
HALVES = 2  # parts of a batch that run in parallel: a loop over time uses only one core

Measures = dict[str, Any]

_calls: Counter[Any] = Counter()
_programs: set[Any] = set()


def worthwhile(model: Any, shape: tuple[int, ...], layer: int | str | None, *question: Any) -> bool:
    """Whether to compile this call: it asks for the last layer of a forward model, in a shape asked for often enough."""
    if not isinstance(model, Model) or model.spec.bidirectional or layer not in (None, -1, model.spec.layers - 1):
        return False
    key = model.spec, model.interface, model.mask, shape, question
    _calls[key] += 1
    often = _calls[key] >= COMPILED_FROM
    if often and len(_programs) < MAX_PROGRAMS:
        _programs.add(key)
    return often and key in _programs


def measures(model: Model, inputs: np.ndarray, mask: np.ndarray | None, value: Any, *further: Any) -> Measures:
    """All numbers of a `GradientFlow`, by the names of its fields, norms (B, T).

    Args:
        mask: (B, T) bool, or None: what the model masks.
        value: function of (logits (B, K) or (B, T, K), *further) → one number per example; the same object at every call.
        further: tensors that `value` needs, one row per example.
    """
    mask = inputs != 0 if mask is None and model.mask else mask
    program = _program(
        cell_of(model.spec), model.spec.layers, model.interface.inputs == "tokens", model.interface.per_step, value
    )
    found = program([tf.constant(weight) for weight in model.weights], tf.constant(inputs), mask, *further)
    cell = {"cell": None} if "cell" not in found else {}
    return cell | {
        "value": found.pop("value").numpy(),
        "totals": {name: total.numpy() for name, total in found.pop("totals").items()},
        "components": {name: np.swapaxes(part.numpy(), 0, 1) for name, part in found.pop("components").items()},
        "mask": np.ones(inputs.shape[:2], bool) if mask is None else mask,
        **{name: np.swapaxes(part.numpy(), 0, 1) for name, part in found.items()},
    }


@functools.lru_cache(maxsize=16)
def _program(cell: Cell, depth: int, tokens: bool, per_step: bool, value: Any) -> Any:
    """The compiled function of one kind of network and one question; TensorFlow compiles it once per shape."""
    core = tf.function(functools.partial(_core, cell, depth, per_step, value), jit_compile=True, autograph=False)

    def run(weights: list[Tensor], inputs: Tensor, mask: Tensor | None, *further: Tensor) -> Measures:
        halves = HALVES if inputs.shape[0] % HALVES == 0 else 1
        x = tf.gather(weights[0], tf.transpose(inputs)) if tokens else tf.transpose(inputs, (1, 0, 2))
        above = [tf.cast(weight, tf.float64) for weight in weights[tokens:]]
        real = [None] * halves if mask is None else tf.split(tf.transpose(mask)[..., None], halves, axis=1)
        questions = zip(*[tf.split(each, halves) for each in further], strict=True) if further else [()] * halves
        parts = zip(tf.split(x, halves, axis=1), real, questions, strict=True)
        return _joined([core(above, tf.cast(part, tf.float64), hidden, *rest) for part, hidden, rest in parts])

    return tf.function(run, autograph=False)


def _joined(halves: list[Measures]) -> Measures:
    """The halves as one batch: totals are summed, all else is concatenated."""
    first = halves[0]
    batch = {
        name: tf.concat([half[name] for half in halves], 0 if name == "value" else 1)
        for name in first
        if name not in ("totals", "components")
    }
    batch["totals"] = {name: tf.add_n([half["totals"][name] for half in halves]) for name in first["totals"]}
    batch["components"] = {name: tf.concat([half["components"][name] for half in halves], 1) for name in first["components"]}
    return batch


def _core(
    cell: Cell, depth: int, per_step: bool, value: Any, weights: list[Tensor], x: Tensor, real: Tensor | None, *further: Tensor
) -> Measures:
    """The measures of one half of the batch.

    Args:
        weights: of the recurrent layers and the head.
        x, real: (T, B, D) inputs and (T, B, 1) True at real steps, or None.
    """
    each, shape = (len(weights) - 2) // depth, x.shape[:2]
    layers = [weights[n : n + each] for n in range(0, each * depth, each)]
    for taken in layers[:-1]:
        x, _ = blocks.layer(cell, x, taken, real, None)
    kernel, recurrent, *bias = layers[-1]
    inner = bias[0][1] if bias and len(bias[0].shape) == 2 else None
    initial = blocks.zeros(cell, shape[1], x.dtype)
    perturbations = tuple(tf.zeros((*shape, cell.units), x.dtype) for _ in range(cell.parts))
    projected = dense(x, layers[-1]).values()
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch((projected, perturbations))
        states, saved = blocks.scan(cell, Projected(projected), recurrent, inner, initial, real, perturbations, 0)
        h = states[0]
        if real is not None:  # Keras: before the first real step the output is zero, whatever the state
            h = tf.where(tf.cumsum(tf.cast(real, tf.int32)) > 0, h, tf.zeros_like(h))
        h = tf.transpose(h, (1, 0, 2)) if per_step else h[-1]
        found = value(tf.tensordot(h, weights[-2], 1) + weights[-1], *further)
    delta, *parts = tape.gradient(found, [projected, *perturbations])
    pairs = cell.kernel_gradient_pairs(delta, saved, blocks.previous_states(states, initial))
    components = {
        "kernel": norm(x) * norm(delta),
        "recurrent_kernel": _joint_norm([norm(left) * norm(right) for left, right in pairs]),
    }
    totals = {"kernel": outer_sum(x, delta), "recurrent_kernel": tf.concat([outer_sum(left, right) for left, right in pairs], 1)}
    if bias:
        rows = [delta] if inner is None else [delta, tf.concat([right for _, right in pairs], -1)]
        components["bias"] = _joint_norm([norm(row) for row in rows])
        sums = [outer_sum(tf.ones_like(row[..., :1]), row)[0] for row in rows]
        totals["bias"] = sums[0] if inner is None else tf.stack(sums)
    norms = [norm(part) for part in parts]
    return {
        "value": found,
        "norms": _joint_norm(norms),
        "hidden": norms[0],
        **({"cell": norms[1]} if len(norms) == 2 else {}),
        "inputs": norm(tf.tensordot(delta, tf.transpose(kernel), 1)),
        "signed": tf.concat(parts, -1),
        "components": components,
        "totals": totals,
    }


def norm(values: Tensor) -> Tensor:
    """`norms.norm` for tensors: Euclidean norm along the last axis, without under- or overflow."""
    size = tf.reduce_max(tf.abs(values), -1, keepdims=True)
    scale = tf.where((size > 0) & tf.math.is_finite(size), size, tf.ones_like(size))
    squares = tf.square(values / scale)
    return tf.sqrt(tf.linalg.matvec(squares, tf.ones(values.shape[-1:], values.dtype))) * scale[..., 0]


def _joint_norm(norms: list[Tensor]) -> Tensor:
    """Norm of concatenated vectors, from their own norms."""
    return norms[0] if len(norms) == 1 else norm(tf.stack(norms, -1))
