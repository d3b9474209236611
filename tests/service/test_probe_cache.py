"""The cache of probe results: the first call, while another thread still imports Dask."""

from __future__ import annotations

import subprocess
import sys

from tests.conftest import ROOT

RACE = """
import threading, time
import numpy
from rnn_core.service.probe_cache import ProbeCache

cache, problems = ProbeCache(), []

def attempt(action):
    try:
        action()
    except Exception as problem:
        problems.append(repr(problem))

def starting():
    import dask

threads = [threading.Thread(target=attempt, args=(action,)) for action in (starting, lambda: cache.call(numpy.sum, (1,), {}))]
for thread in threads:
    thread.start()
    time.sleep(0.02)  # the second starts while the first is still importing
for thread in threads:
    thread.join()
print(problems)
"""


def test_a_first_call_during_the_import_of_dask_breaks_neither() -> None:
    """A page opened by link on a fresh server calls a probe while the connection's thread imports Dask."""
    ran = subprocess.run([sys.executable, "-c", RACE], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert ran.stdout.strip() == "[]", ran.stdout + ran.stderr
