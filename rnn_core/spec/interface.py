"""What a network reads and gives: the one description that data and equations share."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Interface:
    """The shape of a task as the model sees it; everything `model.build` needs besides the ModelSpec."""

    inputs: str  # "tokens" (int32 ids, through an embedding) or "floats"
    input_size: int  # vocabulary size for tokens; D for floats
    outputs: int  # K: numbers the head gives (1 for yes/no, classes, or forecast values)
    loss: str  # "binary" (one logit), "categorical" (K logits), or "squared"
    per_step: bool = False  # a target at every time step, not only after the last
    kind: str = "interface"
