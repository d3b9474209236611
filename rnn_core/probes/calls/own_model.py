"""Our own `Model` as the probes see it: in NumPy, from its inputs to its logits and back. Loads no TensorFlow."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from rnn_core.engine.model import Model
from rnn_core.engine.numpy_network import LayerPass, NumpyNetwork
from rnn_core.probes.calls.call import AT_ONCE, Call, choose
from rnn_core.probes.calls.input_checks import check_mask, check_numbers, check_tokens
from rnn_core.probes.calls.questions import Question, chosen


class OwnModel:
    """Our `Model`, in float64."""

    batch = 0  # any number of examples

    def __init__(self, model: Model) -> None:
        self.model, self.network = model, NumpyNetwork(model, "float64")

    def call(self, inputs: Any, mask: Any = None, layer: int | str | None = None, question: Question | None = None) -> Call:
        interface, network = self.model.interface, self.network
        inputs, mask = self._checked(inputs, mask)
        position = choose([one.name for one in network.layers], layer)
        real = network.mask(inputs, mask)
        with np.errstate(over="ignore", invalid="ignore"):  # of a network that explodes
            passes = network.forward(network.vectors(inputs), real)
            output = _swapped(network.logits(passes), interface.per_step)
            activation = {"binary": "sigmoid", "categorical": "softmax"}.get(interface.loss, "linear")
            found = Call(passes[position], output, activation, self._running(passes, position, output))
            if question is None:
                return found
            value, upstream = question.answer(output, interface.loss, None if real is None else real.T)
            gradients = network.backward(passes, _swapped(upstream, interface.per_step), position)
        return replace(found, value=value, gradient=gradients[position])

    def examples(self, inputs: Any, mask: Any = None, output: int | None = None) -> list[OwnExample]:
        network = self.network
        inputs, mask = self._checked(inputs, mask)
        vectors, real = network.vectors(inputs), network.mask(inputs, mask)
        masks = np.ones(vectors.shape[:2], bool) if real is None else real
        return [OwnExample(network, vectors[:, n], masks[:, n], output) for n in range(len(inputs))]

    def _checked(self, inputs: Any, mask: Any) -> tuple[np.ndarray, np.ndarray | None]:
        """Inputs and mask as arrays that fit. Raises ValueError with a sentence."""
        tokens, size = self.model.interface.inputs == "tokens", self.model.interface.input_size
        inputs = check_numbers(inputs, (None,) if tokens else (None, size))
        return check_tokens(inputs, size) if tokens else inputs, check_mask(mask, inputs.shape)

    def _running(self, passes: list[LayerPass], position: int, output: np.ndarray) -> np.ndarray | None:
        if self.model.spec.bidirectional:
            return None  # a backward layer's state at a step depends on where the sequence ends
        if self.model.interface.per_step:
            return output
        return np.swapaxes(self.network.running(passes), 0, 1) if position == len(passes) - 1 else None


class OwnExample:
    """An `Example` of our `Model`. `output`: which of K; None for the one that is largest for its own vectors."""

    def __init__(self, network: NumpyNetwork, vectors: np.ndarray, mask: np.ndarray, output: int | None = None) -> None:
        self.network, self.vectors, self.mask = network, vectors, mask
        if network.model.interface.outputs > 1 or output:
            whole = self._logits(network.forward(vectors[:, None], self._masks(1)))
            output = int(chosen(whole, output)[1][0].argmax())
        self.output = output or 0

    def answers(self, vectors: np.ndarray, masks: np.ndarray | None = None) -> np.ndarray:
        found = []
        for start in range(0, len(vectors), AT_ONCE):
            part = np.swapaxes(vectors[start : start + AT_ONCE], 0, 1)
            masked = self._masks(part.shape[1]) if masks is None else masks[start : start + AT_ONCE].T
            found.append(self._logits(self.network.forward(part, masked))[:, self.output])
        return np.concatenate(found)

    def gradients(self, vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        answers, gradients = [], []
        for start in range(0, len(vectors), AT_ONCE):
            passes = self.network.forward(
                np.swapaxes(vectors[start : start + AT_ONCE], 0, 1), self._masks(len(vectors[start : start + AT_ONCE]))
            )
            answers.append(self._logits(passes)[:, self.output])
            upstream = np.zeros_like(self.network.logits(passes))
            (upstream[-1] if upstream.ndim == 3 else upstream)[:, self.output] = 1
            gradients.append(np.swapaxes(self.network.vector_gradient(passes, upstream), 0, 1))
        return np.concatenate(answers), np.concatenate(gradients)

    def _masks(self, count: int) -> np.ndarray | None:
        """(T, count) its mask, None where every step is real."""
        return None if self.mask.all() else np.repeat(self.mask[:, None], count, axis=1)

    def _logits(self, passes: list[LayerPass]) -> np.ndarray:
        """(N, K) of the last step."""
        logits = self.network.logits(passes)
        return logits[-1] if logits.ndim == 3 else logits


def _swapped(values: np.ndarray, per_step: bool) -> np.ndarray:
    """Time and batch exchanged, where there is time."""
    return np.swapaxes(values, 0, 1) if per_step else values
