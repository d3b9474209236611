"""One sequence unrolled: what one network's last recurrent layer held at every step, its answers, and the gradient that reaches back.

The page draws one `Strip` per network as a row (pages/shared/strip). NumPy only, so that recorded networks need no worker.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from rnn_core.engine.model import Model
from rnn_core.engine.numpy_network import LayerPass, NumpyNetwork
from rnn_core.probes.calls import questions
from rnn_core.probes.calls.final_activation import apply_final_activation
from rnn_core.probes.gradients.norms import norm
from rnn_core.probes.gradients.reach import reach


@dataclass(frozen=True, eq=False)
class Shown:
    """A sequence as it is written over the rows: T steps, of words or symbols, or of numbers of which some are marked."""

    words: tuple[str, ...] = ()  # (T,) or empty
    values: np.ndarray | None = None  # (T,) where the steps are numbers
    marked: tuple[int, ...] = ()  # steps, from 0, that the task asks for

    def __len__(self) -> int:
        return len(self.words) if self.values is None else len(self.values)


def shown(inputs: np.ndarray, words: tuple[str, ...] = ()) -> Shown:
    """How a sequence is written: token ids as `words`, one-hot steps as letters, marked numbers (D = 2) with their marks, else column 0."""
    if words or inputs.ndim == 1:
        return Shown(words=words or tuple(map(str, inputs)))
    if inputs.shape[1] > 1 and ((inputs == 0) | (inputs == 1)).all() and (inputs.sum(1) == 1).all():
        return Shown(words=tuple("abcdefghijklmnopqrstuvwxyz"[column % 26] for column in inputs.argmax(1)))
    marks = inputs[:, 1] if inputs.shape[1] == 2 and np.isin(inputs[:, 1], (0, 1)).all() else np.zeros(len(inputs))
    return Shown(values=inputs[:, 0], marked=tuple(map(int, np.flatnonzero(marks))))


@dataclass(frozen=True, eq=False)
class Strip:
    """One network over one sequence. T steps, H units; the steps are in the order of the sequence."""

    cell: str  # "simple_rnn", "lstm", "gru"
    label: str  # which network of this cell: "untrained", "after 1,500 steps"; or ""
    activation: str  # of the state
    units: np.ndarray  # (H,) unit numbers, the most influential on the answer first: |weight to the answer| × range of h
    states: dict[str, np.ndarray]  # "h", and "c" of an LSTM → (T, H) float32, columns in the order of `units`
    gates: dict[
        str, np.ndarray
    ]  # gate → (T, H) float32, in that order; of a vanilla RNN the terms "input" x W + b and "state" h U
    answers: np.ndarray  # (T,) float64: its answer if the sequence ended at each step; (1,) where it only has one at the end
    right: float | None  # the right answer, where it is known
    kind: str  # of the answers: "probability" or "number"
    of: str  # what the gradient is of: "output" (before its squashing), or "loss" of the last step
    norms: np.ndarray  # (T,) float64: ‖∂y/∂s_t‖

    @property
    def relative(self) -> np.ndarray:
        """(T,) the norms relative to the last step's; inf or nan where they overflow, nan everywhere if the last one is 0."""
        with np.errstate(all="ignore"):
            return np.divide(self.norms, self.norms[-1])

    def light(self, units: int = 8) -> Strip:
        """The same without gates and with its first units only, in half precision: small enough to be sent with every lap of a contest."""
        states = {name: part[:, :units].astype(np.float16) for name, part in self.states.items()}
        return replace(self, states=states, gates={})

    @property
    def reach(self) -> int:
        """How many steps learning reaches back, 1 … T (see `gradients.reach`)."""
        return reach(self.norms)


def strip(
    model: Model, inputs: np.ndarray, target: np.ndarray | None = None, *, output: int | None = None, label: str = ""
) -> Strip:
    """One network over one sequence, seen at its last recurrent layer; of a bidirectional one, at the half that reads forwards.

    Args:
        inputs: (T,) token ids or (T, D) numbers, no padding.
        target: its right answer, in the shape of the data's targets for one sequence; a class number, or numbers.
        output: which of K answers; None for the right class, or else the largest.

    The gradient is of that answer before its squashing; of a network that answers at every step, of the last step's loss.
    Raises: ValueError for a sequence without steps.
    """
    if len(inputs) == 0:
        raise ValueError("a sequence needs at least one step")
    network, interface = NumpyNetwork(model, "float64"), model.interface
    categorical = interface.loss == "categorical"
    with np.errstate(over="ignore", invalid="ignore"):  # of a network that explodes
        passes = network.forward(network.vectors(inputs[None]))
        logits = network.logits(passes)  # (1, K) or (T, 1, K)
        last, upstream = (logits[-1], np.zeros_like(logits)) if interface.per_step else (logits, np.zeros_like(logits))
        final = None if target is None else np.asarray(target)[-1:] if interface.per_step else np.asarray(target)[None]
        if output is None:
            output = int(np.nan_to_num(last[0]).argmax() if final is None else np.ravel(final)[0]) if categorical else 0
        asked, of = (upstream[-1] if interface.per_step else upstream), "output"
        asked[0, output] = 1
        if interface.per_step and final is not None:
            of, asked[:] = "loss", questions.losses(interface.loss, last, final)[1]
        position = len(passes) - network.halves
        taken, gradient = passes[position], network.backward(passes, upstream, position)[position]
        norms = norm(np.concatenate(gradient.states, -1))[:, 0]
        running = logits if interface.per_step or network.halves == 2 else network.running(passes)
        activation = {"binary": "sigmoid", "categorical": "softmax"}.get(interface.loss, "linear")
        answers = apply_final_activation(activation, running.reshape(-1, running.shape[-1]))[:, output]
    hidden = taken.record.states[0][:, 0]
    weight = network.head[: hidden.shape[1], output]
    order = np.argsort(-np.nan_to_num(np.abs(weight) * np.ptp(hidden, axis=0)), kind="stable")
    columns = {name: part[:, 0][:, order].astype(np.float32) for name, part in zip("hc", taken.record.states, strict=False)}
    return Strip(
        cell=model.spec.cell,
        label=label,
        activation=model.spec.activation,
        units=order,
        states=columns,
        gates={name: gate[:, order].astype(np.float32) for name, gate in _gates(taken).items()},
        answers=answers,
        right=None if final is None else 1.0 if categorical else float(np.ravel(final)[output]),
        kind="number" if interface.loss == "squared" else "probability",
        of=of,
        norms=norms,
    )


def _gates(taken: LayerPass) -> dict[str, np.ndarray]:
    """Name → (T, H) what the state was made of at each step: gates, or for a cell without gates the two terms under the activation."""
    if taken.gates:
        return {name: gate[:, 0] for name, gate in taken.gates.items()}
    layer = taken.layer
    (term,) = layer.cell.recurrent_terms((), taken.record.previous, layer.recurrent, layer.recurrent_bias)
    return {"input": layer.project(taken.inputs)[:, 0], "state": term[:, 0]}
