"""One output of a Keras model for one example, as a function of the vectors of its steps: what attributions are computed from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rnn_core.probes.calls import keras_outputs
from rnn_core.probes.calls.call import AT_ONCE
from rnn_core.probes.calls.keras_inputs import Source, fixed_batch
from rnn_core.probes.calls.keras_record import Forced, Ran
from rnn_core.probes.calls.keras_run import RefusedError, Vectors, run
from rnn_core.probes.calls.keras_vectors import reads_numbers, steps_left_out, vectors_of


@dataclass(frozen=True, eq=False)
class KerasExample:
    """An `Example` of a Keras model."""

    network: Any
    inputs: np.ndarray  # (T,) or (T, D)
    vectors: np.ndarray  # (T, E)
    mask: np.ndarray  # (T,) bool: True where a step is real
    layer_masks: tuple[np.ndarray | None, ...]  # the mask of each call of a recurrent layer, of its own steps
    own_steps: tuple[bool, ...]  # whether each of them runs over the steps of the inputs; () where that cannot be said
    output: int  # which of K outputs
    source: Source  # where the vectors enter the network
    embedded_inside: bool  # whether an Embedding layer reads some of the numbers, of which there is no gradient

    def answers(self, vectors: np.ndarray, masks: np.ndarray | None = None) -> np.ndarray:
        if masks is not None and not any(self.own_steps):
            raise RefusedError("leaving a step out needs recurrent layers over the steps of the input; one runs over other steps")
        return self._each(vectors, masks)[0]

    def gradients(self, vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if self.embedded_inside:
            raise RefusedError(
                "an Embedding layer inside the model reads some of the numbers, and these have no gradient; nor does the answer follow "
                "from what the lowest recurrent layer receives alone, step by step"
            )
        answers, gradients = self._each(vectors, None)
        if np.isnan(gradients).all():
            raise RefusedError(
                "no gradient comes back to the vectors of the steps: the model makes whole numbers of them, or does not use them"
            )
        return answers, gradients

    def _each(self, vectors: np.ndarray, masks: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        answers, gradients = [], []
        at_once = fixed_batch(self.network)
        for start in range(0, len(vectors), at_once or AT_ONCE):
            chosen = np.arange(start, start + (at_once or min(AT_ONCE, len(vectors) - start)))
            part = vectors[np.minimum(chosen, len(vectors) - 1)]  # the last again, where the batch must be full
            forced = self._forced(len(part), None if masks is None else masks[np.minimum(chosen, len(masks) - 1)])
            inputs, ask = np.repeat(self.inputs[None], len(part), 0), keras_outputs.one_output(self.output)
            found = run(self.network, inputs, None, ask, Vectors(part, self.source), forced)
            slope = found.gradients[-1]
            answers.append(np.asarray(found.value, np.float64))
            gradients.append(np.full(part.shape, np.nan) if slope is None else np.asarray(slope, np.float64) / found.scale)
        return np.concatenate(answers)[: len(vectors)], np.concatenate(gradients)[: len(vectors)]

    def _forced(self, count: int, masks: np.ndarray | None) -> Forced:
        """The recurrent layers' own masks, so that other vectors unmask nothing; without the steps that `masks` (N, T) leave out."""
        kept = None if masks is None else masks | ~self.mask  # a step that the example masks itself is not left out of all layers
        found: Forced = []
        for n, own in enumerate(self.layer_masks):
            mask = None if own is None else np.repeat(own[None], count, 0)
            found.append(mask if kept is None or not self.own_steps[n] else kept if mask is None else kept & mask)
        return found


def examples_of(network: Any, inputs: np.ndarray, mask: np.ndarray | None, output: int | None) -> list[KerasExample]:
    """Each of the inputs (B, T) or (B, T, D). Raises ValueError where the model does not answer by the vectors of its steps."""
    found = run(network, inputs, mask)
    for one in found.ran:
        if "dropout" in one.refusal:
            raise RefusedError(one.refusal)
    check_used(mask, found.ran)
    source, vectors = vectors_of(network, inputs, found)
    whole, _ = keras_outputs.output_of(found)
    columns = keras_outputs.columns_of(whole, output)
    masks = [None if one.mask is None else np.asarray(one.mask).astype(bool) for one in found.ran]
    real, own_steps = _real(masks, inputs, source), steps_left_out(network, inputs, found, source)
    inside = inputs.ndim == 3 and not source.calls and reads_numbers(network, vectors, found)
    made = []
    for n, column in enumerate(columns):
        own = tuple(None if each is None else each[n] for each in masks)
        made.append(KerasExample(network, inputs[n], vectors[n], real[n], own, own_steps, int(column), source, inside))
        answer = whole[n] if whole.ndim < 3 else whole[n, -1]
        _check_unchanged(made[-1], float(np.atleast_1d(answer)[column]))
    return made


def check_used(mask: np.ndarray | None, ran: list[Ran]) -> None:
    """Raises ValueError for a given mask that no recurrent layer received."""
    if mask is not None and not any(one.mask is not None and tuple(one.mask.shape) == mask.shape for one in ran):
        steps = ", ".join(f"{one.name!r} over {one.steps}" for one in ran)
        raise RefusedError(f"the mask of {mask.shape[1]} steps reaches no recurrent layer: they run {steps} steps")


def _real(masks: list[np.ndarray | None], inputs: np.ndarray, source: Source) -> np.ndarray:
    """(B, T) True at the steps of the inputs that the first layer over them takes for real."""
    real = np.ones(inputs.shape[:2], bool)
    places = source.places or tuple(range(inputs.shape[1]))
    for mask in masks:
        if mask is not None and mask.shape[1] == len(places):
            real[:, places] = mask
            break
    return real


def _check_unchanged(example: KerasExample, answer: float) -> None:
    """Raises ValueError unless the unchanged vectors give the unchanged answer, wherever in a batch of fixed size they stand."""
    again = example.answers(np.repeat(example.vectors[None], fixed_batch(example.network) or 1, 0))
    if not (np.abs(again - answer) <= 1e-4 * max(1.0, abs(answer))).all():
        raise RefusedError(
            "the model does not answer by the vectors of its steps alone: its Embedding receives other tokens than the inputs have, a "
            "mask depends on more than them, or its answer depends on the other examples of the batch"
        )
