"""Who writes a run: a lock that the operating system frees when its process ends, however it ends."""

from __future__ import annotations

import os
import uuid
from pathlib import Path
from typing import IO


def _try_lock(file: IO[bytes]) -> bool:
    """Take the file's lock without waiting; False when somebody, this process included, holds it through another handle."""
    try:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


class Owner:
    """One writer of the store, alive as long as its lock is held."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.id = folder, uuid.uuid4().hex
        self._sweep()
        self._file = open(folder / self.id, "wb")  # noqa: SIM115  held for the owner's life
        _try_lock(self._file)

    def alive(self, owner: str) -> bool:
        """Whether the writer called `owner` (this one included) still runs."""
        try:
            with open(self.folder / owner, "rb+") as file:
                return not _try_lock(file)
        except OSError:
            return False

    def _sweep(self) -> None:
        """Forget owners that are gone."""
        for path in self.folder.iterdir():
            if not self.alive(path.name):
                path.unlink(missing_ok=True)

    def close(self) -> None:
        self._file.close()
        (self.folder / self.id).unlink(missing_ok=True)
