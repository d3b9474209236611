"""Statistics of single units over many reviews: correlation with the label, saturation of gates, similarity between units.

Legend: N reviews, T time steps, S numbers in the state, H units of the layer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rnn_core.data.sequences import Sequences
from rnn_core.probes.states import corpus, principal_components
from rnn_core.probes.states.activations import GATE_HIGH, GATE_LOW
from rnn_core.probes.states.corpus import Corpus, Passage
from rnn_core.probes.states.principal_components import Basis

if TYPE_CHECKING:
    from rnn_core.engine.model import Model

CLOUD = 300  # reviews whose final state is drawn


@dataclass(frozen=True, eq=False)
class Profile:
    """Statistics of a trained model over many labelled reviews: numbers only, no text."""

    basis: Basis  # principal components of the states of real tokens
    cloud: np.ndarray  # (N, 2) float32, final states of N reviews on the first two components
    labels: np.ndarray  # (N,) uint8, 1 = positive
    correlations: np.ndarray  # (S,) float32, Pearson correlation of each number of the final state with the label
    likeness: np.ndarray  # (H,) int32, order of the units in which those with correlated h are neighbours
    saturation: dict[str, np.ndarray]  # sigmoid gate → (H, 2) float32: share of tokens below 0.1, and above 0.9
    reviews: int  # labelled reviews behind the correlations; 0 where the sequences had no labels
    tokens: int  # number of real tokens behind the basis and saturation


@dataclass(frozen=True, eq=False)
class Contexts:
    """The tokens of a corpus at which one unit is highest and lowest."""

    unit: int  # 0-based
    values: np.ndarray  # (2k,) float32: its h there, highest first
    passages: tuple[Passage, ...]  # the token and its neighbours, in the same order
    quantiles: np.ndarray  # (5,) float32: minimum, quartiles and maximum over all tokens of the corpus
    tokens: int  # number of tokens of the corpus
    origins: tuple[str, ...]  # which reviews: "toy review", "IMDB"


def profile(model: Model, sequences: Sequences, basis: Basis | None = None) -> Profile:
    """The statistics of a model over labelled reviews.

    Args:
        basis: axes for the final states; default: fitted here on every token's state.
    """
    rows, gates = corpus.states(model, sequences)
    basis = principal_components.fit(rows, components=2) if basis is None else basis
    last = rows[sequences.offsets[1:] - 1]
    labels = (sequences.targets[:, 0] > 0.5).astype(np.uint8)
    return Profile(
        basis=basis,
        cloud=basis.project(last[:CLOUD])[:, :2],
        labels=labels[:CLOUD],
        correlations=correlations(last, labels),
        likeness=likeness(rows[:, : model.spec.units]),
        saturation={name: saturation(value) for name, value in gates.items() if name not in ("cell", "candidate")},
        reviews=int(np.isfinite(sequences.targets[:, 0]).sum()),
        tokens=len(rows),
    )


def contexts(found: Corpus, unit: int, count: int = 6) -> Contexts:
    """The `count` tokens of the corpus at which a unit is highest, then the `count` at which it is lowest."""
    if not 0 <= unit < found.hidden.shape[1]:
        raise ValueError(f"unit must be between 0 and {found.hidden.shape[1] - 1}, got {unit}")
    values = found.hidden[:, unit]
    order = np.argsort(-values, kind="stable")
    chosen = [*_distinct(order, found, count), *reversed(_distinct(order[::-1], found, count))]
    passages = tuple(found.passage(int(row), int(row)) for row in chosen)
    quantiles = np.quantile(values, [0, 0.25, 0.5, 0.75, 1]).astype(np.float32)
    return Contexts(unit, values[chosen], passages, quantiles, len(values), tuple(dict.fromkeys(found.origins)))


def _distinct(order: np.ndarray, found: Corpus, count: int) -> list[int]:
    """The first `count` rows of `order` that belong to different reviews and different words."""
    rows: list[int] = []
    reviews: set[int] = set()
    words: set[int] = set()
    for row in order[:5000]:
        review, word = int(np.searchsorted(found.sequences.offsets, row, side="right")), int(found.sequences.values[row])
        if review not in reviews and word not in words:
            rows.append(int(row))
            reviews.add(review)
            words.add(word)
        if len(rows) == count:
            break
    return rows


def likeness(states: np.ndarray) -> np.ndarray:
    """(H,) int32: order of the units of (rows, H) states: the leaves of average-linkage clustering by correlation."""
    centred = states - states.mean(axis=0)
    scale = np.sqrt((centred**2).mean(axis=0))
    centred = centred / np.where(scale > 0, scale, 1)
    similarity = centred.T @ centred / len(states)
    np.fill_diagonal(similarity, -np.inf)
    groups: dict[int, list[int]] = {unit: [unit] for unit in range(states.shape[1])}
    while len(groups) > 1:
        a, b = (int(place) for place in np.unravel_index(int(np.argmax(similarity)), similarity.shape))
        sizes = len(groups[a]), len(groups[b])
        mean = (sizes[0] * similarity[a] + sizes[1] * similarity[b]) / sum(sizes)  # average linkage
        similarity[a], similarity[:, a] = mean, mean
        similarity[[b], :], similarity[:, [b]], similarity[a, a] = -np.inf, -np.inf, -np.inf
        groups[a] += groups.pop(b)
    return np.array(next(iter(groups.values())), np.int32)


def correlations(values: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """(S,) float32: Pearson correlation of each column of (N, S) with (N,) labels; 0 for a constant column."""
    centred = values - values.mean(axis=0)
    target = labels - labels.mean()
    scale = np.sqrt((centred**2).sum(axis=0) * (target**2).sum())
    return np.divide(centred.T @ target, scale, out=np.zeros(values.shape[1]), where=scale > 1e-12).astype(np.float32)


def saturation(gate: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray:
    """(H, 2) float32: each unit's share of real tokens with the gate below 0.1, and above 0.9, from (N, T, H) or (rows, H)."""
    rows = gate.reshape(-1, gate.shape[-1]) if mask is None else gate[np.asarray(mask, bool)]
    return np.stack([(rows < GATE_LOW).mean(axis=0), (rows > GATE_HIGH).mean(axis=0)], axis=1).astype(np.float32)
