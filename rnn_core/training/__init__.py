"""Training: from a Dataset and a Model to one Snapshot per batch.

In: an `Experiment`, its uploads, a `Control` that can pause and stop. Out: `Snapshot`s (loss, metric, gradient norms, observed states) and their `Run`.
A step is compiled once per shape and cached; measurements do not change the weights.
Open first: `loop.py`, the generator; then `step.py` for one compiled step, `snapshot.py` for what it yields.
"""
