"""The files beside a store's index: kept moments and checkpoints, uploads, and space set aside for the last words."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from rnn_core.store.arrays import checksum, write_atomically

BALLAST = 256 * 1024  # bytes set aside, so that a full disk still has room to say so


class Shelf:
    """Everything under a store's folder that is a file of its own. A file is whole or absent (`write_atomically`)."""

    def __init__(self, home: Path) -> None:
        self.home = home
        ballast = home / "ballast"
        if not ballast.exists() and shutil.disk_usage(home).free > 8 * BALLAST:
            write_atomically(ballast, b"\0" * BALLAST)

    def path(self, run_id: str, what: str, step: int) -> Path:
        """Where a run's "moment" or "checkpoint" of a step lies."""
        return self.home / "runs" / run_id / f"{what}-{step:08d}.npz"

    def put(self, run_id: str, what: str, step: int, content: bytes) -> None:
        write_atomically(self.path(run_id, what, step), content)

    def read(self, run_id: str, what: str, step: int, sha256: str) -> bytes:
        """Raises OSError where the file is gone, ValueError where it is not what was put there."""
        content = self.path(run_id, what, step).read_bytes()
        if checksum(content) != sha256:
            raise ValueError("the file on disk is damaged")
        return content

    def drop(self, run_id: str, what: str, step: int) -> None:
        self.path(run_id, what, step).unlink(missing_ok=True)

    def clear(self, run_id: str) -> None:
        """Remove all of a run's files."""
        shutil.rmtree(self.home / "runs" / run_id, ignore_errors=True)

    def take_in(self, uploads: Mapping[str, bytes]) -> None:
        """Keep uploaded files under their SHA-256. Raises ValueError for one that is named wrongly."""
        for digest, content in uploads.items():
            if checksum(content) != digest:
                raise ValueError("an upload does not match its checksum")
            if not (self.home / "uploads" / digest).exists():
                write_atomically(self.home / "uploads" / digest, content)

    def uploads(self, source: str) -> dict[str, bytes]:
        """SHA-256 → bytes of the upload of that name, if it is here."""
        path = self.home / "uploads" / source
        return {source: path.read_bytes()} if re.fullmatch("[0-9a-f]{64}", source) and path.is_file() else {}

    def size(self) -> int:
        """Bytes on disk of everything under the folder, the index included."""
        return sum(path.stat().st_size for path in self.home.rglob("*") if path.is_file())

    def spend_ballast(self) -> None:
        """Free the space set aside for the last words on a full disk."""
        (self.home / "ballast").unlink(missing_ok=True)
