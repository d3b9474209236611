"""Principal components of states against singular values; padding, signs and degenerate cases."""

import numpy as np
import pytest

from rnn_core.probes.states import principal_components


@pytest.fixture
def cloud() -> np.ndarray:
    """(20, 30, 6) states with clearly different spreads per axis, rotated at random."""
    rng = np.random.default_rng(0)
    rotation, _ = np.linalg.qr(rng.normal(size=(6, 6)))
    return ((rng.normal(size=(20, 30, 6)) * [5, 3, 2, 0.5, 0.2, 0.1]) @ rotation + 1.0).astype(np.float32)


def test_explained_variance_agrees_with_the_singular_values(cloud: np.ndarray) -> None:
    basis = principal_components.fit(cloud)
    centred = cloud.reshape(-1, 6).astype(np.float64) - cloud.reshape(-1, 6).mean(axis=0, dtype=np.float64)
    squares = np.linalg.svd(centred, compute_uv=False) ** 2
    np.testing.assert_allclose(basis.explained, (squares / squares.sum())[:3], rtol=1e-9)
    np.testing.assert_allclose(basis.variances, squares / len(centred), rtol=1e-9)
    assert basis.count == 600


def test_projection_keeps_the_variance_it_claims(cloud: np.ndarray) -> None:
    basis = principal_components.fit(cloud)
    flat = basis.project(cloud).reshape(-1, 3)
    np.testing.assert_allclose(flat.var(axis=0), basis.variances[:3], rtol=1e-4)
    np.testing.assert_allclose(flat.mean(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose(np.corrcoef(flat.T), np.eye(3), atol=1e-4)


def test_all_components_restore_the_state(cloud: np.ndarray) -> None:
    basis = principal_components.fit(cloud, components=6)
    np.testing.assert_allclose(basis.restore(basis.project(cloud)), cloud, atol=1e-5)
    np.testing.assert_allclose(basis.components @ basis.components.T, np.eye(6), atol=1e-6)


def test_padded_steps_do_not_change_the_basis(cloud: np.ndarray) -> None:
    mask = np.ones(cloud.shape[:2], bool)
    mask[:, :10] = False
    spoiled = cloud.copy()
    spoiled[~mask] = 1e3
    masked, honest = principal_components.fit(spoiled, mask), principal_components.fit(cloud[:, 10:])
    np.testing.assert_array_equal(masked.components, honest.components)
    assert masked.count == honest.count == 400
    assert not np.allclose(principal_components.fit(spoiled).components, honest.components, atol=1e-2)  # without the mask they do


def test_sign_is_fixed_and_order_of_sequences_is_irrelevant(cloud: np.ndarray) -> None:
    first, again = principal_components.fit(cloud), principal_components.fit(cloud[::-1])
    np.testing.assert_allclose(first.components, again.components, atol=1e-5)
    assert (first.components[np.arange(3), np.abs(first.components).argmax(axis=1)] > 0).all()


@pytest.mark.parametrize(("axes", "expected"), [([1, 0, 0, 0], 1.0), ([1, 1, 0, 0], 2.0), ([1, 1, 1, 1], 4.0)])
def test_dimension_is_the_number_of_used_axes(axes: list[float], expected: float) -> None:
    states = np.concatenate([np.diag(axes), -np.diag(axes)]).astype(np.float32)
    assert principal_components.fit(states).dimension == pytest.approx(expected)


def test_few_equal_or_non_finite_states() -> None:
    assert principal_components.fit(np.eye(2, dtype=np.float32)).components.shape == (2, 2)
    still = principal_components.fit(np.ones((4, 3), np.float32))
    assert still.dimension == 0
    np.testing.assert_array_equal(still.explained, 0)
    with pytest.raises(ValueError, match="at least two real states, got 0"):
        principal_components.fit(np.ones((2, 3, 4)), np.zeros((2, 3), bool))
    with pytest.raises(ValueError, match="diverged"):
        principal_components.fit(np.array([[0.0, np.nan], [1.0, 2.0]]))
    with pytest.raises(ValueError, match="states of 3 numbers, got 4"):
        still.project(np.ones((5, 4)))
