"""Names of experiment fields and options on screen, and numbers as text."""

from __future__ import annotations

import math
from typing import Any

from rnn_core.figures.theme import CELL_NAMES
from rnn_core.spec.experiment import Experiment

LABELS = {
    "task": "Task", "length": "Time steps", "vocabulary": "Vocabulary", "padding": "Padding", "mask": "Skip padding", "samples": "Training sequences",
    "validation": "Held out for validation", "horizon": "Steps ahead", "noise": "Noise", "anomalies": "Planted faults", "source": "Uploaded file",
    "reading": "How the file is read", "column": "Inputs", "targets": "Forecast", "difference": "Learn changes against", "log": "Learn logarithms",
    "cell": "Cell", "units": "Units", "layers": "Layers", "bidirectional": "Reads both ways", "activation": "Activation",
    "embedding": "Embedding size", "initialiser": "Recurrent weights start as", "gain": "Gain of the recurrent weights", "gate_bias": "Gate bias",
    "reset_after": "Reset after the product", "use_bias": "Biases", "dropout": "Dropout", "optimiser": "Optimiser", "learning_rate": "Learning rate",
    "batch": "Batch", "epochs": "Epochs", "clip": "Clip the gradient at", "target": "Stop at this metric", "minutes": "Stop after minutes", "seed": "Seed",
}  # fmt: skip


OPTION_NAMES = {
    **CELL_NAMES,
    "adam": "Adam",
    "rmsprop": "RMSprop",
    "sgd": "SGD",
    "relu": "ReLU",
    "none": "None",
    "bucket": "similar lengths, masked",
    "pre": "in front",
    "post": "behind",
}


def field_value(experiment: Experiment, name: str) -> Any:
    """The value of an experiment's field, looked up by name in its data, model and training parts."""
    parts = (experiment.data, experiment.model, experiment.training, experiment)
    return next(getattr(part, name) for part in parts if hasattr(part, name))


def score(value: float) -> str:
    """A metric as text: three decimals between 0.1 and 10, else three significant digits; "–" if not finite."""
    return "–" if not math.isfinite(value) else f"{value:.3f}" if 0.1 <= value < 10 else f"{value:.3g}"


def pace(steps_per_second: float) -> str:
    """Steps per second as text, at least three significant digits: "0.52", "61.3", "1,240"."""
    return f"{steps_per_second:,.0f}" if steps_per_second >= 100 else f"{steps_per_second:.3g}"


def duration(seconds: float) -> str:
    """Seconds as text: "8 s", "2 min", "1.5 h"; "a while" if not finite."""
    if not math.isfinite(seconds):
        return "a while"
    if seconds < 90:
        return f"{max(seconds, 0):.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
