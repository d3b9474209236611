"""Random generators that depend on a seed and a purpose, so that no two purposes share a stream."""

from __future__ import annotations

import zlib

import numpy as np


def generator(seed: int, purpose: str, number: int = 0) -> np.random.Generator:
    """The generator of `(seed, purpose, number)`; its stream is independent of those of other arguments.

    Args:
        seed: the experiment's seed.
        purpose: such as "adding/train".
        number: of the repetition, such as the epoch.
    """
    return np.random.default_rng([seed, crc(purpose), number])


def crc(purpose: str) -> int:
    """The number of a purpose in `generator`."""
    return zlib.crc32(purpose.encode())
