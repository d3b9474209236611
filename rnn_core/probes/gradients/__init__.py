"""How far back learning reaches: the gradient of an output or a loss in the state at every step.

In: a model, inputs and, for a loss, targets. Out: norms per example and step in float64, each curve named on its axis.
`compiled.py` and `quick.py` give the same numbers sooner; the tests hold them against `state_gradients.py`.
Open first: `state_gradients.py`; then `laboratory.py` for what the page Gradients shows.
"""
