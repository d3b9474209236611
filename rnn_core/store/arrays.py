"""Arrays to and from .npz bytes without pickle, and a run to and from one zip file, checked before it is used."""

from __future__ import annotations

import hashlib
import io
import json
import math
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from rnn_core.data.disk import write_atomically

FORMAT = "unrolled-run-1"
MAX_BYTES = 512 * 2**20  # of an imported run, unpacked
MAX_FILES = 2_000  # members of an imported run
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, KeyError, RuntimeError, OSError)  # raised where a zip file is damaged
_KINDS = "biufc"  # dtype kinds that may be read: boolean, integer, unsigned, float, complex


def pack(arrays: Mapping[str, np.ndarray], compress: bool = False) -> bytes:
    """Arrays as the bytes of an .npz file."""
    buffer = io.BytesIO()
    (np.savez_compressed if compress else np.savez)(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def unpack(data: bytes) -> dict[str, np.ndarray]:
    """The arrays of .npz bytes from any source, by name; the inverse of `pack`.

    Raises:
        ValueError: not an .npz of plain numbers, or larger than MAX_BYTES unpacked.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _check_archive(archive)
            return {info.filename.removesuffix(".npy"): _array(archive.read(info)) for info in archive.infolist()}
    except _DAMAGED as problem:
        raise ValueError(f"the file of arrays is damaged ({problem})") from problem


def _array(data: bytes) -> np.ndarray:
    """The array of one .npy file. Its header is compared with its size before memory is allocated."""
    stream = io.BytesIO(data)
    version = np.lib.format.read_magic(stream)
    if version not in ((1, 0), (2, 0)):
        raise ValueError(f"arrays must be in .npy format 1.0 or 2.0, got {version[0]}.{version[1]}")
    reader = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, fortran, dtype = reader(stream)
    if dtype.kind not in _KINDS or dtype.hasobject:
        raise ValueError(f"arrays must hold numbers, got {dtype}")
    if any(size < 0 for size in shape) or math.prod(shape) * dtype.itemsize != len(data) - stream.tell():
        raise ValueError(f"an array's shape {shape} does not match its size of {len(data) - stream.tell()} bytes")
    values = np.frombuffer(data, dtype, offset=stream.tell())
    return values.reshape(shape, order="F" if fortran else "C").copy()


def _check_archive(archive: zipfile.ZipFile) -> None:
    """Raise ValueError for zip bombs, path traversal and duplicate names, before anything is unpacked."""
    infos = archive.infolist()
    if len(infos) > MAX_FILES or sum(info.file_size for info in infos) > MAX_BYTES:
        raise ValueError(f"the file unpacks to more than {MAX_BYTES // 2**20} MB or {MAX_FILES} parts")
    for info in infos:
        if info.filename.startswith("/") or ".." in info.filename or "\\" in info.filename or info.is_dir():
            raise ValueError(f"the file holds a part with a name that is not allowed: {info.filename[:80]!r}")
    if len({info.filename for info in infos}) != len(infos):
        raise ValueError("the file holds two parts of one name")


def checksum(data: bytes) -> str:
    """SHA-256, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def write_run(path: Path, manifest: Mapping[str, Any], parts: Mapping[str, bytes]) -> None:
    """Write a run as a zip file: manifest.json, with the checksum of every part, and the parts. Equal runs give equal bytes."""
    buffer = io.BytesIO()
    listing = dict(manifest) | {"format": FORMAT, "sha256": {name: checksum(data) for name, data in parts.items()}}
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in {"manifest.json": json.dumps(listing, sort_keys=True).encode(), **parts}.items():
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED)
    write_atomically(path, buffer.getvalue())


def read_run(source: Path | bytes) -> tuple[dict[str, Any], dict[str, bytes]]:
    """The manifest and the parts of a file by `write_run`, with every checksum verified.

    Raises:
        ValueError: one sentence on what is wrong with the file.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(source) if isinstance(source, bytes) else source) as archive:
            _check_archive(archive)
            parts = {info.filename: archive.read(info) for info in archive.infolist()}
        manifest = json.loads(parts.pop("manifest.json"))
    except _DAMAGED as problem:
        raise ValueError("this is not a run exported by Unrolled, or it is damaged") from problem
    except (json.JSONDecodeError, UnicodeDecodeError) as problem:
        raise ValueError("this is not a run exported by Unrolled: its manifest cannot be read") from problem
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise ValueError("this is not a run exported by Unrolled, or by a version that cannot be read here")
    if manifest.get("sha256") != {name: checksum(data) for name, data in parts.items()}:
        raise ValueError("the file is damaged: a part does not match its checksum")
    return manifest, parts
