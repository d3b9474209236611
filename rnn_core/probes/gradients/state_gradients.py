"""How much of the answer, or of the loss, every state on the way there can still change.

Of the four curves that go by the name of "gradient through time" (Pascanu et al. 2013; Arjovsky et al. 2016; Madsen 2019) this
file gives ‖∂y/∂s_t‖, its parts for h, c and the input x_t, and the temporal components of each weight's gradient; the norm of
the Jacobian product ∂s_T/∂s_t is in `jacobians`. Everything is per example; average norms over examples, never gradients.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnn_core.engine.model import Model
from rnn_core.probes import keras_layers
from rnn_core.probes.gradients.norms import norm
from rnn_core.probes.gradients.questions import checked, kind_of, question

# Shapes: B batch, T time, D inputs, H units, S state (H, or 2 H for LSTM: [h; c]), G packed columns, K outputs.


@dataclass(frozen=True, eq=False)
class GradientFlow:
    """Gradients of one number per example, at every step of one recurrent layer. Norms are float64 and Euclidean."""

    layer: str  # name of the layer
    cell_name: str  # "simple_rnn", "lstm" or "gru"
    quantity: str  # what was differentiated: "logit", "output" or "loss"
    value: np.ndarray  # (B,) float64: that number
    norms: np.ndarray  # (B, T): ‖∂y/∂s_t‖, the total derivative in the full state; for LSTM s = [h; c]
    hidden: np.ndarray  # (B, T): the part of h
    cell: np.ndarray | None  # (B, T): the part of c (LSTM only)
    inputs: np.ndarray  # (B, T): ‖∂y/∂x_t‖, x_t what the layer reads at step t; 0 at masked steps
    components: dict[str, np.ndarray]  # weight → (B, T): Frobenius norm of the part of its gradient that arises at step t
    totals: dict[str, np.ndarray]  # weight → its gradient, the sum of those parts over steps and examples, shaped as in Keras
    signed: np.ndarray  # (B, T, S): ∂y/∂s_t itself
    mask: np.ndarray  # (B, T) bool: True where a step is real


@keras_layers.alone
def state_gradients(
    model: Any,
    inputs: Any,
    targets: Any = None,
    of: str = "output",
    mask: Any = None,
    layer: int | str | None = None,
    output: int | None = None,
) -> GradientFlow:
    """The gradient of the model's output, or of its loss, in every state of one recurrent layer.

    Args:
        model: a Keras model with stock recurrent layers, or our `Model`.
        inputs: (B, T) token ids or (B, T, D) numbers.
        targets: what the loss compares with, one per example (and step); only for of="loss".
        of: "output": the logit before a final sigmoid or softmax (a fitted model's p − y would fake vanishing), or "loss".
        mask: (B, T) bool, True at real steps; default: what the model itself masks.
        layer: index among the recurrent layers or name; default the last.
        output: which of K outputs; default the largest of each example. A model that answers at every step is asked at the last.

    Computed in float64, so that norms below float32's 1e-38 are not lost. Layers between the probed one and the output
    work in the model's own precision; our `Model` is float64 throughout.

    Raises: ValueError for inputs, targets or a layer that do not fit the model.
    """
    import tensorflow as tf

    from rnn_core.probes.gradients import compiled

    if of not in ("output", "loss"):
        raise ValueError(f'of must be "output" or "loss", got {of!r}')
    inputs, mask = keras_layers.check(model, inputs, mask)
    if compiled.worthwhile(model, inputs.shape, layer, of, output, mask is None):
        return _compiled(model, inputs, targets, of, mask, output)
    network = keras_layers.keras_model(model)
    tap, every = keras_layers.choose(network, layer)
    kind = kind_of(model, keras_layers.final_activation(network))
    with (
        keras_layers.logits(network) as quantity,
        tf.GradientTape(watch_accessed_variables=False) as tape,
        keras_layers.tapped(every, mask, tape),
    ):
        answer = tf.cast(network(inputs, training=False), tf.float64)
        asked = () if of == "output" else (checked(kind, targets, tuple(answer.shape)),)
        value = question(of, kind, output)(answer, *asked)
    tap.once()
    delta, *states = _found(tape.gradient(value, [tap.projected, *tap.nudge]), tap)
    return _measured(tap, quantity if of == "output" else "loss", value, delta, states, inputs.shape)


def _compiled(
    model: Model, inputs: np.ndarray, targets: Any, of: str, mask: np.ndarray | None, output: int | None
) -> GradientFlow:
    """The same by one XLA program, for one of our models' last layer."""
    from rnn_core.probes.gradients import compiled

    spec, interface = model.spec, model.interface
    shape = (*inputs.shape[: 1 + interface.per_step], interface.outputs)
    asked = () if of == "output" else (checked(interface.loss, targets, shape),)
    found = compiled.measures(model, inputs, mask, question(of, interface.loss, output), *asked)
    squashed = "output" if interface.loss == "squared" else "logit"
    return GradientFlow(f"{spec.cell}_{spec.layers}", spec.cell, squashed if of == "output" else "loss", **found)


def _found(gradients: list[Any], tap: keras_layers.Tap) -> list[Any]:
    """Gradients, zeros where the output does not depend on the layer at all."""
    import tensorflow as tf

    watched = [tap.projected, *tap.nudge]
    return [tf.zeros_like(value) if gradient is None else gradient for gradient, value in zip(gradients, watched, strict=True)]


def _measured(
    tap: keras_layers.Tap, quantity: str, value: Any, delta: Any, states: list[Any], shape: tuple[int, ...]
) -> GradientFlow:
    """The norms of everything. All is measured where it lies, time first: to turn large arrays around costs more than a norm."""
    from rnn_core.engine.blocks import previous_states

    inner = tap.kernels[2]
    real = np.ones(shape[:2], bool) if tap.mask is None else tap.timewise(tap.mask)
    flow, x = np.asarray(delta), np.asarray(tap.inputs)  # (T, B, G), (T, B, D)
    pairs = [
        tuple(map(np.asarray, pair))
        for pair in tap.cell.kernel_gradient_pairs(delta, tap.saved, previous_states(tap.states, tap.initial))
    ]
    biases = [flow] if inner is None else [flow, np.concatenate([right for _, right in pairs], -1)]
    components = {
        "kernel": norm(x) * norm(flow),
        "recurrent_kernel": _joint([norm(left) * norm(right) for left, right in pairs]),
    }
    totals = {
        "kernel": np.tensordot(x, flow, ((0, 1), (0, 1))),  # einsum would not use BLAS
        "recurrent_kernel": np.concatenate([np.tensordot(left, right, ((0, 1), (0, 1))) for left, right in pairs], 1),
    }
    if tap.layer.cell.use_bias:
        components["bias"] = _joint([norm(part) for part in biases])
        totals["bias"] = np.stack([part.sum((0, 1)) for part in biases]) if len(biases) == 2 else flow.sum((0, 1))
    parts = [np.asarray(part) for part in states]
    norms = [tap.timewise(norm(part)) for part in parts]
    return GradientFlow(
        layer=tap.name,
        cell_name=tap.cell.name,
        quantity=quantity,
        value=np.asarray(value),
        norms=_joint(norms),
        hidden=norms[0],
        cell=norms[1] if len(norms) == 2 else None,
        inputs=tap.timewise(norm(flow @ np.asarray(tap.kernels[0]).T)),
        components={weight: tap.timewise(component) for weight, component in components.items()},
        totals=totals,
        signed=tap.timewise(parts[0] if len(parts) == 1 else np.concatenate(parts, -1)),
        mask=real,
    )


def _joint(norms: list[np.ndarray]) -> np.ndarray:
    """Norm of vectors side by side, from their own norms."""
    return functools.reduce(np.hypot, norms)
