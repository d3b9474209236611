"""Gradients through time: of an output or a loss, with respect to the state at every step.

In: a model, inputs and, for a loss, targets. Out: norms per example and step in float64, each curve named on its axis.
Open first: `state_gradients.py`; then `laboratory.py` (untrained networks) and `run.py` (a run's kept models).
"""
