"""A vocabulary that came with somebody else's model: its own words and ids, or the ids themselves."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from rnn_core.data.text.token_ids import START
from rnn_core.data.text.vocabulary import _WORD, SPECIAL, Encoded, Vocabulary

UNKNOWNS = ("[UNK]", "<unknown>", "<unk>", "<UNK>", "<OOV>", "<oov>", "UNK")
STARTS = ("<start>", "[START]", "<s>", "[CLS]", "<START>")


class OwnVocabulary(Vocabulary):
    """Words and their ids.

    Where one of `UNKNOWNS` is among the words, unknown words get its id; else they are left out, as Keras's tokenisers do. A text
    starts with one of `STARTS` where that is a word.

    Args:
        ids: word → id; no two words have one id.
        size: ids run from 0 to size - 1.
        numbers: whether the words are the ids themselves, because nobody named the words.
    """

    def __init__(self, ids: Mapping[str, int], size: int, numbers: bool = False) -> None:
        self.size, self.numbers, self._ids = size, numbers, dict(ids)
        self._texts = {number: word for word, number in ids.items()}
        self.words = tuple(self._texts[number] for number in sorted(self._texts))
        self.unknown = next((self._ids[word] for word in UNKNOWNS if word in self._ids), None)
        self.start = next((self._ids[word] for word in STARTS if word in self._ids), None)

    def id(self, word: str) -> int:
        """The id of one word; of an unknown one that of the unknown word, -1 where there is none."""
        found = self._ids.get(word, self._ids.get(word.lower(), self.unknown))
        return -1 if found is None else found

    def encode(self, text: str, length: int | None = None, *, tidy: bool = True) -> Encoded:
        found = [] if self.start is None else [(self.start, SPECIAL[START], (0, 0))]
        found += [
            (number, match.group(), match.span()) for match in _WORD.finditer(text) if (number := self.id(match.group())) >= 0
        ]
        found = found if length is None else found[-length:]
        ids = np.array([number for number, _, _ in found], np.int32)
        known = ids != (-1 if self.unknown is None else self.unknown)
        return Encoded(ids, tuple(word for _, word, _ in found), known, tuple(span for _, _, span in found))

    def left_out(self, text: str) -> tuple[str, ...]:
        """The words of a text that have no id, not even that of the unknown word."""
        return tuple(match.group() for match in _WORD.finditer(text) if self.id(match.group()) < 0)

    def _tidied(self, word: str, start: int) -> list[tuple[int, str, tuple[int, int]]]:
        return []  # words are taken as they are typed

    def word(self, number: int) -> str:
        return self._texts.get(number, f"#{number}")


def numbered(size: int) -> OwnVocabulary:
    """The vocabulary whose words are the ids."""
    return OwnVocabulary({str(number): number for number in range(size)}, size, numbers=True)


def read_words(content: bytes, size: int) -> dict[str, int]:
    """Word → id from JSON: an object of that form, or a list of words in the order of their ids.

    Raises ValueError with a sentence, also for ids that a model of `size` ids does not know.
    """
    try:
        found: Any = json.loads(content)
    except (ValueError, RecursionError) as problem:
        raise ValueError(f"a vocabulary must be JSON: {problem}") from problem
    if isinstance(found, list):
        found = {word: number for number, word in enumerate(found) if word != ""}
    whole = isinstance(found, dict) and all(
        isinstance(word, str) and isinstance(number, int) and not isinstance(number, bool) for word, number in found.items()
    )
    if not whole or not found:
        raise ValueError('a vocabulary must be a list of words, or an object such as {"film": 7}')
    if min(found.values()) < 0 or max(found.values()) >= size:
        raise ValueError(
            f"the ids of the vocabulary must be between 0 and {size - 1}, which the model knows, "
            f"got {min(found.values())} to {max(found.values())}"
        )
    if len(set(found.values())) < len(found):
        raise ValueError("two words of the vocabulary have one id")
    return dict(found)
