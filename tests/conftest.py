"""What all tests share: a run store of their own, real IMDB where it lies beside the project, and helpers for pages."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
SHARED_IMDB = ROOT.parent / "shared" / "imdb"

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["UNROLLED_HOME"] = tempfile.mkdtemp(prefix="unrolled-tests-")
if "UNROLLED_IMDB" not in os.environ and (SHARED_IMDB / "imdb.npz").exists():
    os.environ["UNROLLED_IMDB"] = str(SHARED_IMDB)


def figures(app: Any) -> dict[str, dict[str, Any]]:
    """Key → figure (a plain dict with data and layout) of every chart that an AppTest page drew."""
    found = {}
    for element in app.get("bidi_component"):
        if element.proto.WhichOneof("data") == "bytes" and element.proto.bytes.startswith(b"{"):
            drawn = json.loads(element.proto.bytes)
            if "figure" in drawn:
                found[drawn["name"]] = {**drawn["figure"], "alt": drawn["alt"]}
    return found


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty run store for one test."""
    monkeypatch.setenv("UNROLLED_HOME", str(tmp_path))
    return tmp_path
