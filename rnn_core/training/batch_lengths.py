"""Pads batches to a few lengths and token sets to a few sizes, so that a training step is compiled only a few times."""

from __future__ import annotations

import numpy as np

from rnn_core.data.sequences import Batch

CAPACITIES = (32, 100, 200, 500, 1000, 2000)  # time steps of a compiled step


def capacity_of(length: int, large: bool = False) -> int:
    """Time steps of the compiled step that a batch of this length is padded to.

    Skipped steps take almost no time, but a program takes a second to compile: IMDB's batches need four instead of seven,
    a third off the first epoch. They do take memory, so a large batch is padded to the next hundred only.
    """
    if large and length > 200:
        return -(-length // 100) * 100
    return next((size for size in CAPACITIES if size >= length), -(-length // 1000) * 1000)


def padded(batch: Batch, per_step: bool, capacity: int) -> tuple[Batch, int]:
    """The batch padded in front to `capacity` steps, and the index of its first own step.

    Args:
        per_step: targets have a time axis.
    """
    start = capacity - batch.inputs.shape[1]
    if start == 0:
        return batch, 0
    mask = None if batch.mask is None else _pad_front(batch.mask, start)
    targets = _pad_front(batch.targets, start) if per_step else batch.targets
    return Batch(_pad_front(batch.inputs, start), mask, targets), start


def _pad_front(values: np.ndarray, steps: int) -> np.ndarray:
    """(B, steps + T, …) with zeros in front. Takes a quarter of the time of `np.pad`."""
    result = np.zeros((len(values), steps + values.shape[1], *values.shape[2:]), values.dtype)
    result[:, steps:] = values
    return result


def distinct_tokens(tokens: np.ndarray, vocabulary: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A batch's tokens as indices into its distinct tokens, so that only these rows of the embedding are projected.

    The capacity is 27 times the square root of the positions, since distinct words grow like that (Heaps's law; batches of
    IMDB have 16 to 26). A batch with more gets the capacity of the whole vocabulary.

    Args:
        tokens: ids in [0, vocabulary), any shape.

    Returns: indices, int32 of the shape of `tokens`; the distinct ids, padded with zeros to the capacity; and the index of
        every id of the vocabulary, which is the last index, never used by a token, for ids that do not occur.
    """
    found = np.flatnonzero(np.bincount(tokens.ravel(), minlength=vocabulary))
    capacity = min(vocabulary, int(27 * tokens.size**0.5)) + 1
    used = np.zeros(capacity if len(found) < capacity else vocabulary + 1, np.int32)
    used[: len(found)] = found
    indices = np.full(vocabulary, len(used) - 1, np.int32)
    indices[found] = np.arange(len(found))
    return indices.take(tokens), used, indices
