"""One output of a Keras model for one example, as a function of the vectors of its steps: what attributions are computed from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rnn_core.probes.calls import keras_outputs
from rnn_core.probes.calls.call import AT_ONCE, SEVERAL_OUTPUTS
from rnn_core.probes.calls.keras_record import Forced
from rnn_core.probes.calls.keras_run import RefusedError, Vectors, embeddings, run


@dataclass(frozen=True, eq=False)
class KerasExample:
    """An `Example` of a Keras model."""

    network: Any
    inputs: np.ndarray  # (T,) or (T, D)
    vectors: np.ndarray  # (T, E)
    mask: np.ndarray  # (T,) bool: True where a step is real
    layer_masks: tuple[np.ndarray | None, ...]  # the mask of each call of a recurrent layer, of its own steps
    other_steps: bool  # whether a recurrent layer runs over other steps than those of the inputs
    output: int  # which of K outputs
    table: Any  # the Embedding layer that gives out the vectors; None: they are the inputs
    embedded_inside: bool  # whether an Embedding layer reads some of the numbers, of which there is no gradient

    def answers(self, vectors: np.ndarray, masks: np.ndarray | None = None) -> np.ndarray:
        if masks is not None and self.other_steps:
            raise RefusedError("leaving a step out needs recurrent layers over the steps of the input; one runs over other steps")
        return self._each(vectors, masks)[0]

    def gradients(self, vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if self.embedded_inside:
            raise RefusedError("an Embedding layer inside the model reads some of the numbers, and these have no gradient")
        answers, gradients = self._each(vectors, None)
        if np.isnan(gradients).all():
            raise RefusedError(
                "no gradient comes back to the vectors of the steps: the model makes whole numbers of them, or does not use them"
            )
        return answers, gradients

    def _each(self, vectors: np.ndarray, masks: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        answers, gradients = [], []
        for start in range(0, len(vectors), AT_ONCE):
            part = vectors[start : start + AT_ONCE]
            forced = self._forced(len(part), None if masks is None else masks[start : start + AT_ONCE])
            inputs, ask = np.repeat(self.inputs[None], len(part), 0), keras_outputs.one_output(np.full(len(part), self.output))
            found = run(self.network, inputs, None, ask, Vectors(part, self.table), forced)
            slope = found.gradients[-1]
            answers.append(np.asarray(found.value, np.float64))
            gradients.append(np.full(part.shape, np.nan) if slope is None else np.asarray(slope, np.float64) / found.scale)
        return np.concatenate(answers), np.concatenate(gradients)

    def _forced(self, count: int, masks: np.ndarray | None) -> Forced:
        """The recurrent layers' own masks, so that other vectors unmask nothing; without the steps that `masks` (N, T) leave out."""
        kept = None if masks is None else masks | ~self.mask  # a step that the example masks itself is not left out of all layers
        found: Forced = []
        for own in self.layer_masks:
            mask = None if own is None else np.repeat(own[None], count, 0)
            found.append(mask if kept is None else kept if mask is None else kept & mask)
        return found


def examples_of(network: Any, inputs: np.ndarray, mask: np.ndarray | None, output: int | None) -> list[KerasExample]:
    """Each of the inputs (B, T) or (B, T, D). Raises ValueError where the model does not answer by the vectors of its steps."""
    tables = embeddings(network)
    if inputs.ndim > 3:
        raise RefusedError(f"attributions need one vector for every step, and the model reads {inputs.ndim - 2} axes for each")
    if inputs.ndim == 2 and not tables:
        raise RefusedError("attributions need a vector or a token for every step, and the model reads one flat row of numbers")
    if inputs.ndim == 2 and len(tables) > 1:
        raise RefusedError(f"attributions need exactly one Embedding layer, the model has {len(tables)}")
    table = tables[0] if inputs.ndim == 2 else None
    vectors = np.asarray(table(inputs)) if table is not None else inputs.astype(np.result_type(inputs.dtype, np.float32))
    found = run(network, inputs, mask)
    for one in found.ran:
        if "dropout" in one.refusal:
            raise RefusedError(one.refusal)
    whole, _ = keras_outputs.output_of(found)
    if whole is None:
        raise RefusedError(SEVERAL_OUTPUTS)
    columns = keras_outputs.columns_of(whole, output)
    masks = [None if one.mask is None else np.asarray(one.mask).astype(bool) for one in found.ran]
    same = [each for each in masks if each is not None and each.shape == inputs.shape[:2]]
    real = same[0] if same else np.ones(inputs.shape[:2], bool)
    other_steps = any(one.steps != inputs.shape[1] or _repeated(one.inputs) for one in found.ran)
    made = []
    for n, column in enumerate(columns):
        own = tuple(None if each is None else each[n] for each in masks)
        inside = table is None and bool(tables)
        made.append(KerasExample(network, inputs[n], vectors[n], real[n], own, other_steps, int(column), table, inside))
        answer = whole[n] if whole.ndim < 3 else whole[n, -1]
        _check_unchanged(made[-1], float(np.atleast_1d(answer)[column]))
    return made


def _repeated(values: Any) -> bool:
    """Whether all steps of a layer's inputs (B, T, D) are alike, as after RepeatVector: they are not those of the model's inputs."""
    return values is not None and values.shape[1] > 1 and bool(np.ptp(np.asarray(values, np.float64), axis=1).max() == 0)


def _check_unchanged(example: KerasExample, answer: float) -> None:
    """Raises ValueError unless the unchanged vectors give the unchanged answer."""
    if not abs(float(example.answers(example.vectors[None])[0]) - answer) <= 1e-4 * max(1.0, abs(answer)):
        raise RefusedError(
            "the model does not answer by the vectors of its steps alone: its Embedding receives other tokens or other steps than the "
            "inputs have, a mask depends on more than them, or its answer depends on the other examples of the batch"
        )
