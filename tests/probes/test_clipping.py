"""Both clipping rules against Keras's optimisers, and their effect on the direction."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from rnn_core.probes.gradients.clipping import compare

RNG = np.random.default_rng(0)
GRADIENTS = [RNG.normal(0, scale, shape) for scale, shape in ((3.0, (4, 5)), (1.0, (5, 5)), (2.0, (5,)))]


def clip_global(gradients: Sequence[np.ndarray], limit: float) -> list[np.ndarray]:
    """All gradients times one factor, so that their joint norm is at most `limit` (Keras: global_clipnorm)."""
    norm = np.sqrt(sum(float(np.sum(np.square(gradient, dtype=np.float64))) for gradient in gradients))
    factor = min(1.0, limit / norm) if norm > 0 else 1.0
    return [gradient * factor for gradient in gradients]


def clip_variable(gradients: Sequence[np.ndarray], limit: float) -> list[np.ndarray]:
    """Each gradient by itself to a norm of at most `limit` (Keras: clipnorm)."""
    return [clip_global([gradient], limit)[0] for gradient in gradients]


def cosine(first: Sequence[np.ndarray], second: Sequence[np.ndarray]) -> float:
    """Cosine of the angle between two lists of arrays, read as one long vector each; 1 for zero vectors."""
    dot = sum(float(np.vdot(a, b)) for a, b in zip(first, second, strict=True))
    sizes = [np.sqrt(sum(float(np.vdot(a, a)) for a in group)) for group in (first, second)]
    return dot / (sizes[0] * sizes[1]) if sizes[0] * sizes[1] > 0 else 1.0


@pytest.mark.parametrize(("option", "rule"), [("global_clipnorm", clip_global), ("clipnorm", clip_variable)])
def test_both_rules_equal_keras(option: str, rule: object) -> None:
    import keras

    optimiser = keras.optimizers.SGD(1.0, **{option: 1.5})
    variables = [keras.Variable(np.zeros(gradient.shape), dtype="float64") for gradient in GRADIENTS]
    optimiser.build(variables)
    optimiser.apply(GRADIENTS, variables)
    for variable, clipped in zip(variables, rule(GRADIENTS, 1.5), strict=True):  # type: ignore[operator]
        np.testing.assert_allclose(-np.asarray(variable), clipped, rtol=1e-6)


def test_the_global_rule_keeps_the_direction_and_the_other_does_not() -> None:
    norms = np.array([np.linalg.norm(gradient) for gradient in GRADIENTS])
    found = compare(norms, ("W", "U", "b"), 1.0)
    assert found.norm_global == pytest.approx(1.0, abs=1e-6)
    assert found.cosine_global == pytest.approx(1.0, abs=1e-12)
    assert found.norm_variable == pytest.approx(np.sqrt(3))
    assert found.cosine_variable < 0.99


def test_norms_alone_give_the_cosine_of_the_whole_gradient() -> None:
    norms = np.array([np.linalg.norm(gradient) for gradient in GRADIENTS])
    assert compare(norms, "WUb", 1.0).cosine_variable == pytest.approx(
        cosine(GRADIENTS, clip_variable(GRADIENTS, 1.0)), rel=1e-12
    )


def test_small_gradients_are_not_clipped() -> None:
    found = compare(np.array([0.1, 0.2]), "ab", 1.0)
    np.testing.assert_array_equal(found.by_global, found.before)
    np.testing.assert_array_equal(found.by_variable, found.before)
    assert compare(np.zeros(2), "ab", 1.0).cosine_variable == 1.0


@pytest.mark.parametrize("limit", [0.0, -1.0, float("nan")])
def test_a_limit_must_be_positive(limit: float) -> None:
    with pytest.raises(ValueError, match="above 0"):
        compare(np.ones(2), "ab", limit)
