"""Words to ids and back, compared with the real dataset where it is on this machine."""

from __future__ import annotations

import gzip
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnn_core.data.text import imdb_files
from rnn_core.data.text.token_ids import UNKNOWN
from rnn_core.data.text.vocabulary import SPECIAL, Vocabulary, shipped_words, vocabulary
from tests.conftest import SHARED_IMDB

SAMPLE = SHARED_IMDB / "raw_test_sample.jsonl.gz"


def read(text: str) -> list[tuple[str, bool]]:
    """(word, known) after the start token."""
    encoded = vocabulary().encode(text)
    return list(zip(encoded.words, encoded.known.tolist(), strict=True))[1:]


def test_ids_are_those_of_keras():
    encoded = vocabulary().encode("The film was great")
    assert encoded.ids.tolist() == [1, 4, 22, 16, 87]  # ranks 1, 19, 13, 84, and 3 more for each; 1 starts a review
    assert encoded.ids.dtype == np.int32
    assert vocabulary().decode(encoded.ids) == ("<start>", "the", "film", "was", "great")
    assert vocabulary().decode(np.array([0, 2, 3, 10**6])) == ("<pad>", "<unknown>", "<unknown>", "<unknown>")


def test_ten_thousand_words_ship_with_the_project():
    assert len(shipped_words()) == 10_000
    assert len(set(shipped_words())) == 10_000
    assert len(vocabulary().words) == 9_996  # ids 4 to 9,999
    assert vocabulary(10).encode("the and a of to is br").ids.tolist() == [1, 4, 5, 6, 7, 8, 9, 2]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Don't", [("Don't", True)]),
        ("don’t", [("don’t", True)]),
        ("a well-made film", [("a", True), ("well", True), ("made", True), ("film", True)]),
        ("GREAT Film", [("GREAT", True), ("Film", True)]),
        ("bad.<br /><br />Good", [("bad", True), ("br", True), ("br", True), ("Good", True)]),
        ("“great” … it’s good—bad", [("great", True), ("it’s", True), ("good", True), ("bad", True)]),
        ("good😊👍🏽", [("good", True), ("😊👍🏽", False)]),
        ("fiance\u0301", [("fiance\u0301", True)]),
        ("ｇｏｏｄ", [("ｇｏｏｄ", True)]),
        ("电影很好，真的", [("电影很好", False), ("真的", False)]),
        ("हिन्दी фильм", [("हिन्दी", False), ("фильм", False)]),
        ("zxqvy film", [("zxqvy", False), ("film", True)]),
        ("\0\0 film", [("\0\0", False), ("film", True)]),
        ("", []),
        (" \t\n … — !!! ", []),
        ("<script>alert('x')</script>", [("script", True), ("alert", True), ("'x'", False), ("script", True)]),
    ],
)
def test_typed_and_pasted_words_are_found(text, words):
    assert read(text) == words


def test_unknown_words_are_marked_with_their_position():
    text = "A film by Zxqvy, truly good"
    encoded = vocabulary().encode(text)
    (place,) = np.flatnonzero(~encoded.known)
    start, end = encoded.spans[place]
    assert text[start:end] == encoded.words[place] == "Zxqvy"
    assert encoded.ids[place] == UNKNOWN


def test_a_long_text_keeps_its_last_tokens():
    encoded = vocabulary().encode("the film was " * 300 + "great", length=500)
    assert len(encoded.ids) == len(encoded.words) == len(encoded.known) == len(encoded.spans) == 500
    assert encoded.words[-1] == "great"
    assert encoded.ids[0] != 1  # the start token is among those cut off, as Keras's pad_sequences cuts it
    assert len(vocabulary().encode("x" * 1_000_000).ids) == 2


@given(st.text(max_size=300))
@settings(max_examples=300, deadline=None)
def test_any_text_can_be_encoded(text):
    for tidy in (True, False):
        encoded = vocabulary().encode(text, tidy=tidy)
        assert encoded.ids[0] == 1
        assert ((encoded.ids >= 1) & (encoded.ids < 10_000)).all()
        np.testing.assert_array_equal(encoded.known, encoded.ids != UNKNOWN)
        for word, (start, end) in list(zip(encoded.words, encoded.spans, strict=True))[1:]:
            assert text[start:end] == word
            assert word.strip()


@given(st.lists(st.integers(4, 9_999), max_size=50))
@settings(max_examples=200, deadline=None)
def test_ids_to_words_and_back_are_unchanged(ids):
    ids = [number for number in ids if vocabulary().word(number).strip()]  # one "word" of the index is a control sign
    words = vocabulary().decode(np.array(ids))
    assert not set(words) & set(SPECIAL)
    assert vocabulary().encode(" ".join(words)).ids.tolist() == [1, *ids]


def raw_sample() -> list[dict]:
    if not SAMPLE.exists():
        pytest.skip("the raw reviews are not on this machine")
    with gzip.open(SAMPLE, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def ranks() -> np.ndarray:
    """The test reviews in the order of the file, as lists of ranks."""
    with np.load(SHARED_IMDB / "imdb.npz", allow_pickle=True) as file:
        return file["x_test"]


def test_ids_of_raw_text_agree_with_the_dataset():
    """All 1,000 raw reviews: the same ids, without the words that the dataset leaves out."""
    rows, reviews = raw_sample(), ranks()
    index = imdb_files.word_index()
    every = Vocabulary(tuple(sorted(index, key=index.__getitem__)), 88_588)
    tidied = 0
    for row in rows:
        theirs = np.array(reviews[row["index"]]) + 3
        full = every.encode(row["text"], tidy=False)
        np.testing.assert_array_equal(full.ids[1:][full.known[1:]], theirs)
        small = vocabulary().encode(row["text"], tidy=False)
        np.testing.assert_array_equal(small.ids[1:][full.known[1:]], np.where(theirs < 10_000, theirs, UNKNOWN))
        tidy = vocabulary().encode(row["text"])
        if not np.array_equal(tidy.ids, small.ids):
            tidied += 1
            assert tidy.known.sum() >= small.known.sum()  # tidying never loses a word
    assert 0 < tidied < 20  # reviews with typographic signs


def test_shipped_words_are_the_first_of_the_index():
    if not SHARED_IMDB.exists():
        pytest.skip("IMDB is not on this machine")
    index = imdb_files.word_index()
    assert all(index[word] == rank for rank, word in enumerate(shipped_words(), 1))
