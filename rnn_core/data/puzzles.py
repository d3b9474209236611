"""Generators of the memory tasks in NumPy. Each is self-contained, because exported Keras programs include its source.

Every function draws `count` sequences of `length` steps with the generator `rng` and returns values (N, T, D) float32 and
targets: (N, 1) float32, (N,) int32 classes, or (N, T) int32 classes with a target at every step. `delay` is the number of
steps back in `delayed_recall`; the others ignore it.
"""

from __future__ import annotations

import numpy as np


def adding(count: int, length: int, delay: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Channel 0: numbers in [0, 1); channel 1 marks one of them in each half; the target is the sum of the marked two."""
    values = np.zeros((count, length, 2), np.float32)
    values[..., 0] = rng.random((count, length), np.float32)
    first = rng.integers(0, length // 2, count)
    second = rng.integers(length // 2, length, count)
    rows = np.arange(count)
    values[rows, first, 1] = values[rows, second, 1] = 1
    return values, values[rows, first, :1] + values[rows, second, :1]


def copying(count: int, length: int, delay: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Inputs: ten symbols out of eight, blanks (8), a signal (9), ten blanks. Targets: blanks, and the ten symbols at the end."""
    shown = min(10, (length - 1) // 2)
    symbols = rng.integers(0, 8, (count, shown))
    inputs = np.full((count, length), 8)
    inputs[:, :shown] = symbols
    inputs[:, length - shown - 1] = 9
    targets = np.full((count, length), 8, np.int32)
    targets[:, length - shown :] = symbols
    return np.eye(10, dtype=np.float32)[inputs], targets


def temporal_order(count: int, length: int, delay: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """X or Y once in the second tenth and once in the sixth, distractors elsewhere; classes XX, XY, YX, YY."""
    inputs = rng.integers(2, 6, (count, length))  # four distractors
    early = rng.integers(length // 10, max(2 * length // 10, length // 10 + 1), count)
    late = rng.integers(5 * length // 10, max(6 * length // 10, 5 * length // 10 + 1), count)
    first, second = rng.integers(0, 2, (2, count))
    rows = np.arange(count)
    inputs[rows, early], inputs[rows, late] = first, second
    return np.eye(6, dtype=np.float32)[inputs], (2 * first + second).astype(np.int32)


def first_token(count: int, length: int, delay: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """The first of ten symbols is A (0) or B (1), the rest are distractors; the target is the first."""
    inputs = rng.integers(2, 10, (count, length))
    inputs[:, 0] = rng.integers(0, 2, count)
    return np.eye(10, dtype=np.float32)[inputs], inputs[:, :1].astype(np.float32)


def parity(count: int, length: int, delay: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Random bits; the target is 1 where the number of ones is odd."""
    bits = rng.integers(0, 2, (count, length))
    return bits[..., None].astype(np.float32), (bits.sum(1, keepdims=True) % 2).astype(np.float32)


def delayed_recall(count: int, length: int, delay: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Random symbols out of eight; the target of every step is the symbol `delay` steps back, 8 where there is none."""
    inputs = rng.integers(0, 8, (count, length))
    targets = np.full((count, length), 8, np.int32)
    targets[:, delay:] = inputs[:, : max(length - delay, 0)]
    return np.eye(8, dtype=np.float32)[inputs], targets
