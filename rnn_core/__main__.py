"""The command line: `python -m rnn_core train textbook --epochs 2`."""

from __future__ import annotations

import argparse
import json
import math
import sqlite3
import sys
import time
from pathlib import Path

from rnn_core.commands.lookup import find, pairs
from rnn_core.commands.trainings import load_tensorflow_quietly, resume_training, start_training
from rnn_core.spec import presets
from rnn_core.store import import_report
from rnn_core.store.store import Store


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

    training = command(
        "train", start_training, "Train a preset, or an experiment from a JSON file. Ctrl-C ends it and keeps the run."
    )
    training.add_argument("experiment", metavar="PRESET|FILE.json")
    training.add_argument("--epochs", type=int, help="passes over the training data")
    training.add_argument("--seed", type=int, help="of initial weights, data and batch order")
    training.add_argument("--csv", type=Path, help="the file that an experiment on your own series names")
    training.add_argument(
        "--set", action="append", default=[], metavar="FIELD=VALUE", help="any field of the experiment, as horizon=28"
    )
    look = command("look", _look, "Show how a file of a series is read: rows, columns, dates, and each decision of the reader.")
    look.add_argument("file", type=Path)
    look.add_argument("--set", action="append", default=[], metavar="OPTION=VALUE", help="overrule a decision, as decimal=,")
    look.add_argument("--json", action="store_true", help="as JSON")
    resuming = command("resume", resume_training, "Go on with a run that was stopped or interrupted.")
    resuming.add_argument("run", metavar="RUN")
    resuming.add_argument("--epochs", type=int, help="passes over the training data, all together")
    forecast = command("forecast", _forecast, "Print a run's forecast of what comes after the last row of its series, as CSV.")
    forecast.add_argument("run", metavar="RUN", help="id or name, or its beginning")
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


# -------------------------------------------------------------------- series, and the store


def _look(chosen: argparse.Namespace) -> int:
    from rnn_core.data.series import look, table_file

    (content,) = table_file.upload(chosen.file).values()
    found = look.look(content, dict(pairs(chosen.set)))
    print(json.dumps(found.to_dict(), ensure_ascii=False) if chosen.json else look.to_text(found))
    return 1 if found.problem else 0


def _forecast(chosen: argparse.Namespace) -> None:
    from rnn_core.figures.beyond import verdict
    from rnn_core.probes import beyond

    info = find(store := Store(chosen.home), chosen.run)
    load_tensorflow_quietly()
    found = beyond.of_experiment(info.experiment, store.open(info.id).model(), store.uploads(info.experiment))
    print(beyond.to_csv(found).decode(), end="")
    print(" ".join([verdict(found), *(f"Likely reason: {beyond.REASONS[reason]}." for reason in found.reasons)]), file=sys.stderr)


def _presets(chosen: argparse.Namespace) -> None:
    width = max(map(len, presets.presets()))
    for preset in presets.presets().values():
        print(f"{preset.name:{width}}  {preset.title}")


def _runs(chosen: argparse.Namespace) -> None:
    for info in Store(chosen.home).list():
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(info.created))
        metric = "      " if math.isnan(info.metric) else f"{info.metric:6.4f}"
        print(f"{info.id:20}  {when}  {info.status:11}  {info.step:7d} steps  {metric}  {info.name}")


def _export(chosen: argparse.Namespace) -> None:
    store = Store(chosen.home)
    print(store.export(find(store, chosen.run).id, chosen.file))


def _import(chosen: argparse.Namespace) -> None:
    if chosen.file.suffix != ".keras":
        print(Store(chosen.home).import_(chosen.file))
        return
    load_tensorflow_quietly()
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
