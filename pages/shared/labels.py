"""Names of experiment fields and options on screen."""

from __future__ import annotations

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
