"""One text through one model, word by word, without TensorFlow.

In: a model, its profile, token ids. Out: a `Reading`: states, running logit, path, and the attribution of each token.
Attributions of any Keras model are in `attributions.py`; the arithmetic of a single step is in `arithmetic.py`.
Open first: `reading.py`; then `reader.py` for the passes through the layers.
"""
