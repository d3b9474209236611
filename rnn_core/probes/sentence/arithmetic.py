"""One step of a recurrent layer in detail: the three terms of every gate, and the new state, with numbers.

Row vectors, Keras's packing: LSTM i|f|c|o, GRU z|r|h where z keeps the old state. Plain NumPy in float64; the tests
compare with the engine. Legend: H units, D numbers per input.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnn_core.engine.model import Model
from rnn_core.engine.numpy_recurrence import activate
from rnn_core.probes.sentence.reader import Reader

_NAMES = {"simple_rnn": ("state",), "lstm": ("input", "forget", "cell", "output"), "gru": ("update", "reset", "candidate")}
_SIGMOID = ("input", "forget", "output", "update", "reset")  # gates with a sigmoid


@dataclass(frozen=True, eq=False)
class Part:
    """One gate, candidate or (vanilla RNN) the state itself: activation(input + recurrent + bias)."""

    input: np.ndarray  # (H,) term of the token: x K
    recurrent: np.ndarray  # (H,) term of the old state: h R; in GRU's candidate r ⊙ (h R + b) or (r ⊙ h) R
    bias: np.ndarray  # (H,)
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
    reader = Reader(model)
    vectors = reader.table[ids[: t + 1]][:, None]
    passes = reader.passes(vectors)
    below = passes[-2].states[0][t + 1, 0] if len(passes) > 1 else vectors[t, 0]
    before = np.concatenate([part[t, 0] for part in passes[-1].states])
    return arithmetic(model, below.astype(np.float64), before.astype(np.float64))


def arithmetic(model: Model, x: np.ndarray, before: np.ndarray) -> Step:
    """One step of the last recurrent layer from its input (D,) and the full state before it (S,)."""
    spec, count = model.spec, 3 if model.spec.use_bias else 2
    kernel, recurrent, *rest = (weight.astype(np.float64) for weight in model.weights[-2 - count : -2])
    bias = rest[0] if rest else np.zeros(kernel.shape[1])
    h = before[: spec.units]
    names = _NAMES[spec.cell]
    outer, inner = (bias[0], bias[1]) if bias.ndim == 2 else (bias, np.zeros_like(bias))
    from_input, from_state, biases = (np.split(value, len(names)) for value in (x @ kernel, h @ recurrent, outer + inner))
    parts = {
        name: _part(name, spec.activation, *values) for name, *values in zip(names, from_input, from_state, biases, strict=True)
    }
    if spec.cell == "gru":
        reset = parts["reset"].activation
        inside = np.split(inner, 3)[2]
        gated = reset * (from_state[2] + inside) if spec.reset_after else (reset * h) @ recurrent[:, 2 * spec.units :]
        parts["candidate"] = _part("candidate", spec.activation, from_input[2], gated, np.split(outer, 3)[2])
    after, memory = _new_state(spec.cell, spec.activation, parts, before, spec.units)
    head, offset = model.weights[-2][:, 0].astype(np.float64), float(model.weights[-1][0])
    return Step(spec.cell, spec.activation, parts, h, after, memory, (float(h @ head) + offset, float(after @ head) + offset))


def _part(name: str, activation: str, from_input: np.ndarray, from_state: np.ndarray, bias: np.ndarray) -> Part:
    total = from_input + from_state + bias
    return Part(from_input, from_state, bias, activate("sigmoid" if name in _SIGMOID else activation, total))


def _new_state(
    cell: str, squash: str, parts: dict[str, Part], before: np.ndarray, units: int
) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray] | None]:
    if cell == "simple_rnn":
        return parts["state"].activation, None
    if cell == "gru":
        z = parts["update"].activation
        return z * before[:units] + (1 - z) * parts["candidate"].activation, None
    i, f, g, o = (parts[name].activation for name in _NAMES["lstm"])
    memory = f * before[units:] + i * g
    return o * activate(squash, memory), (before[units:], memory)


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
