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

ACTIVATIONS = ("tanh", "relu", "linear", "sigmoid")


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
    return {"relu": lambda: library(x).maximum(x, 0), "linear": lambda: x}[name]()


def slope(name: str, y: Array) -> Array:
    """The derivative of the named nonlinearity, from its own output y."""
    if name == "tanh":
        return 1 - y * y
    if name == "sigmoid":
        return y * (1 - y)
    ones = library(y).ones_like(y)
    return {"relu": lambda: library(y).where(y > 0, ones, 0 * ones), "linear": lambda: ones}[name]()


def activate_blocks(names: tuple[str, ...], x: Array) -> Array:
    """One nonlinearity for each of the equal blocks of columns of x.

    tanh and sigmoid in one pass, which takes a third off LSTM's forward time.
    """
    scales = _scales(names, x.shape[-1] // len(names), x.dtype)
    if scales is None:
        return join(*(activate(name, part) for name, part in zip(names, split(x, len(names)), strict=True)))
    return library(x).tanh(x * scales[0]) * scales[0] + scales[1]


@functools.lru_cache(maxsize=64)
def _scales(names: tuple[str, ...], units: int, dtype: Any) -> tuple[np.ndarray, np.ndarray] | None:
    """(G,) ½ in the columns of a sigmoid and 1 in those of a tanh, and ½ and 0; None where there are other nonlinearities."""
    if not set(names) <= {"tanh", "sigmoid"}:
        return None
    factors = [0.5 if name == "sigmoid" else 1.0 for name in names]
    scale = np.repeat(factors, units).astype(getattr(dtype, "as_numpy_dtype", dtype))
    return scale, 1 - scale
