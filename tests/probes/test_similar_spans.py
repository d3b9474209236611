"""LSTMVis's matching on small examples: selected units, runs and their ranking."""

from __future__ import annotations

import numpy as np
import pytest

from rnn_core.probes.states import similar_spans
from rnn_core.service import sentence
from tests.probes.test_units import starter, toy_reviews_only  # noqa: F401  the fixture acts here too

HIDDEN = np.array([[0.9, 0.0, 0.5], [0.9, 0.4, 0.5], [0.9, 0.4, 0.0], [0.0, 0.4, 0.0]])


@pytest.mark.parametrize(
    ("span", "options", "expected"),
    [
        ((1, 2), {}, [True, True, False]),
        ((1, 2), {"off_before": True}, [False, True, False]),
        ((1, 2), {"off_after": True}, [True, False, False]),
        ((1, 2), {"threshold": 0.6}, [True, False, False]),
        ((0, 0), {"off_before": True}, [True, False, True]),
    ],
)
def test_selected_units(span: tuple[int, int], options: dict[str, float], expected: list[bool]) -> None:
    assert similar_spans.selected_units(HIDDEN, *span, **options).tolist() == expected  # type: ignore[arg-type]


def test_a_span_outside_the_text_is_refused() -> None:
    with pytest.raises(ValueError, match="between 0 and 3"):
        similar_spans.selected_units(HIDDEN, 2, 4)


def test_runs_end_where_the_count_changes_and_where_a_review_ends() -> None:
    on = np.array([[1, 0], [1, 1], [1, 1], [1, 1], [0, 0]], bool)
    found = similar_spans.runs(on, np.array([True, True]), np.array([0, 3, 5]))
    assert found.tolist() == [[0, 0, 1], [1, 2, 2], [3, 3, 2], [4, 4, 0]]


def test_runs_are_ranked_by_jaccard_index_then_length() -> None:
    selected = np.array([True, True, False])
    both, one, extra = [1, 1, 0], [1, 0, 0], [1, 1, 1]
    on = np.array(
        [both] * 2 + [[0, 0, 0]] + [both] * 3 + [[0, 0, 0]] + [extra] * 5 + [[0, 0, 0]] + [one] * 4 + [[0, 0, 0]] + [both], bool
    )
    found = similar_spans.rank(on, selected, np.array([0, len(on)]))
    assert [(first, last, round(score, 3)) for first, last, score, _ in found] == [
        (3, 5, 1.0),
        (0, 1, 1.0),
        (7, 11, 0.667),
        (13, 16, 0.5),
    ]
    # the last `both` is a single token: shorter than a run may be


def test_a_span_of_the_corpus_finds_itself() -> None:
    source = starter("gru")
    found = sentence.corpus_of(source)
    first = int(np.argmax(found.hidden.max(axis=1)))  # a token at which something is on
    review = int(np.searchsorted(found.sequences.offsets, first, side="right")) - 1
    low, high = found.sequences.offsets[review : review + 2]
    hidden, step = found.hidden[low:high], first - int(low)
    threshold = similar_spans.suitable_threshold(hidden, step, step)
    assert 0 < threshold <= similar_spans.THRESHOLD
    matches = sentence.similar(source, hidden, step, step, threshold)
    assert matches.selected.any()
    assert matches.found[0].jaccard > 0.5
    assert all(a.jaccard >= b.jaccard for a, b in zip(matches.found, matches.found[1:], strict=False))
    assert len(matches.found) <= similar_spans.MAX_MATCHES
    assert matches.tokens == len(found.hidden)


def test_nothing_selected_finds_nothing() -> None:
    found = sentence.similar(starter("gru"), np.zeros((4, 32)), 1, 2)
    assert found.found == ()
    assert not found.selected.any()
