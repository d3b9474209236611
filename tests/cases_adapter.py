"""Entry points for external programs that test the project with many cases: read a file, train on it, import a Keras model.

These names do not change when the code behind them moves.
"""

from __future__ import annotations

import contextlib
import io
import sys
import tempfile
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

from rnn_core import data
from rnn_core.data.series import table_file
from rnn_core.engine import model as models
from rnn_core.export.keras_program import keras_program
from rnn_core.spec.experiment import Experiment

Pair = tuple[np.ndarray, np.ndarray]


def read(content: bytes) -> tuple[np.ndarray, tuple[str, ...], np.ndarray | None, tuple[str, ...]]:
    """The contents of a series file: values (N, C), C names, N dates or None, notes. Raises ValueError for a file that is refused."""
    table = table_file.read(content)
    return table.values, table.columns, table.times, table.notes


def trained_on(content: bytes) -> tuple[Pair, Pair]:
    """Training windows and targets of such a file: the project's, and those of the exported Keras program, run with a mock of Keras."""
    uploads = {table_file.key(content): content}
    experiment = Experiment().replace(task="csv", source=table_file.key(content), length=4)
    train = data.build(experiment, uploads).train
    found = _run(keras_program(experiment, uploads), content)
    return (train.values.reshape(len(train), 4, -1), train.targets), (np.asarray(found["x_train"]), np.asarray(found["y_train"]))


def _run(program: str, content: bytes) -> dict[str, Any]:
    """The variables of an exported program after it ran on the file."""
    keras, names = mock.MagicMock(), {"__name__": "__main__"}
    keras.Sequential.return_value.evaluate.return_value = (0.0, 0.0)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "series.csv"
        path.write_bytes(content)
        with (
            mock.patch.dict(sys.modules, {"keras": keras}),
            mock.patch.object(sys, "argv", ["program.py", str(path)]),
            contextlib.redirect_stdout(io.StringIO()),
        ):
            exec(compile(program, "program.py", "exec"), names)
    return names


def from_keras(model: Any) -> models.Model:
    """Our `Model` with the weights of a stock Keras model. Raises ValueError for a model that has no equivalent."""
    return models.from_keras(model)
