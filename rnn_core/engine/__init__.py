"""The equations: a model and arrays in, states and gradients out. Knows no data set and no training.

In: a `Model` (weights as stock Keras layers hold them) and sequences. Out: the state at every step, and the gradient of every state.
`cells.py` states each cell once (forward, backward, Jacobian); everything faster is equal to it by test.
Open first: `cells.py`; then `blocks.py` for the loop through time, `model.py` for weights to and from Keras, `numpy_recurrence.py` without TensorFlow.
"""
