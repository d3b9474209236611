"""The number whose gradient is computed: one output of the model, or its loss.

Shapes: B batch, T time, K outputs. `outputs` is (B, K) or (B, T, K), before a final sigmoid or softmax.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from rnn_core.engine.model import Model

Question = Callable[..., Any]  # (outputs, *targets) → (B,) one number per example


@functools.lru_cache
def question(of: str, kind: str, output: int | None) -> Question:
    """The function that computes that number; the same object for the same arguments, as compiled programs need.

    Args:
        of: "output" or "loss".
        kind: the loss, as `kind_of` gives it.
        output: which of K outputs; None for the largest of each example.
    """
    return functools.partial(_loss, kind) if of == "loss" else functools.partial(_chosen, output)


def kind_of(model: Any, activation: str) -> str:
    """The loss of a model: of our `Model` its own, else the one that matches its final activation."""
    return (
        model.interface.loss
        if isinstance(model, Model)
        else {"sigmoid": "binary", "softmax": "categorical"}.get(activation, "squared")
    )


def checked_targets(kind: str, targets: Any, shape: tuple[int, ...]) -> np.ndarray:
    """Targets as an array that fits outputs of this shape. Raises ValueError: what was expected, and what came."""
    if targets is None:
        raise ValueError('of="loss" needs targets, got None')
    targets = np.asarray(targets)
    if kind == "categorical" and targets.shape == shape:
        targets = targets.argmax(-1)  # one-hot
    wanted = shape[:-1] if kind == "categorical" else shape
    if targets.shape != wanted and targets.shape != (wanted[:-1] if wanted[-1] == 1 else wanted):
        raise ValueError(f"targets must have the shape {wanted}, got {targets.shape}")
    if kind == "categorical" and (targets.min() < 0 or targets.max() >= shape[-1]):
        raise ValueError(f"class ids must be between 0 and {shape[-1] - 1}, got {targets.min()} to {targets.max()}")
    if kind != "categorical" and not np.isfinite(targets).all():
        raise ValueError("targets must be finite, got NaN or infinity")
    return targets


def _chosen(output: int | None, outputs: Any) -> Any:
    """(B,) one output of each example; of the last step where there is one at every step."""
    import tensorflow as tf

    if outputs.shape.rank == 3:
        outputs = outputs[:, -1]
    if outputs.shape.rank != 2:
        raise ValueError(
            f"the model's output must be (batch, outputs) or (batch, time, outputs), got the shape {tuple(outputs.shape)}"
        )
    if output is None:
        return tf.reduce_max(outputs, -1)
    if not 0 <= output < outputs.shape[1]:
        raise ValueError(f"output must be between 0 and {outputs.shape[1] - 1}, got {output}")
    return outputs[:, output]


def _loss(kind: str, outputs: Any, targets: Any) -> Any:
    """(B,) loss of each example, the mean over its steps."""
    import tensorflow as tf

    from rnn_core.engine.network import losses
    from rnn_core.spec.interface import Interface

    each = losses(Interface("floats", 1, outputs.shape[-1], kind), outputs, tf.convert_to_tensor(targets))
    return each if each.shape.rank == 1 else tf.reduce_mean(each, axis=list(range(1, each.shape.rank)))
