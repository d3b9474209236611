"""A fourth cell in one file: the minimal gated unit (Zhou et al. 2016), a GRU whose one gate both forgets and resets."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rnn_core.engine import cells
from rnn_core.engine.arrays import Array, activate, join, product, slope, split
from rnn_core.engine.cells import Arrays, Cell, State, diagonal, scaled_rows, split_rows
from rnn_core.spec import experiment


class MinimalGatedUnit(Cell):
    """f = σ(a_f); g = act(x_t W_g + b_g + (f h_{t−1}) U_g); h_t = (1 − f) h_{t−1} + f g."""

    name = "mgu"
    columns = ("forget", "candidate")
    candidate = "candidate"

    def step(self, projected: Array, previous: State, kernel: Array, bias: Array | None = None) -> tuple[State, Arrays]:
        h_old, size = previous[0], self.units
        f = activate(self.recurrent_activation, projected[..., :size] + h_old @ kernel[:, :size])
        g = activate(self.activation, projected[..., size:] + (f * h_old) @ kernel[:, size:])
        return (h_old + f * (g - h_old),), (f, g)

    def local_derivatives(self, saved: Arrays, after: State, previous: State) -> Arrays:
        """dh/da_f without the way through g; d(f h_{t−1})/da_f; dh/da_g; f."""
        (f, g), h_old, by_f = saved, previous[0], slope(self.recurrent_activation, saved[0])
        return (g - h_old) * by_f, h_old * by_f, f * slope(self.activation, g), f

    def backward_step(self, gradient: State, local: Arrays, transposed: Array) -> tuple[Array, State]:
        (by_f, reset_by_f, by_g, f), dh = local, gradient[0]
        delta_g = dh * by_g
        d_reset = product(delta_g, transposed[self.units :])  # gradient of f h_{t−1}
        delta_f = dh * by_f + d_reset * reset_by_f
        return join(delta_f, delta_g), (product(delta_f, transposed[: self.units]) + d_reset * f + dh * (1 - f),)

    def jacobian(self, local: Arrays, transposed: Array) -> Array:
        by_f, reset_by_f, by_g, f = local
        u_f, u_g = split_rows(transposed, 2)
        through = scaled_rows(by_g, u_g @ (scaled_rows(reset_by_f, u_f) + diagonal(f)))
        return through + scaled_rows(by_f, u_f) + diagonal(1 - f)

    def kernel_gradient_pairs(self, delta: Array, saved: Arrays, previous: State) -> list[tuple[Array, Array]]:
        delta_f, delta_g = split(delta, 2)
        return [(previous[0], delta_f), (previous[0] * saved[0], delta_g)]

    def recurrent_terms(self, saved: Arrays, previous: State, kernel: Array, bias: Array | None = None) -> list[Array]:
        h_old, size = previous[0], self.units
        return [product(h_old, kernel[:, :size]), product(saved[0] * h_old, kernel[:, size:])]


@contextmanager
def known() -> Iterator[None]:
    """Inside, the cell is known to experiments, training and probes."""
    before = list(experiment.CELLS)
    cells.add(MinimalGatedUnit)
    try:
        yield
    finally:
        experiment.CELLS[:] = before
        del cells.CELLS[MinimalGatedUnit.name]


def as_in_the_paper(x: Any, h: Any, kernel: Any, recurrent: Any, bias: Any) -> Any:
    """h after one step, by TensorFlow alone: eq. 5 to 7 of the paper, whose weights act on [h', x]."""
    import tensorflow as tf

    size = recurrent.shape[0]
    f = tf.sigmoid(x @ kernel[:, :size] + h @ recurrent[:, :size] + bias[:size])
    candidate = tf.tanh(x @ kernel[:, size:] + (f * h) @ recurrent[:, size:] + bias[size:])
    return (1 - f) * h + f * candidate
