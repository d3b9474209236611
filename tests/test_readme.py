"""The README's commands, example, pictures and map are true."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

TEXT = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return [body for named, body in re.findall(r"^```(\w*)\n(.*?)^```$", TEXT, re.S | re.M) if named == language]


def test_it_is_short() -> None:
    assert len(TEXT.split()) <= 700


def test_example_prints_what_it_says(tmp_path: Path) -> None:
    (program,), (expected,) = blocks("python"), blocks("")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env=environment, capture_output=True, text=True, encoding="utf-8"
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout == expected


def test_two_commands_install_what_they_start() -> None:
    start, test = (command.strip() for command in blocks("sh"))
    assert start == "python3 -m venv .venv && .venv/bin/pip install -r requirements.txt && .venv/bin/streamlit run app.py"
    assert test == "python3 -m venv .venv && .venv/bin/pip install -r requirements-dev.txt && .venv/bin/pytest"
    script = (ROOT / ".ci" / "run").read_text()
    for part in test.split(" && "):
        assert part.replace("pip install", "pip install -q") in script, "continuous integration runs the README's own command"


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_every_requirement_is_pinned(name: str) -> None:
    lines = [line for line in (ROOT / name).read_text().splitlines() if line and not line.startswith(("-r", "#"))]
    assert [line for line in lines if "==" not in line] == []


def test_pictures_and_places_exist() -> None:
    pictures = re.findall(r"!\[.*?\]\((.*?)\)", TEXT)
    assert len(pictures) >= 2
    assert [picture for picture in pictures if not (ROOT / picture).is_file()] == []
    table = TEXT.split("## Map")[1].split("**Add a cell**")[0]
    named = [place for row in re.findall(r"^\| (`.*?) \|", table, re.M) for place in re.findall(r"`(.*?)`", row)]
    folder, missing = "", []
    for place in named:
        folder = place.rsplit("/", 1)[0] if place.count("/") and not place.endswith("/") else folder
        if not ((ROOT / place).exists() or (ROOT / folder / place).exists()):
            missing.append(place)
    assert missing == []
