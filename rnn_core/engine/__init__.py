"""The equations: from a model and arrays to states and gradients. Independent of data sets and training.

In: a `Model` (weights as in stock Keras layers) and sequences. Out: the state at every step, and the gradient of every state.
`cells.py` defines one step of each cell, forward and backward; tests compare the faster versions with it and with Keras.
Open first: `cells.py`; then `blocks.py` (the loop through time), `model.py` and `keras_models.py` (weights), `numpy_recurrence.py` (without TensorFlow).
"""
