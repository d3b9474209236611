"""Adam, RMSprop and plain gradient descent on TensorFlow variables, with Keras's default constants.

Keras 3.15 squares the rows of an embedding's gradient before it sums those of a repeated token, so that its Adam and RMSprop
take larger steps for frequent tokens. Here they are summed first, as in the papers.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

SLOTS = {"adam": 2, "rmsprop": 1, "sgd": 0}  # running means per weight, of the weight's shape


def update(optimiser: str, weights: list[Any], slots: list[list[Any]], gradients: list[Any], rate: Any, count: Any) -> None:
    """Updates every weight in place.

    Args:
        optimiser: a key of `SLOTS`.
        weights, gradients: variables, and a tensor of the same shape for each.
        slots: `SLOTS[optimiser]` lists of variables shaped as the weights; zeros before the first step.
        rate: learning rate, () float32.
        count: variable, () int64, updates so far; incremented.
    """
    steps = tf.cast(count.assign_add(1), tf.float32)
    for n, (weight, gradient) in enumerate(zip(weights, gradients, strict=True)):
        kept = [slot[n] for slot in slots]
        if optimiser == "adam":  # TensorFlow's fused kernel
            tf.raw_ops.ResourceApplyAdam(
                var=weight.handle, m=kept[0].handle, v=kept[1].handle, lr=rate, grad=gradient,
                beta1=0.9, beta2=0.999, beta1_power=tf.pow(0.9, steps), beta2_power=tf.pow(0.999, steps), epsilon=1e-7,
            )  # fmt: skip
        elif optimiser == "rmsprop":
            mean = kept[0].assign(0.9 * kept[0] + 0.1 * tf.square(gradient))
            weight.assign_sub(rate * gradient * tf.math.rsqrt(mean + 1e-7))
        else:
            weight.assign_sub(rate * gradient)
