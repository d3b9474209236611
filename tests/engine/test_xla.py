"""XLA's flag has its effect, and flags that a user set are kept."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from rnn_core.engine import xla
from tests.conftest import ROOT

PASS = """
import rnn_core.engine.blocks
import tensorflow as tf
tf.function(lambda a, b: a * b + a, jit_compile=True)(tf.ones((64, 32)), tf.ones((64, 32)))
"""


def test_a_pass_over_rows_of_32_numbers_uses_vectors(tmp_path: Path) -> None:
    environment = {**os.environ, "XLA_FLAGS": f"--xla_dump_to={tmp_path}", "TF_CPP_MIN_LOG_LEVEL": "3"}
    subprocess.run([sys.executable, "-c", PASS], cwd=ROOT, env=environment, check=True, capture_output=True, timeout=120)
    code = "".join(path.read_text() for path in tmp_path.glob("*ir-with-opt.ll"))
    assert "fmul" in code, "XLA wrote its code to the folder of the user's own flag"
    assert not re.search(r"fmul[a-z ]* float ", code), "no scalar product"
    assert re.search(r"fmul[a-z ]* <\d+ x float>", code)


def test_a_file_of_flags_is_left_unchanged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XLA_FLAGS", "flags.txt")
    xla.prefer_vectors()
    assert os.environ["XLA_FLAGS"] == "flags.txt"


@pytest.mark.parametrize("before", ["", "--xla_dump_to=somewhere"])
def test_the_flag_comes_first_and_once(before: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XLA_FLAGS", before)
    xla.prefer_vectors()
    xla.prefer_vectors()
    assert os.environ["XLA_FLAGS"].split() == [xla.VECTORS, *before.split()]
