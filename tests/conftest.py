"""What all tests share: a run store of their own, real IMDB where it lies beside the project, and helpers for pages."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
SHARED_IMDB = ROOT.parent / "shared" / "imdb"

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["UNROLLED_HOME"] = tempfile.mkdtemp(prefix="unrolled-tests-")
if "UNROLLED_IMDB" not in os.environ and (SHARED_IMDB / "imdb.npz").exists():
    os.environ["UNROLLED_IMDB"] = str(SHARED_IMDB)


# Tests that start servers and workers, and look at how soon these answer.
SERVING = (
    "tests/browser/",
    "tests/service/cluster/",
    "tests/test_command_line.py",
    "tests/service/test_recovery.py",
    "tests/studies/test_sweep_on_cluster.py",
)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Of two processes of pytest, the one that only computes gets what is left of the machine by the one that serves."""
    if "PYTEST_XDIST_WORKER" in os.environ and hasattr(os, "nice") and not item.nodeid.startswith(SERVING):
        os.nice(max(0, 10 - os.nice(0)))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """What serves runs one after another, in one process and from the beginning on; all else goes file by file."""
    from xdist.scheduler import LoadFileScheduling

    class Serving(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return "serving" if nodeid.startswith(SERVING) else super()._split_scope(nodeid)

    return Serving(config, log)


def figures(app: Any) -> dict[str, dict[str, Any]]:
    """Key → figure (a plain dict with data and layout) of every chart that an AppTest page drew."""
    found = {}
    for element in app.get("bidi_component"):
        if element.proto.WhichOneof("data") == "bytes" and element.proto.bytes.startswith(b"{"):
            drawn = json.loads(element.proto.bytes)
            if "figure" in drawn:
                found[drawn["name"]] = {**drawn["figure"], "alt": drawn["alt"]}
    return found


@pytest.fixture(autouse=True)
def _nothing_is_caught() -> Iterator[None]:
    """The last line of defence is not the way: a page that needed it has a fault, wherever it was drawn."""
    yield
    guard = sys.modules.get("pages.shared.guard")
    if guard is not None and guard.caught:
        found = dict(guard.caught)
        guard.caught.clear()
        pytest.fail(f"a section of a page failed: {found}; the log above has the traceback")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty run store for one test."""
    monkeypatch.setenv("UNROLLED_HOME", str(tmp_path))
    return tmp_path
