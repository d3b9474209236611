"""The equations: from a model and arrays to states and gradients. Independent of data sets and training.

In: a `Model` (weights as in stock Keras layers) and sequences. Out: the state at every step, and the gradient of every state.
`cells.py` defines one step of each cell, forward, backward and its Jacobian, over NumPy and TensorFlow; nothing else does.
Open first: `cells.py`; then `recurrence.py` (the loop through time) with `numpy_network.py` (all layers), which pages and probes run,
and `blocks.py` with `network.py`, the same in blocks, which training runs; `model.py` and `keras_models.py` (weights).
"""
