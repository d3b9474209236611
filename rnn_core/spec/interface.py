"""The inputs and outputs of a network, as `data` and `engine` share them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Interface:
    """Shapes and loss of a task; all that `model.build` needs besides the Experiment."""

    inputs: str  # "tokens" (int32 ids, through an embedding) or "floats"
    input_size: int  # vocabulary size for tokens; D for floats
    outputs: int  # K: outputs of the head (1 logit, K classes, or forecast values)
    loss: str  # "binary" (one logit), "categorical" (K logits), or "squared"
    per_step: bool = False  # a target at every time step, instead of one after the last
    kind: str = "interface"
