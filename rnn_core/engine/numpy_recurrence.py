"""The recurrence in plain NumPy, for a few sequences at a time.

A TensorFlow graph costs time at its start and at every step, for a few sequences of 32 units many times the arithmetic. Here
a step is a few array operations, so that a page can answer before any worker has loaded TensorFlow. The equations are those
of `rnn_core.engine.cells`; tests compare the two.

Shapes: T time, B batch, D inputs, H units, G packed columns (H, 4H or 3H). Time comes first. All arrays have the weights' dtype.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnn_core.engine.model import Model

GATES = {"simple_rnn": (), "lstm": ("input", "forget", "cell", "output"), "gru": ("update", "reset", "candidate")}


def activate(name: str, x: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    """The named nonlinearity, as Keras defines it; written to `out` where given."""
    if name == "tanh":
        return np.tanh(x, out=out)
    if name == "relu":
        return np.maximum(x, 0, out=out)
    out = np.empty_like(x) if out is None else out
    if name == "sigmoid":  # σ(x) = (1 + tanh(x / 2)) / 2
        np.multiply(x, 0.5, out=out)
        np.tanh(out, out=out)
        out += 1
        out *= 0.5
    else:
        out[...] = x
    return out


def slope(name: str, y: np.ndarray) -> np.ndarray:
    """The derivative of the named nonlinearity, from its own output."""
    if name == "sigmoid":
        return y * (1 - y)
    if name == "relu":
        return (y > 0).astype(y.dtype)
    return 1 - y * y if name == "tanh" else np.ones_like(y)


@dataclass(frozen=True, eq=False)
class Layer:
    """One recurrent layer's weights."""

    cell: str  # "simple_rnn", "lstm" or "gru"
    squash: str  # activation of the state
    reset_after: bool  # GRU only
    kernel: np.ndarray  # (D, G)
    recurrent: np.ndarray  # (H, G)
    outer: np.ndarray  # (G,) bias of x W
    inner: np.ndarray  # (G,) bias of h U; zeros except for a GRU with reset_after

    @property
    def units(self) -> int:
        return self.recurrent.shape[0]


@dataclass(frozen=True, eq=False)
class Pass:
    """A forward pass of one layer."""

    states: tuple[np.ndarray, ...]  # (T + 1, B, H) each: h, or h and c; row 0 is the initial state
    gates: np.ndarray  # (T, B, number of gates · H), in Keras's order
    inside: np.ndarray  # (T, B, H) GRU with reset_after: h U_c + b, else empty

    def gate(self, n: int) -> np.ndarray:
        """(T, B, H) the n-th gate."""
        size = self.states[0].shape[-1]
        return self.gates[..., n * size : (n + 1) * size]


@dataclass(frozen=True, eq=False)
class BackwardPass:
    """A backward pass of one layer."""

    deltas: np.ndarray  # (T, B, G) gradient of the projected inputs
    states: tuple[np.ndarray, ...]  # (T, B, H) each: total derivative of the state after each step, h, or h and c

    def inputs(self, layer: Layer) -> np.ndarray:
        """(T, B, D) gradient of the inputs."""
        steps, batch, _ = self.deltas.shape
        return (self.deltas.reshape(steps * batch, -1) @ layer.kernel.T).reshape(steps, batch, -1)


def layers(model: Model, dtype: str = "float32") -> list[Layer]:
    """The recurrent layers of a model, lowest first; for a bidirectional one its forward half, then its backward half."""
    spec, found = model.spec, []
    for weights in model.recurrent:
        kernel, recurrent = (weight.astype(dtype, copy=False) for weight in weights[:2])
        bias = weights[2].astype(dtype, copy=False) if len(weights) == 3 else np.zeros(kernel.shape[1], dtype)
        outer, inner = (bias[0], bias[1]) if bias.ndim == 2 else (bias, np.zeros_like(bias))
        found.append(Layer(spec.cell, spec.activation, spec.reset_after, kernel, recurrent, outer, inner))
    return found


def forward(layer: Layer, x: np.ndarray, skipped: np.ndarray | None = None) -> Pass:
    """All steps.

    Args:
        x: (T, B, D).
        skipped: (T, B) bool: steps that keep the state.
    """
    steps, batch, units = len(x), x.shape[1], layer.units
    projected = x.reshape(steps * batch, -1) @ layer.kernel
    projected = (projected + layer.outer).reshape(steps, batch, -1)
    kind = projected.dtype
    states = tuple(np.zeros((steps + 1, batch, units), kind) for _ in range(2 if layer.cell == "lstm" else 1))
    gates = np.empty((steps, batch, len(GATES[layer.cell]) * units), kind)
    inside = np.empty((steps if layer.cell == "gru" and layer.reset_after else 0, batch, units), kind)
    record, step = Pass(states, gates, inside), {"simple_rnn": _simple_rnn, "lstm": _lstm, "gru": _gru}[layer.cell]
    for t in range(steps):
        step(layer, projected[t], record, t)
        if skipped is not None:
            for state in states:
                state[t + 1][skipped[t]] = state[t][skipped[t]]
    return record


def forward_all(model: Model, x: np.ndarray, skipped: np.ndarray | None = None) -> list[Pass]:
    """Forward passes of all layers, in the order of `layers`; the steps of a backward half count from the end of the sequence.

    Args:
        x: (T, B, D) inputs of the lowest layer.
        skipped: (T, B) bool: steps that keep the state.
    """
    halves, passes = layers(model), []
    reversed_skipped = None if skipped is None else skipped[::-1]
    for n in range(0, len(halves), 1 + model.spec.bidirectional):
        passes.append(forward(halves[n], x, skipped))
        states = passes[-1].states[0][1:]
        if model.spec.bidirectional:
            passes.append(forward(halves[n + 1], x[::-1], reversed_skipped))
            states = np.concatenate([states, passes[-1].states[0][:0:-1]], -1)
        x = states
    return passes


def _simple_rnn(layer: Layer, x: np.ndarray, record: Pass, t: int) -> None:
    h = record.states[0]
    after = np.matmul(h[t], layer.recurrent, out=h[t + 1])
    after += x
    activate(layer.squash, after, out=after)


def _lstm(layer: Layer, x: np.ndarray, record: Pass, t: int) -> None:
    (h, c), size = record.states, layer.units
    now = np.matmul(h[t], layer.recurrent, out=record.gates[t])
    now += x
    candidate = activate(layer.squash, now[:, 2 * size : 3 * size])
    activate("sigmoid", now, out=now)  # all columns at once
    now[:, 2 * size : 3 * size] = candidate
    after = np.multiply(now[:, size : 2 * size], c[t], out=c[t + 1])
    after += np.multiply(now[:, :size], candidate, out=candidate)
    np.multiply(now[:, 3 * size :], activate(layer.squash, after), out=h[t + 1])


def _gru(layer: Layer, x: np.ndarray, record: Pass, t: int) -> None:
    h, now, size = record.states[0], record.gates[t], layer.units
    gates, candidate = now[:, : 2 * size], now[:, 2 * size :]
    if layer.reset_after:
        product = h[t] @ layer.recurrent
        product += layer.inner
        activate("sigmoid", np.add(x[:, : 2 * size], product[:, : 2 * size], out=gates), out=gates)
        record.inside[t] = product[:, 2 * size :]
        np.multiply(now[:, size : 2 * size], product[:, 2 * size :], out=candidate)
    else:
        activate("sigmoid", np.add(x[:, : 2 * size], h[t] @ layer.recurrent[:, : 2 * size], out=gates), out=gates)
        candidate[...] = (now[:, size : 2 * size] * h[t]) @ layer.recurrent[:, 2 * size :]
    candidate += x[:, 2 * size :]
    activate(layer.squash, candidate, out=candidate)
    after = np.subtract(h[t], candidate, out=h[t + 1])  # z h + (1 − z) c = c + z (h − c)
    after *= now[:, :size]
    after += candidate


def backward(layer: Layer, record: Pass, upstream: np.ndarray) -> BackwardPass:
    """All steps backward. `upstream`: (T, B, H) the gradient of every h from outside the layer."""
    back = {"simple_rnn": _back_simple_rnn, "lstm": _back_lstm, "gru": _back_gru}[layer.cell]
    states = tuple(np.empty_like(upstream) for _ in record.states)
    deltas = np.empty((*upstream.shape[:2], layer.kernel.shape[1]), upstream.dtype)
    back(layer, record, upstream, states, deltas)
    return BackwardPass(deltas, states)


def _back_simple_rnn(
    layer: Layer, record: Pass, upstream: np.ndarray, states: tuple[np.ndarray, ...], deltas: np.ndarray
) -> None:
    slopes, transposed = slope(layer.squash, record.states[0][1:]), layer.recurrent.T.copy()
    h = np.zeros_like(upstream[0])
    for t in range(len(upstream) - 1, -1, -1):
        total = np.add(h, upstream[t], out=states[0][t])
        np.matmul(np.multiply(total, slopes[t], out=deltas[t]), transposed, out=h)


def _back_lstm(layer: Layer, record: Pass, upstream: np.ndarray, states: tuple[np.ndarray, ...], deltas: np.ndarray) -> None:
    size, (i, f, g, o) = layer.units, (record.gate(n) for n in range(4))
    y = activate(layer.squash, record.states[1][1:])
    through = o * slope(layer.squash, y)  # ∂h/∂c
    parts = [g * slope("sigmoid", i), record.states[1][:-1] * slope("sigmoid", f), i * slope(layer.squash, g)]
    local = np.stack(parts, axis=2)  # (T, B, 3, H): factors of c's gradient
    last, transposed = y * slope("sigmoid", o), layer.recurrent.T.copy()
    blocks = deltas.reshape(*deltas.shape[:2], 4, size)
    h, c = np.zeros_like(upstream[0]), np.zeros_like(upstream[0])
    for t in range(len(upstream) - 1, -1, -1):
        total = np.add(h, upstream[t], out=states[0][t])
        states[1][t] = c  # without the part through this step's h
        memory = total * through[t]
        memory += c
        np.multiply(memory[:, None], local[t], out=blocks[t, :, :3])
        np.multiply(total, last[t], out=blocks[t, :, 3])
        np.matmul(deltas[t], transposed, out=h)
        np.multiply(memory, f[t], out=c)


def _back_gru(layer: Layer, record: Pass, upstream: np.ndarray, states: tuple[np.ndarray, ...], deltas: np.ndarray) -> None:
    size, before, (z, r, candidate) = layer.units, record.states[0][:-1], (record.gate(n) for n in range(3))
    kernel, fresh = layer.recurrent.T.copy(), (1 - z) * slope(layer.squash, candidate)
    update = (before - candidate) * slope("sigmoid", z)
    h = np.zeros_like(upstream[0])
    if layer.reset_after:
        local = np.concatenate([update, fresh * record.inside * slope("sigmoid", r), fresh * r], axis=-1)  # of h U + b
        local = local.reshape(*local.shape[:2], 3, size)
        for t in range(len(upstream) - 1, -1, -1):
            total = np.add(h, upstream[t], out=states[0][t])
            np.matmul((total[:, None] * local[t]).reshape(-1, 3 * size), kernel, out=h)
            h += total * z[t]
        total = states[0]
        deltas[...] = np.concatenate([total * local[:, :, 0], total * local[:, :, 1], total * fresh], axis=-1)
        return
    reset = before * slope("sigmoid", r)
    for t in range(len(upstream) - 1, -1, -1):
        total = np.add(h, upstream[t], out=states[0][t])
        reached = np.multiply(total, fresh[t], out=deltas[t, :, 2 * size :]) @ kernel[2 * size :]  # gradient of r h
        np.multiply(total, update[t], out=deltas[t, :, :size])
        np.multiply(reached, reset[t], out=deltas[t, :, size : 2 * size])
        np.matmul(deltas[t, :, : 2 * size], kernel[: 2 * size], out=h)
        h += reached * r[t] + total * z[t]
