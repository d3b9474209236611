"""Training: a Dataset and a Model in, one Snapshot after the other out.

In: an `Experiment`, its uploads, a `Control` that can pause and stop. Out: `Snapshot`s (loss, metric, gradient norms, states seen), and the `Run` behind them.
A step is compiled once for its shape and used again; what is measured while training changes no weight.
Open first: `loop.py`, the generator; then `step.py` for one compiled step, `snapshot.py` for what it yields.
"""
