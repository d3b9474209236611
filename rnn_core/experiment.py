"""One frozen description of a whole experiment: data, model, training and seed.

An `Experiment` is the only input of everything downstream. It is validated where it is made, whatever a widget or a
hand-typed link says, and it goes to and from a dict, JSON and a URL query without loss.
"""

from __future__ import annotations

import dataclasses
import json
import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

CELLS = ("simple_rnn", "lstm", "gru")


def _integer(default: int, low: int, high: int, help: str) -> Any:
    return field(default=default, metadata={"type": int, "low": low, "high": high, "help": help})


def _number(default: float | None, low: float, high: float, help: str) -> Any:
    """A number; with `None` as its default it may be left open."""
    return field(default=default, metadata={"type": float, "low": low, "high": high, "help": help, "optional": default is None})


def _choice(default: str, options: tuple[str, ...], help: str) -> Any:
    return field(default=default, metadata={"type": str, "options": options, "help": help})


def _flag(default: bool, help: str) -> Any:
    return field(default=default, metadata={"type": bool, "help": help})


def _text(default: str, longest: int, help: str) -> Any:
    return field(default=default, metadata={"type": str, "longest": longest, "help": help})


def _checked(name: str, value: Any, rule: Mapping[str, Any]) -> Any:
    """`value` as the field's own type, or a ValueError that says what was expected and what came."""
    kind = rule["type"]
    if value is None and rule.get("optional"):
        return None
    if kind is bool:
        if not isinstance(value, bool):
            raise ValueError(f"{name} must be true or false, got {value!r}")
        return value
    if kind is str:
        if not isinstance(value, str):
            raise ValueError(f"{name} must be a text, got {value!r}")
        if "options" in rule and value not in rule["options"]:
            raise ValueError(f"{name} must be one of {', '.join(rule['options'])}, got {value!r}")
        if len(value) > rule.get("longest", len(value)):
            raise ValueError(f"{name} must have at most {rule['longest']} characters, got {len(value)}")
        return value
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError(f"{name} must be a number between {rule['low']} and {rule['high']}, got {value!r}")
    if kind is int and value != int(value):
        raise ValueError(f"{name} must be a whole number between {rule['low']} and {rule['high']}, got {value!r}")
    if not rule["low"] <= value <= rule["high"]:
        raise ValueError(f"{name} must be between {rule['low']} and {rule['high']}, got {value!r}")
    return kind(value)


class _Validated:
    """Checks every field that carries a rule, at construction."""

    def __post_init__(self) -> None:
        for item in dataclasses.fields(self):  # type: ignore[arg-type]
            if "type" in item.metadata:
                object.__setattr__(self, item.name, _checked(item.name, getattr(self, item.name), item.metadata))


@dataclass(frozen=True)
class DataSpec(_Validated):
    """What is learned: a task of the registry in `rnn_core.data`, and its knobs."""

    task: str = _text("toy_reviews", 40, "What the network learns.")
    length: int = _integer(60, 1, 2000, "Time steps: the longest sequence kept (the last tokens of a text).")
    vocabulary: int = _integer(10_000, 10, 88_587, "Token ids kept; rarer words become 'unknown' (texts only).")
    padding: str = _choice(
        "bucket",
        ("bucket", "pre", "post"),
        "bucket: batches of similar length, masked. pre, post: every sequence padded to the full length, in front or behind.",
    )
    mask: bool = _flag(True, "Skip padded steps. The textbook program does not.")
    samples: int = _integer(0, 0, 100_000, "Training sequences; 0 takes the task's own number.")
    validation: float = _number(0.2, 0.02, 0.5, "Share of the training sequences held out to watch learning.")
    horizon: int = _integer(1, 1, 100, "Steps ahead that a forecast predicts (series only).")
    noise: float = _number(0.0, 0.0, 2.0, "Standard deviation of the noise added to a series.")
    source: str = _text("", 64, "SHA-256 of an uploaded CSV (task csv only).")
    column: str = _text("", 200, "Columns of the CSV to forecast, separated by commas; empty takes all numeric ones.")
    kind: str = "data"


@dataclass(frozen=True)
class ModelSpec(_Validated):
    """The network: an embedding for tokens, stacked recurrent layers, a dense head chosen by the task."""

    cell: str = _choice("simple_rnn", CELLS, "The recurrence: vanilla RNN, LSTM or GRU.")
    units: int = _integer(32, 1, 512, "Numbers in the hidden state.")
    layers: int = _integer(1, 1, 4, "Recurrent layers, each reading the states of the one below.")
    bidirectional: bool = _flag(False, "A second recurrence reads the sequence backwards.")
    activation: str = _choice("tanh", ("tanh", "relu", "linear", "sigmoid"), "The nonlinearity of the state.")
    embedding: int = _integer(32, 1, 512, "Numbers that stand for one token (texts only).")
    initialiser: str = _choice(
        "orthogonal", ("orthogonal", "glorot_uniform", "identity", "random_normal"), "How the recurrent weights start."
    )
    gain: float = _number(1.0, 0.0, 5.0, "Factor on the initial recurrent weights: small forgets, large explodes.")
    gate_bias: float | None = _number(
        None, -20.0, 20.0, "Initial bias of the forget (LSTM) or update (GRU) gate; None keeps Keras's default (1 or 0)."
    )
    reset_after: bool = _flag(True, "GRU only: apply the reset gate after the product, as Keras does.")
    use_bias: bool = _flag(True, "Add bias terms in the recurrence.")
    dropout: float = _number(0.0, 0.0, 0.9, "Share of the layer's inputs dropped while training.")
    kind: str = "model"


@dataclass(frozen=True)
class TrainingSpec(_Validated):
    """How the weights are fitted."""

    optimiser: str = _choice("adam", ("adam", "rmsprop", "sgd"), "The rule that turns gradients into steps.")
    learning_rate: float = _number(1e-3, 1e-6, 10.0, "Size of a step.")
    batch: int = _integer(64, 1, 1024, "Sequences per step.")
    epochs: int = _integer(10, 1, 1000, "Passes over the training data.")
    clip: float = _number(0.0, 0.0, 1000.0, "Largest global gradient norm; 0 switches clipping off.")
    target: float = _number(0.0, 0.0, 1.0, "Stop when validation reaches this metric; 0 never stops early.")
    minutes: float = _number(60.0, 0.05, 600.0, "Stop after this many minutes.")
    kind: str = "training"


@dataclass(frozen=True)
class Experiment:
    """Everything needed to repeat a run: data + model + training + seed."""

    data: DataSpec = DataSpec()  # what is learned
    model: ModelSpec = ModelSpec()  # the network
    training: TrainingSpec = TrainingSpec()  # how it is fitted
    seed: int = 0  # 0..2^31-1: initial weights, data and batch order
    kind: str = "experiment"

    def __post_init__(self) -> None:
        object.__setattr__(self, "seed", _checked("seed", self.seed, {"type": int, "low": 0, "high": 2**31 - 1}))

    def replace(self, **changes: Any) -> Experiment:
        """A copy with the named fields of any part changed: `experiment.replace(cell="lstm", units=64, seed=1)`."""
        parts = {"data": {}, "model": {}, "training": {}, "": {}}  # type: dict[str, dict[str, Any]]
        for name, value in changes.items():
            parts[_part_of(name)][name] = value
        return Experiment(
            data=dataclasses.replace(self.data, **parts["data"]),
            model=dataclasses.replace(self.model, **parts["model"]),
            training=dataclasses.replace(self.training, **parts["training"]),
            seed=parts[""].get("seed", self.seed),
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain nested dict, ready for JSON."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Experiment:
        """The inverse of `to_dict`; unknown keys are ignored with a warning."""
        flat: dict[str, Any] = {}
        for key, value in values.items():
            flat.update(value) if isinstance(value, Mapping) else flat.update({key: value})
        flat.pop("kind", None)
        known = {name: value for name, value in flat.items() if _known(name)}
        for name in flat.keys() - known.keys():
            warnings.warn(f"unknown experiment field {name!r} ignored", stacklevel=2)
        return cls().replace(**known)

    def to_json(self) -> str:
        return json.dumps(self.to_dict(), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Experiment:
        return cls.from_dict(json.loads(text))


_PARTS: dict[str, type] = {"data": DataSpec, "model": ModelSpec, "training": TrainingSpec}


def _known(name: str) -> bool:
    return name == "seed" or any(name in part.__dataclass_fields__ for part in _PARTS.values())  # type: ignore[attr-defined]


def _part_of(name: str) -> str:
    if name == "seed":
        return ""
    for part, spec in _PARTS.items():
        if name in spec.__dataclass_fields__ and name != "kind":  # type: ignore[attr-defined]
            return part
    raise ValueError(f"no experiment field is called {name!r}")
