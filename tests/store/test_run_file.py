"""A run as one file: complete, and checked before it is used."""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest

from rnn_core.store.arrays import checksum, pack, read_run, unpack, write_run
from rnn_core.store.store import Store
from tests import made_up


@pytest.fixture
def store(tmp_path: Path):
    store = Store(tmp_path / "home")
    yield store
    store.close()


@pytest.fixture
def exported(store: Store, tmp_path: Path) -> Path:
    run_id = made_up.fill(store, test_metric=0.75)
    store.rename(run_id, "A good one")
    return store.export(run_id, tmp_path / "good.run")


def test_an_imported_run_equals_the_exported_one(store: Store, exported: Path, tmp_path: Path):
    other = Store(tmp_path / "other")
    record = other.open(other.import_(exported))
    original = store.open(next(info.id for info in store.list() if not info.builtin))
    assert record.name == "A good one"
    assert record.status == "finished"
    assert record.info.test_metric == 0.75
    assert record.info.metric == original.info.metric
    assert record.experiment == original.experiment
    assert all(np.array_equal(record.history[name], original.history[name], equal_nan=True) for name in original.history)
    assert all(np.array_equal(*pair, equal_nan=True) for pair in zip(record.norm_history, original.norm_history, strict=True))
    assert record.snapshots == original.snapshots
    assert np.array_equal(record.model(100).weights[1], original.model(100).weights[1])
    assert other.import_(exported.read_bytes()) != record.id, "a second import is a second run"
    other.close()


def test_uploads_are_exported_and_imported(store: Store, tmp_path: Path):
    content = b"a,b\n1,2\n"
    experiment = made_up.EXPERIMENT.replace(source=checksum(content))
    run_id = store.create(experiment, uploads={checksum(content): content}, status="stopped")
    store.record(run_id, made_up.rows(1, 5))
    assert store.open(run_id).uploads == {checksum(content): content}
    other = Store(tmp_path / "other")
    assert other.open(other.import_(store.export(run_id, tmp_path / "x.run"))).uploads == {checksum(content): content}
    other.close()


def test_an_upload_under_a_wrong_checksum_is_refused(store: Store):
    with pytest.raises(ValueError, match="checksum"):
        store.create(made_up.EXPERIMENT, uploads={"0" * 64: b"x"})


def test_the_same_run_gives_the_same_bytes(store: Store, exported: Path, tmp_path: Path):
    run_id = next(info.id for info in store.list() if not info.builtin)
    assert store.export(run_id, tmp_path / "again.run").read_bytes() == exported.read_bytes()


# -------------------------------------------------------------------- hostile files


def _changed(exported: Path, tmp_path: Path, **changes: object) -> Path:
    """The exported run with some parts or manifest entries replaced, and valid checksums."""
    manifest, parts = read_run(exported)
    for name, value in changes.items():
        if isinstance(value, bytes):
            parts[name.replace("__", "/").replace("_npz", ".npz")] = value
        else:
            manifest[name] = value
    manifest.pop("sha256")
    write_run(tmp_path / "bad.run", manifest, parts)
    return tmp_path / "bad.run"


def _kept_step(**changes: object) -> bytes:
    """A kept step's file with some arrays or interface entries replaced."""
    from rnn_core.store.saved import kept_step_file

    arrays = unpack(kept_step_file(made_up.snapshot(100)).data)
    about = json.loads(arrays["about"].tobytes())
    for name, value in changes.items():
        if isinstance(value, np.ndarray):
            arrays[name] = value
        else:
            about["interface"][name] = value
    return pack(arrays | {"about": np.frombuffer(json.dumps(about).encode(), np.uint8)})


def _without(kept_step: bytes, name: str) -> bytes:
    """A kept step's file that lacks one of its arrays."""
    return pack({other: array for other, array in unpack(kept_step).items() if other != name})


HOSTILE = {
    "no experiment": {"experiment": None},
    "impossible experiment": {"experiment": {"units": 10**9}},
    "list as experiment": {"experiment": [1, 2]},
    "kept steps that are no numbers": {"moments": [{"step": "x"}]},
    "kept steps that are missing": {"moments": [{"step": 5, "epoch": 0}]},
    "kept steps below zero": {"moments": [{"step": -1, "epoch": 0}]},
    "history without columns": {"history_npz": pack({"step": np.arange(3)})},
    "history of texts": {"history_npz": pack({"step": np.array(["a", "b"])})},
    "norms of the wrong kind": {"norms_npz": pack({"steps": np.arange(3), "logs": np.zeros((3, 2))})},
    "norms of the wrong shape": {"norms_npz": pack({"steps": np.arange(3), "logs": np.zeros((2, 2), np.float32)})},
    "weights of the wrong shape": {"moments__00000100_npz": _kept_step(w0=np.zeros((3, 3), np.float32))},
    "weights of the wrong type": {"moments__00000100_npz": _kept_step(w0=np.zeros((2, 24)))},
    "weights with a gap": {"moments__00000100_npz": _without(_kept_step(), "w1")},
    "no description": {"moments__00000100_npz": _without(_kept_step(), "about")},
    "a network too large": {"moments__00000100_npz": _kept_step(input_size=10**9)},
    "a network of another kind": {"moments__00000100_npz": _kept_step(loss="eval")},
    "an interface of wrong types": {"moments__00000100_npz": _kept_step(outputs="many")},
    "a kept step that is no archive": {"moments__00000100_npz": b"PK\x03\x04 nonsense"},
}


@pytest.mark.parametrize("name", HOSTILE)
def test_an_invalid_file_is_refused_in_one_sentence(name: str, exported: Path, tmp_path: Path):
    other = Store(tmp_path / "other")
    with pytest.raises(ValueError) as problem:  # noqa: PT011  each case has its own sentence
        other.import_(_changed(exported, tmp_path, **HOSTILE[name]))
    assert "\n" not in str(problem.value)
    assert 10 < len(str(problem.value)) < 400
    assert [info for info in other.list() if not info.builtin] == []
    other.close()


def test_a_damaged_file_is_refused(store: Store, exported: Path):
    content = exported.read_bytes()
    for bad in (b"", b"nonsense", content[: len(content) // 2], content[:200] + bytes([content[200] ^ 1]) + content[201:]):
        with pytest.raises(ValueError, match=r"damaged|not a run"):
            store.import_(bad)


def _zip(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def test_a_zip_bomb_is_refused_before_unpacking(store: Store, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("rnn_core.store.arrays.MAX_BYTES", 8 * 2**20)  # the real limit takes a while to exceed
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("manifest.json", "w", force_zip64=True) as part,
    ):
        for _ in range(10):
            part.write(b"\0" * 2**20)
    with pytest.raises(ValueError, match="unpacks to more"):
        store.import_(buffer.getvalue())
    with pytest.raises(ValueError, match="unpacks to more"):
        store.import_(_zip({f"{n}": b"" for n in range(3000)}))


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "a/../../evil", "..\\evil"])
def test_a_path_outside_the_archive_is_refused(store: Store, name: str):
    with pytest.raises(ValueError, match="not allowed"):
        store.import_(_zip({"manifest.json": b"{}", name: b"x"}))


@pytest.mark.parametrize("manifest", [b"", b"[]", b"{", b"[" * 100_000, b'{"format": 7}', b"\xff\xfe"])
def test_an_invalid_manifest_is_refused(store: Store, manifest: bytes):
    with pytest.raises(ValueError, match="not a run"):
        store.import_(_zip({"manifest.json": manifest}))


def test_arrays_with_pickles_or_false_headers_are_refused():
    buffer = io.BytesIO()
    np.save(buffer, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(ValueError, match="numbers"):
        unpack(_zip({"x.npy": buffer.getvalue()}))
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": (10**12,)})
    with pytest.raises(ValueError, match="shape"):
        unpack(_zip({"x.npy": header.getvalue()}))
    with pytest.raises(ValueError):  # noqa: PT011  the message is numpy's
        unpack(_zip({"x.npy": pickle.dumps([1, 2])}))


def test_pack_and_unpack_agree():
    arrays = {"a": np.arange(6).reshape(2, 3), "b": np.asfortranarray(np.ones((2, 3))), "c": np.array(3.5), "d": np.array([1j])}
    found = unpack(pack(arrays))
    assert all(np.array_equal(found[name], arrays[name]) and found[name].dtype == arrays[name].dtype for name in arrays)
    assert found["a"].flags.writeable
