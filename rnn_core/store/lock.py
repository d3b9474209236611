"""Who writes a run: a lock that the operating system frees when its process ends, however it ends."""

from __future__ import annotations

import os
import uuid
import weakref
from pathlib import Path


def _try_lock(file: int) -> bool:
    """Take an open file's lock without waiting; False when somebody, this process included, holds it through another handle."""
    try:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
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
        file = os.open(folder / self.id, os.O_RDWR | os.O_CREAT, 0o644)
        _try_lock(file)
        self.close = weakref.finalize(self, _let_go, file, folder / self.id)  # also when forgotten, and at exit

    def alive(self, owner: str) -> bool:
        """Whether the writer called `owner` (this one included) still runs."""
        try:
            file = os.open(self.folder / owner, os.O_RDWR)
        except OSError:
            return False
        try:
            return not _try_lock(file)
        finally:
            os.close(file)

    def _sweep(self) -> None:
        """Forget owners that are gone."""
        for path in self.folder.iterdir():
            if not self.alive(path.name):
                path.unlink(missing_ok=True)


def _let_go(file: int, path: Path) -> None:
    os.close(file)
    path.unlink(missing_ok=True)
