"""The recurrence in plain NumPy, for one text at a time.

A graph pays for its start and again for every step, which for one text of 32 units is many times the arithmetic. Here a step
is a handful of array operations, so a page can answer at once, before any worker has loaded TensorFlow. The equations and
their backward steps are those of `rnn_core.cells`, and the tests hold the two against each other.

Shapes: T time, B batch, D inputs, H units, G packed columns (H, 4H or 3H). Time comes first. float32 throughout.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnn_core.models import Model

GATES = {"simple_rnn": (), "lstm": ("input", "forget", "cell", "output"), "gru": ("update", "reset", "candidate")}


def activate(name: str, x: np.ndarray) -> np.ndarray:
    """The named nonlinearity, as Keras defines it."""
    if name == "sigmoid":
        return 0.5 * (1 + np.tanh(0.5 * x))
    if name == "relu":
        return np.maximum(x, 0)
    return np.tanh(x) if name == "tanh" else x


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
    outer: np.ndarray  # (G,) bias of the input's part
    inner: np.ndarray  # (G,) bias of the recurrent part; zeros but for a GRU with reset_after

    @property
    def units(self) -> int:
        return self.recurrent.shape[0]


@dataclass(frozen=True, eq=False)
class Pass:
    """A forward pass of one layer."""

    states: tuple[np.ndarray, ...]  # (T + 1, B, H) each: h, or h and c; the first is the state before any input
    gates: np.ndarray  # (T, B, number of gates · H), in Keras's order
    inside: np.ndarray  # (T, B, H) GRU with reset_after: h R_h + b, else empty


def layers(model: Model) -> list[Layer]:
    """The recurrent layers of a forward model that reads tokens."""
    spec, count = model.spec, 3 if model.spec.use_bias else 2
    made = []
    for n in range(spec.layers):
        kernel, recurrent, *rest = model.weights[1 + n * count : 1 + (n + 1) * count]
        bias = rest[0] if rest else np.zeros(kernel.shape[1], np.float32)
        outer, inner = (bias[0], bias[1]) if bias.ndim == 2 else (bias, np.zeros_like(bias))
        made.append(Layer(spec.cell, spec.activation, spec.reset_after, kernel, recurrent, outer, inner))
    return made


def forward(layer: Layer, x: np.ndarray, skipped: np.ndarray | None = None) -> Pass:
    """All steps.

    Args:
        x: (T, B, D).
        skipped: (T, B) bool: steps that the state passes by unchanged.
    """
    steps, batch, units = len(x), x.shape[1], layer.units
    projected = x.reshape(steps * batch, -1) @ layer.kernel
    projected = (projected + layer.outer).reshape(steps, batch, -1)
    states = tuple(np.zeros((steps + 1, batch, units), np.float32) for _ in range(2 if layer.cell == "lstm" else 1))
    gates = np.empty((steps, batch, len(GATES[layer.cell]) * units), np.float32)
    inside = np.empty((steps if layer.cell == "gru" and layer.reset_after else 0, batch, units), np.float32)
    step = {"simple_rnn": _simple_rnn, "lstm": _lstm, "gru": _gru}[layer.cell]
    for t in range(steps):
        step(layer, projected[t], states, gates, inside, t)
        if skipped is not None:
            for state in states:
                state[t + 1][skipped[t]] = state[t][skipped[t]]
    return Pass(states, gates, inside)


def _simple_rnn(
    layer: Layer, x: np.ndarray, states: tuple[np.ndarray, ...], gates: np.ndarray, inside: np.ndarray, t: int
) -> None:
    states[0][t + 1] = activate(layer.squash, x + states[0][t] @ layer.recurrent)


def _lstm(layer: Layer, x: np.ndarray, states: tuple[np.ndarray, ...], gates: np.ndarray, inside: np.ndarray, t: int) -> None:
    h, c, size = states[0], states[1], layer.units
    now = np.matmul(h[t], layer.recurrent, out=gates[t])
    now += x
    candidate = activate(layer.squash, now[:, 2 * size : 3 * size])
    now *= 0.5  # σ(x) = (1 + tanh(x / 2)) / 2, in place for all columns at once
    np.tanh(now, out=now)
    now += 1
    now *= 0.5
    now[:, 2 * size : 3 * size] = candidate
    c[t + 1] = now[:, size : 2 * size] * c[t] + now[:, :size] * now[:, 2 * size : 3 * size]
    h[t + 1] = now[:, 3 * size :] * activate(layer.squash, c[t + 1])


def _gru(layer: Layer, x: np.ndarray, states: tuple[np.ndarray, ...], gates: np.ndarray, inside: np.ndarray, t: int) -> None:
    h, now, size = states[0], gates[t], layer.units
    if layer.reset_after:
        held = h[t] @ layer.recurrent + layer.inner
        now[:, : 2 * size] = activate("sigmoid", x[:, : 2 * size] + held[:, : 2 * size])
        inside[t] = held[:, 2 * size :]
        now[:, 2 * size :] = activate(layer.squash, x[:, 2 * size :] + now[:, size : 2 * size] * inside[t])
    else:
        now[:, : 2 * size] = activate("sigmoid", x[:, : 2 * size] + h[t] @ layer.recurrent[:, : 2 * size])
        now[:, 2 * size :] = activate(
            layer.squash, x[:, 2 * size :] + (now[:, size : 2 * size] * h[t]) @ layer.recurrent[:, 2 * size :]
        )
    h[t + 1] = now[:, :size] * h[t] + (1 - now[:, :size]) * now[:, 2 * size :]


def backward(layer: Layer, seen: Pass, upstream: np.ndarray) -> np.ndarray:
    """(T, B, D): the gradient of the inputs, from that of every h (T, B, H) as far as it leaves the layer there."""
    steps, batch, units = upstream.shape
    deltas = np.empty((steps, batch, layer.kernel.shape[1]), np.float32)
    h, c = np.zeros((batch, units), np.float32), np.zeros((batch, units), np.float32)
    back = {"simple_rnn": _back_simple_rnn, "lstm": _back_lstm, "gru": _back_gru}[layer.cell]
    for t in range(steps - 1, -1, -1):
        h, c = back(layer, seen, h + upstream[t], c, deltas, t)
    return (deltas.reshape(steps * batch, -1) @ layer.kernel.T).reshape(steps, batch, -1)


def _back_simple_rnn(
    layer: Layer, seen: Pass, h: np.ndarray, c: np.ndarray, deltas: np.ndarray, t: int
) -> tuple[np.ndarray, np.ndarray]:
    deltas[t] = h * slope(layer.squash, seen.states[0][t + 1])
    return deltas[t] @ layer.recurrent.T, c


def _back_lstm(
    layer: Layer, seen: Pass, h: np.ndarray, c: np.ndarray, deltas: np.ndarray, t: int
) -> tuple[np.ndarray, np.ndarray]:
    size = layer.units
    i, f, g, o = (seen.gates[t][:, n * size : (n + 1) * size] for n in range(4))
    y = activate(layer.squash, seen.states[1][t + 1])
    c = c + h * o * slope(layer.squash, y)
    delta = deltas[t]
    delta[:, :size] = c * g * slope("sigmoid", i)
    delta[:, size : 2 * size] = c * seen.states[1][t] * slope("sigmoid", f)
    delta[:, 2 * size : 3 * size] = c * i * slope(layer.squash, g)
    delta[:, 3 * size :] = h * y * slope("sigmoid", o)
    return delta @ layer.recurrent.T, c * f


def _back_gru(
    layer: Layer, seen: Pass, h: np.ndarray, c: np.ndarray, deltas: np.ndarray, t: int
) -> tuple[np.ndarray, np.ndarray]:
    size, before, delta = layer.units, seen.states[0][t], deltas[t]
    z, r, candidate = (seen.gates[t][:, n * size : (n + 1) * size] for n in range(3))
    delta[:, :size] = h * (before - candidate) * slope("sigmoid", z)
    delta[:, 2 * size :] = h * (1 - z) * slope(layer.squash, candidate)
    if layer.reset_after:
        delta[:, size : 2 * size] = delta[:, 2 * size :] * seen.inside[t] * slope("sigmoid", r)
        held = delta.copy()
        held[:, 2 * size :] *= r
        return held @ layer.recurrent.T + h * z, c
    reached = delta[:, 2 * size :] @ layer.recurrent[:, 2 * size :].T
    delta[:, size : 2 * size] = reached * before * slope("sigmoid", r)
    return delta[:, : 2 * size] @ layer.recurrent[:, : 2 * size].T + reached * r + h * z, c


class Reader:
    """A model that reads token vectors forwards and answers with one logit."""

    def __init__(self, model: Model) -> None:
        self.table, self.layers = model.weights[0], layers(model)
        self.head, self.offset = model.weights[-2][:, 0], float(model.weights[-1][0])

    def passes(self, vectors: np.ndarray, skipped: np.ndarray | None = None) -> list[Pass]:
        """Forward passes of every layer over (T, B, E)."""
        seen: list[Pass] = []
        for layer in self.layers:
            seen.append(forward(layer, seen[-1].states[0][1:] if seen else vectors, skipped))
        return seen

    def logits(self, seen: list[Pass]) -> np.ndarray:
        """(T, B): the answer after every step."""
        return seen[-1].states[0][1:] @ self.head + self.offset

    def gradients(self, vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The final logit (B,), and its gradient in the vectors (T, B, E)."""
        seen = self.passes(vectors)
        upstream = np.zeros(seen[-1].states[0][1:].shape, np.float32)
        upstream[-1] = self.head
        for layer, one in zip(reversed(self.layers), reversed(seen), strict=True):
            upstream = backward(layer, one, upstream)
        return self.logits(seen)[-1], upstream
