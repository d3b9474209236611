"""Saved files of a training, to and from bytes: kept steps (weights and observations) and checkpoints."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rnn_core.engine.cells import cell_of
from rnn_core.spec.experiment import ModelSpec
from rnn_core.spec.interface import Interface
from rnn_core.store.arrays import pack, unpack
from rnn_core.training.loop import Checkpoint, Snapshot

if TYPE_CHECKING:
    from rnn_core.engine.model import Model


@dataclass(frozen=True)
class SavedFile:
    """A file that a training makes for the store."""

    kind: str  # "moment" (a kept step) or "checkpoint"
    step: int  # batches trained
    epoch: int  # finished passes
    data: bytes  # an .npz file


def kept_step_file(snapshot: Snapshot) -> SavedFile:
    """The weights of a snapshot and what was observed with them. Raises ValueError for a snapshot without weights."""
    model = snapshot.model
    if model is None:
        raise ValueError("only snapshots with weights are kept")
    observed = {"state_norms": snapshot.state_norms, "probe_states": snapshot.probe_states, "eigenvalues": snapshot.eigenvalues}
    return _kept_step(model, snapshot.step, snapshot.epoch, observed)


def imported_file(model: Model) -> SavedFile:
    """The weights of a model that was trained elsewhere, of which nothing was observed, as step 0."""
    observed: dict[str, np.ndarray] = {
        "state_norms": np.zeros(0),
        "probe_states": np.zeros((0, 0), np.float32),
        "eigenvalues": np.zeros(0, np.complex128),
    }
    return _kept_step(model, 0, 0, observed)


def _kept_step(model: Model, step: int, epoch: int, observed: Mapping[str, np.ndarray]) -> SavedFile:
    about = {"interface": dataclasses.asdict(model.interface), "mask": model.mask, "step": step, "epoch": epoch}
    arrays = {f"w{n}": weight for n, weight in enumerate(model.weights)} | dict(observed)
    return SavedFile("moment", step, epoch, pack(arrays | {"about": _json_array(about)}))


def read_kept_step(data: bytes) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """The description (interface, mask, step, epoch) and the arrays of a kept step's file. Raises ValueError when damaged."""
    arrays = unpack(data)
    return _parsed(arrays.pop("about", None)), arrays


def model_of(spec: ModelSpec, about: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Model:
    """The model of a kept step. Raises ValueError when its weights do not fit `spec`."""
    from rnn_core.engine.model import Model

    interface, mask = Interface(**about["interface"]), about.get("mask") is True
    weights: list[np.ndarray] = []
    while (weight := arrays.get(f"w{len(weights)}")) is not None:
        weights.append(weight)
    expected = weight_shapes(spec, interface)
    if [weight.shape for weight in weights] != expected or any(weight.dtype != np.float32 for weight in weights):
        raise ValueError(
            f"the weights do not fit the experiment: expected {expected}, got {[weight.shape for weight in weights]}"
        )
    return Model(spec, interface, mask, tuple(weights))


def weight_shapes(spec: ModelSpec, interface: Interface) -> list[tuple[int, ...]]:
    """Shapes of a model's weights without building it, in Keras's order: embedding, recurrent layers, head."""
    cell, H = cell_of(spec), spec.units
    gates = len(cell.columns)
    shapes: list[tuple[int, ...]] = []
    size = interface.input_size
    if interface.inputs == "tokens":
        shapes.append((size, spec.embedding))
        size = spec.embedding
    for _ in range(spec.layers):
        layer: list[tuple[int, ...]] = [(size, gates * H), (H, gates * H)]
        if spec.use_bias:
            layer.append((2, gates * H) if cell.recurrent_bias else (gates * H,))
        shapes += layer * (2 if spec.bidirectional else 1)
        size = 2 * H if spec.bidirectional else H
    return [*shapes, (size, interface.outputs), (interface.outputs,)]


def checkpoint_file(checkpoint: Checkpoint, epoch: int) -> SavedFile:
    """The state from which a training can continue."""
    arrays = {f"s.{name}": np.asarray(value) for name, value in checkpoint.state.items()}
    data = pack(arrays | {"about": _json_array({"step": checkpoint.step, "seconds": checkpoint.seconds})})
    return SavedFile("checkpoint", checkpoint.step, epoch, data)


def read_checkpoint(data: bytes) -> Checkpoint:
    """The checkpoint of a file by `checkpoint_file`. Raises ValueError when damaged."""
    arrays = unpack(data)
    about = _parsed(arrays.pop("about", None))
    state = {name.removeprefix("s."): value for name, value in arrays.items()}
    return Checkpoint(int(about["step"]), state, float(about["seconds"]))


def _json_array(values: Mapping[str, Any]) -> np.ndarray:
    """JSON as an array of bytes."""
    return np.frombuffer(json.dumps(values, sort_keys=True).encode(), np.uint8)


def _parsed(array: np.ndarray | None) -> dict[str, Any]:
    """The inverse of `_json_array`. Raises ValueError when it is no JSON object."""
    try:
        values = json.loads(array.tobytes().decode()) if array is not None and array.dtype == np.uint8 else None
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict):
        raise ValueError("the file has no readable description")
    return values
