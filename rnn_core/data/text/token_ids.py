"""The reserved token ids, in the convention of `keras.datasets.imdb`: a word's id is its rank by frequency + 3."""

from __future__ import annotations

PADDING, START, UNKNOWN = 0, 1, 2  # reserved ids
OFFSET = 3  # id = rank + 3: the most frequent word, rank 1, has id 4
