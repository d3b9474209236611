"""A fourth cell in one file: the minimal gated unit (Zhou et al. 2016), a GRU whose one gate both forgets and resets."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rnn_core.engine import cells
from rnn_core.engine.arrays import Array, activate, join, product, slope, split
from rnn_core.engine.cells import Cell, State, diagonal, scaled_rows, split_rows
from rnn_core.spec import experiment


class MinimalGatedUnit(Cell):
    """f = σ(x_f + h' U_f); c = act(x_c + (f h') U_c); h = (1 − f) h' + f c."""

    name = "mgu"
    columns = ("forget", "candidate")
    candidate = "candidate"

    def step(self, x: Array, state: State, kernel: Array, bias: Array | None = None) -> tuple[State, State]:
        h, size = state[0], self.units
        f = activate(self.recurrent_activation, x[..., :size] + h @ kernel[:, :size])
        c = activate(self.activation, x[..., size:] + (f * h) @ kernel[:, size:])
        return (h + f * (c - h),), (f, c)

    def local_derivatives(self, saved: State, state: State, previous: State) -> State:
        (f, c), h, gate = saved, previous[0], slope(self.recurrent_activation, saved[0])
        return (c - h) * gate, h * gate, f * slope(self.activation, c), f

    def backward_step(self, gradient: State, local: State, transposed: Array) -> tuple[Array, State]:
        (mix, reset, candidate, f), dh = local, gradient[0]
        dc = dh * candidate
        reached = product(dc, transposed[self.units :])  # gradient of f h'
        df = dh * mix + reached * reset
        return join(df, dc), (product(df, transposed[: self.units]) + reached * f + dh * (1 - f),)

    def jacobian(self, local: State, transposed: Array) -> Array:
        mix, reset, candidate, f = local
        to_f, to_c = split_rows(transposed, 2)
        through = candidate[..., None] * (to_c @ (scaled_rows(reset, to_f) + diagonal(f)))
        return through + scaled_rows(mix, to_f) + diagonal(1 - f)

    def kernel_gradient_pairs(self, delta: Array, saved: State, previous: State) -> list[tuple[Array, Array]]:
        df, dc = split(delta, 2)
        return [(previous[0], df), (previous[0] * saved[0], dc)]

    def recurrent_terms(self, saved: State, previous: State, kernel: Array) -> list[Array]:
        return [
            product(previous[0], kernel[:, : self.units]),
            product(saved[0] * previous[0], kernel[:, self.units :]),
        ]


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
