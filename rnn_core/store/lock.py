"""Owners of runs: each writing process holds a file lock, which the operating system frees when the process ends."""

from __future__ import annotations

import uuid
import weakref
from pathlib import Path

from filelock import FileLock, Timeout


class Owner:
    """One writer of the store, alive while its lock is held."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.id = folder, uuid.uuid4().hex
        self._delete_dead()
        lock = FileLock(folder / self.id, thread_local=False)  # any thread may close the store
        lock.acquire()
        self.close = weakref.finalize(self, _release, lock)  # also at garbage collection and at exit

    def alive(self, owner: str) -> bool:
        """Whether the process of the owner with this id still runs."""
        path = self.folder / owner
        if not path.is_file():
            return False
        try:
            with FileLock(path, blocking=False):
                return False
        except (Timeout, OSError) as problem:
            return isinstance(problem, Timeout)

    def _delete_dead(self) -> None:
        """Delete the lock files of owners that have ended."""
        for path in self.folder.iterdir():
            if not self.alive(path.name):
                path.unlink(missing_ok=True)


def _release(lock: FileLock) -> None:
    lock.release()
    Path(lock.lock_file).unlink(missing_ok=True)
