"""Where the IMDB files are found, how they are read, and our own quick copy of them.

The chain: the folder named by UNROLLED_IMDB; else Keras's cache; else our own copy from an earlier run; else a download
by Keras into its cache; else one sentence that says what to do.
"""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import shutil
import tempfile
import zipfile
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np

from rnn_core.data.sequences import Sequences
from rnn_core.data.text.token_ids import OFFSET, START

REVIEWS, INDEX = "imdb.npz", "imdb_word_index.json"
ROOM = 2**30  # bytes that must be free before a copy is made that nobody asked for; it takes a twentieth of that
_ORIGIN = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
_HASHES = {  # as in keras.datasets.imdb
    REVIEWS: "69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f",
    INDEX: "bfafd718b763782e994055a2d397834f",
}
_ADVICE = "Put imdb.npz and imdb_word_index.json into a folder and name it in UNROLLED_IMDB, or choose the toy reviews, which need no download."


def find(name: str) -> Path | None:
    """A file on this machine, or None where it would have to be downloaded.

    Raises FileNotFoundError where UNROLLED_IMDB names a folder without the file.
    """
    folder = os.environ.get("UNROLLED_IMDB")
    if folder:
        if not (Path(folder) / name).is_file():
            raise FileNotFoundError(f"UNROLLED_IMDB is {folder!r}, but there is no {name} in it. {_ADVICE}")
        return Path(folder) / name
    path = _keras_home() / "datasets" / name
    return path if path.is_file() else None


def _keras_home() -> Path:
    """Keras's own folder, in whose `datasets` it keeps what it downloads."""
    return Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")


def available() -> bool:
    """Whether the reviews are on this machine, so that nothing needs to be downloaded."""
    try:
        return find(REVIEWS) is not None or _copy().is_file()
    except FileNotFoundError:
        return False


def download(name: str) -> Path:
    """A file fetched into Keras's cache, with progress on the terminal. Loads Keras: for worker processes."""
    from keras.utils import get_file

    with contextlib.suppress(OSError):  # else Keras turns to the temporary folder, where we look for nothing
        _keras_home().mkdir(parents=True, exist_ok=True)
    try:
        return Path(get_file(fname=name, origin=_ORIGIN + name, file_hash=_HASHES[name], cache_dir=str(_keras_home())))
    except Exception as reason:  # Keras raises a bare Exception for an unreachable host and ValueError for a wrong hash
        away = "URL fetch failure" in str(reason)
        cause = f"{urlsplit(_ORIGIN).hostname} cannot be reached" if away else " ".join(str(reason).split())[:200]
        raise FileNotFoundError(f"{name} is not on this machine and could not be downloaded ({cause}). {_ADVICE}") from None


def word_index() -> dict[str, int]:
    """Word → rank, 1 = most frequent: 88,584 words."""
    path = find(INDEX) or download(INDEX)
    return json.loads(path.read_text("utf-8"))


def reviews() -> tuple[Sequences, Sequences]:
    """The training and the test reviews with all their words, in the order of `keras.datasets.imdb.load_data`.

    Values are ids (rank + 3), each review begins with id 1; targets are (N, 1) float32, 1 = positive.
    """
    source = find(REVIEWS)
    if source is None and not _copy().is_file():
        source = download(REVIEWS)
    return _reviews(source, "" if source is None else _stamp(source), _copy())


def _stamp(source: Path) -> str:
    """What changes with the file."""
    return f"{source.stat().st_size} {source.stat().st_mtime_ns}"


def prepare() -> None:
    """Makes our own quick copy in advance, where the reviews are on this machine and there is plenty of room.

    Whoever trains on them first then waits a second less. Nothing that goes wrong here matters: it will be said when they are read.
    """
    with contextlib.suppress(OSError, ValueError):
        source, copy = find(REVIEWS), _copy()
        copy.parent.mkdir(parents=True, exist_ok=True)
        if source is not None and not copy.is_file() and shutil.disk_usage(copy.parent).free > ROOM:
            _keep(copy, _stamp(source), *_read(source))


@lru_cache(1)
def _reviews(source: Path | None, stamp: str, copy: Path) -> tuple[Sequences, Sequences]:
    damaged = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile)
    with contextlib.suppress(*damaged), copy.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
        if source is None or str(file["stamp"]) == stamp:  # else the source has changed since it was copied
            fields = ("values", "offsets", "targets")
            train, test = (Sequences(*(file[f"{part}_{field}"] for field in fields)) for part in ("train", "test"))
            return train, test
    parts = _read(source or download(REVIEWS))
    with contextlib.suppress(OSError):  # without a writable home every start reads the slow file
        _keep(copy, stamp, *parts)
    return parts


def _read(path: Path) -> tuple[Sequences, Sequences]:
    """From the object arrays of Keras's own file, one part after the other to save memory."""
    rng = np.random.RandomState(113)  # one stream for both parts, as in load_data
    parts = []
    try:
        with (
            zipfile.ZipFile(path),
            path.open("rb") as opened,
            np.load(opened, allow_pickle=True) as file,
        ):  # the user's own, or of known hash
            for part in ("train", "test"):
                ranks, labels = file[f"x_{part}"], file[f"y_{part}"]
                order = np.arange(len(ranks))
                rng.shuffle(order)
                parts.append(_flat(ranks[order], labels[order]))
                del ranks
    except (ValueError, KeyError, TypeError, zipfile.BadZipFile, EOFError, pickle.UnpicklingError) as reason:
        raise ValueError(f"{path} is not the IMDB file of Keras ({reason}). {_ADVICE}") from None
    return parts[0], parts[1]


def _flat(reviews: np.ndarray, labels: np.ndarray) -> Sequences:
    """Lists of ranks as one flat array of ids."""
    offsets = np.concatenate([[0], np.cumsum([len(review) + 1 for review in reviews])]).astype(np.int64)
    values = np.empty(offsets[-1], np.int32)
    for review, start, end in zip(reviews, offsets[:-1], offsets[1:], strict=True):
        values[start + 1 : end] = review
    values += OFFSET
    values[offsets[:-1]] = START
    return Sequences(values, offsets, labels.astype(np.float32)[:, None])


def _copy() -> Path:
    """Our own copy: flat arrays that load in a fraction of a second."""
    import platformdirs

    home = os.environ.get("UNROLLED_HOME") or platformdirs.user_data_path("unrolled", appauthor=False)
    return Path(home) / "imdb-ids.npz"


def _keep(copy: Path, stamp: str, train: Sequences, test: Sequences) -> None:
    """Writes the copy in one piece: a crash or a second process leaves no half of it."""
    copy.parent.mkdir(parents=True, exist_ok=True)
    arrays = {
        f"{name}_{field}": getattr(part, field)
        for name, part in (("train", train), ("test", test))
        for field in ("values", "offsets", "targets")
    }
    handle, temporary = tempfile.mkstemp(dir=copy.parent, prefix=copy.name)
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez(file, stamp=np.array(stamp), **arrays)
        os.replace(temporary, copy)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
