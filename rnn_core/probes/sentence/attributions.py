"""Attribution of a model's output to its input steps, by four methods that need not agree.

The output is always the logit (before a final sigmoid or softmax). Sources: gradient norm, Simonyan et al.
2014 and Madsen 2019; gradient × input, Shrikumar et al. 2017; integrated gradients, Sundararajan et al. 2017; leave-one-out,
Li et al. 2016.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnn_core.probes.calls.any_model import called
from rnn_core.probes.calls.call import Example
from rnn_core.probes.sentence import quadrature

# Shapes: B batch, T time, E embedding size (or D inputs), N points.

METHODS = {
    "integrated_gradients": "Integrated gradients",
    "gradient_times_input": "Gradient × input",
    "gradient_norm": "Size of the gradient (no sign)",
    "leave_one_out": "Leave one out",
}
TOLERANCE = 5e-4  # completeness gap of integrated gradients, relative to the output's change or 1


@dataclass(frozen=True, eq=False)
class Attributions:
    """One number per input step. Positive raises the output (gradient norms have no sign)."""

    method: str  # one of METHODS
    variant: str  # the baseline, or how a step was left out
    values: np.ndarray  # (B, T) float64, in units of the output; exactly 0 at masked steps
    answer: np.ndarray  # (B,) the explained output of each example
    reference: np.ndarray  # (B,) the output at the baseline (integrated gradients); otherwise nan
    gap: np.ndarray  # (B,) |sum of values − (answer − reference)|: 0 is complete; nan for methods without such a sum
    mask: np.ndarray  # (B, T) bool: True where a step is real


@dataclass(frozen=True, eq=False)
class Attribution:
    """The same for one example."""

    values: np.ndarray  # (T,)
    variant: str
    answer: float
    reference: float = math.nan
    gap: float = math.nan


def attributions(
    model: Any,
    inputs: Any,
    method: str = "integrated_gradients",
    mask: Any = None,
    output: int | None = None,
    steps: int | None = 50,
) -> Attributions:
    """The attribution of a model's output to each input step.

    Args:
        model: a Keras model with stock recurrent layers, or our `Model`; token models need one Embedding layer.
        inputs: (B, T) token ids or (B, T, D) numbers.
        method: "gradient_norm", "gradient_times_input", "integrated_gradients" (baseline: the zero vector) or
            "leave_one_out" (variant: the step is masked, the state stays unchanged).
        mask: (B, T) bool, True at real steps; default: what the model itself masks.
        output: which of K outputs; default the largest of each example.
        steps: points of the midpoint rule for integrated gradients; the gap falls as 1/steps². None: as many points as are
            needed for a gap below 5e-4 of the output's change (see `quadrature`).

    Raises: ValueError for inputs that do not fit the model, or an unknown method.
    """
    check_method(method)
    if steps is not None and steps < 1:
        raise ValueError(f"steps must be at least 1, got {steps}")
    examples = called(model).examples(inputs, mask, output)
    found = [attribute(example, method, steps) for example in examples]
    return Attributions(
        method=method,
        variant=found[0].variant,
        values=np.stack([one.values for one in found]),
        answer=np.array([one.answer for one in found]),
        reference=np.array([one.reference for one in found]),
        gap=np.array([one.gap for one in found]),
        mask=np.stack([example.mask for example in examples]),
    )


def check_method(method: str) -> None:
    """Raises ValueError for an unknown method."""
    if method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}, got {method!r}")


def attribute(example: Example, method: str, steps: int | None = None, item: str = "step") -> Attribution:
    """The attribution of one example's output to its steps. `item`: what a step is called in `variant`."""
    if method == "leave_one_out":
        return _leave_one_out(example, item)
    if method == "integrated_gradients":
        return _integrated_gradients(example, steps)
    (answer,), (gradient,) = example.gradients(example.vectors[None])
    if method == "gradient_norm":
        values, variant = np.linalg.norm(gradient, axis=-1), f"norm of the gradient in each {item}'s vector"
    else:
        values, variant = np.sum(example.vectors * gradient, -1), f"gradient times each {item}'s vector"
    return Attribution(np.where(example.mask, values, 0), variant, float(answer))


def _integrated_gradients(example: Example, steps: int | None) -> Attribution:
    """The mean gradient on the straight line from zero vectors to the inputs, times the inputs."""
    vectors = example.vectors
    if steps is None:
        found = quadrature.line_integral(lambda points: example.gradients(_scaled(vectors, points)), vectors, TOLERANCE)
        (reference, answer), mean, variant = found.ends, found.mean, f"from zero vectors, {found.points} points"
    else:
        answer, reference = map(float, example.answers(np.stack([vectors, 0 * vectors])))
        mean = example.gradients(_scaled(vectors, (np.arange(steps) + 0.5) / steps))[1].mean(0)
        variant = f"from zero vectors, {steps} midpoints"
    values = np.where(example.mask, np.sum(vectors * mean, -1), 0)
    return Attribution(values, variant, answer, reference, abs(float(values.sum()) - (answer - reference)))


def _scaled(vectors: np.ndarray, points: np.ndarray) -> np.ndarray:
    """(N, T, E) the vectors times each of N points."""
    return points[:, None, None].astype(vectors.dtype) * vectors


def _leave_one_out(example: Example, item: str) -> Attribution:
    """The output with every step minus the output with one step masked, so that the state stays unchanged there."""
    real = np.flatnonzero(example.mask)
    masks = np.repeat(example.mask[None], len(real) + 1, axis=0)
    masks[np.arange(len(real)), real] = False
    answers = example.answers(np.repeat(example.vectors[None], len(masks), axis=0), masks)
    values = np.zeros(len(example.mask))
    values[real] = answers[-1] - answers[:-1]
    return Attribution(values, f"each {item} masked: the state stays unchanged there", float(answers[-1]))
