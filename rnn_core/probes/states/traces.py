"""States and gates of a recurrent layer at every step, and the model's output as if the sequence ended there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rnn_core.probes import keras_layers
from rnn_core.probes.recording import RecordedLayer, one_at_a_time, recording

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
    quantity: str  # what `output` is: "logit" or "output"

    @property
    def hidden(self) -> np.ndarray:
        """(B, T, H) h."""
        return self.states[..., : self.units]

    @property
    def memory(self) -> np.ndarray | None:
        """(B, T, H) LSTM's c; None for the other cells."""
        return self.states[..., self.units :] if self.cell == "lstm" else None


@one_at_a_time
def trace(model: Any, inputs: Any, mask: Any = None, layer: int | str | None = None) -> Trace:
    """States, gates and running output of one recurrent layer.

    Args:
        model: a Keras model with stock recurrent layers, or our `Model`.
        inputs: (B, T) token ids or (B, T, D) numbers.
        mask: (B, T) bool, True at real steps; default: what the model itself masks.
        layer: index among the recurrent layers or name; default the last.

    Raises: ValueError for inputs that do not fit the model, or a layer that cannot be recorded.
    """
    network = keras_layers.keras_model(model)
    recorded, all_layers = keras_layers.choose(network, layer)
    inputs, mask = keras_layers.check(model, inputs, mask)
    kind = keras_layers.final_activation(network)
    with keras_layers.logits(network) as quantity, recording(all_layers, mask):
        output = np.asarray(network(inputs, training=False), np.float32)
        recorded.require_one_call()
        running = _running(network, recorded, output)
    return Trace(
        layer=recorded.name,
        cell=recorded.cell.name,
        units=recorded.cell.units,
        states=np.concatenate([recorded.batch_first(part) for part in recorded.states], -1).astype(np.float32),
        gates={
            name: recorded.batch_first(value).astype(np.float32)
            for name, value in recorded.cell.gate_values(recorded.saved).items()
        },
        outputs=recorded.batch_first(recorded.outputs).astype(np.float32),
        output=output,
        probability=apply_final_activation(kind, output),
        running=running,
        running_probability=None if running is None else apply_final_activation(kind, running),
        mask=np.ones(inputs.shape[:2], bool) if recorded.mask is None else recorded.batch_first(recorded.mask),
        quantity=quantity,
    )


def apply_final_activation(kind: str, output: np.ndarray) -> np.ndarray:
    """A model's final activation, applied to its logits."""
    if kind == "sigmoid":
        return (0.5 * (1 + np.tanh(output / 2))).astype(np.float32)
    if kind == "softmax":
        powers = np.exp(output - output.max(-1, keepdims=True))
        return (powers / powers.sum(-1, keepdims=True)).astype(np.float32)
    return output


def _running(network: Any, recorded: RecordedLayer, output: np.ndarray) -> np.ndarray | None:
    """The rest of the model applied to the layer's output at every step; None where that is not defined."""
    import keras

    if recorded.layer.go_backwards or "/" in recorded.name:
        return None  # a backward layer's state at a step depends on where the sequence ends
    if recorded.layer.return_sequences:
        return output if output.ndim == 3 else None
    states = recorded.batch_first(recorded.outputs)
    try:
        node = recorded.layer._inbound_nodes[-1]  # the last: Sequential makes one per add
        head = keras.Model(node.output_tensors[0], network.outputs[0])
    except (ValueError, AttributeError, IndexError):  # the layer is no node of this graph, or the output needs other layers too
        return None
    running = np.asarray(head(states.reshape(-1, states.shape[-1]), training=False), np.float32)
    return running.reshape(*states.shape[:2], -1)
