"""The command line: `python -m rnn_core train textbook --epochs 2`."""

from __future__ import annotations

import argparse
import contextlib
import math
import os
import signal
import sqlite3
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from rnn_core import data
from rnn_core.data.imported import is_imported
from rnn_core.spec import presets
from rnn_core.spec.experiment import Experiment
from rnn_core.store import import_report
from rnn_core.store.store import RunInfo, Store
from rnn_core.training.control import Control

if TYPE_CHECKING:
    from rnn_core.training.loop import Checkpoint, Snapshot


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit code. Prints an error as one sentence on standard error."""
    chosen = _parser().parse_args(arguments)
    try:
        return int(chosen.do(chosen) or 0)
    except (ValueError, KeyError, OSError, sqlite3.Error) as problem:
        print(f"rnn_core: {problem.args[0] if isinstance(problem, KeyError) else problem}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m rnn_core", description="Train and keep recurrent networks without the app.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, do: object, help: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=help, description=help)
        added.set_defaults(do=do)
        added.add_argument("--home", help="folder of the run store (default: UNROLLED_HOME, else your user data folder)")
        return added

    train = command("train", _train, "Train a preset, or an experiment from a JSON file. Ctrl-C ends it and keeps the run.")
    train.add_argument("experiment", metavar="PRESET|FILE.json")
    train.add_argument("--epochs", type=int, help="passes over the training data")
    train.add_argument("--seed", type=int, help="of initial weights, data and batch order")
    train.add_argument("--csv", type=Path, help="the file that an experiment on your own series names")
    resume = command("resume", _resume, "Go on with a run that was stopped or interrupted.")
    resume.add_argument("run", metavar="RUN")
    resume.add_argument("--epochs", type=int, help="passes over the training data, all together")
    command("presets", _presets, "List the presets.")
    command("runs", _runs, "List the runs in the store.")
    export = command("export", _export, "Write one run as a single file.")
    export.add_argument("run", metavar="RUN", help="id or name, or its beginning")
    export.add_argument("file", type=Path)
    imports = command(
        "import", _import, "Add an exported run to the store, or a Keras model (.keras), after showing what it can show."
    )
    imports.add_argument("file", type=Path, metavar="FILE.run|MODEL.keras")
    imports.add_argument("--json", action="store_true", help="of a Keras model: print what it can show as JSON")
    imports.add_argument(
        "--vocabulary", type=Path, metavar="WORDS.json", help='its words: {"film": 7, …} or a list; default: ids'
    )
    imports.add_argument(
        "--inputs", type=Path, metavar="X.npy", help="sequences to run it on: (N, T) ids or (N, T, D) numbers; default: drawn"
    )
    imports.add_argument("--name", default="", help="of the run; default: the file's")
    prune = command("prune", _prune, "Delete the oldest runs until the store is small enough.")
    prune.add_argument("megabytes", type=float)
    starters = command("starters", _starters, "Rebuild the starter models from IMDB.")
    starters.add_argument("names", nargs="*")
    return parser


# -------------------------------------------------------------------- training


def _train(chosen: argparse.Namespace) -> int:
    experiment = _experiment(chosen.experiment)
    changes = {name: value for name in ("epochs", "seed") if (value := getattr(chosen, name)) is not None}
    uploads: dict[str, bytes] = {}
    if chosen.csv:
        from rnn_core.store.arrays import checksum

        content = chosen.csv.read_bytes()
        uploads, changes["source"] = {checksum(content): content}, checksum(content)
    experiment = experiment.replace(**changes)
    data.task(experiment.data.task)
    store = Store(chosen.home)
    return _follow(store, store.create(experiment, uploads=uploads, status="running"), experiment, uploads, None)


def _resume(chosen: argparse.Namespace) -> int:
    from rnn_core.store.saved import read_checkpoint

    store = Store(chosen.home)
    info = _find(store, chosen.run)
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

    _load_tensorflow_quietly()

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


def _load_tensorflow_quietly() -> None:
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


# -------------------------------------------------------------------- the store


def _presets(chosen: argparse.Namespace) -> None:
    width = max(map(len, presets.presets()))
    for preset in presets.presets().values():
        print(f"{preset.name:{width}}  {preset.title}")


def _runs(chosen: argparse.Namespace) -> None:
    for info in Store(chosen.home).list():
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(info.created))
        metric = "      " if math.isnan(info.metric) else f"{info.metric:6.4f}"
        print(f"{info.id:20}  {when}  {info.status:11}  {info.step:7d} steps  {metric}  {info.name}")


def _find(store: Store, text: str) -> RunInfo:
    """The one run whose id or name is `text`, or begins with it. Raises ValueError when there is none or several."""
    infos = store.list()
    exact = [info for info in infos if text in (info.id, info.name)]
    found = exact or [info for info in infos if info.id.startswith(text) or info.name.lower().startswith(text.lower())]
    if len(found) != 1:
        raise ValueError(f"{'no run' if not found else f'{len(found)} runs'} called {text!r}: see `python -m rnn_core runs`")
    return found[0]


def _export(chosen: argparse.Namespace) -> None:
    store = Store(chosen.home)
    print(store.export(_find(store, chosen.run).id, chosen.file))


def _import(chosen: argparse.Namespace) -> None:
    if chosen.file.suffix != ".keras":
        print(Store(chosen.home).import_(chosen.file))
        return
    _load_tensorflow_quietly()
    import numpy as np

    from rnn_core.probes.calls.abilities import abilities
    from rnn_core.probes.sentence import reading
    from rnn_core.store import keras_import

    network = keras_import.load(chosen.file)
    words = chosen.vocabulary.read_bytes() if chosen.vocabulary else None
    sequences = np.load(chosen.inputs, allow_pickle=False) if chosen.inputs else None
    layers, run_id, problem, no_sentence = abilities(network), "", "", ""
    store = Store(chosen.home)
    try:
        run_id = keras_import.add(store, network, chosen.file.name, chosen.name, words, sequences)
        no_sentence = reading.unsupported_model(store.open(run_id).model())
    except ValueError as reason:
        problem = str(reason)
    report = import_report.as_json if chosen.json else import_report.as_text
    print(report(layers, run_id, problem, no_sentence))


def _prune(chosen: argparse.Namespace) -> None:
    for run_id in Store(chosen.home).prune(chosen.megabytes):
        print(f"deleted {run_id}")


def _starters(chosen: argparse.Namespace) -> None:
    from rnn_core.store.starters import NAMES, build

    for name in chosen.names or NAMES:
        build.build(name)


if __name__ == "__main__":
    sys.exit(main())
