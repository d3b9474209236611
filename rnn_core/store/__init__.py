"""Runs on disk: an SQLite index with every metric row, and one checksummed file per kept step.

In: rows, gradient norms and saved files of a training. Out: `RunInfo` and `RunRecord`, models of kept steps, one `.run` file per run.
Several processes may use one store; each run has one writer, its owner. Arrays are read without pickle and checked first.
Open first: `store.py`, which writes; then `reader.py` and `run.py`, which read, and `run_file.py` for export and import.
"""
