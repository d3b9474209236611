"""`python -m rnn_core`: trains, records, lists, exports and imports, and reports an error in one sentence."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from rnn_core.__main__ import main
from rnn_core.spec.experiment import Experiment
from rnn_core.store.store import Store
from tests import made_up
from tests.watching import LONG, TINY


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.json"
    path.write_text(TINY.to_json(), "utf-8")
    return path


def _output(capsys: pytest.CaptureFixture[str], *arguments: object, code: int = 0) -> list[str]:
    """Lines printed by a command, on standard error if it fails with `code`."""
    assert main([str(argument) for argument in arguments]) == code
    captured = capsys.readouterr()
    return (captured.err if code else captured.out).strip().splitlines()


def test_train_prints_the_metric_last_and_stores_the_run(home: Path, file: Path):
    command = [sys.executable, "-m", "rnn_core", "train", str(file), "--epochs", "3"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"Test Accuracy: 0\.\d{4}|Test Accuracy: 1\.0000", done.stdout.splitlines()[-1])
    assert "cuda" not in done.stderr.lower(), "TensorFlow's start-up messages are not shown"
    store = Store(home)
    (info,) = [info for info in store.list() if not info.builtin]
    assert (info.status, info.experiment) == ("finished", TINY.replace(epochs=3))
    record = store.open(info.id)
    assert record.history["step"].tolist() == list(range(1, info.step + 1))
    assert [kept.epoch for kept in record.snapshots] == [0, 0, 1, 2, 3]
    assert record.norm_history[1].shape == (info.step, 6)
    assert f"{info.test_metric:.4f}" in done.stdout.splitlines()[-1]


@pytest.mark.skipif(sys.platform == "win32", reason="no Ctrl-C to send")
def test_ctrl_c_stops_the_run_which_resume_continues(home: Path, tmp_path: Path):
    file = tmp_path / "long.json"
    file.write_text(LONG.to_json(), "utf-8")
    process = subprocess.Popen(
        [sys.executable, "-m", "rnn_core", "train", str(file)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    store = Store(home)
    end = time.monotonic() + 120
    while not any(info.step > 5 for info in store.list() if not info.builtin):
        assert time.monotonic() < end
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    (info,) = [info for info in store.list() if not info.builtin]
    assert info.status == "stopped"
    assert info.id in out.splitlines()[-1]
    steps_per_epoch = 63  # 2,000 sequences, 32 at a time
    epochs = info.step // steps_per_epoch + 1
    resumed = subprocess.run(
        [sys.executable, "-m", "rnn_core", "resume", info.id, "--epochs", str(epochs)],
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert resumed.returncode == 0, resumed.stderr
    record = store.open(info.id)
    assert record.status == "finished"
    assert record.history["step"].tolist() == list(range(1, epochs * steps_per_epoch + 1))


def test_a_diverging_run_gives_advice(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    wild = TINY.replace(cell="simple_rnn", activation="relu", optimiser="sgd", learning_rate=10.0, gain=5.0, length=40, epochs=50)
    file = tmp_path / "wild.json"
    file.write_text(wild.to_json(), "utf-8")
    assert main(["train", str(file)]) == 1
    assert "learning rate below" in capsys.readouterr().out


def test_runs_export_import_and_prune(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    run_id = made_up.fill(Store(home))
    assert any(run_id in line and "finished" in line and "300 steps" in line for line in _output(capsys, "runs"))
    assert _output(capsys, "export", run_id[:12], tmp_path / "x.run") == [str(tmp_path / "x.run")]
    (other,) = _output(capsys, "import", tmp_path / "x.run", "--home", tmp_path / "other")
    assert Store(tmp_path / "other").open(other).info.step == 300
    assert _output(capsys, "prune", "0") == [f"deleted {run_id}"]


def test_presets_are_listed(capsys: pytest.CaptureFixture[str]):
    assert any(line.startswith("textbook ") for line in _output(capsys, "presets"))


@pytest.mark.parametrize("arguments", [
    ["train", "no_such_preset"],
    ["train", "missing.json"],
    ["export", "nothing", "x.run"],
    ["import", "missing.run"],
    ["resume", "starter"],
    ["train", "toy", "--epochs", "0"],
])  # fmt: skip
def test_an_impossible_command_fails_with_one_sentence(home: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]):
    lines = _output(capsys, *arguments, code=1)
    assert len(lines) == 1
    assert lines[0].startswith("rnn_core: ")
    assert "Traceback" not in lines[0]


def test_a_file_without_an_experiment_is_refused(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    for content in (b"", b"[1]", b"{", b'{"units": 1e9}', b"\xff\xfe", b"[" * 100_000):
        (tmp_path / "x.json").write_bytes(content)
        assert len(_output(capsys, "train", tmp_path / "x.json", code=1)) == 1
    assert [info for info in Store(home).list() if not info.builtin] == []


def test_starters_calls_the_build_module(monkeypatch: pytest.MonkeyPatch):
    calls = []
    monkeypatch.setattr("rnn_core.store.starters.build.build", calls.append)
    assert main(["starters", "lstm"]) == 0
    assert main(["starters"]) == 0
    assert calls == ["lstm", "simple_rnn", "lstm", "gru"]
    assert os.path.exists("rnn_core/store/starters")


def test_look_shows_how_a_file_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = tmp_path / "own.csv"
    path.write_text("Tag;Wert\n" + "".join(f"{n:02d}.02.2021;{n},5\n" for n in range(28, 0, -1)), "utf-8")
    lines = _output(capsys, "look", path)
    assert lines[0] == "28 rows, 1 day apart"
    assert "2021-02-01   1.5" in lines
    assert "order = turned   (or: file, dates)" in lines
    assert "2021-02-28  28.5" in _output(capsys, "look", path, "--set", "order=file")[3]
    found = json.loads(_output(capsys, "look", path, "--json")[0])
    assert (found["rows"], found["columns"][0]["high"]) == (28, 28.5)
    (wrong,) = _output(capsys, "look", path, "--set", "ordre=file", code=1)
    assert "got the name 'ordre'; the names are encoding, sheet, separator" in wrong


def test_look_refuses_in_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = tmp_path / "own.csv"
    path.write_text("a;b\n" + "".join(f"{n}.{100 + n};7\n" for n in range(1, 40)), "utf-8")
    assert main(["look", str(path)]) == 1
    assert capsys.readouterr().out.startswith("refused: 'a' can be read in two ways")


def test_a_series_is_trained_on_and_forecast(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path, experiment = tmp_path / "own.csv", tmp_path / "own.json"
    path.write_text(
        "day,v\n" + "".join(f"2021-{n // 28 + 1:02d}-{n % 28 + 1:02d},{n % 7 + n / 50}\n" for n in range(200)), "utf-8"
    )
    experiment.write_text(Experiment().replace(task="csv", length=8, units=3, horizon=2, epochs=1, seed=5).to_json(), "utf-8")
    command = ["train", experiment, "--csv", path, "--set", "difference=7", "--set", "reading=order=turned"]
    last = _output(capsys, *command)[-1]
    assert re.fullmatch(r"Test RMSE: \d\.\d{4}", last)
    (info,) = [info for info in Store(home).list() if not info.builtin]
    assert (info.experiment.data.difference, info.experiment.data.reading) == (7, "order=turned")
    assert main(["forecast", info.id]) == 0
    printed = capsys.readouterr()
    assert printed.out.splitlines()[0].startswith("date,v,v 80% low,v 80% high,v last value,v drift")
    assert len(printed.out.splitlines()) == 3
    assert "naive forecast" in printed.err
    assert "no experiment field is called 'x'" in _output(capsys, *command, "--set", "x=1", code=1)[-1]


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_a_keras_model_is_listed_and_copied_where_that_is_exact(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    import keras

    L = keras.layers
    given = keras.Input((None,), dtype="int32")
    text = keras.Sequential([given, L.Embedding(20, 3, mask_zero=True), L.LSTM(4), L.Dropout(0.5), L.Dense(1, "sigmoid")])
    mixed = keras.Sequential(
        [keras.Input((9, 3)), L.SimpleRNN(4, return_sequences=True), L.GRU(4, activation="gelu"), L.Dense(1)]
    )
    own = keras.Sequential([keras.Input((9, 3)), L.GRU(4), L.Lambda(lambda x: 2 * x), L.Dense(1)])
    for name, model in (
        ("text", text),
        ("mixed", mixed),
        ("own", own),
        ("none", keras.Sequential([keras.Input((3,)), L.Dense(1)])),
    ):
        model.save(tmp_path / f"{name}.keras")
    (tmp_path / "words.json").write_text('["", "[UNK]", "film", "good"]')
    table = _output(capsys, "import", tmp_path / "text.keras", "--vocabulary", tmp_path / "words.json", "--name", "Theirs")
    assert table[0].split() == ["layer", "cell", "units", "states", "gates", "gradients", "Jacobians", "attributions"]
    assert table[1].split()[1:] == ["LSTM", "4", "yes", "yes", "yes", "yes", "yes"]
    (info,) = [info for info in Store(home).list() if not info.builtin]
    assert (info.name, info.status, info.step) == ("Theirs", "imported", 0)
    assert info.id in table[-1]
    tokens = np.array([[2, 3, 1]])
    np.testing.assert_allclose(Store(home).open(info.id).model().to_keras()(tokens), text(tokens), atol=1e-6)

    lines = _output(capsys, "import", tmp_path / "mixed.keras")
    assert [line.split().count("yes") for line in lines[1:3]] == [
        4,
        1,
    ]  # a SimpleRNN has no gates; attributions need no equations
    assert "gelu" in "".join(lines)
    assert "The app cannot show it: activation must be one of" in lines[-1]
    found = json.loads("\n".join(_output(capsys, "import", tmp_path / "mixed.keras", "--json")))
    assert [one["why_not"]["states"] == "" for one in found["layers"]] == [True, False]
    assert (found["run"], "gelu" in found["why_no_run"]) == (None, True)

    for arguments, words in (
        (["own.keras"], "needs code of its own"),
        (["none.keras"], "no recurrent layer"),
        (["missing.keras"], "is no file"),
        (["words.json"], ""),
    ):
        (line,) = _output(capsys, "import", tmp_path / arguments[0], code=1)
        assert words in line
    for words in ('{"film": 99}', '{"a": 1, "b": 1}', "[1]", "{"):
        (tmp_path / "words.json").write_text(words)
        assert "vocabulary" in _output(capsys, "import", tmp_path / "text.keras", "--vocabulary", tmp_path / "words.json")[-1]
    assert len([info for info in Store(home).list() if not info.builtin]) == 1
