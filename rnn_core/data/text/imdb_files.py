"""Finds and reads the IMDB files, and keeps a copy that loads faster.

Sources in order: the folder of UNROLLED_IMDB; Keras's cache; the copy of an earlier run; a download by Keras into its cache.
Without any of them, FileNotFoundError says what to do.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import pickle
import shutil
import zipfile
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np

from rnn_core.data.disk import home_folder, write_atomically
from rnn_core.data.sequences import Sequences, offsets_of
from rnn_core.data.text.token_ids import OFFSET, START

REVIEWS, INDEX = "imdb.npz", "imdb_word_index.json"
MIN_FREE_BYTES = 2**30  # free disk space from which `prepare` writes a copy, which takes a twentieth of it
_ORIGIN = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
_HASHES = {  # as in keras.datasets.imdb
    REVIEWS: "69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f",
    INDEX: "bfafd718b763782e994055a2d397834f",
}
_FIELDS = ("values", "offsets", "targets")  # arrays of Sequences, in the order of its fields
_ADVICE = "Put imdb.npz and imdb_word_index.json into a folder and name it in UNROLLED_IMDB, or choose the toy reviews, which need no download."


def find(name: str) -> Path | None:
    """A file on this machine, or None where it must be downloaded.

    Raises: FileNotFoundError where UNROLLED_IMDB names a folder without the file.
    """
    folder = os.environ.get("UNROLLED_IMDB")
    if folder:
        if not (Path(folder) / name).is_file():
            raise FileNotFoundError(f"UNROLLED_IMDB is {folder!r}, but there is no {name} in it. {_ADVICE}")
        return Path(folder) / name
    path = _keras_home() / "datasets" / name
    return path if path.is_file() else None


def _keras_home() -> Path:
    """Keras's folder; its subfolder `datasets` has the downloads."""
    return Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")


def available() -> bool:
    """Whether the reviews can be read without a download."""
    try:
        return find(REVIEWS) is not None or _copy().is_file()
    except FileNotFoundError:
        return False


def download(name: str) -> Path:
    """Downloads a file into Keras's cache, with progress on the terminal. Loads Keras: for worker processes only."""
    from keras.utils import get_file

    with contextlib.suppress(OSError):  # otherwise Keras uses the temporary folder, which `find` does not search
        _keras_home().mkdir(parents=True, exist_ok=True)
    try:
        return Path(get_file(fname=name, origin=_ORIGIN + name, file_hash=_HASHES[name], cache_dir=str(_keras_home())))
    except Exception as reason:  # Keras raises a bare Exception for an unreachable host and ValueError for a wrong hash
        unreachable = "URL fetch failure" in str(reason)
        cause = f"{urlsplit(_ORIGIN).hostname} cannot be reached" if unreachable else " ".join(str(reason).split())[:200]
        raise FileNotFoundError(f"{name} is not on this machine and could not be downloaded ({cause}). {_ADVICE}") from None


def word_index() -> dict[str, int]:
    """Word → rank, 1 = most frequent: 88,584 words."""
    path = find(INDEX) or download(INDEX)
    return json.loads(path.read_text("utf-8"))


def reviews() -> tuple[Sequences, Sequences]:
    """The training and the test reviews with all their words, in the order of `keras.datasets.imdb.load_data`.

    Values are ids (rank + 3), the first id of each review is 1; targets are (N, 1) float32, 1 = positive.
    """
    source = find(REVIEWS)
    if source is None and not _copy().is_file():
        source = download(REVIEWS)
    return _reviews(source, "" if source is None else _stamp(source), _copy())


def _stamp(source: Path) -> str:
    """Size and time of change: differs when the file has changed."""
    return f"{source.stat().st_size} {source.stat().st_mtime_ns}"


def prepare() -> None:
    """Makes the fast copy in advance if the reviews are on this machine and MIN_FREE_BYTES are free.

    The first training on them then starts a second earlier. Errors are ignored here; `reviews` raises them.
    """
    with contextlib.suppress(OSError, ValueError):
        source, copy = find(REVIEWS), _copy()
        copy.parent.mkdir(parents=True, exist_ok=True)
        if source is not None and not copy.is_file() and shutil.disk_usage(copy.parent).free > MIN_FREE_BYTES:
            _write_copy(copy, _stamp(source), *_read(source))


@lru_cache(1)
def _reviews(source: Path | None, stamp: str, copy: Path) -> tuple[Sequences, Sequences]:
    damaged = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile)
    with contextlib.suppress(*damaged), copy.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
        if source is None or str(file["stamp"]) == stamp:  # otherwise the source has changed since the copy
            train, test = (Sequences(*(file[f"{part}_{field}"] for field in _FIELDS)) for part in ("train", "test"))
            return train, test
    parts = _read(source or download(REVIEWS))
    with contextlib.suppress(OSError):  # without a writable folder every start reads the slow file
        _write_copy(copy, stamp, *parts)
    return parts


def _read(path: Path) -> tuple[Sequences, Sequences]:
    """Reads Keras's file of object arrays, one part after the other to save memory."""
    rng = np.random.RandomState(113)  # one stream for both parts, as in load_data
    parts = []
    try:
        with (
            zipfile.ZipFile(path),
            path.open("rb") as opened,
            np.load(opened, allow_pickle=True) as file,
        ):  # the user's own file, or one of known hash
            for part in ("train", "test"):
                ranks, labels = file[f"x_{part}"], file[f"y_{part}"]
                order = np.arange(len(ranks))
                rng.shuffle(order)
                parts.append(_flattened(ranks[order], labels[order]))
                del ranks
    except (ValueError, KeyError, TypeError, zipfile.BadZipFile, EOFError, pickle.UnpicklingError) as reason:
        raise ValueError(f"{path} is not the IMDB file of Keras ({reason}). {_ADVICE}") from None
    return parts[0], parts[1]


def _flattened(reviews: np.ndarray, labels: np.ndarray) -> Sequences:
    """Lists of ranks as `Sequences` of ids."""
    offsets = offsets_of([len(review) + 1 for review in reviews])
    values = np.empty(offsets[-1], np.int32)
    for review, start, end in zip(reviews, offsets[:-1], offsets[1:], strict=True):
        values[start + 1 : end] = review
    values += OFFSET
    values[offsets[:-1]] = START
    return Sequences(values, offsets, labels.astype(np.float32)[:, None])


def _copy() -> Path:
    """The copy: flat arrays that load in a fraction of a second."""
    return home_folder() / "imdb-ids.npz"


def _write_copy(copy: Path, stamp: str, train: Sequences, test: Sequences) -> None:
    parts = {"train": train, "test": test}
    arrays = {f"{name}_{field}": getattr(part, field) for name, part in parts.items() for field in _FIELDS}
    file = io.BytesIO()
    np.savez(file, stamp=np.array(stamp), **arrays)
    write_atomically(copy, file.getvalue())
