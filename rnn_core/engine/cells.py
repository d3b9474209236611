"""One step of SimpleRNN, LSTM and GRU, forward and backward, in Keras's conventions.

`kernel` W, `recurrent_kernel` U, `bias` b; columns of LSTM i|f|g|o, of GRU z|r|candidate, where z keeps the old state. States
are row vectors; h' is the state before the step: h = act(x W + b + h' U). The argument x of a step is the projected input
x W + b. A backward step takes the gradient of the state after the step and returns that of x and of the state before it;
everything that does not depend on that gradient (`local_derivatives`) is computed for all steps at once.

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
    """Applies one nonlinearity to each of the equal blocks of columns of x.

    tanh and sigmoid are computed in one pass, as σ(x) = (1 + tanh(x/2))/2, which takes a third off LSTM's forward time.
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
    """Sizes and activations of a cell; the subclasses define its step forward and backward."""

    units: int  # H
    activation: str = "tanh"  # of the state (SimpleRNN), the candidate (GRU), the candidate and the output (LSTM)
    recurrent_activation: str = "sigmoid"  # of the gates
    reset_after: bool = True  # GRU: the reset gate acts after the product with U (Keras, cuDNN), or before it (Cho et al.)

    name: ClassVar[str]  # as in ModelSpec.cell
    blocks: ClassVar[int] = 1  # G / H
    parts: ClassVar[int] = 1  # tensors of the state: h, or h and c
    gates: ClassVar[tuple[str, ...]] = ()  # names, in the order in which `saved` holds them

    @property
    def state_size(self) -> int:
        """S: numbers in the full state, H or 2H."""
        return self.parts * self.units

    @property
    def saved_count(self) -> int:
        """Number of tensors that `step` saves."""
        return len(self.gates)

    def gate_values(self, saved: State) -> dict[str, Tensor]:
        """The gates by name, (…, H) each, from what `step` saved."""
        return dict(zip(self.gates, saved, strict=False))

    def step(self, x: Tensor, state: State, kernel: Tensor, bias: Tensor | None) -> tuple[State, State]:
        """One step forward.

        Args:
            x: (B, G) projected input, x W + b.
            state: the state before the step.
            kernel: (H, G) recurrent kernel U.
            bias: (G,) recurrent bias; GRU with reset_after only.

        Returns: the state after the step, and what the backward step needs besides the states, (B, H) each, the gates first.
        """
        raise NotImplementedError

    def local_derivatives(self, saved: State, state: State, previous: State) -> State:
        """Derivatives of a step that do not depend on the gradient, (…, n H) each; one call for all steps.

        SimpleRNN: act'. LSTM: dh/dc; of c and h with respect to the pre-activations of i, f, g, o; f. GRU: of h with respect to
        those of z, r and the candidate, and what the way back through the reset gate and the old state needs.
        """
        raise NotImplementedError

    def backward_step(self, gradient: State, factors: State, transposed: Tensor) -> State:
        """One step back: the gradient of the state before the step, from that after it. `transposed`: (G, H) Uᵀ."""
        raise NotImplementedError

    def gate_gradients(self, gradient: State, factors: State, transposed: Tensor) -> Tensor:
        """(…, G) gradient of the gates' pre-activations (and so of the projected input), from that of the state after the step; all steps at once."""
        raise NotImplementedError

    def kernel_gradient_pairs(self, delta: Tensor, saved: State, previous: State) -> list[tuple[Tensor, Tensor]]:
        """Pairs (left (…, H), right (…, n H)) whose outer products, side by side, are dL/dU at each step."""
        return [(previous[0], delta)]


class SimpleRNN(Cell):
    """h = act(x + h' U)."""

    name = "simple_rnn"

    def step(self, x: Tensor, state: State, kernel: Tensor, bias: Tensor | None) -> tuple[State, State]:
        return (activate(self.activation, x + state[0] @ kernel),), ()

    def local_derivatives(self, saved: State, state: State, previous: State) -> State:
        return (slope(self.activation, state[0]),)

    def backward_step(self, gradient: State, factors: State, transposed: Tensor) -> State:
        return ((gradient[0] * factors[0]) @ transposed,)

    def gate_gradients(self, gradient: State, factors: State, transposed: Tensor) -> Tensor:
        return gradient[0] * factors[0]


class LSTM(Cell):
    """i, f, o = σ(…), g = act(…); c = f c' + i g; h = o act(c)."""

    name = "lstm"
    blocks = 4
    parts = 2
    gates = ("input", "forget", "cell", "output")

    def step(self, x: Tensor, state: State, kernel: Tensor, bias: Tensor | None) -> tuple[State, State]:
        gate = self.recurrent_activation
        i, f, g, o = split(activate_blocks((gate, gate, self.activation, gate), x + state[0] @ kernel), 4)
        c = f * state[1] + i * g
        return (o * activate(self.activation, c), c), (i, f, g, o)

    def local_derivatives(self, saved: State, state: State, previous: State) -> State:
        i, f, g, o = saved
        y, gate = activate(self.activation, state[1]), self.recurrent_activation
        through = o * slope(self.activation, y)  # dh/dc
        packed = join(g * slope(gate, i), previous[1] * slope(gate, f), i * slope(self.activation, g), y * slope(gate, o))
        return through, packed, f

    def backward_step(self, gradient: State, factors: State, transposed: Tensor) -> State:
        through, packed, keep = factors
        dc = gradient[1] + gradient[0] * through
        return (join(dc, dc, dc, gradient[0]) * packed) @ transposed, dc * keep

    def gate_gradients(self, gradient: State, factors: State, transposed: Tensor) -> Tensor:
        through, packed, _ = factors
        dc = gradient[1] + gradient[0] * through
        return join(dc, dc, dc, gradient[0]) * packed  # gradient of the pre-activations of i, f, g, o


class GRU(Cell):
    """z, r = σ(…); c = act(x_c + r (h' U_c + b)) or act(x_c + (r h') U_c); h = z h' + (1 − z) c."""

    name = "gru"
    blocks = 3
    gates = ("update", "reset", "candidate")

    @property
    def saved_count(self) -> int:
        return 4 if self.reset_after else 3  # z, r, c, and h' U_c + b, which the reset gate scales

    def step(self, x: Tensor, state: State, kernel: Tensor, bias: Tensor | None) -> tuple[State, State]:
        h, gate, size = state[0], self.recurrent_activation, self.units
        if self.reset_after:
            m = h @ kernel if bias is None else h @ kernel + bias
            z, r = split(activate_blocks((gate, gate), x[..., : 2 * size] + m[..., : 2 * size]), 2)
            c = activate(self.activation, x[..., 2 * size :] + r * m[..., 2 * size :])
            return (c + z * (h - c),), (z, r, c, m[..., 2 * size :])
        z, r = split(activate_blocks((gate, gate), x[..., : 2 * size] + h @ kernel[:, : 2 * size]), 2)
        c = activate(self.activation, x[..., 2 * size :] + (r * h) @ kernel[:, 2 * size :])
        return (c + z * (h - c),), (z, r, c)

    def local_derivatives(self, saved: State, state: State, previous: State) -> State:
        z, r, c, *more = saved
        h, gate = previous[0], self.recurrent_activation
        candidate = (1 - z) * slope(self.activation, c)
        reset = candidate * more[0] * slope(gate, r) if self.reset_after else h * slope(gate, r)
        return (h - c) * slope(gate, z), reset, candidate, candidate * r if self.reset_after else r, z

    def backward_step(self, gradient: State, factors: State, transposed: Tensor) -> State:
        (update, reset, candidate, r, keep), dh = factors, gradient[0]
        if self.reset_after:
            return (join(dh * update, dh * reset, dh * r) @ transposed + dh * keep,)
        reached = (dh * candidate) @ transposed[2 * self.units :]  # gradient of r h'
        before = join(dh * update, reached * reset) @ transposed[: 2 * self.units]
        return (before + reached * r + dh * keep,)

    def gate_gradients(self, gradient: State, factors: State, transposed: Tensor) -> Tensor:
        (update, reset, candidate, _, _), dh = factors, gradient[0]
        reached = dh if self.reset_after else tf.tensordot(dh * candidate, transposed[2 * self.units :], 1)
        return join(dh * update, reached * reset, dh * candidate)

    def recurrent_delta(self, delta: Tensor, saved: State) -> Tensor:
        """(…, 3H) gradient of h' U + b, from that of x: they differ in the candidate's part when reset_after."""
        z, r, c = split(delta, 3)
        return join(z, r, c * saved[1])

    def kernel_gradient_pairs(self, delta: Tensor, saved: State, previous: State) -> list[tuple[Tensor, Tensor]]:
        if self.reset_after:
            return [(previous[0], self.recurrent_delta(delta, saved))]
        return [(previous[0], delta[..., : 2 * self.units]), (previous[0] * saved[1], delta[..., 2 * self.units :])]


CELLS: dict[str, type[Cell]] = {cell.name: cell for cell in (SimpleRNN, LSTM, GRU)}
