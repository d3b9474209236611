"""One step of SimpleRNN, LSTM and GRU, forwards and backwards, in Keras's conventions. Written once, used everywhere.

Columns of the packed weights: LSTM i|f|c|o, GRU z|r|h, where z keeps the old state. Row vectors: h' = act(x K + h R + b).
A backward step takes the gradient of the state after the step and gives the gradient of the projected input and of the
state before it; everything that does not depend on that gradient (`factors`) is computed for all steps at once.

Shapes: B batch (or any leading axes), T time, H units, G = H, 4H or 3H packed columns.
Sources: Elman 1990; Hochreiter & Schmidhuber 1997 with forget gates of Gers et al. 2000; Cho et al. 2014 (both versions).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import tensorflow as tf

Tensor = Any  # tf.Tensor: TensorFlow ships no types
State = tuple[Tensor, ...]  # (h,) or (h, c), each (B, H)

ACTIVATIONS = ("tanh", "relu", "linear", "sigmoid")


def activate(name: str, x: Tensor) -> Tensor:
    """The named nonlinearity."""
    return {"tanh": tf.tanh, "relu": tf.nn.relu, "linear": tf.identity, "sigmoid": tf.sigmoid}[name](x)


def slope(name: str, y: Tensor) -> Tensor:
    """The derivative of the named nonlinearity, from its own output y."""
    if name == "tanh":
        return 1 - y * y
    if name == "sigmoid":
        return y * (1 - y)
    return tf.cast(y > 0, y.dtype) if name == "relu" else tf.ones_like(y)


def activate_blocks(names: tuple[str, ...], x: Tensor) -> Tensor:
    """Each of the equal blocks of columns of x through its own nonlinearity.

    Where these are tanh and sigmoid, in one pass: σ(x) = (1 + tanh(x/2))/2. That is a third off LSTM's forward time.
    """
    if set(names) <= {"tanh", "sigmoid"}:
        units = x.shape[-1] // len(names)
        half = tf.constant(np.repeat([0.5 if name == "sigmoid" else 1.0 for name in names], units), x.dtype)
        return tf.tanh(x * half) * half + (1 - half)
    return join(*(activate(name, part) for name, part in zip(names, split(x, len(names)), strict=True)))


def split(x: Tensor, count: int) -> list[Tensor]:
    return tf.split(x, count, axis=-1)


def join(*parts: Tensor) -> Tensor:
    return tf.concat(parts, axis=-1)


@dataclass(frozen=True)
class Cell:
    """What the three cells share: sizes and activations. `step` and `back` are each cell's own."""

    units: int  # H
    activation: str = "tanh"  # of the state (SimpleRNN), the candidate (GRU), the candidate and the output (LSTM)
    recurrent_activation: str = "sigmoid"  # of the gates
    reset_after: bool = True  # GRU: the reset gate acts after the product with R (Keras, cuDNN), or before it (Cho et al.)

    name: ClassVar[str]  # as in ModelSpec.cell
    blocks: ClassVar[int] = 1  # G / H
    parts: ClassVar[int] = 1  # tensors of the state: h, or h and c
    gates: ClassVar[tuple[str, ...]] = ()  # names, in the order in which `saved` holds them

    @property
    def state_size(self) -> int:
        """S: numbers in the full state, H or 2H."""
        return self.parts * self.units

    @property
    def saves(self) -> tuple[int, ...]:
        """Widths, in units of H, of the tensors that `step` saves."""
        return ()

    def opened(self, saved: State) -> dict[str, Tensor]:
        """The gates by name, (…, H) each, out of what `step` saved."""
        blocks = [block for part in saved for block in split(part, part.shape[-1] // self.units)]
        return dict(zip(self.gates, blocks, strict=False))

    def step(self, x: Tensor, state: State, kernel: Tensor, bias: Tensor | None) -> tuple[State, State]:
        """One step forward.

        Args:
            x: (B, G) projected input, x K + b.
            state: the state before the step.
            kernel: (H, G) recurrent kernel R.
            bias: (G,) recurrent bias; GRU with reset_after only.

        Returns: the state after the step, and what the backward step needs besides the states: the gates, packed.
        """
        raise NotImplementedError

    def factors(self, saved: State, state: State, previous: State) -> State:
        """Local derivatives of a step, (…, H) each: what `back` multiplies by. One call for all steps."""
        raise NotImplementedError

    def back(self, gradient: State, factors: State, kernel: Tensor) -> tuple[Tensor, State]:
        """One step back: from the gradient of the state after to (gradient of x (B, G), gradient of the state before)."""
        raise NotImplementedError

    def outer(self, delta: Tensor, saved: State, previous: State) -> list[tuple[Tensor, Tensor]]:
        """Pairs (left (…, H), right (…, n H)) whose outer products, side by side, are dL/dR at each step."""
        return [(previous[0], delta)]


class SimpleRNN(Cell):
    """h = act(x + h' R)."""

    name = "simple_rnn"

    def step(self, x: Tensor, state: State, kernel: Tensor, bias: Tensor | None) -> tuple[State, State]:
        return (activate(self.activation, x + state[0] @ kernel),), ()

    def factors(self, saved: State, state: State, previous: State) -> State:
        return (slope(self.activation, state[0]),)

    def back(self, gradient: State, factors: State, kernel: Tensor) -> tuple[Tensor, State]:
        delta = gradient[0] * factors[0]
        return delta, (tf.matmul(delta, kernel, transpose_b=True),)


class LSTM(Cell):
    """i, f, o = σ(…), g = act(…); c = f c' + i g; h = o act(c)."""

    name = "lstm"
    blocks = 4
    parts = 2
    gates = ("input", "forget", "cell", "output")

    @property
    def saves(self) -> tuple[int, ...]:
        return (4,)

    def step(self, x: Tensor, state: State, kernel: Tensor, bias: Tensor | None) -> tuple[State, State]:
        gate = self.recurrent_activation
        saved = activate_blocks((gate, gate, self.activation, gate), x + state[0] @ kernel)
        i, f, g, o = split(saved, 4)
        c = f * state[1] + i * g
        return (o * activate(self.activation, c), c), (saved,)

    def factors(self, saved: State, state: State, previous: State) -> State:
        i, f, g, o = split(saved[0], 4)
        y = activate(self.activation, state[1])
        gate = self.recurrent_activation
        through = o * slope(self.activation, y)  # dh/dc
        return through, g * slope(gate, i), previous[1] * slope(gate, f), i * slope(self.activation, g), y * slope(gate, o), f

    def back(self, gradient: State, factors: State, kernel: Tensor) -> tuple[Tensor, State]:
        through, i, f, g, o, keep = factors
        c = gradient[1] + gradient[0] * through
        delta = join(c * i, c * f, c * g, gradient[0] * o)
        return delta, (tf.matmul(delta, kernel, transpose_b=True), c * keep)


class GRU(Cell):
    """z, r = σ(…); c = act(x_h + r (h' R_h + b)) or act(x_h + (r h') R_h); h = z h' + (1 − z) c."""

    name = "gru"
    blocks = 3
    gates = ("update", "reset", "candidate")

    @property
    def saves(self) -> tuple[int, ...]:
        return (2, 1, 1) if self.reset_after else (2, 1)  # z and r, c, and h' R_h + b, which the reset gate scales

    def step(self, x: Tensor, state: State, kernel: Tensor, bias: Tensor | None) -> tuple[State, State]:
        h, gate, size = state[0], self.recurrent_activation, self.units
        if self.reset_after:
            m = h @ kernel if bias is None else h @ kernel + bias
            gates = activate_blocks((gate, gate), x[..., : 2 * size] + m[..., : 2 * size])
            z, r = split(gates, 2)
            c = activate(self.activation, x[..., 2 * size :] + r * m[..., 2 * size :])
            return (c + z * (h - c),), (gates, c, m[..., 2 * size :])
        gates = activate_blocks((gate, gate), x[..., : 2 * size] + h @ kernel[:, : 2 * size])
        z, r = split(gates, 2)
        c = activate(self.activation, x[..., 2 * size :] + (r * h) @ kernel[:, 2 * size :])
        return (c + z * (h - c),), (gates, c)

    def factors(self, saved: State, state: State, previous: State) -> State:
        (z, r), c = split(saved[0], 2), saved[1]
        h, gate = previous[0], self.recurrent_activation
        candidate = (1 - z) * slope(self.activation, c)
        reset = candidate * saved[2] * slope(gate, r) if self.reset_after else h * slope(gate, r)
        return (h - c) * slope(gate, z), reset, candidate, r, z

    def back(self, gradient: State, factors: State, kernel: Tensor) -> tuple[Tensor, State]:
        (update, reset, candidate, r, keep), h = factors, gradient[0]
        z, c = h * update, h * candidate
        if self.reset_after:
            s = h * reset
            return join(z, s, c), (tf.matmul(join(z, s, c * r), kernel, transpose_b=True) + h * keep,)
        reached = tf.matmul(c, kernel[:, 2 * self.units :], transpose_b=True)  # gradient of r h'
        s = reached * reset
        before = tf.matmul(join(z, s), kernel[:, : 2 * self.units], transpose_b=True)
        return join(z, s, c), (before + reached * r + h * keep,)

    def recurrent(self, delta: Tensor, saved: State) -> Tensor:
        """(…, 3H) gradient of h' R + b, from that of x: they differ in the candidate's part when reset_after."""
        z, r, c = split(delta, 3)
        return join(z, r, c * split(saved[0], 2)[1])

    def outer(self, delta: Tensor, saved: State, previous: State) -> list[tuple[Tensor, Tensor]]:
        if self.reset_after:
            return [(previous[0], self.recurrent(delta, saved))]
        return [(previous[0], delta[..., : 2 * self.units]), (previous[0] * split(saved[0], 2)[1], delta[..., 2 * self.units :])]


CELLS: dict[str, type[Cell]] = {cell.name: cell for cell in (SimpleRNN, LSTM, GRU)}
