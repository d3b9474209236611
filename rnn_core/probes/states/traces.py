"""What a recurrent layer holds at every step while it reads: states, gates, and the answer it would give if it stopped here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rnn_core.probes import keras_layers

# Shapes: B batch, T time, D inputs, H units, S state (H, or 2 H for LSTM: [h; c]), K outputs.


@dataclass(frozen=True, eq=False)
class Trace:
    """States of one recurrent layer over a batch of sequences. Step t is the state after reading input t."""

    layer: str  # name of the layer
    cell: str  # "simple_rnn", "lstm" or "gru"
    units: int  # H
    states: np.ndarray  # (B, T, S) float32; a masked step repeats the state before it
    gates: dict[
        str, np.ndarray
    ]  # name → (B, T, H) float32: LSTM input forget cell output; GRU update reset candidate; else empty
    outputs: np.ndarray  # (B, T, H) float32: h as Keras returns it (zeros before the first real step)
    output: np.ndarray  # (B, K) or (B, T, K) float32: the model's output, before a final sigmoid or softmax
    probability: np.ndarray  # the same after the sigmoid or softmax; equal to `output` where the head has neither
    running: (
        np.ndarray | None
    )  # (B, T, K) float32: `output` as if the sequence ended at each step; None where that has no meaning
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


@keras_layers.alone
def trace(model: Any, inputs: Any, mask: Any = None, layer: int | str | None = None) -> Trace:
    """States, gates and running output of one recurrent layer.

    Args:
        model: a Keras model with stock recurrent layers, or our `Model`.
        inputs: (B, T) token ids or (B, T, D) numbers.
        mask: (B, T) bool, True at real steps; default: what the model itself masks.
        layer: index among the recurrent layers or name; default the last.

    Raises: ValueError for inputs that the model cannot read or a layer that cannot be probed.
    """
    network = keras_layers.keras_model(model)
    tap, every = keras_layers.choose(network, layer)
    inputs, mask = keras_layers.check(model, inputs, mask)
    kind = keras_layers.final_activation(network)
    with keras_layers.logits(network) as quantity, keras_layers.tapped(every, mask):
        output = np.asarray(network(inputs, training=False), np.float32)
        tap.once()
        running = _running(network, tap, output)
    return Trace(
        layer=tap.name,
        cell=tap.cell.name,
        units=tap.cell.units,
        states=np.concatenate([tap.timewise(part) for part in tap.states], -1).astype(np.float32),
        gates={name: tap.timewise(value).astype(np.float32) for name, value in tap.cell.gate_values(tap.saved).items()},
        outputs=tap.timewise(tap.outputs).astype(np.float32),
        output=output,
        probability=squashed(kind, output),
        running=running,
        running_probability=None if running is None else squashed(kind, running),
        mask=np.ones(inputs.shape[:2], bool) if tap.mask is None else tap.timewise(tap.mask),
        quantity=quantity,
    )


def squashed(kind: str, output: np.ndarray) -> np.ndarray:
    """A model's final activation, applied to its logits."""
    if kind == "sigmoid":
        return (0.5 * (1 + np.tanh(output / 2))).astype(np.float32)
    if kind == "softmax":
        raised = np.exp(output - output.max(-1, keepdims=True))
        return (raised / raised.sum(-1, keepdims=True)).astype(np.float32)
    return output


def _running(network: Any, tap: keras_layers.Tap, output: np.ndarray) -> np.ndarray | None:
    """The rest of the model applied to the layer's output at every step."""
    import keras

    if tap.layer.go_backwards or "/" in tap.name:
        return None  # what it would have read by then depends on where the sequence ends
    if tap.layer.return_sequences:
        return output if output.ndim == 3 else None
    states = tap.timewise(tap.outputs)
    try:
        head = keras.Model(
            tap.layer._inbound_nodes[-1].output_tensors[0], network.outputs[0]
        )  # the last node: Sequential makes one per add
    except (ValueError, AttributeError, IndexError):  # the layer is not a node of this graph, or more than it leads to the output
        return None
    running = np.asarray(head(states.reshape(-1, states.shape[-1]), training=False), np.float32)
    return running.reshape(*states.shape[:2], -1)
