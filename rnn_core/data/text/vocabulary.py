"""Words to token ids and back, in the convention of `keras.datasets.imdb`.

A word's id is its rank by frequency + 3 (rank 1 = "the"); 0 is padding, 1 the start of a review, 2 a word that is not
in the vocabulary. Words are the lower-cased text with punctuation turned into spaces, split at spaces; the apostrophe
stays inside words ("don't"), the hyphen parts them ("well-made" is two words), and "<br />" becomes the word "br".

Pasted text has typographic quotes, dashes and emoji, which the dataset's convention leaves inside words. With `tidy`, an
unknown word is split and cleaned of them: “great” becomes great, don’t don't, good—bad two words.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np

from rnn_core.data.text.imdb_files import word_index
from rnn_core.data.text.token_ids import OFFSET, START, UNKNOWN

SHIPPED = 10_000  # words in words.txt
SPECIAL = ("<pad>", "<start>", "<unknown>")  # texts of the reserved ids
_WORD = re.compile(r"""[^!"#$%&()*+,\-./:;<=>?@\[\\\]^_`{|}~\s]+""")
_SIGNS = r"“”„«»‹›…—–―−·•、。，！？：；（）\x80-\x90\x93-\x9f"  # typographic separators, and those of Windows read as Latin-1
_EMOJI = r"\u2600-\u27bf\u2b50-\u2b55\ufe0f\u200d\U0001f000-\U0001faff"
_PIECE = re.compile(f"[{_EMOJI}]+|[^{_SIGNS}{_EMOJI}]+")
_APOSTROPHES = str.maketrans(dict.fromkeys("’‘´ʼ\x91\x92", "'"))


@dataclass(frozen=True, eq=False)
class Encoded:
    """A text as T tokens, the first of them the start token."""

    ids: np.ndarray  # (T,) int32
    words: tuple[str, ...]  # the words as typed; "<start>" first
    known: np.ndarray  # (T,) bool: False where the vocabulary lacks the word
    spans: tuple[tuple[int, int], ...]  # position of each word: text[start:end]


class Vocabulary:
    """The `size` most frequent token ids: `size - 4` words and the reserved ids.

    Args:
        words: most frequent first; the first has rank 1.
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

    def encode(self, text: str, length: int | None = None, *, tidy: bool = True) -> Encoded:
        """`text` as token ids.

        Args:
            text: any text; words outside the vocabulary get id 2.
            length: keep only the last `length` tokens.
            tidy: remove typographic signs from unknown words; False follows the dataset's convention exactly.
        """
        found = [(START, SPECIAL[START], (0, 0))]
        for match in _WORD.finditer(text):
            word, number = match.group(), self.id(match.group())
            if number == UNKNOWN and tidy and not word.isascii():
                found += self._tidied(word, match.start())
            else:
                found.append((number, word, match.span()))
        found = found if length is None else found[-length:]
        ids = np.array([number for number, _, _ in found], np.int32)
        return Encoded(ids, tuple(word for _, word, _ in found), ids != UNKNOWN, tuple(span for _, _, span in found))

    def _tidied(self, word: str, start: int) -> list[tuple[int, str, tuple[int, int]]]:
        """(id, text, span) of the pieces of an unknown word between typographic signs; none for a single dash."""
        pieces = []
        for match in _PIECE.finditer(word):
            plain = unicodedata.normalize("NFKC", match.group()).translate(_APOSTROPHES)
            if plain.strip("'"):
                number = self.id(plain) if self.id(plain) != UNKNOWN else self.id(plain.strip("'"))
                pieces.append((number, match.group(), (start + match.start(), start + match.end())))
        return pieces

    def decode(self, ids: np.ndarray) -> tuple[str, ...]:
        """The words of token ids; reserved ids give "<pad>", "<start>", "<unknown>"."""
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
    text = resources.files("rnn_core.data.text").joinpath("words.txt").read_text("utf-8")
    return tuple(text.rstrip("\n").split("\n"))


@cache
def vocabulary(size: int = SHIPPED) -> Vocabulary:
    """The vocabulary of the given size; up to 10,000 needs no download."""
    if size <= SHIPPED:
        return Vocabulary(shipped_words(), size)
    index = word_index()
    return Vocabulary(tuple(sorted(index, key=index.__getitem__)), size)
