"""Numbers for a component as bytes: the length of a JSON header in four bytes, the header, then the arrays it names.

An array in the header is {at, shape, type, scale}: `at` bytes after the header; value = stored / (largest of the type) × scale.
Unpacked by static/strip.js and the Sentence player's payload.js.
"""

from __future__ import annotations

import hashlib
import json
import struct
from typing import Any

import numpy as np

LARGEST = {"int8": 127, "int16": 32767}


class Packer:
    """Collects arrays as bytes and returns what the header says about each."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self.size = 0

    def add(self, values: np.ndarray, kind: str = "float32") -> dict[str, Any]:
        """Append an array as "float32", or rounded as "int16" or "int8", scaled to its largest finite value; what is not finite becomes 0 there."""
        place: dict[str, Any] = {"at": self.size, "shape": list(values.shape), "type": kind}
        if kind == "float32":
            raw = values.astype("<f4").tobytes()
        else:
            finite = np.where(np.isfinite(values), values, 0)
            place["scale"] = float(np.abs(finite).max(initial=0.0)) or 1.0
            raw = np.round(finite / place["scale"] * LARGEST[kind]).astype({"int16": "<i2", "int8": "i1"}[kind]).tobytes()
        raw += b"\0" * (-len(raw) % 4)
        self.parts.append(raw)
        self.size += len(raw)
        return place

    def packed(self, header: dict[str, Any]) -> bytes:
        """All of it, with a hash of the content as the header's "rev"."""
        numbers = b"".join(self.parts)
        rev = hashlib.sha1(json.dumps(header).encode() + numbers).hexdigest()
        text = json.dumps({**header, "rev": rev}).encode()
        text += b" " * (-len(text) % 4)
        return struct.pack("<I", len(text)) + text + numbers


def header_of(data: bytes) -> dict[str, Any]:
    """The header of packed bytes."""
    return json.loads(data[4 : 4 + struct.unpack("<I", data[:4])[0]])
