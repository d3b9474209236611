"""The output of a Keras model before its last sigmoid or softmax, and the numbers that are asked of it, in TensorFlow.

Shapes: B batch, T time, K outputs.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rnn_core.probes.calls.final_activation import apply_final_activation
from rnn_core.probes.calls.keras_run import Ask, Found, RefusedError
from rnn_core.probes.calls.questions import checked_targets, losses


def output_of(found: Found) -> tuple[np.ndarray, str]:
    """The output before a final sigmoid or softmax, and which of them. Logits count only if squashing them gives the model's answer."""
    answer = np.asarray(found.answer, np.float64)
    if found.logits is None:
        return answer, "linear"
    logits = np.asarray(found.logits, np.float64)
    tolerance = {"float16": 2e-3, "bfloat16": 2e-2}.get(found.answer.dtype.name, 1e-5)
    for activation in ("sigmoid", "softmax") if logits.shape == answer.shape else ():
        if np.abs(apply_final_activation(activation, logits) - answer).max(initial=0) < tolerance:
            return logits, activation
    return answer, "linear"


def with_columns(values: Any) -> Any:
    """(B, K) or (B, T, K): an output of one number per example, (B,), gets an axis."""
    return values[:, None] if len(values.shape) == 1 else values


def columns_of(output: np.ndarray, column: int | None) -> np.ndarray:
    """(B,) which of K outputs, of the last step: the given one, else the largest of each example."""
    last = _last_step(output)
    if column is not None and not 0 <= column < last.shape[1]:
        raise RefusedError(f"output must be between 0 and {last.shape[1] - 1}, got {column}")
    return np.asarray(last).argmax(-1) if column is None else np.full(len(last), column)


def _last_step(output: Any) -> Any:
    """(B, K) of an output (B,), (B, K) or (B, T, K)."""
    values = with_columns(output)
    if len(values.shape) not in (2, 3):
        raise RefusedError(
            f"the model's output must be (batch, outputs) or (batch, time, outputs), got the shape {tuple(output.shape)}"
        )
    return values[:, -1] if len(values.shape) == 3 else values


def one_output(column: int | None) -> Ask:
    """One output of each example, of the last step where there is one at every step: the given one, else the largest."""
    import tensorflow as tf

    def ask(answer: Any, logits: Any) -> Any:
        last = _last_step(logits)
        chosen = tf.argmax(last, -1) if column is None else tf.fill(tf.shape(last)[:1], column)
        there = tf.range(tf.shape(last)[1], dtype=chosen.dtype) == chosen[:, None]
        return tf.reduce_sum(tf.where(there, last, tf.zeros_like(last)), -1)  # cheaper to trace than tf.gather and its gradient

    return ask


def of_the_answer(ask: Ask) -> Ask:
    """The same of the model's answer, where its logits do not give it."""
    return lambda answer, logits: ask(answer, answer)


def compiled_loss(network: Any, targets: Any) -> Ask:
    """The loss that the model was compiled with, of each example by itself; padding counts as Keras counts it."""
    import tensorflow as tf

    if targets is None:
        raise RefusedError('of="loss" needs targets, got None')
    targets = np.asarray(targets)

    def ask(answer: Any, logits: Any) -> Any:
        if len(targets) != answer.shape[0]:
            raise RefusedError(f"targets must have one row for each of the {answer.shape[0]} examples, got {len(targets)}")
        mask, found = getattr(answer, "_keras_mask", None), []
        for n in range(len(targets)):
            part = answer[n : n + 1]
            if logits is not answer:
                part._keras_logits = logits[n : n + 1]
            if mask is not None:
                part._keras_mask = mask[n : n + 1]
            found.append(network._compile_loss(tf.constant(targets[n : n + 1]), part))
        return tf.stack(found)

    return ask


def own_loss(activation: str, targets: Any, output: np.ndarray, mask: np.ndarray | None) -> Ask:
    """The loss of a model that was not compiled: the one that goes with its final activation, its mean over real steps."""
    import tensorflow as tf

    kind = {"sigmoid": "binary", "softmax": "categorical"}.get(activation, "squared")
    targets = checked_targets(kind, targets, with_columns(output).shape)

    @tf.custom_gradient
    def each(outputs: Any) -> Any:
        def numbers(values: Any) -> tuple[np.ndarray, np.ndarray]:
            return losses(kind, np.asarray(values, np.float64), targets)

        values, slopes = tf.numpy_function(numbers, [outputs], [tf.float64, tf.float64])
        values = tf.ensure_shape(values, outputs.shape[:-1])
        return values, lambda upstream: tf.cast(upstream[..., None] * tf.ensure_shape(slopes, outputs.shape), outputs.dtype)

    def ask(answer: Any, logits: Any) -> Any:
        values = each(with_columns(logits))
        if len(values.shape) == 1:
            return values
        real = np.ones(values.shape) if mask is None else mask.astype(np.float64)
        return tf.reduce_sum(values * (real / np.maximum(real.sum(1, keepdims=True), 1)), 1)

    return ask
