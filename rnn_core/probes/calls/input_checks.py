"""Inputs and masks as arrays that fit a model, or a sentence: what was expected, and what came."""

from __future__ import annotations

from typing import Any

import numpy as np


def check_numbers(inputs: Any, shape: tuple[int | None, ...] | None = None) -> np.ndarray:
    """Finite numbers in sequences of one length. `shape`: the axes after the batch, None where any size will do."""
    try:
        inputs = np.asarray(inputs)
    except ValueError as error:
        raise ValueError("inputs must be sequences of one length (pad and mask the shorter ones), got ragged ones") from error
    if inputs.dtype == object or inputs.dtype.kind not in "biuf":
        raise ValueError(f"inputs must be numbers in sequences of one length, got {inputs.dtype}")
    if shape is not None:
        axes = zip(inputs.shape[1:], shape, strict=False)
        if inputs.ndim != 1 + len(shape) or any(size not in (None, have) for have, size in axes):
            raise ValueError(f"inputs must have the shape {_words(shape)}, got {inputs.shape}")
    if inputs.ndim < 2 or 0 in inputs.shape:
        raise ValueError(f"inputs need at least one sequence of at least one step, got the shape {inputs.shape}")
    if inputs.dtype.kind == "f" and not np.isfinite(inputs).all():
        raise ValueError("inputs must be finite, got NaN or infinity")
    return inputs


def _words(shape: tuple[int | None, ...]) -> str:
    """The shape of inputs in words."""
    names = ("time", "inputs", "third axis", "fourth axis")
    axes = ", ".join(str(size or name) for size, name in zip(shape, names, strict=False))
    return f"(batch, {axes}) {'token ids' if len(shape) == 1 and shape[0] is None else 'numbers'}"


def check_tokens(inputs: np.ndarray, size: int | None) -> np.ndarray:
    """Token ids as int32. `size`: of the vocabulary; None where it is not known."""
    if not np.array_equal(inputs, inputs.astype(np.int64)):
        raise ValueError("token ids must be whole numbers")
    if size and (inputs.min() < 0 or inputs.max() >= size):
        raise ValueError(f"token ids must be between 0 and {size - 1}, got {inputs.min()} to {inputs.max()}")
    return inputs.astype(np.int32)


def check_mask(mask: Any, shape: tuple[int, ...]) -> np.ndarray | None:
    """A mask (B, T) as booleans, for inputs of this shape."""
    if mask is None:
        return None
    mask = np.asarray(mask)
    if mask.shape != shape[:2]:
        raise ValueError(f"the mask must have the shape (batch, time) = {shape[:2]}, got {mask.shape}")
    return mask.astype(bool)
