"""Calls of models: inputs in; states, gates and, where a number is asked for, the gradient of every state out.

In: our `Model`, which runs in NumPy, or any Keras model, which runs as it is while its recurrent layers are recorded and checked.
Out: a `Call`, with a `LayerPass` and a `LayerGradient` of the engine. Open first: `call.py`; then `own_model.py` and `keras_record.py`.
"""
