"""The cache of probe results: the first question of all, while another thread still loads the cluster's library."""

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
    time.sleep(0.02)  # the second comes while the first is half way through
for thread in threads:
    thread.join()
print(problems)
"""


def test_the_first_question_does_not_break_the_start_of_the_workers() -> None:
    """A page opened by link on a fresh server asks while the workers' library is half loaded; both sides must survive."""
    ran = subprocess.run([sys.executable, "-c", RACE], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert ran.stdout.strip() == "[]", ran.stdout + ran.stderr
