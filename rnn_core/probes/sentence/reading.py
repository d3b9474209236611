"""One text through one model: all that the sentence page shows, computed in one call, without TensorFlow.

Legend: T tokens, S numbers in the state, H units of the layer. Probabilities and logits are of "positive".
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import SequenceMatcher

import numpy as np

from rnn_core.engine.model import Model
from rnn_core.engine.numpy_network import NumpyNetwork
from rnn_core.probes.calls.own_model import OwnExample
from rnn_core.probes.sentence.attributions import METHODS, attribute, check_method
from rnn_core.probes.states.units import Profile


@dataclass(frozen=True, eq=False)
class Reading:
    """The last recurrent layer at every token of a text, and the attribution of the final logit."""

    cell: str  # "simple_rnn", "lstm" or "gru"
    ids: np.ndarray  # (T,) int32 token ids
    states: np.ndarray  # (T, S) float32: h, or h and c side by side
    gates: dict[str, np.ndarray]  # name → (T, H) float32
    logits: np.ndarray  # (T,) float32: the logit if the text ended here
    start: float  # logit before the first token (state zero)
    path: np.ndarray  # (T, 2) float32: states on the model's first two principal components
    method: str  # key of METHODS
    attribution: np.ndarray  # (T,) float32: share of each token in the final logit, by `method`
    variant: str  # the baseline, or how a token was left out
    gap: float  # |sum of the attribution − (final logit − baseline's logit)|; nan for methods without such a sum
    profile: Profile  # the model's basis and unit statistics

    @property
    def units(self) -> int:
        """H."""
        return self.states.shape[1] // len(self.state_parts)

    @property
    def state_parts(self) -> tuple[str, ...]:
        return ("h", "c") if self.cell == "lstm" else ("h",)

    @property
    def blocks(self) -> dict[str, np.ndarray]:
        """Every (T, H) matrix by name: the state's parts, then the gates."""
        return {**dict(zip(self.state_parts, np.split(self.states, len(self.state_parts), axis=1), strict=True)), **self.gates}

    @property
    def probability(self) -> np.ndarray:
        """(T,) float32 in 0..1: "positive" if the text ended at each token."""
        return (1 / (1 + np.exp(-self.logits.astype(np.float64)))).astype(np.float32)

    @property
    def deltas(self) -> np.ndarray:
        """(T,) float32: change of the logit at each token; with `start` they sum to the final logit."""
        return np.diff(self.logits, prepend=np.float32(self.start)).astype(np.float32)

    @property
    def method_title(self) -> str:
        return METHODS[self.method]

    @property
    def gap_words(self) -> str:
        return "promises no sum" if np.isnan(self.gap) else f"completeness gap {self.gap:.0e}"

    @property
    def orders(self) -> dict[str, np.ndarray]:
        """Orders of the units, each (H,) int: as stored, by activation after the last token, by correlation, by similarity."""
        hidden = self.states[:, : self.units]
        return {
            "index": np.arange(self.units),
            "activation": np.argsort(-hidden[-1], kind="stable"),
            "correlation": np.argsort(-self.profile.correlations[: self.units], kind="stable"),
            "cluster": self.profile.likeness,
        }


def check(model: Model, ids: np.ndarray, method: str) -> None:
    """Raises ValueError for a model other than a unidirectional binary text classifier, an unknown method, or ids outside its vocabulary."""
    if why := unsupported_model(model):
        raise ValueError(why)
    check_method(method)
    if len(ids) == 0 or ids.min() < 0 or ids.max() >= model.interface.input_size:
        raise ValueError(f"a text needs at least one token id, each between 0 and {model.interface.input_size - 1}")


def unsupported_model(model: Model) -> str:
    """Why a model cannot process a text word by word, without a full stop; "" if it can."""
    return unsupported(model.spec.bidirectional, model.interface.inputs, model.interface.loss, model.interface.per_step)


def read(model: Model, profile: Profile, ids: np.ndarray, method: str = "integrated_gradients") -> Reading:
    """One text through one model.

    Args:
        profile: the model's basis and unit statistics over many reviews.
        ids: (T,) token ids, no padding.
        method: key of METHODS.

    Raises: ValueError as `check`.
    """
    ids = np.asarray(ids, np.int32)
    check(model, ids, method)
    network = NumpyNetwork(model)
    vectors = network.vectors(ids[None])
    passes = network.forward(vectors)
    states = np.concatenate([part[:, 0] for part in passes[-1].record.states], axis=1)
    attribution = attribute(OwnExample(network, vectors[:, 0], np.ones(len(ids), bool)), method, item="token")
    return Reading(
        cell=model.spec.cell,
        ids=ids,
        states=states,
        gates={name: gate[:, 0] for name, gate in passes[-1].gates.items()},
        logits=network.running(passes)[:, 0, 0],
        start=float(network.offset[0]),  # the head at a state of zeros
        path=profile.basis.project(states)[:, :2],
        method=method,
        attribution=attribution.values.astype(np.float32),
        variant=attribution.variant,
        gap=attribution.gap,
        profile=profile,
    )


def unsupported(bidirectional: bool, inputs: str, loss: str, per_step: bool) -> str:
    """Why a model cannot be followed word by word; "" when it can."""
    if inputs != "tokens" or loss != "binary" or per_step:
        return "only a model that reads a text and answers yes or no can be followed word by word"
    return "a bidirectional model reads the text from both ends, so it has no answer part of the way" if bidirectional else ""


@dataclass(frozen=True, eq=False)
class Comparison:
    """Where two readings of similar texts differ. T₂ tokens of the second text."""

    alignment: np.ndarray  # (T₂,) int: the first text's token that each token of the second corresponds to; −1 for a new one
    first: int | None  # first token of the second text that differs; None when the texts are the same
    distance: np.ndarray  # (T₂,) float32: ‖state₂ − state₁‖ at aligned tokens; nan at new ones
    widest: int  # token of the second text at which the probabilities differ most


def aligned(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """(T₂,) int: the token of `first` that corresponds to each of `second`, by longest common runs; −1 for a new one."""
    places = np.full(len(second), -1)
    for what, a, b, c, d in SequenceMatcher(None, first.tolist(), second.tolist(), autojunk=False).get_opcodes():
        if what == "equal" or (what == "replace" and b - a == d - c):
            places[c:d] = np.arange(a, b)
    return places


def compare(first: Reading, second: Reading) -> Comparison:
    """Compare two readings by one model."""
    alignment = aligned(first.ids, second.ids)
    both = alignment >= 0
    distance = np.full(len(alignment), np.nan, np.float32)
    distance[both] = np.linalg.norm(second.states[both] - first.states[alignment[both]], axis=1)
    differs = (alignment < 0) | (second.ids != first.ids[np.maximum(alignment, 0)])
    if len(second.ids) < len(first.ids) and not differs.any():  # words were only removed at the end
        differs[-1] = True
    difference = np.where(both, np.abs(second.probability - first.probability[np.maximum(alignment, 0)]), 0.0)
    return Comparison(alignment, int(differs.argmax()) if differs.any() else None, distance, int(difference.argmax()))
