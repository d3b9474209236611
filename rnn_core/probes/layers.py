"""The recurrent layers of an experiment's network by name, in the order in which every probe counts them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnn_core.spec.experiment import ModelSpec


@dataclass(frozen=True)
class Part:
    """One recurrent layer, or one half of a bidirectional one."""

    index: int  # what a probe takes as `layer`
    name: str  # as a sentence says it; "" when it is the only one
    backwards: bool  # reads from the end of the sequence to its beginning


def parts(spec: ModelSpec) -> tuple[Part, ...]:
    """From the input up; of a bidirectional layer first the half that reads forwards."""
    ways = ("forwards", "backwards") if spec.bidirectional else ("",)
    names = [
        (" ".join(word for word in (f"layer {layer + 1}" if spec.layers > 1 else "", way) if word), way == "backwards")
        for layer in range(spec.layers)
        for way in ways
    ]
    return tuple(Part(index, name, backwards) for index, (name, backwards) in enumerate(names))


def default(spec: ModelSpec) -> Part:
    """The last layer; of a bidirectional one the half that reads forwards."""
    return parts(spec)[-1 - spec.bidirectional]


def as_read(values: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """What a layer that reads from the end made of padded sequences, in its own order: first what it read first.

    Args:
        values: (B, T) numbers, each where its input stands.
        mask: (B, T) bool, True at real steps; these come last in the result, as they do in a sequence padded in front.
    """
    front = mask.argmax(axis=1)  # padding in front of each sequence, at the end once it is turned around
    return np.stack([np.roll(row[::-1], room) for row, room in zip(values, front, strict=True)])
