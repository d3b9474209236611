"""Stock Keras as the referee: the variants that every engine test runs over, and an eager unrolled reference."""

from __future__ import annotations

from typing import Any

import numpy as np

# name → (layer class, options); every engine test runs over all of them
VARIANTS: dict[str, tuple[str, dict[str, Any]]] = {
    "rnn_tanh": ("SimpleRNN", {}),
    "rnn_relu": ("SimpleRNN", {"activation": "relu"}),
    "rnn_linear": ("SimpleRNN", {"activation": "linear"}),
    "rnn_sigmoid": ("SimpleRNN", {"activation": "sigmoid"}),
    "rnn_no_bias": ("SimpleRNN", {"use_bias": False}),
    "lstm": ("LSTM", {}),
    "lstm_relu": ("LSTM", {"activation": "relu"}),
    "lstm_no_bias": ("LSTM", {"use_bias": False}),
    "gru": ("GRU", {}),
    "gru_before": ("GRU", {"reset_after": False}),
    "gru_no_bias": ("GRU", {"use_bias": False}),
    "gru_before_sigmoid": ("GRU", {"reset_after": False, "activation": "sigmoid"}),
}
UNITS, SIZE = 5, 3


def cell_of(name: str, units: int = UNITS) -> Any:
    """The cell of a variant."""
    from rnn_core.engine.cells import CELLS

    kind, options = VARIANTS[name]
    known = {key: value for key, value in options.items() if key in ("activation", "reset_after")}
    return CELLS[{"SimpleRNN": "simple_rnn", "LSTM": "lstm", "GRU": "gru"}[kind]](units, **known)


def layer_of(name: str, seed: int = 0, units: int = UNITS, size: int = SIZE, **options: Any) -> Any:
    """A stock layer in float64 with random weights, biases included."""
    import keras

    kind, chosen = VARIANTS[name]
    layer = getattr(keras.layers, kind)(units, **{"dtype": "float64", "return_sequences": True, **chosen, **options})
    layer.build((None, None, size))
    rng = np.random.default_rng(seed)
    layer.set_weights([rng.normal(0, 0.5, weight.shape) for weight in layer.get_weights()])
    return layer


def model_of(layers: list[Any], outputs: int = 1, activation: str | None = "sigmoid", tokens: int = 0) -> Any:
    """A float64 Sequential of the given layers with a dense head."""
    import keras

    model = keras.Sequential([keras.Input((None,), dtype="int32") if tokens else keras.Input((None, SIZE), dtype="float64")])
    if tokens:
        model.add(keras.layers.Embedding(tokens, SIZE, mask_zero=True, embeddings_initializer="normal", dtype="float64"))
    for layer in layers:
        model.add(layer)
    model.add(keras.layers.Dense(outputs, activation, dtype="float64"))
    rng = np.random.default_rng(8)
    model.layers[-1].set_weights([rng.normal(0, 0.5, weight.shape) for weight in model.layers[-1].get_weights()])
    return model


def unrolled(layer: Any, x: np.ndarray, mask: np.ndarray | None = None) -> tuple[Any, list[list[Any]], Any]:
    """Runs a stock cell step by step under a tape: (tape, states per step (parts of (B, H)), initial state)."""
    import tensorflow as tf

    cell = layer.cell
    parts = 2 if type(cell).__name__ == "LSTMCell" else 1
    with tf.GradientTape(persistent=True) as tape:
        state = [tf.zeros((x.shape[0], cell.units), tf.float64) for _ in range(parts)]
        first = state
        tape.watch(state)
        states = []
        for t in range(x.shape[1]):
            _, after = cell(tf.constant(x[:, t]), state)
            after = list(after) if isinstance(after, (list, tuple)) else [after]
            if mask is not None:
                real = mask[:, t, None]
                after = [tf.where(real, new, old) for new, old in zip(after, state, strict=True)]
            state = [tf.identity(part) for part in after]
            states.append(state)
    return tape, states, first


def close(found: Any, expected: Any, tolerance: float = 1e-5) -> None:
    """Largest difference within tolerance of the larger of 1 and the largest expected value."""
    found, expected = np.asarray(found), np.asarray(expected)
    assert found.shape == expected.shape, (found.shape, expected.shape)
    assert np.abs(found - expected).max(initial=0) <= tolerance * max(1.0, np.abs(expected).max(initial=0))


def gate_memory(bias: float, lags: np.ndarray) -> np.ndarray:
    """Share of the state that a forget or update gate keeps after n steps with its bias alone: σ(bias)ⁿ. (N,) for `lags` (N,)."""
    return (1 / (1 + np.exp(-bias))) ** np.asarray(lags)
