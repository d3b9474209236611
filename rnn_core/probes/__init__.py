"""Probes: a model and sequences in, a frozen result out. They draw nothing and open no store.

In: our `Model`, or any Keras model with stock SimpleRNN, LSTM or GRU layers, and its inputs. Out: frozen dataclasses of NumPy arrays.
`states/` what a layer holds, `gradients/` how far learning reaches back, `jacobians/` step by step, `sentence/` one text word by word.
Open first: `states/traces.py`; then `keras_layers.py` for how any Keras model is recorded. A new probe is a function that returns a frozen dataclass.
"""
