"""All one-step Jacobians along one sequence in plain NumPy, for our own forward networks: several times faster than `jacobians`.

J_t = ∂s_t/∂s_{t−1} in column convention (rows: after, columns: before), for LSTM s = [h; c]. Every J_t is a sum of recurrent kernels
whose rows are scaled by the local derivatives of that step, so all steps are computed at once from the forward pass.

Shapes: T time, D inputs, H units, S state (H, or 2 H for LSTM).
"""

from __future__ import annotations

import numpy as np

from rnn_core.engine.model import Model
from rnn_core.engine.numpy_recurrence import Layer, Pass, activate, forward, layers, slope


def quick_jacobians(model: Model, sequence: np.ndarray) -> np.ndarray:
    """(T, S, S) float64 of the last recurrent layer; infinite or NaN where the network explodes.

    Args:
        model: unidirectional and unmasked, with numbers as inputs.
        sequence: (T, D) numbers.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        x = sequence[:, None].astype(np.float64)
        for layer in layers(model, "float64"):
            passed = forward(layer, x)
            x = passed.states[0][1:]
        return {"simple_rnn": _simple_rnn, "lstm": _lstm, "gru": _gru}[layer.cell](layer, passed)


def _kernels(layer: Layer) -> list[np.ndarray]:
    """Rᵀ of every gate, (H, H): rows are the gate's units."""
    return np.split(layer.recurrent.T, layer.recurrent.shape[1] // layer.units)


def _rows(scale: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """(T, H, H) diag(scale_t) · kernel, from scale (T, 1, H)."""
    return scale[:, 0, :, None] * kernel


def _simple_rnn(layer: Layer, passed: Pass) -> np.ndarray:
    return _rows(slope(layer.squash, passed.states[0][1:]), layer.recurrent.T)


def _lstm(layer: Layer, passed: Pass) -> np.ndarray:
    size, (i, f, g, o) = layer.units, (passed.gate(n) for n in range(4))
    to_i, to_f, to_g, to_o = _kernels(layer)
    y = activate(layer.squash, passed.states[1][1:])
    through = (o * slope(layer.squash, y))[:, 0, :, None]  # ∂h/∂c
    jacobian = np.zeros((len(i), 2 * size, 2 * size))
    after_h, after_c = jacobian[:, :size], jacobian[:, size:]
    to_c = _rows(g * slope("sigmoid", i), to_i)
    to_c += _rows(passed.states[1][:-1] * slope("sigmoid", f), to_f)
    to_c += _rows(i * slope(layer.squash, g), to_g)
    after_c[:, :, :size] = to_c
    after_c[:, range(size), range(size, 2 * size)] = f[:, 0]
    np.multiply(after_c, through, out=after_h)
    after_h[:, :, :size] += _rows(y * slope("sigmoid", o), to_o)
    return jacobian


def _gru(layer: Layer, passed: Pass) -> np.ndarray:
    before, (z, r, candidate) = passed.states[0][:-1], (passed.gate(n) for n in range(3))
    to_z, to_r, to_candidate = _kernels(layer)
    fresh, units = (1 - z) * slope(layer.squash, candidate), range(layer.units)
    if layer.reset_after:  # the reset gate scales h R + b
        jacobian = _rows(fresh * r, to_candidate)
        jacobian += _rows(fresh * passed.inside * slope("sigmoid", r), to_r)
    else:  # it scales h
        reset = _rows(before * slope("sigmoid", r), to_r)
        reset[:, units, units] += r[:, 0]
        jacobian = _rows(fresh, to_candidate @ reset)
    jacobian += _rows((before - candidate) * slope("sigmoid", z), to_z)
    jacobian[:, units, units] += z[:, 0]
    return jacobian
