"""Random generators that depend on a seed and on what they are for, so that no two uses share a stream."""

from __future__ import annotations

import zlib

import numpy as np


def generator(seed: int, purpose: str, number: int = 0) -> np.random.Generator:
    """The generator of `(seed, purpose, number)`: always the same stream, independent of every other purpose.

    Args:
        seed: the experiment's seed.
        purpose: what the numbers are for, such as "adding/train".
        number: counts repetitions, such as epochs.
    """
    return np.random.default_rng([seed, zlib.crc32(purpose.encode()), number])
