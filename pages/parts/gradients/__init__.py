"""The Gradients page: how far back learning reaches, in untrained networks and in a run's kept steps.

In: settings of the laboratory, or a run. Out: curves, each named on its axis, and their meaning in words.
Nothing is computed here: probes run in the workers.
Open first: `laboratory.py`; then `run.py`, `quantities.py` for the names of the curves, `bptt_animation.py`.
"""
