"""Toy reviews: fast, balanced, with labels that follow from the text, and not solved by counting words."""

from __future__ import annotations

import time

import numpy as np
import pytest

from rnn_core import data
from rnn_core.data.text import toy_grammar, toy_reviews
from rnn_core.data.text.vocabulary import vocabulary
from rnn_core.spec.experiment import Experiment

REVIEWS = toy_reviews.reviews(5000, 60, seed=0)


def test_five_thousand_reviews_in_a_second():
    start = time.process_time()
    toy_reviews.reviews(5000, 60, seed=1)
    assert time.process_time() - start < 1


def test_all_kinds_occur_and_are_sentences():
    kinds = {kind: [review for review in REVIEWS if review.kind == kind] for kind in toy_grammar.KINDS}
    assert all(len(found) > 1000 for found in kinds.values())
    assert any("is not " in review.text for review in kinds["negation"])
    assert all(" but " in review.text or "though" in review.text.lower() for review in kinds["contrast"])
    assert all(review.text[0].isupper() and review.text.endswith(".") for review in REVIEWS)


def test_every_word_is_known_and_the_fast_encoding_equals_the_general_one():
    words = vocabulary()
    for review in REVIEWS:
        encoded = words.encode(review.text)
        assert encoded.known.all(), review.text
        assert toy_reviews.encoded(review.text, words) == encoded.ids.tolist()


def test_counting_good_and_bad_words_is_no_better_than_guessing():
    assert toy_reviews.counting_accuracy(REVIEWS) == pytest.approx(0.5, abs=0.03)
    counts = {}
    for verdict in (True, False):
        words = " ".join(
            review.text.lower().replace(".", "").replace(",", "") for review in REVIEWS if review.positive == verdict
        ).split()
        counts[verdict] = sum(word in toy_grammar.PRAISE for word in words) / sum(word in toy_grammar.BLAME for word in words)
    assert counts[True] == pytest.approx(1, abs=0.1)
    assert counts[False] == pytest.approx(1, abs=0.1)


def test_the_label_follows_from_the_text():
    """A rule that reads the first sentence finds the label of every review."""
    for review in REVIEWS:
        first = review.text.split(".")[0].lower().rpartition(", but ")[2].replace(",", "")
        for side in ("although ", "even though "):  # the conceded clause does not count
            if side in first:
                before, _, after = first.partition(side)
                first = before or " ".join(after.split()[after.split().index("is") + 2 :])
        opinions = [word in toy_grammar.PRAISE for word in first.split() if word in toy_grammar.PRAISE + toy_grammar.BLAME]
        denied = any(f"is {negation} " in first for negation in toy_grammar.NEGATIONS)
        assert (opinions[-1] != denied) == review.positive, review


def test_long_distance_reviews_put_the_verdict_far_from_the_end():
    distances = [len(review.text.split(".", 1)[1].split()) for review in REVIEWS if review.kind == "distance"]
    assert max(distances) > 35
    far = toy_reviews.reviews(500, 200, seed=0)
    assert max(len(review.text.split(".", 1)[1].split()) for review in far if review.kind == "distance") > 150
    assert max(len(toy_reviews.encoded(review.text, vocabulary())) for review in far) <= 200


def test_toy_reviews_are_labelled_as_synthetic():
    dataset = data.build(Experiment())
    assert "synthetic" in dataset.names["source"]
    assert "synthetic" in data.task("toy_reviews").title.lower()
    assert len(dataset.train) + len(dataset.validation) == 5000
    assert dataset.train.targets.mean() == pytest.approx(0.5, abs=0.03)
    assert np.isclose(dataset.baselines["counting good and bad words"], 0.5, atol=0.05)


@pytest.mark.parametrize("changes", [{"samples": 1}, {"samples": 2}, {"length": 1}, {"length": 5}, {"vocabulary": 10}])
def test_extreme_sizes_give_data(changes):
    dataset = data.build(Experiment().replace(**changes))
    assert min(len(dataset.train), len(dataset.validation)) >= 1
    assert dataset.train.lengths.min() >= 1
