"""Recurrences with a gradient in closed form, which grows although every eigenvalue of the recurrent weights is below 1.

Convention: column vectors, J_t = ds_t/ds_{t-1}; the gradient over n steps is the product of n Jacobians.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class ProductNorms:
    """Norm of a product of n equal Jacobians, beside the estimates of two rules of thumb."""

    title: str  # heading for the screen
    matrix: np.ndarray  # (2, 2) recurrent weights W, column convention
    jacobian: np.ndarray  # (2, 2) ds_t/ds_{t-1} along the orbit; W itself for a linear recurrence
    steps: np.ndarray  # (N,) int: n
    norm: np.ndarray  # (N,) largest singular value of the product over n steps
    by_radius: np.ndarray  # (N,) spectral radius of W to the power n: often quoted as a bound, but not one
    by_singular: np.ndarray  # (N,) largest singular value of W to the power n: a true upper bound (tanh and linear)

    @property
    def spectral_radius(self) -> float:
        """Largest modulus of an eigenvalue of W."""
        return float(np.abs(_eigenvalues(self.matrix)).max())


def _eigenvalues(matrix: np.ndarray) -> np.ndarray:
    """Eigenvalues of a 2 × 2 matrix from trace and determinant: exact, where LAPACK gives 1e-8 for a double 0."""
    half = np.trace(matrix) / 2
    determinant = matrix[0, 0] * matrix[1, 1] - matrix[0, 1] * matrix[1, 0]
    root = np.sqrt(complex(half * half - determinant))
    return np.array([half + root, half - root])


def _product_norms(title: str, matrix: np.ndarray, jacobian: np.ndarray, longest: int) -> ProductNorms:
    steps = np.arange(longest + 1)
    product, norms = np.eye(2), []
    for _ in steps:
        norms.append(np.linalg.norm(product, 2))
        product = jacobian @ product
    radius = np.abs(_eigenvalues(matrix)).max()
    return ProductNorms(title, matrix, jacobian, steps, np.array(norms), radius**steps, np.linalg.norm(matrix, 2) ** steps)


def jordan_block(eigenvalue: float = 0.9, coupling: float = 1.0, longest: int = 60) -> ProductNorms:
    """A linear recurrence with a Jordan block: W = [[λ, k], [0, λ]], so Wⁿ = [[λⁿ, n k λⁿ⁻¹], [0, λⁿ]].

    With λ = 0.9 and k = 1 the gradient first grows to 3.9 times its size (n = 9) before it vanishes, although both eigenvalues are 0.9.
    """
    matrix = np.array([[eigenvalue, coupling], [0.0, eigenvalue]])
    return _product_norms("Linear recurrence, both eigenvalues 0.9", matrix, matrix, longest)


def counterexample(longest: int = 12) -> ProductNorms:
    """A tanh recurrence with spectral radius 0 whose gradient doubles at every step.

    y' = tanh(W y + b), W = [[8, 8], [-8, -8]] (W² = 0), at its fixed point y* = (0, ½). There the Jacobian is
    K = diag(1 - y*²) W = [[8, 8], [-6, -6]], and K² = 2 K: the product over n steps has norm 2ⁿ⁻¹ √200. So "spectral radius
    below 1 means vanishing" (often quoted after Pascanu et al. 2013, whose proof holds for the largest singular value) is false.
    """
    matrix = np.array([[8.0, 8.0], [-8.0, -8.0]])
    fixed_point = np.array([0.0, 0.5])
    jacobian = np.diag(1 - fixed_point**2) @ matrix
    return _product_norms("tanh recurrence, both eigenvalues of W are 0", matrix, jacobian, longest)
