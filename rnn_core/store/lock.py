"""Owners of runs: each writing process holds a file lock, which the operating system frees when the process ends."""

from __future__ import annotations

import os
import uuid
import weakref
from pathlib import Path


def _try_lock(file: int) -> bool:
    """Lock an open file without waiting; False when it is locked through another handle, in this process or another."""
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
    """One writer of the store, alive while its lock is held."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.id = folder, uuid.uuid4().hex
        self._delete_dead()
        file = os.open(folder / self.id, os.O_RDWR | os.O_CREAT, 0o644)
        _try_lock(file)
        self.close = weakref.finalize(self, _release, file, folder / self.id)  # also at garbage collection and at exit

    def alive(self, owner: str) -> bool:
        """Whether the process of the owner with this id still runs."""
        try:
            file = os.open(self.folder / owner, os.O_RDWR)
        except OSError:
            return False
        try:
            return not _try_lock(file)
        finally:
            os.close(file)

    def _delete_dead(self) -> None:
        """Delete the lock files of owners that have ended."""
        for path in self.folder.iterdir():
            if not self.alive(path.name):
                path.unlink(missing_ok=True)


def _release(file: int, path: Path) -> None:
    os.close(file)
    path.unlink(missing_ok=True)
