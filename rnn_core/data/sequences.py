"""Sequences of different lengths in two flat arrays, and batches of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

# Shapes: N sequences, B batch, T time steps of a batch, D inputs per step, K outputs.


@dataclass(frozen=True, eq=False)
class Batch:
    """Inputs, mask and targets of one training step."""

    inputs: np.ndarray  # (B, T) int32 token ids, 0 = padding; or (B, T, D) float32
    mask: np.ndarray | None  # (B, T) bool, True = real step; None when every step is real or padding is not skipped
    targets: np.ndarray  # (B, K) float32, (B,) int32 class ids, or (B, T) int32 class ids when every step has a target


def offsets_of(lengths: Sequence[int] | np.ndarray) -> np.ndarray:
    """(N + 1,) int64: where each of N sequences of these lengths begins in a flat array, and where the last ends."""
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)


def flat_indices(starts: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """(sum of lengths,) int64: the indices from each start on, as many as its length, one run after the other."""
    return np.repeat(starts - offsets_of(lengths)[:-1], lengths) + np.arange(lengths.sum())


@dataclass(frozen=True, eq=False)
class Sequences:
    """N sequences and their targets."""

    values: np.ndarray  # (sum of lengths,) int32 token ids, or (sum of lengths, D) float32
    offsets: np.ndarray  # (N + 1,) int64: sequence n is values[offsets[n]:offsets[n + 1]]
    targets: np.ndarray  # (N, K) float32; (N,) int32 class ids; or (N, T) int32 class ids when every step has a target

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def lengths(self) -> np.ndarray:
        """(N,) int64: time steps of each sequence."""
        return np.diff(self.offsets)

    def __getitem__(self, n: int) -> np.ndarray:
        """Sequence n: (T,) token ids or (T, D) floats."""
        return self.values[self.offsets[n] : self.offsets[n + 1]]

    @classmethod
    def dense(cls, values: np.ndarray, targets: np.ndarray) -> Sequences:
        """From (N, T) or (N, T, D) values of equal length."""
        count, length = values.shape[:2]
        return cls(values.reshape(count * length, *values.shape[2:]), np.arange(count + 1, dtype=np.int64) * length, targets)

    def take(self, indices: np.ndarray, longest: int | None = None) -> Sequences:
        """The sequences of these numbers, in this order; of one longer than `longest`, its last `longest` steps."""
        kept = self.lengths[indices] if longest is None else np.minimum(self.lengths[indices], longest)
        rows = flat_indices(self.offsets[1:][indices] - kept, kept)
        return Sequences(self.values[rows], offsets_of(kept), self.targets[indices])

    def pad(self, indices: np.ndarray, length: int | None = None, side: str = "pre", mask: bool = True) -> Batch:
        """A batch of the sequences of these numbers, padded with zeros to `length` (default: the longest of them).

        Args:
            indices: (B,) numbers of the sequences.
            length: T; longer sequences keep their last T steps.
            side: "pre" pads in front, "post" behind.
            mask: return which steps are real; False treats padding as real steps.
        """
        lengths = self.lengths[indices]
        length = int(lengths.max(initial=1)) if length is None else length
        kept = np.minimum(lengths, length)
        steps = np.arange(length)
        real = steps >= (length - kept)[:, None] if side == "pre" else steps < kept[:, None]  # (B, T)
        inputs = np.zeros((len(indices), length, *self.values.shape[1:]), self.values.dtype)
        inputs[real] = self.values[flat_indices(self.offsets[1:][indices] - kept, kept)]
        return Batch(inputs, None if not mask or bool(real.all()) else real, self.targets[indices])


def batches(
    sequences: Sequences,
    size: int,
    rng: np.random.Generator | None,
    *,
    padding: str = "bucket",
    length: int | None = None,
    mask: bool = True,
) -> Iterator[Batch]:
    """One pass over the data. With `rng` the order is shuffled; without, it is the data's own.

    padding="bucket" sorts shuffled chunks of 50 batches by length, so that a batch holds similar lengths and little
    padding; "pre" and "post" pad every batch to `length`.
    """
    order = np.arange(len(sequences)) if rng is None else rng.permutation(len(sequences))
    if padding == "bucket":
        chunk = size * 50
        lengths = sequences.lengths
        order = np.concatenate(
            [part[np.argsort(lengths[part], kind="stable")] for part in np.split(order, range(chunk, len(order), chunk))]
        )
    groups = np.split(order, range(size, len(order), size))
    for n in range(len(groups)) if rng is None else rng.permutation(len(groups)):
        if padding == "bucket":
            yield sequences.pad(groups[n], mask=mask)
        else:
            yield sequences.pad(groups[n], length, padding, mask)
