"""One step of SimpleRNN, LSTM and GRU: forward, backward, and its Jacobian, in Keras's conventions. These are the only equations.

Inputs W, recurrent kernel U, biases b; columns of LSTM i|f|g|o, of GRU z|r|candidate, where z keeps the old state. States are
row vectors; h' is the state before the step: h = act(x W + b + h' U). The argument x of a step is the projected input x W + b.

A step back takes the gradient of the state after the step. Everything in it that does not depend on that gradient
(`local_derivatives`) can be computed for all steps at once. All functions take NumPy arrays or TensorFlow tensors.

Shapes: … any leading axes, mostly batch or time and batch; H units, G = H, 4H or 3H packed columns, S = H or 2H the full state.
Sources: Elman 1990; Hochreiter & Schmidhuber 1997 with forget gates of Gers et al. 2000; Cho et al. 2014 (both versions).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from rnn_core.engine.arrays import Array, activate, activate_blocks, join, library, product, slope, split
from rnn_core.spec import experiment
from rnn_core.spec.experiment import ModelSpec

State = tuple[Array, ...]  # (h,) or (h, c), each (…, H)


@dataclass(frozen=True)
class Cell:
    """Sizes and activations of a cell; the subclasses define its step forward and backward."""

    units: int  # H
    activation: str = "tanh"  # of the state (SimpleRNN), the candidate (GRU), the candidate and the output (LSTM)
    recurrent_activation: str = "sigmoid"  # of the gates
    reset_after: bool = True  # GRU: the reset gate acts after the product with U (Keras, cuDNN), or before it (Cho et al.)

    name: ClassVar[str]  # as in ModelSpec.cell
    columns: ClassVar[tuple[str, ...]]  # what each block of H columns of W, U and b computes: the gates and the candidate
    parts: ClassVar[int] = 1  # arrays of the state: h, or h and c
    keep: ClassVar[str] = ""  # the gate that scales the old state, in `columns`; "" if there is none
    candidate: ClassVar[str]  # the new content, in `columns`

    @property
    def state_size(self) -> int:
        """S: numbers in the full state, H or 2H."""
        return self.parts * self.units

    @property
    def gates(self) -> tuple[str, ...]:
        """Names of the gates and the candidate; none for SimpleRNN, whose only block of columns is the state itself."""
        return self.columns if len(self.columns) > 1 else ()

    @property
    def saved_count(self) -> int:
        """Number of arrays that `step` saves: the gates, and what else the step back needs."""
        return len(self.gates)

    @property
    def recurrent_bias(self) -> bool:
        """Whether h' U has a bias of its own."""
        return False

    def step(self, x: Array, state: State, kernel: Array, bias: Array | None = None) -> tuple[State, State]:
        """One step forward.

        Args:
            x: (…, G) projected input, x W + b.
            state: the state before the step.
            kernel: (H, G) recurrent kernel U.
            bias: (G,) of h' U, where the cell has one.

        Returns: the state after the step, and what the step back needs besides the states, (…, H) each, the gates first.
        """
        raise NotImplementedError

    def local_derivatives(self, saved: State, state: State, previous: State) -> State:
        """Derivatives of a step that do not depend on the gradient, from what it saved and the states after and before it."""
        raise NotImplementedError

    def backward_step(self, gradient: State, local: State, transposed: Array) -> tuple[Array, State]:
        """One step back, from the gradient of the state after the step. `transposed`: (G, H) Uᵀ.

        Returns: the gradient of the projected input (…, G), and of the state before the step.
        """
        raise NotImplementedError

    def jacobian(self, local: State, transposed: Array) -> Array:
        """(…, S, S) ds/ds' of a step: rows after, columns before."""
        raise NotImplementedError

    def kernel_gradient_pairs(self, delta: Array, saved: State, previous: State) -> list[tuple[Array, Array]]:
        """Pairs (left (…, H), right (…, n H)) whose outer products, side by side, are dL/dU at each step.

        delta: (…, G) the gradient of the projected input.
        """
        return [(previous[0], delta)]

    def recurrent_terms(self, saved: State, previous: State, kernel: Array) -> list[Array]:
        """The term of the old state in what each block of columns applies its nonlinearity to, (…, H) each."""
        return split(product(previous[0], kernel), len(self.columns))


class SimpleRNN(Cell):
    """h = act(x + h' U)."""

    name = "simple_rnn"
    columns = ("state",)
    candidate = "state"

    def step(self, x: Array, state: State, kernel: Array, bias: Array | None = None) -> tuple[State, State]:
        return (activate(self.activation, x + state[0] @ kernel),), ()

    def local_derivatives(self, saved: State, state: State, previous: State) -> State:
        return (slope(self.activation, state[0]),)

    def backward_step(self, gradient: State, local: State, transposed: Array) -> tuple[Array, State]:
        delta = gradient[0] * local[0]
        return delta, (product(delta, transposed),)

    def jacobian(self, local: State, transposed: Array) -> Array:
        return scaled_rows(local[0], transposed)


class LSTM(Cell):
    """i, f, o = σ(…), g = act(…); c = f c' + i g; h = o act(c)."""

    name = "lstm"
    columns = ("input", "forget", "cell", "output")
    parts = 2
    keep = "forget"
    candidate = "cell"

    def step(self, x: Array, state: State, kernel: Array, bias: Array | None = None) -> tuple[State, State]:
        gate = self.recurrent_activation
        i, f, g, o = split(activate_blocks((gate, gate, self.activation, gate), x + state[0] @ kernel), 4)
        c = f * state[1] + i * g
        return (o * activate(self.activation, c), c), (i, f, g, o)

    def local_derivatives(self, saved: State, state: State, previous: State) -> State:
        i, f, g, o = saved
        y, gate = activate(self.activation, state[1]), self.recurrent_activation
        through = o * slope(self.activation, y)  # dh/dc
        # of c (and for o of h) with respect to what each gate applies its nonlinearity to
        gates = join(g * slope(gate, i), previous[1] * slope(gate, f), i * slope(self.activation, g), y * slope(gate, o))
        return through, gates, f

    def backward_step(self, gradient: State, local: State, transposed: Array) -> tuple[Array, State]:
        (through, gates, f), (dh, dc) = local, gradient
        dc = dc + dh * through
        delta = join(dc, dc, dc, dh) * gates
        return delta, (product(delta, transposed), dc * f)

    def jacobian(self, local: State, transposed: Array) -> Array:
        through, gates, f = local
        i, f_gate, g, o = (scaled_rows(*pair) for pair in zip(split(gates, 4), split_rows(transposed, 4), strict=True))
        c_of_h, c_of_c = i + f_gate + g, diagonal(f)
        h_of_h, h_of_c = through[..., None] * c_of_h + o, diagonal(through * f)
        return library(f).concat([join(h_of_h, h_of_c), join(c_of_h, c_of_c)], -2)


class GRU(Cell):
    """z, r = σ(…); c = act(x_c + r (h' U_c + b)) or act(x_c + (r h') U_c); h = z h' + (1 − z) c."""

    name = "gru"
    columns = ("update", "reset", "candidate")
    keep = "update"
    candidate = "candidate"

    @property
    def saved_count(self) -> int:
        return 4 if self.reset_after else 3  # z, r, c, and h' U_c + b, which the reset gate scales

    @property
    def recurrent_bias(self) -> bool:
        return self.reset_after

    def step(self, x: Array, state: State, kernel: Array, bias: Array | None = None) -> tuple[State, State]:
        h, gate, gates = state[0], self.recurrent_activation, 2 * self.units  # columns of z and r
        if self.reset_after:
            m = h @ kernel if bias is None else h @ kernel + bias
            z, r = split(activate_blocks((gate, gate), x[..., :gates] + m[..., :gates]), 2)
            c = activate(self.activation, x[..., gates:] + r * m[..., gates:])
            return (c + z * (h - c),), (z, r, c, m[..., gates:])
        z, r = split(activate_blocks((gate, gate), x[..., :gates] + h @ kernel[:, :gates]), 2)
        c = activate(self.activation, x[..., gates:] + (r * h) @ kernel[:, gates:])
        return (c + z * (h - c),), (z, r, c)

    def local_derivatives(self, saved: State, state: State, previous: State) -> State:
        z, r, c, *m = saved
        h, gate = previous[0], self.recurrent_activation
        update, candidate = (h - c) * slope(gate, z), (1 - z) * slope(self.activation, c)
        reset = candidate * m[0] if self.reset_after else h  # before it, the gradient of r h' comes through U_c first
        return update, reset * slope(gate, r), candidate, r, z

    def backward_step(self, gradient: State, local: State, transposed: Array) -> tuple[Array, State]:
        (update, reset, candidate, r, z), dh = local, gradient[0]
        if self.reset_after:
            du, dr, dc = dh * update, dh * reset, dh * candidate
            return join(du, dr, dc), (product(join(du, dr, dc * r), transposed) + dh * z,)
        du, dc = dh * update, dh * candidate
        reached = product(dc, transposed[2 * self.units :])  # gradient of r h'
        dr = reached * reset
        return join(du, dr, dc), (product(join(du, dr), transposed[: 2 * self.units]) + reached * r + dh * z,)

    def jacobian(self, local: State, transposed: Array) -> Array:
        update, reset, candidate, r, z = local
        to_z, to_r, to_c = split_rows(transposed, 3)
        kept = scaled_rows(update, to_z) + diagonal(z)
        if self.reset_after:
            return kept + scaled_rows(reset, to_r) + scaled_rows(candidate * r, to_c)
        return kept + candidate[..., None] * (to_c @ (scaled_rows(reset, to_r) + diagonal(r)))

    def kernel_gradient_pairs(self, delta: Array, saved: State, previous: State) -> list[tuple[Array, Array]]:
        r, gates = saved[1], 2 * self.units
        if self.reset_after:
            return [(previous[0], join(delta[..., :gates], delta[..., gates:] * r))]
        return [(previous[0], delta[..., :gates]), (previous[0] * r, delta[..., gates:])]

    def recurrent_terms(self, saved: State, previous: State, kernel: Array) -> list[Array]:
        z, r, _ = super().recurrent_terms(saved, previous, kernel)
        return [z, r, saved[1] * saved[3] if self.reset_after else product(saved[1] * previous[0], kernel[:, 2 * self.units :])]


def scaled_rows(scale: Array, matrix: Array) -> Array:
    """(…, H, H) diag(scale) times a matrix (H, H)."""
    return scale[..., None] * matrix


def split_rows(matrix: Array, count: int) -> list[Array]:
    """`count` equal blocks of rows."""
    size = matrix.shape[0] // count
    return [matrix[start : start + size] for start in range(0, count * size, size)]


def diagonal(values: Array) -> Array:
    """(…, H, H) with these values (…, H) on the diagonal."""
    return values[..., None] * library(values).eye(values.shape[-1], dtype=values.dtype)


CELLS: dict[str, type[Cell]] = {cell.name: cell for cell in (SimpleRNN, LSTM, GRU)}


def cell_of(spec: ModelSpec) -> Cell:
    """The cell of a ModelSpec."""
    return CELLS[spec.cell](spec.units, spec.activation, reset_after=spec.reset_after)


def add(cell: type[Cell]) -> None:
    """Make another cell known under its name, to experiments and to everything that trains and looks inside."""
    CELLS[cell.name] = cell
    if cell.name not in experiment.CELLS:
        experiment.CELLS.append(cell.name)
