"""The text of the Sentence page: examples, the text box, and the part that is used of a long text."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import streamlit as st

from pages.parts.sentence.composer import composer
from pages.shared import session
from pages.shared.session import key, linked
from pages.shared.widgets import choice
from pages.shared.words import plain
from rnn_core.data.text.own_vocabulary import OwnVocabulary
from rnn_core.data.text.vocabulary import Vocabulary

MAX_TOKENS = 500  # length that the starter models were trained on


@dataclass(frozen=True)
class Example:
    """A text, and what it shows of the starter models (tested in tests/pages/test_examples.py)."""

    name: str
    text: str
    note: str


EXAMPLES = (
    Example(
        "Contrast",
        "Great cast, great music, but the plot drags and the ending is terrible.",
        "Praise raises the probability well above 80%; “drags” and “terrible” lower it below one half. The last strong words decide.",
    ),
    Example(
        "Negation",
        "This film is not bad at all. I loved it.",
        "“not” lowers the probability and so does “bad”, each on its own: “not” does not reverse “bad”, and “at all” changes almost nothing. “loved” raises it above one half.",
    ),
    Example(
        "Sarcasm",
        "Oh great, another two hours of my life wasted. Brilliant job, really.",
        "“wasted” lowers the probability, but “Brilliant” raises it as if it were meant, and all three models end on “positive”: they know words, not the tone.",
    ),
    Example(
        "A long aside",
        "This film is wonderful. We saw it on a rainy evening in a small town, after a long walk by the river, with my brother and his two "
        "children, who had come by train from the coast, and on the way home we talked about the weather, the garden, the dog and the "
        "price of bread.",
        "The verdict is the fourth word, and nothing after it is about the film. All three models still say “positive” fifty words later, but none keeps "
        "its probability constant: words such as “coast” and “talked” change it too.",
    ),
    Example(
        "Double negative",
        "I can't say that I didn't enjoy it.",
        "“can't” lowers the probability and “enjoy” raises it: the models add the words up. Neither negation reverses the other.",
    ),
    Example(
        "Unknown word",
        "A masterpiece of zorgblatt cinema, full of splendid flumpets.",
        "“zorgblatt” and “flumpets” are not among the 10,000 ids the models know: both become the same “unknown” token, which changes little.",
    ),
)


@dataclass(frozen=True, eq=False)
class Text:
    """A text as tokens. T ≤ 500 tokens."""

    text: str  # as typed
    words: tuple[str, ...]  # (T,) the words as typed, "<start>" first
    known: np.ndarray  # (T,) bool
    ids: np.ndarray  # (T,) int32
    spans: tuple[tuple[int, int], ...]  # (T,) (start, end) of each word: text[start:end]
    tokens: int  # number of tokens before the limit

    @property
    def empty(self) -> bool:
        return not any(end > start for start, end in self.spans)


def encoded(text: str, part: str, vocabulary: Vocabulary) -> Text:
    """`text` with its first or last 500 tokens."""
    whole = vocabulary.encode(text)
    kept = slice(0, MAX_TOKENS) if part == "first" else slice(max(0, len(whole.ids) - MAX_TOKENS), None)
    return Text(text, whole.words[kept], whole.known[kept], whole.ids[kept], whole.spans[kept], len(whole.ids))


@cache
def unsplit_words(vocabulary: Vocabulary) -> tuple[str, ...]:
    """Words of the vocabulary with non-ASCII letters that are one token, but would be split if they were unknown."""
    words = (word for word in vocabulary.words if word.strip() and not word.isascii())
    return tuple(word for word in words if len(vocabulary._tidied(word, 0)) != 1)


def text_box(vocabulary: Vocabulary) -> Text:
    """Draw the examples, the text box and, for a long text, the choice of its part; name the unknown words. Return the text.

    Of a model whose words are not known, the text is its token ids.
    """
    if isinstance(vocabulary, OwnVocabulary) and vocabulary.numbers:
        return _ids_box(vocabulary)
    by_name = {example.name: example for example in EXAMPLES}
    chosen = st.pills("Examples", list(by_name), default=EXAMPLES[0].name, **linked("example"))
    example = by_name.get(chosen or "")
    part = session.value(key("sentence", "part"), "last")
    text = example.text if example else session.here().sentence_text
    whole = unsplit_words(vocabulary)
    typed = composer("Your text", text, limit=MAX_TOKENS, part=part, whole=whole, key=key("sentence", "text_box"))
    session.here().sentence_text = typed
    found = encoded(typed, part, vocabulary)
    if found.tokens > MAX_TOKENS:
        words = f"{found.tokens:,} tokens are more than the {MAX_TOKENS} that are read. Read the"
        part = choice(words, {"first": "first", "last": "last"}, "last", key=key("sentence", "part"))
        found = encoded(typed, part, vocabulary)
    if example and typed == example.text and not isinstance(vocabulary, OwnVocabulary):
        st.caption(f":material/visibility: {example.note}")
    unknown_words(found, vocabulary)
    return found


def _ids_box(vocabulary: OwnVocabulary) -> Text:
    """Draw the box of token ids, and return them."""
    st.caption(
        f"The words of this model are not known: type token ids from 0 to {vocabulary.size - 1}, with spaces between them."
    )
    first = " ".join(str(number) for number in range(1, min(vocabulary.size, 13)))
    typed = composer("Token ids", first, limit=MAX_TOKENS, part="last", whole=(), key=key("sentence", "ids_box"))
    found = encoded(typed, "last", vocabulary)
    unknown_words(found, vocabulary)
    return found


def unknown_words(text: Text, vocabulary: Vocabulary) -> None:
    """Draw one line about the words that are not in the vocabulary."""
    typed = sum(end > start for start, end in text.spans)
    if isinstance(vocabulary, OwnVocabulary) and vocabulary.unknown is None:
        if left_out := tuple(dict.fromkeys(vocabulary.left_out(text.text))):
            shown = ", ".join(plain(word[:30]) for word in left_out[:8]) + " …" * (len(left_out) > 8)
            what = "numbers between 0 and the largest id" if vocabulary.numbers else "in this model's vocabulary"
            st.caption(f":material/help: Not {what}, and left out: {shown}")
        return
    unknown = [word for word, known in zip(text.words, text.known, strict=True) if not known]
    if not unknown:
        return
    different = list(dict.fromkeys(unknown))
    shown = ", ".join(plain(word[:30]) for word in different[:8]) + " …" * (len(different) > 8)
    count = typed
    count_words = "None of the words is" if len(unknown) == count else f"{len(unknown)} of {count} words are not"
    st.caption(
        f":material/help: {count_words} among the {vocabulary.size:,} token ids the models know. They become the same “unknown” token: {shown}"
    )


def changed_word(text: Text, vocabulary: Vocabulary) -> Text | None:
    """Draw the change of one word; return the changed text, or None if nothing is changed."""
    steps = [step for step, (start, end) in enumerate(text.spans) if end > start]
    left, right = st.columns([2, 3], vertical_alignment="bottom")
    names = {step: f"{step}: {text.words[step][:40]}" for step in steps}
    step = left.selectbox("Change the word", steps, format_func=names.__getitem__, key=key("sentence", "changed_step"))
    hint = "another word; “-” removes it"
    word = right.text_input("into", key=key("sentence", "changed_word"), max_chars=100, placeholder=hint).strip()
    if step is None or not word:
        return None
    start, end = text.spans[step]
    changed = text.text[:start] + ("" if word == "-" else word) + text.text[end:]
    return encoded(changed, session.value(key("sentence", "part"), "last"), vocabulary)


def second_text(vocabulary: Vocabulary) -> Text | None:
    """Draw the box of the second text; return it, or None if it is empty."""
    typed = composer(
        "Second text",
        EXAMPLES[1].text,
        limit=MAX_TOKENS,
        part="last",
        whole=unsplit_words(vocabulary),
        key=key("sentence", "second_box"),
    )
    found = encoded(typed, "last", vocabulary)
    unknown_words(found, vocabulary)
    return None if found.empty else found
