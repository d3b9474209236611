"""One step of SimpleRNN, LSTM and GRU: forward, backward, and its Jacobian. No other file repeats these equations.

    a_t = x_t W + b + h_{t−1} U      the pre-activations: one block of H columns for each gate and for the candidate
    δ_t = dL/da_t                    which is also the gradient of the projected input x_t W + b

Weights as in Keras: input kernel W, recurrent kernel U, bias b; columns of LSTM i|f|g|o, of GRU z|r|candidate, where z keeps the
old state. States are row vectors. A GRU that resets after the product has a second bias, b_rec, of h_{t−1} U.

A step back takes the gradient of the state after the step. Everything in it that does not depend on that gradient
(`local_derivatives`) can be computed for all steps at once. All functions take NumPy arrays or TensorFlow tensors.

Shapes: … any leading axes, mostly batch, or time and batch; H units, G = H, 4H or 3H columns, S = H or 2H numbers in the state.
Sources: Elman 1990; Hochreiter & Schmidhuber 1997 with the forget gates of Gers et al. 2000 and the full gradient of Graves &
Schmidhuber 2005; Cho et al. 2014 (arXiv version 3 resets before the product with U, version 1 after it).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from rnn_core.engine.arrays import Array, activate, activate_blocks, join, library, product, slope, split
from rnn_core.spec import experiment
from rnn_core.spec.experiment import ModelSpec

State = tuple[Array, ...]  # (h,) or (h, c), each (…, H): a state, or the gradient of one
Arrays = tuple[Array, ...]


@dataclass(frozen=True)
class Cell:
    """Sizes and activations of a cell; the subclasses define its step forward and backward."""

    units: int  # H
    activation: str = "tanh"  # of the state (SimpleRNN), the candidate (GRU), the candidate and of c where it is read (LSTM)
    recurrent_activation: str = "sigmoid"  # of the gates
    reset_after: bool = True  # GRU: the reset gate acts after the product with U (Keras's default), or before it

    name: ClassVar[str]  # as in ModelSpec.cell
    columns: ClassVar[tuple[str, ...]]  # what each block of H columns computes: the gates and the candidate, or the state itself
    parts: ClassVar[int] = 1  # arrays of the state: h, or h and c
    keep: ClassVar[str] = ""  # the column whose gate scales the old h (GRU) or c (LSTM); "" if there is none
    candidate: ClassVar[str]  # the column of the new content

    @property
    def gates(self) -> tuple[str, ...]:
        """Names of the gates and, among them, the candidate; none for SimpleRNN, whose only column is the state itself."""
        return self.columns if len(self.columns) > 1 else ()

    @property
    def saved_count(self) -> int:
        """Number of arrays that `step` saves."""
        return len(self.gates)

    @property
    def recurrent_bias(self) -> bool:
        """Whether h_{t−1} U may have a bias of its own, b_rec."""
        return False

    def step(self, projected: Array, previous: State, kernel: Array, bias: Array | None = None) -> tuple[State, Arrays]:
        """One step forward.

        Args:
            projected: (…, G) x_t W + b.
            previous: the state before the step.
            kernel: (H, G) U.
            bias: (G,) b_rec, where the cell has one.

        Returns: the state after the step, and what the step back needs besides the states, (…, H) each: what `gates` names first.
        """
        raise NotImplementedError

    def local_derivatives(self, saved: Arrays, after: State, previous: State) -> Arrays:
        """What the step back needs, from what the step saved and the states after and before it, (…, H) each if not said otherwise.

        Meaningless at a masked step, whose Jacobian is the identity: the caller leaves it out.
        """
        raise NotImplementedError

    def backward_step(self, gradient: State, local: Arrays, transposed: Array) -> tuple[Array, State]:
        """One step back, from the gradient of the state after the step.

        Args:
            local: from `local_derivatives`.
            transposed: (G, H) Uᵀ.

        Returns: δ (…, G), and the gradient of the state before the step.
        """
        raise NotImplementedError

    def jacobian(self, local: Arrays, transposed: Array) -> Array:
        """(…, S, S) ds_t/ds_{t−1}: rows after, columns before, so that a gradient (a row) times it is the gradient one step earlier."""
        raise NotImplementedError

    def kernel_gradient_pairs(self, delta: Array, saved: Arrays, previous: State) -> list[tuple[Array, Array]]:
        """Pairs (left (…, H), right (…, n H)) whose outer products, side by side, are each step's contribution to dL/dU.

        The rights, side by side, are the gradient of h_{t−1} U, and so of b_rec.
        """
        return [(previous[0], delta)]

    def recurrent_terms(self, saved: Arrays, previous: State, kernel: Array, bias: Array | None = None) -> list[Array]:
        """The part of each pre-activation that comes from the old state, with b_rec where the cell has one, (…, H) each."""
        return split(product(previous[0], kernel), len(self.columns))


class SimpleRNN(Cell):
    """h_t = act(a), a = x_t W + b + h_{t−1} U."""

    name = "simple_rnn"
    columns = ("state",)
    candidate = "state"

    def step(self, projected: Array, previous: State, kernel: Array, bias: Array | None = None) -> tuple[State, Arrays]:
        return (activate(self.activation, projected + previous[0] @ kernel),), ()

    def local_derivatives(self, saved: Arrays, after: State, previous: State) -> Arrays:
        return (slope(self.activation, after[0]),)  # dh/da

    def backward_step(self, gradient: State, local: Arrays, transposed: Array) -> tuple[Array, State]:
        delta = gradient[0] * local[0]
        return delta, (product(delta, transposed),)

    def jacobian(self, local: Arrays, transposed: Array) -> Array:
        return scaled_rows(local[0], transposed)


class LSTM(Cell):
    """i, f, o = σ(a_i), σ(a_f), σ(a_o); g = act(a_g); c_t = f c_{t−1} + i g; h_t = o act(c_t).

    g is the candidate, which Keras calls "cell". σ is the recurrent activation.
    """

    name = "lstm"
    columns = ("input", "forget", "cell", "output")
    parts = 2
    keep = "forget"
    candidate = "cell"

    def step(self, projected: Array, previous: State, kernel: Array, bias: Array | None = None) -> tuple[State, Arrays]:
        (h_old, c_old), sigma, act = previous, self.recurrent_activation, self.activation
        i, f, g, o = split(activate_blocks((sigma, sigma, act, sigma), projected + h_old @ kernel), 4)
        c = f * c_old + i * g
        return (o * activate(act, c), c), (i, f, g, o)

    def local_derivatives(self, saved: Arrays, after: State, previous: State) -> Arrays:
        """dh/dc; (…, 4H) dc/da_i, dc/da_f, dc/da_g and dh/da_o; dc_t/dc_{t−1} = f."""
        (i, f, g, o), c_old, sigma, act = saved, previous[1], self.recurrent_activation, self.activation
        act_c = activate(act, after[1])
        by_a = join(g * slope(sigma, i), c_old * slope(sigma, f), i * slope(act, g), act_c * slope(sigma, o))
        return o * slope(act, act_c), by_a, f

    def backward_step(self, gradient: State, local: Arrays, transposed: Array) -> tuple[Array, State]:
        (h_by_c, by_a, f), (dh, dc) = local, gradient
        dc = dc + dh * h_by_c  # what came from later steps, and what comes through h of this step
        delta = join(dc, dc, dc, dh) * by_a
        return delta, (product(delta, transposed), dc * f)

    def jacobian(self, local: Arrays, transposed: Array) -> Array:
        h_by_c, by_a, f = local
        of_i, of_f, of_g, of_o = map(scaled_rows, split(by_a, 4), split_rows(transposed, 4))
        c_by_h, c_by_c = of_i + of_f + of_g, diagonal(f)
        h_by_h, h_by_c_old = scaled_rows(h_by_c, c_by_h) + of_o, diagonal(h_by_c * f)
        return join(join(h_by_h, h_by_c_old), join(c_by_h, c_by_c), axis=-2)


class GRU(Cell):
    """z, r = σ(a_z), σ(a_r); h_t = z h_{t−1} + (1 − z) g, with the candidate g.

    g = act(x_t W_g + b_g + r (h_{t−1} U_g + b_rec)) where the reset comes after the product, else act(x_t W_g + b_g + (r h_{t−1}) U_g).
    """

    name = "gru"
    columns = ("update", "reset", "candidate")
    keep = "update"
    candidate = "candidate"

    @property
    def saved_count(self) -> int:
        return 4 if self.reset_after else 3  # z, r, g, and h_{t−1} U_g + b_rec, which the reset gate scales

    @property
    def recurrent_bias(self) -> bool:
        return self.reset_after

    def step(self, projected: Array, previous: State, kernel: Array, bias: Array | None = None) -> tuple[State, Arrays]:
        h_old, sigma, two = previous[0], self.recurrent_activation, 2 * self.units  # the first two blocks are z and r
        if self.reset_after:
            m = h_old @ kernel if bias is None else h_old @ kernel + bias
            z, r = split(activate_blocks((sigma, sigma), projected[..., :two] + m[..., :two]), 2)
            g = activate(self.activation, projected[..., two:] + r * m[..., two:])
        else:
            z, r = split(activate_blocks((sigma, sigma), projected[..., :two] + h_old @ kernel[:, :two]), 2)
            g = activate(self.activation, projected[..., two:] + (r * h_old) @ kernel[:, two:])
        h = g + z * (h_old - g)  # z h_old + (1 − z) g
        return (h,), (z, r, g, m[..., two:]) if self.reset_after else (z, r, g)

    def local_derivatives(self, saved: Arrays, after: State, previous: State) -> Arrays:
        """dh/da_z; dh/da_r where the reset comes after the product, else d(r h_{t−1})/da_r; dh/da_g; r; z."""
        (z, r, g), h_old, sigma = saved[:3], previous[0], self.recurrent_activation
        h_by_g = (1 - z) * slope(self.activation, g)
        by_r = h_by_g * saved[3] if self.reset_after else h_old
        return (h_old - g) * slope(sigma, z), by_r * slope(sigma, r), h_by_g, r, z

    def backward_step(self, gradient: State, local: Arrays, transposed: Array) -> tuple[Array, State]:
        (by_z, by_r, by_g, r, z), dh, two = local, gradient[0], 2 * self.units
        delta_z, delta_g = dh * by_z, dh * by_g
        if self.reset_after:
            delta_r = dh * by_r
            through_u = product(join(delta_z, delta_r, delta_g * r), transposed)
        else:
            d_reset = product(delta_g, transposed[two:])  # gradient of r h_{t−1}
            delta_r = d_reset * by_r
            through_u = product(join(delta_z, delta_r), transposed[:two]) + d_reset * r
        return join(delta_z, delta_r, delta_g), (through_u + dh * z,)

    def jacobian(self, local: Arrays, transposed: Array) -> Array:
        by_z, by_r, by_g, r, z = local
        u_z, u_r, u_g = split_rows(transposed, 3)
        kept = scaled_rows(by_z, u_z) + diagonal(z)
        if self.reset_after:
            return kept + scaled_rows(by_r, u_r) + scaled_rows(by_g * r, u_g)
        return kept + scaled_rows(by_g, u_g @ (scaled_rows(by_r, u_r) + diagonal(r)))

    def kernel_gradient_pairs(self, delta: Array, saved: Arrays, previous: State) -> list[tuple[Array, Array]]:
        h_old, r, two = previous[0], saved[1], 2 * self.units
        if self.reset_after:
            return [(h_old, join(delta[..., :two], delta[..., two:] * r))]
        return [(h_old, delta[..., :two]), (h_old * r, delta[..., two:])]

    def recurrent_terms(self, saved: Arrays, previous: State, kernel: Array, bias: Array | None = None) -> list[Array]:
        h_old, r, two = previous[0], saved[1], 2 * self.units
        if self.reset_after:
            z_term, r_term, m_g = split(product(h_old, kernel) + (0 if bias is None else bias), 3)
            return [z_term, r_term, r * m_g]
        return [*split(product(h_old, kernel[:, :two]), 2), product(r * h_old, kernel[:, two:])]


def scaled_rows(scale: Array, matrix: Array) -> Array:
    """(…, H, H) diag(scale) times a matrix (H, H) or matrices (…, H, H)."""
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
