"""The few functions that the equations need of arrays: of NumPy's on a page, of TensorFlow's in a training.

Every function takes arrays of either library and returns arrays of the same. TensorFlow is not loaded for NumPy's.
"""

from __future__ import annotations

import functools
from types import ModuleType
from typing import Any

import numpy as np

Array = Any  # np.ndarray or tf.Tensor
Tensor = Any  # tf.Tensor: TensorFlow ships no types

ACTIVATIONS = ("tanh", "relu", "linear", "sigmoid")  # of the networks that are trained here
FURTHER = ("hard_sigmoid", "elu", "selu", "softplus", "softsign", "exponential")  # of other people's, with Keras's constants
SELU_SCALE, SELU_ALPHA = 1.0507009873554805, 1.6732632423543772  # Klambauer et al. 2017


def library(x: Array) -> ModuleType:
    """NumPy or TensorFlow, whichever x belongs to. Both have tanh, maximum, where, ones_like and eye."""
    if isinstance(x, np.ndarray):
        return np
    import tensorflow as tf

    return tf


def split(x: Array, count: int) -> list[Array]:
    """`count` equal blocks of columns."""
    size = x.shape[-1] // count
    return [x[..., start : start + size] for start in range(0, count * size, size)]


def join(*parts: Array, axis: int = -1) -> Array:
    """The parts as blocks of columns."""
    return np.concatenate(parts, axis) if isinstance(parts[0], np.ndarray) else library(parts[0]).concat(parts, axis)


def product(x: Array, matrix: Array) -> Array:
    """(…, M) times (M, N). For all steps at once TensorFlow needs one matrix of all rows, or it multiplies step by step."""
    return x @ matrix if isinstance(x, np.ndarray) or x.shape.rank == 2 else library(x).tensordot(x, matrix, 1)


def activate(name: str, x: Array) -> Array:
    """The named nonlinearity. σ(x) = (1 + tanh(x/2))/2."""
    if name == "tanh":
        return library(x).tanh(x)
    if name == "sigmoid":
        return 0.5 + 0.5 * library(x).tanh(0.5 * x)
    if name == "linear":
        return x
    return library(x).maximum(x, 0) if name == "relu" else _activate_further(name, x)


def _activate_further(name: str, x: Array) -> Array:
    arrays = library(x)
    if name == "hard_sigmoid":
        return arrays.minimum(arrays.maximum(x / 6 + 0.5, 0), 1)
    if name == "softsign":
        return x / (1 + arrays.abs(x))
    if name == "exponential":
        return arrays.exp(x)
    if name == "softplus":  # log(1 + eˣ) without a large power
        return arrays.maximum(x, 0) + (arrays if arrays is np else arrays.math).log1p(arrays.exp(-arrays.abs(x)))
    below = arrays.exp(arrays.minimum(x, 0)) - 1
    if name == "elu":
        return arrays.maximum(x, 0) + below
    if name == "selu":
        return SELU_SCALE * (arrays.maximum(x, 0) + SELU_ALPHA * below)
    raise ValueError(f"no nonlinearity is called {name!r}")


def slope(name: str, y: Array) -> Array:
    """The derivative of the named nonlinearity, from its own output y."""
    if name == "tanh":
        return 1 - y * y
    if name == "sigmoid":
        return y * (1 - y)
    ones = library(y).ones_like(y)
    if name == "linear":
        return ones
    return library(y).where(y > 0, ones, 0 * ones) if name == "relu" else _slope_further(name, y, ones)


def _slope_further(name: str, y: Array, ones: Array) -> Array:
    arrays = library(y)
    if name == "hard_sigmoid":
        return arrays.where((y > 0) & (y < 1), ones / 6, 0 * ones)
    if name == "softsign":
        return (1 - arrays.abs(y)) ** 2
    if name == "exponential":
        return y
    if name == "softplus":
        return 1 - arrays.exp(-y)
    scale, below = {"elu": (1.0, 1.0), "selu": (SELU_SCALE, SELU_SCALE * SELU_ALPHA)}[name]
    return arrays.where(y < 0, y + below, scale * ones)  # at 0 the slope from above, as in TensorFlow


def activate_blocks(names: tuple[str, ...], x: Array) -> Array:
    """One nonlinearity for each of the equal blocks of columns of x.

    tanh and sigmoid in one pass, which takes a third off LSTM's forward time.
    """
    scales = _scales(names, x.shape[-1] // len(names), x.dtype)
    if scales is None:
        return join(*(activate(name, part) for name, part in zip(names, split(x, len(names)), strict=True)))
    if isinstance(x, np.ndarray):  # in place: a tenth of a step's time in NumPy is new arrays
        y = x * scales[0]
        np.tanh(y, out=y)
        y *= scales[0]
        y += scales[1]
        return y
    return library(x).tanh(x * scales[0]) * scales[0] + scales[1]


@functools.lru_cache(maxsize=64)
def _scales(names: tuple[str, ...], units: int, dtype: Any) -> tuple[np.ndarray, np.ndarray] | None:
    """(G,) ½ in the columns of a sigmoid and 1 in those of a tanh, and ½ and 0; None where there are other nonlinearities."""
    if not set(names) <= {"tanh", "sigmoid"}:
        return None
    factors = [0.5 if name == "sigmoid" else 1.0 for name in names]
    scale = np.repeat(factors, units).astype(getattr(dtype, "as_numpy_dtype", dtype))
    return scale, 1 - scale
