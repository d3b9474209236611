"""States and gates of a recurrent layer at every step, and the model's output as if the sequence ended there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rnn_core.probes.calls.any_model import called
from rnn_core.probes.calls.final_activation import apply_final_activation

# Shapes: B batch, T time, D inputs, H units, S state (H, or 2 H for LSTM: [h; c]), K outputs.


@dataclass(frozen=True, eq=False)
class Trace:
    """States of one recurrent layer over a batch of sequences. Step t is the state after input t."""

    layer: str  # name of the layer
    cell: str  # "simple_rnn", "lstm" or "gru"
    units: int  # H
    states: np.ndarray  # (B, T, S) float32; a masked step repeats the state before it
    gates: dict[str, np.ndarray]  # name → (B, T, H) float32: LSTM input forget cell output; GRU update reset candidate
    outputs: np.ndarray  # (B, T, H) float32: h as Keras returns it (zeros before the first real step)
    output: np.ndarray  # (B, K) or (B, T, K) float32: the model's output, before a final sigmoid or softmax
    probability: np.ndarray  # the same after the sigmoid or softmax; equal to `output` where the head has neither
    running: np.ndarray | None  # (B, T, K) float32: `output` as if the sequence ended at each step; None where undefined
    running_probability: np.ndarray | None  # the same after the sigmoid or softmax
    mask: np.ndarray  # (B, T) bool: True where a step is real
    quantity: str  # what `output` is: "logit" or "output", and of which output of the model where it has several

    @property
    def hidden(self) -> np.ndarray:
        """(B, T, H) h."""
        return self.states[..., : self.units]

    @property
    def memory(self) -> np.ndarray | None:
        """(B, T, H) LSTM's c; None for the other cells."""
        return self.states[..., self.units :] if self.cell == "lstm" else None


def trace(model: Any, inputs: Any, mask: Any = None, layer: int | str | None = None) -> Trace:
    """States, gates and running output of one recurrent layer. Of a model with several outputs the first is meant.

    Args:
        model: a Keras model with stock recurrent layers, or our `Model`.
        inputs: (B, T) token ids or (B, T, D) numbers.
        mask: (B, T) bool, True at real steps; default: what the model itself masks.
        layer: index among the recurrent layers or name; default the last.

    Raises: ValueError for inputs that do not fit the model, or a layer that cannot be recorded.
    """
    call = called(model).call(inputs, mask, layer)
    taken, running = call.taken, None if call.running is None else call.running.astype(np.float32)
    output = call.output.astype(np.float32)
    states = np.concatenate([taken.batch_first(part) for part in taken.record.states], -1).astype(np.float32)
    return Trace(
        layer=taken.layer.name,
        cell=taken.layer.cell.name,
        units=taken.layer.cell.units,
        states=states,
        gates={name: taken.batch_first(value).astype(np.float32) for name, value in taken.gates.items()},
        outputs=np.swapaxes(taken.outputs, 0, 1).astype(np.float32),
        output=output,
        probability=apply_final_activation(call.activation, output),
        running=running,
        running_probability=None if running is None else apply_final_activation(call.activation, running),
        mask=np.ones(states.shape[:2], bool) if taken.mask is None else taken.batch_first(taken.mask),
        quantity=call.quantity,
    )
