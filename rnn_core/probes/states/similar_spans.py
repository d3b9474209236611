"""Spans of other reviews in which the same units are on, ranked as LSTMVis ranks them.

A unit is on where h ≥ threshold (LSTMVis's default: 0.3). Selected are the units that are on over the whole chosen span
(and, if asked, off just before or after it). Every review is cut into runs over which the number of selected units that are
on does not change; the best runs are ranked by the Jaccard index of (units on over the run) and (selected units), then by length.
Source: Strobelt et al. 2018, "LSTMVis", section 5.2, and its `lstmdata/data_handler.py`.

Legend: T tokens of the sentence, R tokens of the corpus, H units.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnn_core.probes.states.corpus import Corpus, Passage

THRESHOLD = 0.3
SHORTEST = 2  # tokens of a run
MAX_MATCHES = 50
CANDIDATES = 2000  # runs whose Jaccard index is computed


@dataclass(frozen=True, eq=False)
class Match:
    """One span of another review."""

    passage: Passage
    jaccard: float  # 0..1: |on and selected| / |on or selected|
    length: int  # tokens
    on: tuple[int, ...]  # selected units that are on over all of it


@dataclass(frozen=True, eq=False)
class Matches:
    """Spans similar to a chosen one, best first."""

    selected: np.ndarray  # (H,) bool: units on over the chosen span
    found: tuple[Match, ...]  # at most 50
    tokens: int  # how many tokens were searched
    origins: tuple[str, ...]  # which reviews: "toy review", "IMDB"


def selected_units(
    hidden: np.ndarray, first: int, last: int, threshold: float = THRESHOLD, off_before: bool = False, off_after: bool = False
) -> np.ndarray:
    """(H,) bool: units of (T, H) that are on at every token first..last, and off just outside if asked."""
    if not 0 <= first <= last < len(hidden):
        raise ValueError(f"a span must lie between 0 and {len(hidden) - 1}, got {first} to {last}")
    on = hidden >= threshold
    chosen = np.asarray(on[first : last + 1].all(axis=0))
    if off_before and first > 0:
        chosen &= ~on[first - 1]
    if off_after and last + 1 < len(hidden):
        chosen &= ~on[last + 1]
    return chosen


def suitable_threshold(hidden: np.ndarray, first: int, last: int, units: int = 4) -> float:
    """A threshold at which about `units` units are on over the span: LSTMVis's 0.3, or less where the states are small."""
    lowest = np.sort(hidden[first : last + 1].min(axis=0))[::-1]
    return float(np.clip(np.floor(lowest[min(units, len(lowest)) - 1] * 100) / 100, 0.01, THRESHOLD))


def runs(on: np.ndarray, selected: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """(M, 3) int: first row, last row and number of selected units on, for every run of equal numbers within one review.

    Args:
        on: (R, H) bool. selected: (H,) bool. offsets: (N + 1,) where reviews begin.
    """
    count = on[:, selected].sum(axis=1)
    starts = np.flatnonzero(np.r_[True, count[1:] != count[:-1]])
    starts = np.union1d(starts, offsets[:-1][np.diff(offsets) > 0])
    ends = np.r_[starts[1:], len(count)] - 1
    return np.stack([starts, ends, count[starts]], axis=1)


def rank(on: np.ndarray, selected: np.ndarray, offsets: np.ndarray) -> list[tuple[int, int, float, np.ndarray]]:
    """(first row, last row, Jaccard index, units on over the run (H,) bool) of the best runs, best first."""
    found = runs(on, selected, offsets)
    found = found[(found[:, 2] > 0) & (found[:, 1] - found[:, 0] + 1 >= SHORTEST)]
    length = found[:, 1] - found[:, 0] + 1
    found = found[np.lexsort((-length, -found[:, 2]))][:CANDIDATES]
    scored = []
    for first, last, _ in found:
        active = np.asarray(on[first : last + 1].all(axis=0))
        scored.append((int(first), int(last), float((active & selected).sum() / max(1, (active | selected).sum())), active))
    return sorted(scored, key=lambda one: (-one[2], one[0] - one[1]))[:MAX_MATCHES]


def similar(
    corpus: Corpus,
    hidden: np.ndarray,
    first: int,
    last: int,
    threshold: float = THRESHOLD,
    off_before: bool = False,
    off_after: bool = False,
) -> Matches:
    """Spans of the corpus in which the units of the chosen span are on.

    Args:
        corpus: the reviews to search, with the states of the same model.
        hidden: (T, H) h of the sentence.
        first, last: the chosen tokens, both included.
    """
    selected = selected_units(hidden, first, last, threshold, off_before, off_after)
    origins = tuple(dict.fromkeys(corpus.origins))
    if not selected.any():
        return Matches(selected, (), len(corpus.hidden), origins)
    best = rank(corpus.hidden >= threshold, selected, corpus.sequences.offsets)
    matches = tuple(
        Match(corpus.passage(start, stop), score, stop - start + 1, tuple(np.flatnonzero(active & selected).tolist()))
        for start, stop, score, active in best
    )
    return Matches(selected, matches, len(corpus.hidden), origins)
