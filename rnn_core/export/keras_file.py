"""A model as the bytes of a `.keras` file, made where TensorFlow lives."""

from __future__ import annotations

import tempfile
from pathlib import Path

from rnn_core.engine.model import Model


def keras_file(model: Model) -> bytes:
    """The file that `keras.saving.load_model` reads; it needs nothing of Unrolled."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        model.to_keras().save(path)
        return path.read_bytes()
