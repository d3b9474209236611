"""A model as the bytes of a `.keras` file. Loads TensorFlow: for worker processes only."""

from __future__ import annotations

import tempfile
from pathlib import Path

from rnn_core.engine.model import Model


def keras_file(model: Model) -> bytes:
    """The bytes of a file for `keras.saving.load_model`, which needs no code of Unrolled."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        model.to_keras().save(path)
        return path.read_bytes()
