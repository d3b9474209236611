"""One call of a model as the probes see it: what a recurrent layer did, and the way back to each of its states.

Our `Model` is called in NumPy (`own_model.py`), any Keras model as it is (`keras_model.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from rnn_core.engine.numpy_network import LayerGradient, LayerPass
from rnn_core.probes.calls.questions import Question

AT_ONCE = 64  # variants of an example in one pass: their arrays stay in the cache


@dataclass(frozen=True, eq=False)
class Call:
    """One call of a model. B examples, K outputs."""

    taken: LayerPass  # what the layer that was asked for did
    output: np.ndarray  # (B, K) or (B, T, K) before a final sigmoid or softmax; of several outputs the first
    activation: str  # the sigmoid or softmax that comes after it, or "linear"
    running: np.ndarray | None = None  # (B, T, K): `output` as if the sequence ended at each step; None where undefined
    value: np.ndarray | None = None  # (B,) the number whose gradient was asked for
    gradient: LayerGradient | None = None  # of that number, at the layer
    name: str = ""  # of the output, where the model has several

    @property
    def quantity(self) -> str:
        """What `output` is."""
        return ("output" if self.activation == "linear" else "logit") + (f" of {self.name!r}" if self.name else "")


class CalledModel(Protocol):
    """What a probe asks of a model."""

    @property
    def batch(self) -> int:
        """The number of examples in every call; 0 where it may be any."""

    def call(self, inputs: Any, mask: Any = None, layer: int | str | None = None, question: Question | None = None) -> Call:
        """Call the model.

        Args:
            inputs: (B, T) token ids or (B, T, D) numbers.
            mask: (B, T) bool, True at real steps; default: what the model itself masks.
            layer: index among the recurrent layers or name; default the last.
            question: the number from which to go back, if any.

        Raises: ValueError for inputs, targets or a layer that do not fit the model.
        """

    def examples(self, inputs: Any, mask: Any = None, output: int | None = None) -> Sequence[Example]:
        """Each of the inputs as a function of the vectors of its steps; arguments as for `call` and `Question`."""


class Example(Protocol):
    """One output of a model for one example, as a function of the vectors of its steps. N variants, T steps, E numbers in a vector."""

    @property
    def vectors(self) -> np.ndarray:
        """(T, E) its own."""

    @property
    def mask(self) -> np.ndarray:
        """(T,) bool: True where a step is real."""

    def answers(self, vectors: np.ndarray, masks: np.ndarray | None = None) -> np.ndarray:
        """(N,) the output for other vectors (N, T, E) and, where given, other masks (N, T)."""

    def gradients(self, vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(N,) the output for other vectors (N, T, E), and its gradient with respect to them."""


def choose(names: Sequence[str], layer: int | str | None) -> int:
    """The position of the recurrent layer meant by `layer`; default the last, of a bidirectional one its forward half.

    Raises ValueError for an unknown layer.
    """
    if layer is None:
        last = names[-1].removesuffix("/backward")
        return list(names).index(f"{last}/forward") if f"{last}/forward" in names else len(names) - 1
    if isinstance(layer, str):
        position = next((n for n, name in enumerate(names) if layer in (name, name.removesuffix("/forward"))), -1)
        if position < 0:
            raise ValueError(f"no recurrent layer is called {layer!r}: the model has {', '.join(names)}")
        return position
    if not -len(names) <= layer < len(names):
        raise ValueError(f"layer must be between {-len(names)} and {len(names) - 1} (recurrent layers only), got {layer}")
    return range(len(names))[layer]
