"""Where the lessons' benchmarks put what they measured: one section each of rnn_core/studies/recorded/lessons.json."""

from __future__ import annotations

import json
from typing import Any

from rnn_core.studies.lesson_measurements import RECORDED


def write(section: str, found: dict[str, Any]) -> None:
    """Merge a section into the record, key by key."""
    record = json.loads(RECORDED.read_text()) if RECORDED.exists() else {}
    record[section] = {**record.get(section, {}), **found}
    RECORDED.write_text(json.dumps(record, indent=1, sort_keys=True, ensure_ascii=False) + "\n")
