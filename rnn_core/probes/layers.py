"""The recurrent layers of an experiment's network by name, in the order of a probe's argument `layer`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnn_core.spec.experiment import ModelSpec


@dataclass(frozen=True)
class NamedLayer:
    """One recurrent layer, or one half of a bidirectional one."""

    index: int  # argument `layer` of a probe
    name: str  # for the screen; "" when it is the only one
    backwards: bool  # processes sequences from the last step to the first


def named_layers(spec: ModelSpec) -> tuple[NamedLayer, ...]:
    """From the input up; of a bidirectional layer the forward half first."""
    directions = ("forwards", "backwards") if spec.bidirectional else ("",)
    names = [
        (
            " ".join(word for word in (f"layer {layer + 1}" if spec.layers > 1 else "", direction) if word),
            direction == "backwards",
        )
        for layer in range(spec.layers)
        for direction in directions
    ]
    return tuple(NamedLayer(index, name, backwards) for index, (name, backwards) in enumerate(names))


def default_layer(spec: ModelSpec) -> NamedLayer:
    """The last layer; of a bidirectional one its forward half."""
    return named_layers(spec)[-1 - spec.bidirectional]


def in_processing_order(values: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """A backward layer's values for padded sequences, in the order in which the layer computed them.

    Args:
        values: (B, T) numbers, each at the place of its input.
        mask: (B, T) bool, True at real steps; they come last in the result, as in a sequence padded in front.
    """
    front = mask.argmax(axis=1)  # padding in front of each sequence; at the end once reversed
    return np.stack([np.roll(row[::-1], padding) for row, padding in zip(values, front, strict=True)])
