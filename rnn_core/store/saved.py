"""What a training sends to the store as whole files: kept moments (weights and what was seen at them) and checkpoints."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rnn_core.spec.experiment import ModelSpec
from rnn_core.spec.interface import Interface
from rnn_core.store.arrays import pack, unpack
from rnn_core.training.loop import Checkpoint, Snapshot

if TYPE_CHECKING:
    from rnn_core.engine.model import Model


@dataclass(frozen=True)
class Parcel:
    """Bytes on their way from a worker to the store."""

    what: str  # "moment" or "checkpoint"
    step: int  # batches trained
    epoch: int  # finished passes
    data: bytes  # an .npz file


def moment(snapshot: Snapshot) -> Parcel:
    """A kept snapshot with its weights."""
    model = snapshot.model
    if model is None:
        raise ValueError("only snapshots with weights are kept")
    about = {"interface": dataclasses.asdict(model.interface), "mask": model.mask, "step": snapshot.step, "epoch": snapshot.epoch}
    arrays = {f"w{n}": weight for n, weight in enumerate(model.weights)}
    arrays |= {"state_norms": snapshot.state_norms, "probe_states": snapshot.probe_states, "eigenvalues": snapshot.eigenvalues}
    return Parcel("moment", snapshot.step, snapshot.epoch, pack(arrays | {"about": _text(about)}))


def read_moment(data: bytes) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """What the moment is about (interface, mask, step, epoch) and its arrays. Raises ValueError when damaged."""
    arrays = unpack(data)
    return _words(arrays.pop("about", None)), arrays


def model_of(spec: ModelSpec, about: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Model:
    """The model of a kept moment. Raises ValueError when its weights do not fit `spec`."""
    from rnn_core.engine.model import Model

    interface, mask = Interface(**about["interface"]), about["mask"] is True
    weights = tuple(arrays[f"w{n}"] for n in range(sum(_is_weight(name) for name in arrays)))
    expected = weight_shapes(spec, interface)
    if [weight.shape for weight in weights] != expected or any(weight.dtype != np.float32 for weight in weights):
        raise ValueError(
            f"the weights do not fit the experiment: expected {expected}, got {[weight.shape for weight in weights]}"
        )
    return Model(spec, interface, mask, weights)


def weight_shapes(spec: ModelSpec, interface: Interface) -> list[tuple[int, ...]]:
    """Shapes of a model's weights, in Keras's order, without building it: embedding, recurrent layers, head."""
    gates, H = {"simple_rnn": 1, "gru": 3, "lstm": 4}[spec.cell], spec.units
    shapes: list[tuple[int, ...]] = []
    size = interface.input_size
    if interface.inputs == "tokens":
        shapes.append((size, spec.embedding))
        size = spec.embedding
    for _ in range(spec.layers):
        layer: list[tuple[int, ...]] = [(size, gates * H), (H, gates * H)]
        if spec.use_bias:
            layer.append((2, gates * H) if spec.cell == "gru" and spec.reset_after else (gates * H,))
        shapes += layer * (2 if spec.bidirectional else 1)
        size = 2 * H if spec.bidirectional else H
    return [*shapes, (size, interface.outputs), (interface.outputs,)]


def checkpoint(checkpoint: Checkpoint, epoch: int) -> Parcel:
    """Everything needed to go on from here."""
    arrays = {f"s.{name}": np.asarray(value) for name, value in checkpoint.state.items()}
    data = pack(arrays | {"about": _text({"step": checkpoint.step, "seconds": checkpoint.seconds})})
    return Parcel("checkpoint", checkpoint.step, epoch, data)


def read_checkpoint(data: bytes) -> Checkpoint:
    """Raises ValueError when damaged."""
    arrays = unpack(data)
    about = _words(arrays.pop("about", None))
    state = {name.removeprefix("s."): value for name, value in arrays.items()}
    return Checkpoint(int(about["step"]), state, float(about["seconds"]))


def _is_weight(name: str) -> bool:
    return name[:1] == "w" and name[1:].isdigit()


def _text(words: Mapping[str, Any]) -> np.ndarray:
    return np.frombuffer(json.dumps(words, sort_keys=True).encode(), np.uint8)


def _words(letters: np.ndarray | None) -> dict[str, Any]:
    try:
        words = json.loads(letters.tobytes().decode()) if letters is not None and letters.dtype == np.uint8 else None
    except (ValueError, RecursionError):
        words = None
    if not isinstance(words, dict):
        raise ValueError("the file does not say what it holds")
    return words
