"""Limits on products of fields that would exhaust the machine, estimated from the fields before anything is built."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

# Arguments are DataSpec, ModelSpec and TrainingSpec of `experiment.py`, which imports this file and is not imported by it.


@dataclass(frozen=True)
class Limit:
    """The largest allowed value of a product of fields, each of which is in its own range."""

    amount: Callable[[Any, Any, Any], int]  # (data, model, training) → the product
    most: int  # its largest allowed value
    rule: str  # the limit as a sentence
    reduce: str  # the field that is reduced where a link exceeds the limit

    def check(self, data: Any, model: Any, training: Any) -> tuple[int, str]:
        """The largest value of the field `reduce` within the limit, and the error sentence; "" within the limit."""
        amount = self.amount(data, model, training)
        value = next(getattr(part, self.reduce) for part in (data, model, training) if hasattr(part, self.reduce))
        largest = max(1, value * self.most // max(amount, 1))
        exceeded = amount > self.most and largest < value
        return largest, f"{self.rule}: {self.reduce} must be at most {largest} here, got {value}" if exceeded else ""


def state_bytes(model: Any, batch: int, length: int) -> int:
    """Approximate memory of one training step in bytes: states and gates of every time step, forward and backward, in float32."""
    gates = {"simple_rnn": 1, "lstm": 4, "gru": 3}.get(model.cell, 4)
    numbers = model.units * (2 * gates + 2) * model.layers * (1 + model.bidirectional) + model.embedding
    return 4 * batch * length * numbers


LIMITS = (
    Limit(
        lambda data, model, training: state_bytes(model, training.batch, data.length),
        2**31,
        "one training step may keep 2 GiB of states",
        "batch",
    ),
    Limit(
        lambda data, model, training: data.samples * data.length, 20_000_000, "the data may have 20 million time steps", "samples"
    ),
    Limit(
        lambda data, model, training: data.vocabulary * model.embedding,
        20_000_000,
        "the embedding may have 20 million numbers",
        "embedding",
    ),
)
