"""Words to token ids and back, in the convention of `keras.datasets.imdb`.

A word's id is its rank by frequency + 3 (rank 1 = "the"); 0 is padding, 1 the start of a review, 2 a word that is not
in the vocabulary. Words are the lower-cased text with punctuation turned into spaces, split at spaces; the apostrophe
stays inside words ("don't"), the hyphen parts them ("well-made" is two words), and "<br />" becomes the word "br".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np

PADDING, START, UNKNOWN = 0, 1, 2  # reserved ids
OFFSET = 3  # id = rank + OFFSET - 0; rank 1 has id 4
SHIPPED = 10_000  # words that come with the project
SPECIAL = ("<pad>", "<start>", "<unknown>")  # how the reserved ids read
_WORD = re.compile(r"""[^!"#$%&()*+,\-./:;<=>?@\[\\\]^_`{|}~\t\n\r ]+""")


@dataclass(frozen=True, eq=False)
class Encoded:
    """A text as the network reads it; T tokens, the first of them the start of the review."""

    ids: np.ndarray  # (T,) int32
    words: tuple[str, ...]  # the words as typed; "<start>" first
    known: np.ndarray  # (T,) bool: False where the vocabulary lacks the word
    spans: tuple[tuple[int, int], ...]  # where each word stands in the text: text[start:end]


class Vocabulary:
    """The `size` most frequent token ids: `size - 4` words and the reserved ids.

    Args:
        words: by falling frequency; the first has rank 1.
        size: ids run from 0 to size - 1, as `num_words` of `keras.datasets.imdb.load_data`.
    """

    def __init__(self, words: tuple[str, ...], size: int) -> None:
        self.words = words[: max(size - OFFSET - 1, 0)]
        self.size = size
        self._ids = {word: rank for rank, word in enumerate(self.words, OFFSET + 1)}

    def __len__(self) -> int:
        return self.size

    def id(self, word: str) -> int:
        """The id of one word, 2 where it is unknown."""
        return self._ids.get(word.lower(), UNKNOWN)

    def encode(self, text: str, length: int | None = None) -> Encoded:
        """`text` as token ids; with `length`, its last `length` tokens."""
        matches = list(_WORD.finditer(text))
        words = (SPECIAL[START], *(match.group() for match in matches))
        spans = ((0, 0), *(match.span() for match in matches))
        ids = np.array([START, *(self.id(match.group()) for match in matches)], np.int32)
        first = 0 if length is None else max(len(ids) - length, 0)
        return Encoded(ids[first:], words[first:], ids[first:] != UNKNOWN, spans[first:])

    def decode(self, ids: np.ndarray) -> tuple[str, ...]:
        """The words of token ids; reserved ids read "<pad>", "<start>", "<unknown>"."""
        return tuple(self.word(int(number)) for number in ids)

    def word(self, number: int) -> str:
        """The word of one id."""
        if number <= OFFSET - 1:
            return SPECIAL[max(number, 0)]
        rank = number - OFFSET
        return self.words[rank - 1] if 0 < rank <= len(self.words) else SPECIAL[UNKNOWN]


@cache
def shipped_words() -> tuple[str, ...]:
    """The 10,000 most frequent words of the IMDB reviews, most frequent first."""
    text = resources.files("rnn_core.data").joinpath("words.txt").read_text("utf-8")
    return tuple(text.rstrip("\n").split("\n"))


@cache
def vocabulary(size: int = SHIPPED) -> Vocabulary:
    """The vocabulary of the given size; up to 10,000 needs no download."""
    if size <= SHIPPED:
        return Vocabulary(shipped_words(), size)
    from rnn_core.data.imdb import word_index

    index = word_index()
    return Vocabulary(tuple(sorted(index, key=index.__getitem__)), size)
