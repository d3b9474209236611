"""One frozen description of a whole experiment: data, model, training and seed.

An `Experiment` is the only input of the later stages. It is validated at construction, and converts to and from a dict, JSON
and a URL query without loss.
"""

from __future__ import annotations

import dataclasses
import json
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from rnn_core.spec import fields, limits
from rnn_core.spec.reading import from_text

CELLS = ["simple_rnn", "lstm", "gru"]  # names; `engine.cells.add` appends another


@dataclass(frozen=True)
class DataSpec(fields.Validated):
    """The data: a task of the registry in `rnn_core.data`, and its fields."""

    task: str = fields.text("toy_reviews", 40, "What the network learns.")
    length: int = fields.integer(60, 1, 2000, "Time steps: the longest sequence kept (the last tokens of a text).")
    vocabulary: int = fields.integer(10_000, 10, 88_587, "Token ids kept; rarer words become 'unknown' (texts only).")
    padding: str = fields.choice(
        "bucket",
        ("bucket", "pre", "post"),
        "bucket: batches of similar length, masked. pre, post: every sequence padded to the full length, in front or behind.",
    )
    mask: bool = fields.flag(True, "Skip padded steps. The textbook program does not.")
    samples: int = fields.integer(0, 0, 100_000, "Training sequences; 0 takes the task's own number.")
    validation: float = fields.number(0.2, 0.02, 0.5, "Share of the training sequences held out to watch learning.")
    horizon: int = fields.integer(1, 1, 100, "Steps ahead that a forecast predicts; steps back that a delayed recall reaches.")
    noise: float = fields.number(0.0, 0.0, 2.0, "Noise added to a series, in units of its own standard deviation.")
    anomalies: str = fields.choice(
        "none",
        ("none", "spikes", "level_shifts", "frequency_changes", "mixed"),
        "Faults planted in the test part of a series, to be found by the forecast's error.",
    )
    source: str = fields.text("", 64, "SHA-256 of an uploaded file (task csv only).")
    reading: str = fields.text(
        "", 400, "Decisions about how the file is read, as decimal=, joined by &; empty: the reader decides.", check=from_text
    )
    column: str = fields.text("", 1000, "Columns of the file that are inputs, separated by commas; empty takes all numeric ones.")
    targets: str = fields.text("", 1000, "Columns of the file to forecast, separated by commas; empty: the inputs.")
    difference: int = fields.integer(
        0,
        0,
        1000,
        "Learn the change against so many steps before (1: the last step, 7: a week of days); 0: the values themselves.",
    )
    log: bool = fields.flag(False, "Learn the logarithm of the values, for series that grow by percent; all must be above 0.")
    kind: str = "data"


@dataclass(frozen=True)
class ModelSpec(fields.Validated):
    """The network: an embedding for tokens, stacked recurrent layers, a dense head chosen by the task."""

    cell: str = fields.choice("simple_rnn", CELLS, "The recurrence: vanilla RNN, LSTM or GRU.")
    units: int = fields.integer(32, 1, 512, "Numbers in the hidden state.")
    layers: int = fields.integer(1, 1, 4, "Recurrent layers, each reading the states of the one below.")
    bidirectional: bool = fields.flag(False, "A second recurrence reads the sequence backwards.")
    activation: str = fields.choice("tanh", ("tanh", "relu", "linear", "sigmoid"), "The nonlinearity of the state.")
    embedding: int = fields.integer(32, 1, 512, "Numbers that stand for one token (texts only).")
    initialiser: str = fields.choice(
        "orthogonal", ("orthogonal", "glorot_uniform", "identity", "random_normal"), "How the recurrent weights start."
    )
    gain: float = fields.number(1.0, 0.0, 5.0, "Factor on the initial recurrent weights: small forgets, large explodes.")
    gate_bias: float | None = fields.number(
        None, -20.0, 20.0, "Initial bias of the forget (LSTM) or update (GRU) gate; None keeps Keras's default (1 or 0)."
    )
    reset_after: bool = fields.flag(True, "GRU only: apply the reset gate after the product, as Keras does.")
    use_bias: bool = fields.flag(True, "Add bias terms in the recurrence.")
    dropout: float = fields.number(0.0, 0.0, 0.9, "Share of the layer's inputs dropped while training.")
    kind: str = "model"


@dataclass(frozen=True)
class TrainingSpec(fields.Validated):
    """How the weights are fitted."""

    optimiser: str = fields.choice("adam", ("adam", "rmsprop", "sgd"), "The rule that turns gradients into steps.")
    learning_rate: float = fields.number(1e-3, 1e-6, 10.0, "Size of a step.")
    batch: int = fields.integer(64, 1, 1024, "Sequences per step.")
    epochs: int = fields.integer(10, 1, 1000, "Passes over the training data.")
    clip: float = fields.number(0.0, 0.0, 1000.0, "Largest global gradient norm; 0 switches clipping off.")
    target: float = fields.number(0.0, 0.0, 1.0, "Stop when validation reaches this metric; 0 never stops early.")
    minutes: float = fields.number(60.0, 0.05, 600.0, "Stop after this many minutes.")
    kind: str = "training"


_SEED = {"type": int, "low": 0, "high": 2**31 - 1, "help": "Where all randomness starts: initial weights, data and batch order."}


@dataclass(frozen=True)
class Experiment:
    """Everything needed to repeat a run: data + model + training + seed.

    Raises: ValueError at construction for a value out of range, and for a combination that exceeds a limit of `limits.py`.
    """

    data: DataSpec = DataSpec()  # task and its sizes
    model: ModelSpec = ModelSpec()  # the network
    training: TrainingSpec = TrainingSpec()  # optimiser, batch, epochs
    seed: int = 0  # 0..2^31-1: initial weights, data and batch order
    kind: str = "experiment"

    def __post_init__(self) -> None:
        object.__setattr__(self, "seed", fields.checked("seed", self.seed, _SEED))
        for limit in limits.LIMITS:
            _, message = limit.check(self.data, self.model, self.training)
            if message:
                raise ValueError(message)

    def replace(self, **changes: Any) -> Experiment:
        """A copy with the named fields of any part changed: `experiment.replace(cell="lstm", units=64, seed=1)`."""
        for name in changes:
            if name not in FIELDS:
                raise ValueError(f"no experiment field is called {fields.shown(name)}")
        parts = {part: dataclasses.replace(getattr(self, part), **_of_part(part, changes)) for part in _PARTS}
        return Experiment(**parts, seed=changes.get("seed", self.seed))

    def to_dict(self) -> dict[str, Any]:
        """A nested dict of JSON types."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Experiment:
        """The inverse of `to_dict`, nested or flat. Warns about unknown keys; raises ValueError for invalid values."""
        experiment, unknown = cls.read_dict(values)
        for name in unknown:
            warnings.warn(f"unknown experiment field {fields.shown(name)} ignored", stacklevel=2)
        return experiment

    @classmethod
    def read_dict(cls, values: Mapping[str, Any]) -> tuple[Experiment, tuple[str, ...]]:
        """As `from_dict`, but returns the names of unknown fields instead of warning."""
        flat: dict[str, Any] = {}
        for key, value in values.items():
            flat.update(value if isinstance(value, Mapping) else {key: value})
        flat.pop("kind", None)
        unknown = tuple(str(name) for name in flat if name not in FIELDS)
        return cls().replace(**{name: value for name, value in flat.items() if name in FIELDS}), unknown

    def to_json(self) -> str:
        return json.dumps(self.to_dict(), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Experiment:
        """The inverse of `to_json`. Raises ValueError for a text that is not an experiment."""
        return cls.from_dict(cls._parsed(text))

    @classmethod
    def read_json(cls, text: str) -> tuple[Experiment, tuple[str, ...]]:
        """As `from_json`, but returns the names of unknown fields instead of warning."""
        return cls.read_dict(cls._parsed(text))

    @staticmethod
    def _parsed(text: str) -> Mapping[str, Any]:
        try:
            values = json.loads(text)
        except (ValueError, RecursionError) as reason:
            raise ValueError(f"an experiment must be JSON: {reason}") from None
        if not isinstance(values, Mapping):
            raise ValueError(f"an experiment must be a JSON object, got {fields.shown(values)}")
        return values

    def to_query(self) -> dict[str, str]:
        """The fields that differ from their defaults, as parameters of a link; `from_query` is the inverse."""
        defaults = _flat(Experiment())
        return {name: fields.write(value) for name, value in _flat(self).items() if value != defaults[name]}

    @classmethod
    def from_query(cls, query: Mapping[str, str] | str) -> Experiment:
        """The experiment of a link, always valid: unknown names and invalid values are replaced, each with a warning."""
        experiment, messages = cls.read_query(query)
        for message in messages:
            warnings.warn(message, stacklevel=2)
        return experiment

    @classmethod
    def read_query(cls, query: Mapping[str, str] | str) -> tuple[Experiment, tuple[str, ...]]:
        """As `from_query`, but returns the messages instead of warning."""
        if isinstance(query, str):
            query = dict(parse_qsl(query.lstrip("?"), keep_blank_values=True))
        values, messages = _flat(cls()), []
        for name, written in query.items():
            if name in FIELDS:
                values[name], message = fields.read(name, str(written), FIELDS[name], values[name])
            else:
                message = f"unknown experiment field {fields.shown(name)} ignored"
            messages += [message] if message else []
        parts = {part: spec(**_of_part(part, values)) for part, spec in _PARTS.items()}
        for limit in limits.LIMITS:
            largest, message = limit.check(*parts.values())
            if message:
                messages.append(message)
                part = next(part for part, spec in parts.items() if hasattr(spec, limit.reduce))
                parts[part] = dataclasses.replace(parts[part], **{limit.reduce: largest})
        return cls(**parts, seed=values["seed"]), tuple(messages)


_PARTS: dict[str, Any] = {"data": DataSpec, "model": ModelSpec, "training": TrainingSpec}
FIELDS: dict[str, Mapping[str, Any]] = {  # name of a field → its rule
    name: item.metadata for spec in _PARTS.values() for name, item in spec.__dataclass_fields__.items() if item.metadata
} | {"seed": _SEED}


def _flat(experiment: Experiment) -> dict[str, Any]:
    """Name → value of every field of every part."""
    values = {"seed": experiment.seed}
    for part in _PARTS:
        values |= vars(getattr(experiment, part))
    return {name: values[name] for name in FIELDS}


def _of_part(part: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the values that are fields of a part."""
    return {name: value for name, value in values.items() if name in FIELDS and name in _PARTS[part].__dataclass_fields__}
