"""Time and memory until data are ready: python -m tests.benchmarks.data [--json].

IMDB is loaded in fresh processes: cold (from Keras's own file, writing our copy) and from our copy.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile

_PROGRAM = """
import resource, sys, time
start = time.perf_counter()
import rnn_core as rnn
dataset = rnn.data.build(rnn.Experiment().replace(**eval(sys.argv[1])))
batch = next(rnn.data.batches(dataset.train, 64, None))
seconds = time.perf_counter() - start
print(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, (dataset.train.offsets[-1] + dataset.validation.offsets[-1]) / (len(dataset.train) + len(dataset.validation)))
"""
TASKS = {
    "toy reviews": {"task": "toy_reviews"},
    "adding, 200 steps": {"task": "adding", "length": 200},
    "copying, 2000 steps": {"task": "copying", "length": 2000},
    "Mackey-Glass": {"task": "mackey_glass"},
    "Lorenz": {"task": "lorenz"},
}


def measured(changes: dict[str, object], home: str) -> dict[str, float]:
    """Seconds from the import to the first batch, the process's peak memory, and the mean length, in a fresh process."""
    environment = {**os.environ, "UNROLLED_HOME": home}
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, repr(changes)], env=environment, capture_output=True, text=True, check=True
    )
    seconds, megabytes, length = map(float, done.stdout.split())
    return {"seconds": seconds, "megabytes": megabytes, "mean_length": length}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    imdb = {"task": "imdb", "length": 2000}
    with tempfile.TemporaryDirectory() as home:
        found = {"IMDB, cold": measured(imdb, home), "IMDB, our copy": measured(imdb, home)}
        found |= {name: measured(changes, home) for name, changes in TASKS.items()}
    for name, row in found.items() if not arguments.json else ():
        print(f"{name:22} {row['seconds']:6.2f} s {row['megabytes']:6.0f} MB, mean length {row['mean_length']:.2f}")
    if arguments.json:
        print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
