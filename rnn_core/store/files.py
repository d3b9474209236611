"""The files beside a store's index: kept weights, checkpoints and uploads, and space reserved for a full disk."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from rnn_core.data.disk import write_atomically
from rnn_core.store.arrays import checksum

RESERVED_BYTES = 256 * 1024  # freed on a full disk, so that the failure of a run can still be recorded


class RunFiles:
    """Reads and writes the files under a store's folder. A file is complete or absent (`write_atomically`)."""

    def __init__(self, home: Path) -> None:
        self.home = home
        reserve = home / "ballast"
        if not reserve.exists() and shutil.disk_usage(home).free > 8 * RESERVED_BYTES:
            write_atomically(reserve, b"\0" * RESERVED_BYTES)

    def path(self, run_id: str, kind: str, step: int) -> Path:
        """Path of a run's "moment" (a kept step) or "checkpoint"."""
        return self.home / "runs" / run_id / f"{kind}-{step:08d}.npz"

    def write(self, run_id: str, kind: str, step: int, content: bytes) -> None:
        write_atomically(self.path(run_id, kind, step), content)

    def read(self, run_id: str, kind: str, step: int, sha256: str) -> bytes:
        """The file's bytes. Raises OSError when it is missing, ValueError when its checksum is another."""
        content = self.path(run_id, kind, step).read_bytes()
        if checksum(content) != sha256:
            raise ValueError("the file on disk is damaged")
        return content

    def delete(self, run_id: str, kind: str, step: int) -> None:
        self.path(run_id, kind, step).unlink(missing_ok=True)

    def delete_all(self, run_id: str) -> None:
        """Delete all files of a run."""
        shutil.rmtree(self.home / "runs" / run_id, ignore_errors=True)

    def write_uploads(self, uploads: Mapping[str, bytes]) -> None:
        """Write uploaded files, SHA-256 → bytes. Raises ValueError when a key is not the content's SHA-256."""
        for digest, content in uploads.items():
            if checksum(content) != digest:
                raise ValueError("an upload does not match its checksum")
            if not (self.home / "uploads" / digest).exists():
                write_atomically(self.home / "uploads" / digest, content)

    def uploads(self, source: str) -> dict[str, bytes]:
        """SHA-256 → bytes of the upload with the SHA-256 `source`; empty when it is not here."""
        return {source: (self.home / "uploads" / source).read_bytes()} if self.has_upload(source) else {}

    def has_upload(self, source: str) -> bool:
        """Whether the upload with the SHA-256 `source` is here."""
        return bool(re.fullmatch("[0-9a-f]{64}", source)) and (self.home / "uploads" / source).is_file()

    def size(self) -> int:
        """Bytes on disk of all files under the folder, the index included."""
        return sum(path.stat().st_size for path in self.home.rglob("*") if path.is_file())

    def free_reserve(self) -> None:
        """Free the reserved space, after a write to a full disk failed."""
        (self.home / "ballast").unlink(missing_ok=True)
