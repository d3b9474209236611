"""Writes results of the lessons' benchmarks to rnn_core/studies/recorded/lessons.json, a section each."""

from __future__ import annotations

import json
from typing import Any

from rnn_core.studies.lesson_measurements import RECORDED


def write(section: str, found: dict[str, Any]) -> None:
    """Merges a section into the file, key by key."""
    record = json.loads(RECORDED.read_text()) if RECORDED.exists() else {}
    record[section] = {**record.get(section, {}), **found}
    RECORDED.write_text(json.dumps(record, indent=1, sort_keys=True, ensure_ascii=False) + "\n")
