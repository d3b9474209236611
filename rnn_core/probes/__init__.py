"""Probes: a model and sequences in, a frozen result out. They draw nothing and open no store.

In: our `Model`, or any Keras model with stock SimpleRNN, LSTM or GRU layers, and its inputs. Out: frozen dataclasses of NumPy arrays.
`calls/` calls a model and goes back through it; `states/` states and gates, `gradients/` gradients through time, `jacobians/` of
single steps, `sentence/` one text word by word.
Open first: `states/traces.py`; then `calls/`. A new probe is a function that returns a frozen dataclass.
"""
