"""One step of a recurrent layer in detail: the three terms of every gate, and the new state, with numbers.

Row vectors, Keras's packing: LSTM i|f|c|o, GRU z|r|h where z keeps the old state. Plain NumPy in float64; the tests
compare with the engine. Legend: H units, D numbers per input.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnn_core.engine.arrays import split
from rnn_core.engine.model import Model
from rnn_core.engine.numpy_network import NumpyNetwork

_SIGMOID = ("input", "forget", "output", "update", "reset")  # gates with a sigmoid


@dataclass(frozen=True, eq=False)
class Part:
    """One gate, candidate or (vanilla RNN) the state itself: activation(input + recurrent + bias)."""

    input: np.ndarray  # (H,) term of the token: x W
    recurrent: (
        np.ndarray
    )  # (H,) term of the old state: h U, with its own bias where it has one; in GRU's candidate r ⊙ (h U + b) or (r ⊙ h) U
    bias: np.ndarray  # (H,) b of x W
    activation: np.ndarray  # (H,) after the sigmoid or tanh

    @property
    def total(self) -> np.ndarray:
        """(H,) the sum of the three terms, before the activation."""
        return self.input + self.recurrent + self.bias


@dataclass(frozen=True, eq=False)
class Step:
    """One step at one token."""

    cell: str  # "simple_rnn", "lstm" or "gru"
    squash: str  # activation of the state: "tanh" …
    parts: dict[str, Part]  # by gate name, in Keras's order
    before: np.ndarray  # (H,) h before
    after: np.ndarray  # (H,) h after
    memory: tuple[np.ndarray, np.ndarray] | None  # LSTM: c before and after, (H,) each
    logits: tuple[float, float]  # of "positive", before and after


def step_of(model: Model, ids: np.ndarray, t: int) -> Step:
    """Step t of a model over `ids` (T,). Raises ValueError for a step outside, or a model of another kind."""
    ids = np.asarray(ids, np.int32)
    if not 0 <= t < len(ids):
        raise ValueError(f"the step must be between 0 and {len(ids) - 1}, got {t}")
    if model.spec.bidirectional or model.interface.inputs != "tokens" or model.interface.outputs != 1:
        raise ValueError("the arithmetic of a step needs a model that reads a text forwards and has one logit")
    network = NumpyNetwork(model, "float64")
    taken = network.forward(network.vectors(ids[None, : t + 1]))[-1]
    layer, cell, count = taken.layer, taken.layer.cell, len(taken.layer.cell.columns)
    before, after, saved = (
        tuple(each[t, 0] for each in part) for part in (taken.record.previous, taken.record.states, taken.record.saved)
    )
    terms = (
        split(taken.inputs[t, 0] @ layer.kernel, count),
        cell.recurrent_terms(saved, before, layer.recurrent, layer.recurrent_bias),
        split(np.zeros(layer.kernel.shape[1]) if layer.bias is None else layer.bias, count),
        saved[:count] if cell.gates else after[:1],
    )
    parts = {name: Part(*values) for name, *values in zip(cell.columns, *terms, strict=True)}
    memory = (before[1], after[1]) if cell.parts > 1 else None
    first, last = (float(h @ network.head[:, 0] + network.offset[0]) for h in (before[0], after[0]))
    return Step(cell.name, cell.activation, parts, before[0], after[0], memory, (first, last))


def formulas(step: Step, unit: int) -> list[str]:
    """The step of one unit in LaTeX with its numbers: one line per gate, then the new state."""
    letters = {
        "state": "h",
        "input": "i",
        "forget": "f",
        "cell": "g",
        "output": "o",
        "update": "z",
        "reset": "r",
        "candidate": r"\tilde h",
    }
    squash = {"tanh": r"\tanh", "relu": r"\mathrm{relu}", "sigmoid": r"\sigma", "linear": ""}[step.squash]

    def number(value: float) -> str:
        return f"{value:.3f}" if value >= 0 else f"({value:.3f})"

    lines = []
    for name, part in step.parts.items():
        inside = " + ".join(number(values[unit]) for values in (part.input, part.recurrent, part.bias))
        outside = r"\sigma" if name in _SIGMOID else squash
        lines.append(
            rf"{letters[name]} = {outside}(\underbrace{{{inside}}}_{{\text{{token}} + \text{{old state}} + \text{{bias}}}}) = {outside}({part.total[unit]:.3f}) = {part.activation[unit]:.3f}"
        )
    value = {name: number(part.activation[unit]) for name, part in step.parts.items()}
    if step.memory:
        old, new = (memory[unit] for memory in step.memory)
        lines.append(
            rf"c' = f\,c + i\,g = {value['forget']}\cdot{number(old)} + {value['input']}\cdot{value['cell']} = {new:.3f}"
        )
        lines.append(rf"h' = o\,{squash}(c') = {value['output']}\cdot{squash}({new:.3f}) = {step.after[unit]:.3f}")
    elif step.cell == "gru":
        keep = step.parts["update"].activation[unit]
        lines.append(
            rf"h' = z\,h + (1 - z)\,\tilde h = {number(keep)}\cdot{number(step.before[unit])} + {number(1 - keep)}\cdot{value['candidate']} = {step.after[unit]:.3f}"
        )
    return lines
