"""Trainings on the command line: started or resumed, with a progress bar, kept in the store, ended by Ctrl-C."""

from __future__ import annotations

import argparse
import contextlib
import math
import os
import signal
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from rnn_core import data
from rnn_core.commands.lookup import find, pairs
from rnn_core.data.imported import is_imported
from rnn_core.spec import fields, presets
from rnn_core.spec.experiment import FIELDS, Experiment
from rnn_core.store.store import Store
from rnn_core.training.control import Control

if TYPE_CHECKING:
    from rnn_core.training.loop import Checkpoint, Snapshot


def start_training(chosen: argparse.Namespace) -> int:
    experiment = _experiment(chosen.experiment)
    changes = {name: value for name in ("epochs", "seed") if (value := getattr(chosen, name)) is not None}
    uploads: dict[str, bytes] = {}
    if chosen.csv:
        from rnn_core.store.arrays import checksum

        content = chosen.csv.read_bytes()
        uploads, changes["source"] = {checksum(content): content}, checksum(content)
    for name, value in pairs(chosen.set):
        if name not in FIELDS:
            raise ValueError(f"no experiment field is called {name!r}")
        changes[name], message = fields.read(name, value, FIELDS[name], None)
        if message:
            raise ValueError(message)
    experiment = experiment.replace(**changes)
    data.task(experiment.data.task)
    store = Store(chosen.home)
    return _follow(store, store.create(experiment, uploads=uploads, status="running"), experiment, uploads, None)


def resume_training(chosen: argparse.Namespace) -> int:
    from rnn_core.store.saved import read_checkpoint

    store = Store(chosen.home)
    info = find(store, chosen.run)
    if is_imported(info.experiment):
        raise ValueError(f"{info.name} was imported without the data it was trained on, so it cannot be trained here")
    if info.builtin or info.status in ("waiting", "running", "paused"):
        raise ValueError(f"{info.name} cannot be resumed: it is {'a starter model' if info.builtin else info.status}")
    experiment = info.experiment if chosen.epochs is None else info.experiment.replace(epochs=chosen.epochs)
    content = store.checkpoint(info.id)
    start = read_checkpoint(content) if content else None
    store.rewind(info.id, start.step if start else -1)
    store.record(info.id, experiment=experiment.to_json())
    return _follow(store, info.id, experiment, store.uploads(experiment), start)


def _follow(store: Store, run_id: str, experiment: Experiment, uploads: dict[str, bytes], start: Checkpoint | None) -> int:
    """Train with a progress bar until the end or Ctrl-C, recording the run in the store."""
    from rnn_core.store.recorder import Recorder
    from rnn_core.training.loop import train

    load_tensorflow_quietly()

    control = Control()
    last = None
    with _interrupts(control):
        try:
            recorder = Recorder(store, run_id)
            for last in _progress(train(experiment, uploads=uploads, control=control, resume=start), experiment):
                recorder.add(last)
        except (sqlite3.Error, OSError, ValueError) as problem:
            with contextlib.suppress(sqlite3.Error, OSError):
                store.free_reserve()
                store.record(run_id, status="failed", message=str(problem))
            raise
        finally:
            store.close()
    assert last is not None
    return _report(last, run_id, experiment)


def load_tensorflow_quietly() -> None:
    """Load TensorFlow with standard error redirected to null: its C++ part prints there while it loads, at any log level."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.stderr.flush()
    stderr, null = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    try:
        import tensorflow  # noqa: F401
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
        os.close(null)


def _progress(snapshots: Iterator[Snapshot], experiment: Experiment) -> Iterator[Snapshot]:
    """Yield the snapshots, showing a progress bar, and a line after each validation."""
    from tqdm import tqdm

    metric = data.task(experiment.data.task).metric
    shown: dict[str, str] = {}
    with tqdm(unit="step", dynamic_ncols=True, disable=None, mininterval=0.25) as bar:
        for snapshot in snapshots:
            bar.total = snapshot.epochs * snapshot.steps_per_epoch
            bar.update(snapshot.step - bar.n)
            shown |= {"loss": f"{snapshot.loss:.4f}", metric: f"{snapshot.metric:.4f}"}
            if not math.isnan(snapshot.validation_metric):
                shown["validation"] = f"{snapshot.validation_metric:.4f}"
                losses = f"epoch {snapshot.epoch}/{snapshot.epochs}: loss {snapshot.validation_loss:.4f}"
                tqdm.write(f"{losses}, {metric} {snapshot.validation_metric:.4f} on validation, {snapshot.seconds:.1f} s")
            bar.set_description(f"epoch {min(snapshot.epoch + 1, snapshot.epochs)}/{snapshot.epochs}", refresh=False)
            bar.set_postfix(shown, refresh=False)
            yield snapshot


@contextlib.contextmanager
def _interrupts(control: Control) -> Iterator[None]:
    """The first Ctrl-C stops the training after its batch; the second ends the program at once."""

    def stop(number: int, frame: object) -> None:
        if control.stopped:
            raise KeyboardInterrupt
        print("\nStopping after this batch; press Ctrl-C again to end at once.", file=sys.stderr)
        control.send("stop")

    before = [(number, signal.signal(number, stop)) for number in (signal.SIGINT, signal.SIGTERM)]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)


def _report(last: Snapshot, run_id: str, experiment: Experiment) -> int:
    """Print how the run ended, last the task's metric (on the test data if there are any); returns the exit code."""
    metric = {"accuracy": "Accuracy", "rmse": "RMSE"}[data.task(experiment.data.task).metric]
    print(f"Run {run_id}: {last.reason} after {last.step} steps and {last.seconds:.1f} s. {last.advice}".rstrip())
    if last.reason == "diverged":
        return 1
    if last.reason == "stopped":
        print(f"Kept; go on with: python -m rnn_core resume {run_id}")
        return 130
    measured = not math.isnan(last.test_metric)
    validation = [value for value in last.run.history["validation_metric"].tolist() if not math.isnan(value)]
    value = last.test_metric if measured else validation[-1] if validation else math.nan
    print(f"{'Test' if measured else 'Validation'} {metric}: {value:.4f}")
    return 0


def _experiment(name: str) -> Experiment:
    """The experiment of a preset's name or a JSON file. Raises ValueError with a sentence."""
    if name in presets.presets():
        return presets.get(name)
    if name.endswith(".json"):
        try:
            return Experiment.from_json(Path(name).read_text("utf-8"))
        except (UnicodeDecodeError, AttributeError, TypeError, RecursionError, ValueError) as problem:
            raise ValueError(f"{name} does not hold an experiment: {problem}") from problem
    return presets.get(name)  # raises an error that lists the presets
