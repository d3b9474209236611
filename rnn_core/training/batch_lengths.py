"""Batches of any length in a few lengths, so that a compiled step need not be compiled for each."""

from __future__ import annotations

import numpy as np

from rnn_core.data.sequences import Batch

CAPACITIES = (32, 100, 200, 500, 1000, 2000)  # time steps that a compiled step has room for


def capacity(length: int, large: bool = False) -> int:
    """Steps for which there is room in the program that a batch of this length goes through.

    Steps that are not run take next to no time, but a program takes a second to compile: of IMDB's batches four instead of
    seven, which is a third off the first epoch. They do take memory, so that a large batch gets no more than the next hundred.
    """
    if large and length > 200:
        return -(-length // 100) * 100
    return next((size for size in CAPACITIES if size >= length), -(-length // 1000) * 1000)


def packed(batch: Batch, per_step: bool, room: int) -> tuple[Batch, int]:
    """The batch with empty steps in front, `room` steps in all, and the step at which it starts.

    Args:
        per_step: targets have a time axis too.
    """
    room -= batch.inputs.shape[1]
    if room == 0:
        return batch, 0
    mask = None if batch.mask is None else _wider(batch.mask, room)
    targets = _wider(batch.targets, room) if per_step else batch.targets
    return Batch(_wider(batch.inputs, room), mask, targets), room


def _wider(values: np.ndarray, room: int) -> np.ndarray:
    """(B, room + T, …) with zeros in front. A fourth of the time of `np.pad`."""
    wider = np.zeros((len(values), room + values.shape[1], *values.shape[2:]), values.dtype)
    wider[:, room:] = values
    return wider


def distinct(tokens: np.ndarray, vocabulary: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A batch's tokens by their place among those that occur, so that only these rows of the embedding need be projected.

    There is room for 27 times the square root of the positions: distinct words grow like that (Heaps's law; batches of IMDB
    have 16 to 26). A batch with more gets room for the whole vocabulary.

    Args:
        tokens: ids in [0, vocabulary), any shape.

    Returns: places, int32 of the shape of `tokens`; the ids at those places, with zeros behind them up to the room; and the
        place of every id of the vocabulary, the last one, which always stays free, for those that do not occur.
    """
    found = np.flatnonzero(np.bincount(tokens.ravel(), minlength=vocabulary))
    room = min(vocabulary, int(27 * tokens.size**0.5)) + 1
    used = np.zeros(room if len(found) < room else vocabulary + 1, np.int32)
    used[: len(found)] = found
    places = np.full(vocabulary, len(used) - 1, np.int32)
    places[found] = np.arange(len(found))
    return places.take(tokens), used, places
