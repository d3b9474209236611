"""The gradient of a model's output, or of its loss, with respect to the state at every step.

Of the four quantities called "gradient through time" (Pascanu et al. 2013; Arjovsky et al. 2016; Madsen 2019) this
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
from rnn_core.probes.gradients.questions import checked_targets, kind_of, question
from rnn_core.probes.recording import RecordedLayer, one_at_a_time, recording

# Shapes: B batch, T time, D inputs, H units, S state (H, or 2 H for LSTM: [h; c]), G gate columns, K outputs.


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
    inputs: np.ndarray  # (B, T): ‖∂y/∂x_t‖, x_t the layer's input at step t; 0 at masked steps
    components: dict[str, np.ndarray]  # weight → (B, T): Frobenius norm of the part of its gradient that arises at step t
    totals: dict[str, np.ndarray]  # weight → its gradient, the sum of those parts over steps and examples, shaped as in Keras
    signed: np.ndarray  # (B, T, S): ∂y/∂s_t itself
    mask: np.ndarray  # (B, T) bool: True where a step is real


@one_at_a_time
def state_gradients(
    model: Any,
    inputs: Any,
    targets: Any = None,
    of: str = "output",
    mask: Any = None,
    layer: int | str | None = None,
    output: int | None = None,
) -> GradientFlow:
    """The gradient of the model's output, or of its loss, with respect to every state of one recurrent layer.

    Args:
        model: a Keras model with stock recurrent layers, or our `Model`.
        inputs: (B, T) token ids or (B, T, D) numbers.
        targets: one per example (and step); only for of="loss".
        of: "output": the logit before a final sigmoid or softmax (p − y of a fitted model is small, which would look like vanishing), or "loss".
        mask: (B, T) bool, True at real steps; default: what the model itself masks.
        layer: index among the recurrent layers or name; default the last.
        output: which of K outputs; default the largest of each example. Of a model with an output at every step, the last step's.

    Computed in float64, so that norms below float32's 1e-38 are not zero. Layers between the probed one and the output
    compute in the model's own precision; our `Model` is float64 throughout.

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
    recorded, all_layers = keras_layers.choose(network, layer)
    kind = kind_of(model, keras_layers.final_activation(network))
    with (
        keras_layers.logits(network) as quantity,
        tf.GradientTape(watch_accessed_variables=False) as tape,
        recording(all_layers, mask, tape),
    ):
        output_values = tf.cast(network(inputs, training=False), tf.float64)
        further = () if of == "output" else (checked_targets(kind, targets, tuple(output_values.shape)),)
        value = question(of, kind, output)(output_values, *further)
    recorded.require_one_call()
    delta, *states = _zeros_for_none(tape.gradient(value, [recorded.projected, *recorded.perturbations]), recorded)
    return _flow(recorded, quantity if of == "output" else "loss", value, delta, states, inputs.shape)


def _compiled(
    model: Model, inputs: np.ndarray, targets: Any, of: str, mask: np.ndarray | None, output: int | None
) -> GradientFlow:
    """The same by one XLA program, for the last layer of one of our models."""
    from rnn_core.probes.gradients import compiled

    spec, interface = model.spec, model.interface
    shape = (*inputs.shape[: 1 + interface.per_step], interface.outputs)
    further = () if of == "output" else (checked_targets(interface.loss, targets, shape),)
    found = compiled.measures(model, inputs, mask, question(of, interface.loss, output), *further)
    name = "output" if interface.loss == "squared" else "logit"
    return GradientFlow(f"{spec.cell}_{spec.layers}", spec.cell, name if of == "output" else "loss", **found)


def _zeros_for_none(gradients: list[Any], recorded: RecordedLayer) -> list[Any]:
    """Gradients, with zeros where the output does not depend on the layer."""
    import tensorflow as tf

    watched = [recorded.projected, *recorded.perturbations]
    return [tf.zeros_like(value) if gradient is None else gradient for gradient, value in zip(gradients, watched, strict=True)]


def _flow(
    recorded: RecordedLayer, quantity: str, value: Any, delta: Any, states: list[Any], shape: tuple[int, ...]
) -> GradientFlow:
    """All norms, computed with time first: to transpose large arrays costs more than a norm."""
    from rnn_core.engine.blocks import previous_states

    inner = recorded.kernels[2]
    real = np.ones(shape[:2], bool) if recorded.mask is None else recorded.batch_first(recorded.mask)
    flow, x = np.asarray(delta), np.asarray(recorded.inputs)  # (T, B, G), (T, B, D)
    pairs = [
        tuple(map(np.asarray, pair))
        for pair in recorded.cell.kernel_gradient_pairs(delta, recorded.saved, previous_states(recorded.states, recorded.initial))
    ]
    biases = [flow] if inner is None else [flow, np.concatenate([right for _, right in pairs], -1)]
    components = {
        "kernel": norm(x) * norm(flow),
        "recurrent_kernel": _joint_norm([norm(left) * norm(right) for left, right in pairs]),
    }
    totals = {
        "kernel": np.tensordot(x, flow, ((0, 1), (0, 1))),  # einsum would not use BLAS
        "recurrent_kernel": np.concatenate([np.tensordot(left, right, ((0, 1), (0, 1))) for left, right in pairs], 1),
    }
    if recorded.layer.cell.use_bias:
        components["bias"] = _joint_norm([norm(part) for part in biases])
        totals["bias"] = np.stack([part.sum((0, 1)) for part in biases]) if len(biases) == 2 else flow.sum((0, 1))
    parts = [np.asarray(part) for part in states]
    norms = [recorded.batch_first(norm(part)) for part in parts]
    return GradientFlow(
        layer=recorded.name,
        cell_name=recorded.cell.name,
        quantity=quantity,
        value=np.asarray(value),
        norms=_joint_norm(norms),
        hidden=norms[0],
        cell=norms[1] if len(norms) == 2 else None,
        inputs=recorded.batch_first(norm(flow @ np.asarray(recorded.kernels[0]).T)),
        components={weight: recorded.batch_first(component) for weight, component in components.items()},
        totals=totals,
        signed=recorded.batch_first(parts[0] if len(parts) == 1 else np.concatenate(parts, -1)),
        mask=real,
    )


def _joint_norm(norms: list[np.ndarray]) -> np.ndarray:
    """Norm of concatenated vectors, from their own norms."""
    return functools.reduce(np.hypot, norms)
