"""A run as one file: export, checked import, and the starter models that ship in this form."""

from __future__ import annotations

import dataclasses
import io
import json
import math
import re
import warnings
import zipfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from rnn_core.spec.experiment import Experiment
from rnn_core.spec.interface import Interface
from rnn_core.store.arrays import checksum, pack, read_run, unpack, write_run
from rnn_core.store.run import ACTIVE, KeptStep, RunInfo, RunRecord
from rnn_core.store.saved import SavedFile, model_of, read_kept_step
from rnn_core.training.history import COLUMNS, INTEGERS, NORM_ROWS, NormHistory, logarithms

STARTERS = Path(__file__).parent / "starters"
MAX_STEPS = 2_000_000  # metric rows of an imported run
MAX_SIZE = 100_000  # numbers that an imported network reads or gives at a step
MAX_TIME_STEPS = 4_000  # in an imported run's gradient norms
_AS_THEY_ARE = ("name", "created", "step", "message")  # fields of RunInfo that the manifest holds unchanged


@dataclass(frozen=True, eq=False)
class Contents:
    """The checked contents of a run file."""

    experiment: Experiment
    name: str  # as in the file, not cleaned; may be empty
    status: str  # "finished", "failed", "imported" or "stopped"
    test_metric: float | None  # None where it was not measured
    rows: list[tuple[float, ...]]  # in the order of history.COLUMNS
    norms: NormHistory
    kept_steps: tuple[SavedFile, ...]
    uploads: dict[str, bytes]  # SHA-256 → content


def export(record: RunRecord, path: Path) -> Path:
    """Write a run as one file, with all its kept steps that can be read."""
    kept_steps = [kept for kept in record.snapshots if not record._problem(kept.step)]
    steps, norms = record.norm_history
    parts = {
        "history.npz": pack(record.history, compress=True),
        "norms.npz": pack({"steps": steps, "logs": logarithms(norms)}, compress=True),
    }
    parts |= {_part_name(kept.step): record._read(kept.step) for kept in kept_steps}
    parts |= {f"uploads/{digest}": content for digest, content in record.uploads.items()}
    info = record.info
    manifest = {name: getattr(info, name) for name in _AS_THEY_ARE} | {
        "experiment": info.experiment.to_dict(),
        "status": info.status if info.status not in ACTIVE else "stopped",
        "metric": _number(info.metric),
        "test_metric": _number(info.test_metric),
        "moments": [dataclasses.asdict(kept) for kept in kept_steps],
    }
    write_run(path, manifest, parts)
    return path


def read(source: Path | bytes) -> Contents:
    """The contents of a run file, every part checked. Raises ValueError with a sentence."""
    manifest, parts = read_run(source)
    experiment = _experiment(manifest)
    history = _history(parts)
    norms = _norms(parts)
    kept_steps = [_saved_file(kept, parts, experiment) for kept in _kept_steps(manifest)]
    uploads = {name.removeprefix("uploads/"): content for name, content in parts.items() if name.startswith("uploads/")}
    if any(checksum(content) != digest for digest, content in uploads.items()):
        raise ValueError("the file holds an upload that does not match its checksum")
    status = manifest.get("status")
    return Contents(
        experiment,
        str(manifest.get("name", "")),
        status if status in ("finished", "failed", "imported") else "stopped",
        _number(manifest.get("test_metric")),
        list(zip(*(history[column].tolist() for column in COLUMNS), strict=True)),
        norms,
        tuple(kept_steps),
        uploads,
    )


def _experiment(manifest: dict[str, Any]) -> Experiment:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # unknown fields of a later version
            return Experiment.from_dict(manifest["experiment"])
    except (KeyError, TypeError, ValueError, AttributeError) as problem:
        raise ValueError(f"the file's experiment cannot be used: {problem}") from problem


def _history(parts: dict[str, bytes]) -> dict[str, np.ndarray]:
    columns = unpack(parts.get("history.npz", b""))
    lengths = {column.shape for column in columns.values()}
    whole = set(columns) == set(COLUMNS) and all(column.dtype.kind in "if" for column in columns.values())
    if not whole or len(lengths) != 1 or len(shape := lengths.pop()) != 1 or shape[0] > MAX_STEPS:
        raise ValueError("the file's history does not have the expected columns")
    if any(columns[name].dtype.kind != "i" for name in INTEGERS) or (shape[0] and (np.diff(columns["step"]) <= 0).any()):
        raise ValueError("the steps of the file's history must be integers that increase")
    return columns


def _norms(parts: dict[str, bytes]) -> NormHistory:
    arrays = unpack(parts.get("norms.npz", b""))
    steps, logs = arrays.get("steps"), arrays.get("logs")
    if steps is None or logs is None or steps.ndim != 1 or steps.dtype.kind != "i" or logs.dtype != np.float32:
        raise ValueError("the file's gradient norms cannot be read")
    if logs.shape[:1] != steps.shape or logs.ndim != 2 or len(steps) > NORM_ROWS or logs.shape[1] > MAX_TIME_STEPS:
        raise ValueError("the file's gradient norms do not have the expected shape")
    history = NormHistory()
    for step, row in zip(steps.tolist(), logs, strict=True):
        history.rows[step] = np.ascontiguousarray(row[~np.isnan(row)])
    return history


def _kept_steps(manifest: dict[str, Any]) -> list[KeptStep]:
    try:
        kept = [KeptStep(int(entry["step"]), int(entry["epoch"])) for entry in manifest["moments"]]
    except (KeyError, TypeError, ValueError) as problem:
        raise ValueError("the file does not list the steps whose weights it holds") from problem
    if any(not 0 <= entry.step <= MAX_STEPS or not 0 <= entry.epoch <= 1000 for entry in kept):
        raise ValueError(f"the file's kept steps must be between 0 and {MAX_STEPS:,}, their epochs between 0 and 1,000")
    return kept


def _saved_file(kept: KeptStep, parts: dict[str, bytes], experiment: Experiment) -> SavedFile:
    """The file of a kept step. Raises ValueError when it is damaged or does not fit the experiment."""
    data = parts.get(_part_name(kept.step), b"")
    about, arrays = read_kept_step(data)
    _check_interface(about)
    model_of(experiment.model, about, arrays)
    shapes = {"state_norms": 1, "probe_states": 2, "eigenvalues": 1}
    if any(name not in arrays or arrays[name].ndim != rank for name, rank in shapes.items()):
        raise ValueError(f"the weights at step {kept.step} must come with {', '.join(shapes)} of the expected rank")
    return SavedFile("moment", kept.step, kept.epoch, data)


def _check_interface(about: dict[str, Any]) -> None:
    """Raise ValueError unless the file's interface has the right types and possible sizes."""
    found = about.get("interface")
    kinds = {"inputs": str, "input_size": int, "outputs": int, "loss": str, "per_step": bool, "kind": str}
    if not isinstance(found, dict) or {name: type(value) for name, value in found.items()} != kinds:
        raise ValueError("the file does not describe the network's inputs and outputs")
    interface = Interface(**found)
    known = interface.inputs in ("tokens", "floats") and interface.loss in ("binary", "categorical", "squared")
    sizes = (interface.input_size, interface.outputs)
    if not known or interface.kind != "interface" or not all(1 <= size <= MAX_SIZE for size in sizes):
        raise ValueError("the file's network has inputs or outputs that are not known here")


def _number(value: Any) -> float | None:
    """A finite number as it is, anything else as None: JSON has no nan."""
    return float(value) if isinstance(value, (int, float)) and math.isfinite(value) else None


def _part_name(step: int) -> str:
    """Name of a kept step's part in the file."""
    return f"moments/{step:08d}.npz"


# -------------------------------------------------------------------- starter models


def starters() -> list[RunInfo]:
    """The models that ship with the project, by name."""
    return [_manifest(path, path.stat().st_mtime_ns)[0] for path in sorted(STARTERS.glob("*.run"))]


def open_starter(run_id: str) -> RunRecord:
    """A starter model, opened from its file. Raises KeyError when there is none of that name."""
    name = run_id.removeprefix("starter-")
    path = STARTERS / f"{name}.run"
    if not re.fullmatch("[a-z0-9_]+", name) or not path.is_file():
        raise KeyError(f"there is no starter model {run_id!r}")
    info, kept, sums = _manifest(path, path.stat().st_mtime_ns)
    history = unpack(_part(path, "history.npz", sums))
    return RunRecord(
        info,
        history,
        kept,
        _norms=lambda: _norms({"norms.npz": _part(path, "norms.npz", sums)}),
        _read=lambda step: _part(path, _part_name(step), sums),
    )


@lru_cache(32)
def _manifest(path: Path, modified: int) -> tuple[RunInfo, tuple[KeptStep, ...], dict[str, str]]:
    """Entry, kept steps and checksums of a run file that ships with the project; `modified` invalidates the cache."""
    with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as archive:
        found = json.loads(archive.read("manifest.json"))
    numbers: dict[str, Any] = {name: math.nan if found[name] is None else found[name] for name in ("metric", "test_metric")}
    plain = {name: found[name] for name in (*_AS_THEY_ARE, "status")}
    experiment = Experiment.from_dict(found["experiment"])
    info = RunInfo(f"starter-{path.stem}", experiment=experiment, builtin=True, **plain, **numbers)
    return info, tuple(_kept_steps(found)), found["sha256"]


def _part(path: Path, name: str, sums: dict[str, str]) -> bytes:
    """One part of a starter model's file. Raises ValueError when its checksum is another."""
    with zipfile.ZipFile(path) as archive:
        data = archive.read(name)
    if checksum(data) != sums[name]:
        raise ValueError("the starter model's file is damaged")
    return data
