"""Named experiments, each with what it shows."""

from __future__ import annotations

from dataclasses import dataclass

from rnn_core.experiment import Experiment


@dataclass(frozen=True)
class Preset:
    """An experiment worth running, and why."""

    name: str  # key, as in `python -m rnn_core train NAME`
    title: str  # a few words
    claim: str  # what one sees when it has run
    experiment: Experiment


def _preset(name: str, title: str, claim: str, **fields: object) -> Preset:
    return Preset(name, title, claim, Experiment().replace(**fields))


_TEXTBOOK = {
    "task": "imdb",
    "length": 500,
    "padding": "pre",
    "mask": False,
    "validation": 0.2,
    "epochs": 10,
    "batch": 64,
    "optimiser": "adam",
}
_ALL = (
    _preset("textbook", "The textbook program", "", **_TEXTBOOK),
    _preset("textbook_lstm", "The textbook program with an LSTM", "", cell="lstm", **_TEXTBOOK),
    _preset("textbook_gru", "The textbook program with a GRU", "", cell="gru", **_TEXTBOOK),
)


def presets() -> dict[str, Preset]:
    """Every preset by its name."""
    return {preset.name: preset for preset in _ALL}


def get(name: str) -> Experiment:
    """The experiment of a preset. Raises ValueError for an unknown name."""
    if name not in presets():
        raise ValueError(f"preset must be one of {', '.join(presets())}, got {name!r}")
    return presets()[name].experiment
