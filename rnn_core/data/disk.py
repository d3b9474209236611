"""The folder of everything that is kept on disk, and how a file is written there."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def home_folder(home: str | Path | None = None) -> Path:
    """`home`, else UNROLLED_HOME, else the platform's user data folder."""
    import platformdirs

    return Path(home or os.environ.get("UNROLLED_HOME") or platformdirs.user_data_path("unrolled", appauthor=False))


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file so that it never holds a part of `data`: to a temporary file, flushed to disk, then renamed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o644)  # mkstemp makes files readable by the owner only
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
