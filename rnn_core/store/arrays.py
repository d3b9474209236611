"""Arrays in files without pickle, and one run as a single zip file that can be checked before anything in it is believed."""

from __future__ import annotations

import hashlib
import io
import json
import math
import os
import tempfile
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

FORMAT = "unrolled-run-1"
LARGEST = 512 * 2**20  # bytes of an imported run, unpacked
MOST_FILES = 2_000  # members of an imported run
_KINDS = "biufc"  # array kinds that may be read: booleans, whole, real and complex numbers


def pack(arrays: Mapping[str, np.ndarray], compress: bool = False) -> bytes:
    """Arrays as the bytes of an .npz file."""
    buffer = io.BytesIO()
    (np.savez_compressed if compress else np.savez)(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def unpack(data: bytes, largest: int = LARGEST) -> dict[str, np.ndarray]:
    """The inverse of `pack`, for bytes that may come from anywhere.

    Raises:
        ValueError: not an .npz of plain numbers, or larger than `largest` bytes unpacked.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _weigh(archive, largest)
            return {info.filename.removesuffix(".npy"): _array(archive.read(info)) for info in archive.infolist()}
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, NotImplementedError, RuntimeError, OSError) as problem:
        raise ValueError(f"the file of arrays is damaged ({problem})") from problem


def _array(data: bytes) -> np.ndarray:
    """One .npy file. Its header is compared with its size before any memory is asked for."""
    stream = io.BytesIO(data)
    version = np.lib.format.read_magic(stream)
    if version not in ((1, 0), (2, 0)):
        raise ValueError("an array is in a format that is not read here")
    reader = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, fortran, dtype = reader(stream)
    if dtype.kind not in _KINDS or dtype.hasobject:
        raise ValueError(f"arrays must hold numbers, got {dtype}")
    if any(size < 0 for size in shape) or math.prod(shape) * dtype.itemsize != len(data) - stream.tell():
        raise ValueError(f"an array says its shape is {shape}, its size says otherwise")
    values = np.frombuffer(data, dtype, offset=stream.tell())
    return values.reshape(shape, order="F" if fortran else "C").copy()


def _weigh(archive: zipfile.ZipFile, largest: int) -> None:
    """Refuse zip bombs and names that reach out of the archive, before anything is unpacked."""
    infos = archive.infolist()
    if len(infos) > MOST_FILES or sum(info.file_size for info in infos) > largest:
        raise ValueError(f"the file unpacks to more than {largest // 2**20} MB or {MOST_FILES} parts")
    for info in infos:
        if info.filename.startswith("/") or ".." in info.filename or "\\" in info.filename or info.is_dir():
            raise ValueError(f"the file holds a part with a name that is not allowed: {info.filename[:80]!r}")
    if len({info.filename for info in infos}) != len(infos):
        raise ValueError("the file holds two parts of one name")


def checksum(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def write_atomically(path: Path, data: bytes) -> None:
    """The file holds all of `data` or is not there (or is the old one): written beside, flushed to disk, then renamed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o644)  # mkstemp's files are for the owner alone
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def write_run(path: Path, manifest: Mapping[str, Any], parts: Mapping[str, bytes]) -> None:
    """One run as a zip: manifest.json (with the checksum of every part) and the parts."""
    buffer = io.BytesIO()
    listing = dict(manifest) | {"format": FORMAT, "sha256": {name: checksum(data) for name, data in parts.items()}}
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in {"manifest.json": json.dumps(listing, sort_keys=True).encode(), **parts}.items():
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED)  # same run, same bytes
    write_atomically(path, buffer.getvalue())


def read_run(source: Path | bytes) -> tuple[dict[str, Any], dict[str, bytes]]:
    """The manifest and the parts of such a file, with every checksum verified.

    Raises:
        ValueError: with one sentence that says what is wrong.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(source) if isinstance(source, bytes) else source) as archive:
            _weigh(archive, LARGEST)
            parts = {info.filename: archive.read(info) for info in archive.infolist()}
        manifest = json.loads(parts.pop("manifest.json"))
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        KeyError,
        NotImplementedError,
        RuntimeError,
        RecursionError,
        OSError,
    ) as problem:
        raise ValueError("this is not a run exported by Unrolled, or it is damaged") from problem
    except ValueError as problem:
        if isinstance(problem, (json.JSONDecodeError, UnicodeDecodeError)):
            raise ValueError("this is not a run exported by Unrolled: its manifest cannot be read") from problem
        raise
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise ValueError("this is not a run exported by Unrolled, or by a version that is not known here")
    if manifest.get("sha256") != {name: checksum(data) for name, data in parts.items()}:
        raise ValueError("the file is damaged: a part does not match its checksum")
    return manifest, parts
