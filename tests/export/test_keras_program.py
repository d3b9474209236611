"""The Keras program of an experiment runs without Unrolled, on the same data and from the same initial weights."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnn_core import data
from rnn_core.data.series import table_file
from rnn_core.data.text import imdb_files
from rnn_core.engine import model as models
from rnn_core.export.keras_program import keras_program
from rnn_core.spec import presets
from rnn_core.spec.experiment import Experiment

_CSV = b"date;a;b\n" + b"".join(b"2020-%02d-%02d;%d,5;%d\n" % (n // 28 + 1, n % 28 + 1, n % 7, n * n % 11) for n in range(200))
_EXPERIMENTS = {
    "toy, LSTM": {"task": "toy_reviews", "cell": "lstm", "samples": 60},
    "toy, two bidirectional GRUs, post": {
        "task": "toy_reviews", "cell": "gru", "layers": 2, "bidirectional": True, "padding": "post", "samples": 40, "gain": 0.5, "gate_bias": 2.0,
    },
    "adding, GRU": {"task": "adding", "cell": "gru", "length": 20, "samples": 30, "gate_bias": 3.0, "reset_after": False, "clip": 1.0},
    "temporal order": {"task": "temporal_order", "length": 20, "samples": 30, "initialiser": "identity", "activation": "relu"},
    "first token, LSTM": {"task": "first_token", "cell": "lstm", "length": 20, "samples": 30, "gate_bias": 4.0, "seed": 7},
    "copying": {"task": "copying", "length": 30, "samples": 20, "layers": 2, "dropout": 0.3},
    "delayed recall": {"task": "delayed_recall", "length": 12, "horizon": 3, "samples": 20, "use_bias": False, "gate_bias": 1.0, "cell": "lstm"},
    "parity": {"task": "parity", "length": 8, "samples": 20, "initialiser": "glorot_uniform", "gain": 1.3, "optimiser": "sgd"},
    "noisy sine": {"task": "sine", "length": 20, "samples": 50, "noise": 0.2, "horizon": 3, "initialiser": "random_normal"},
    "Lorenz": {"task": "lorenz", "length": 10, "samples": 60, "cell": "gru", "optimiser": "rmsprop"},
    "NARMA": {"task": "narma", "length": 10, "samples": 60, "bidirectional": True},
    "CSV": {"task": "csv", "length": 10, "source": table_file.key(_CSV), "column": "b"},
    "CSV, inputs and another target, weekly changes": {"task": "csv", "length": 10, "source": table_file.key(_CSV), "column": "a", "targets": "b", "difference": 7, "horizon": 3},
    "CSV, changes of logarithms over a longer horizon": {"task": "csv", "length": 10, "source": table_file.key(_CSV), "column": "a", "difference": 2, "log": True, "horizon": 5},
    "CSV, read as told": {"task": "csv", "length": 10, "source": table_file.key(_CSV), "reading": "dates=none&decimal=,&order=turned"},
    "CSV, logarithms": {"task": "csv", "length": 10, "source": table_file.key(_CSV), "column": "a", "log": True},
    "random walk, changes": {"task": "random_walk", "length": 10, "samples": 60, "difference": 1, "horizon": 2},
}  # fmt: skip


def _run(script: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The program's variables, with the arguments and weights of its first `fit`; without training."""
    import keras

    found: dict[str, Any] = {}

    def fit(model, inputs, targets, **options):
        found.setdefault("weights", model.get_weights())
        found.setdefault("first", (inputs, targets))  # memory tasks have new sequences in later epochs

    monkeypatch.setattr(keras.Sequential, "fit", fit)
    monkeypatch.setattr(keras.Sequential, "evaluate", lambda *args: (0.5, 0.25))
    exec(compile(script, "script.py", "exec"), found)
    return found | {"x_train": found["first"][0], "y_train": found["first"][1]}


def _check(experiment: Experiment, uploads: dict[str, bytes], found: dict[str, Any]) -> None:
    """Asserts that data, initial weights and output shape agree with the experiment."""
    dataset = data.build(experiment, uploads)
    side = "post" if experiment.data.padding == "post" else "pre"
    for part in ("train", "validation", "test"):
        ours = getattr(dataset, part)
        batch = ours.pad(np.arange(len(ours)), experiment.data.length, side)
        np.testing.assert_array_equal(found[f"x_{part}"], batch.inputs)
        np.testing.assert_array_equal(np.reshape(found[f"y_{part}"], batch.targets.shape), batch.targets)
    for theirs, ours in zip(found["weights"], models.build(experiment, dataset.interface).weights, strict=True):
        np.testing.assert_array_equal(theirs, ours)
    assert found["model"].output_shape[-1] == dataset.interface.outputs


@pytest.mark.parametrize("name", _EXPERIMENTS)
def test_a_program_has_the_same_data_and_weights(name, monkeypatch, tmp_path, capsys):
    experiment = Experiment().replace(**_EXPERIMENTS[name])
    path = tmp_path / "series.csv"
    path.write_bytes(_CSV)
    monkeypatch.setattr(sys, "argv", ["script.py", str(path)])
    uploads = table_file.upload(path)
    found = _run(keras_program(experiment, uploads), monkeypatch)
    _check(experiment, uploads, found)
    if experiment.data.task == "csv":
        series = data.build(experiment, uploads).series
        inputs = series.scaled[None, -experiment.data.length :, list(series.inputs)]
        wanted = series.restored(found["model"].predict(inputs, verbose=0), np.array([len(series.values)]))[0]
        np.testing.assert_allclose(found["forecast"], wanted, rtol=1e-5)
    squared = data.task(experiment.data.task).metric == "rmse"
    dataset = data.build(experiment, uploads)
    rmse = 0.25 * dataset.metric_scale
    if dataset.score:
        rmse = dataset.score("test", found["model"].predict(found["x_test"], verbose=0))
    assert capsys.readouterr().out.endswith(f"Test RMSE: {rmse:.4f}\n" if squared else "Test Accuracy: 0.2500\n")


@pytest.mark.parametrize("changes", [{}, {"padding": "bucket", "mask": True, "samples": 1000, "length": 100}])
def test_the_textbook_program_has_the_same_data_and_weights(changes, monkeypatch):
    if imdb_files.find("imdb.npz") is None:
        pytest.skip("IMDB is not on this machine")
    import keras.src.datasets.imdb as module

    monkeypatch.setattr(module, "get_file", lambda fname, **_: str(imdb_files.find(fname)))
    experiment = presets.get("textbook").replace(**changes)
    _check(experiment, {}, _run(keras_program(experiment), monkeypatch))


def test_the_textbook_program_has_the_lines_of_the_textbook():
    script = keras_program(presets.get("textbook"))
    for line in (
        "keras.datasets.imdb.load_data(num_words=10000)",
        "keras.layers.Embedding(10000, 32),",
        "keras.layers.SimpleRNN(32),",
        'keras.layers.Dense(1, activation="sigmoid"),',
        'loss="binary_crossentropy", metrics=["accuracy"]',
        "batch_size=64, epochs=10",
    ):
        assert line in script
    assert "mask_zero" not in script


def test_a_program_runs_without_unrolled(tmp_path: Path):
    """In a process of its own, outside the project, in Python's isolated mode."""
    experiment = presets.get("toy").replace(samples=64, epochs=1, batch=32)
    (tmp_path / "script.py").write_text(keras_program(experiment), "utf-8")
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
    done = subprocess.run(
        [sys.executable, "-I", "script.py"], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.splitlines()[-1].startswith("Test Accuracy: 0.")
