"""Unrolled's library: trains, probes and draws recurrent networks. Modules are imported when a name is first used."""

from __future__ import annotations

from importlib import import_module
from typing import Any

_NAMES = {  # public name → its module
    "Experiment": "spec.experiment",
    "DataSpec": "spec.experiment",
    "ModelSpec": "spec.experiment",
    "TrainingSpec": "spec.experiment",
    "Model": "engine.model",
    "build": "engine.model",
    "train": "training.loop",
    "Snapshot": "training.loop",
    "Run": "training.loop",
    "trace": "probes.states.traces",
    "state_gradients": "probes.gradients.state_gradients",
    "jacobians": "probes.jacobians.jacobians",
    "attributions": "probes.sentence.attributions",
}
_MODULES = {  # public name of a module → the module
    "presets": "spec.presets",
    "data": "data",
    "figures": "figures",
    "models": "engine.model",
    "probes": "probes",
    "runs": "store.store",
    "cluster": "service.service",
}
__all__ = [*_NAMES, *_MODULES]


def __getattr__(name: str) -> Any:
    if name in _NAMES:
        return getattr(import_module(f"rnn_core.{_NAMES[name]}"), name)
    if name in _MODULES:
        return import_module(f"rnn_core.{_MODULES[name]}")
    raise AttributeError(f"rnn_core has no name {name!r}; its names are {', '.join(__all__)}")


def __dir__() -> list[str]:
    return sorted(__all__)
