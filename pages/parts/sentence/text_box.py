"""The text that the sentence page reads: examples that teach something, the box to type in, and the part that fits."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import streamlit as st

from pages.parts.sentence.composer import composer
from pages.shared import session
from pages.shared.session import key, linked
from pages.shared.words import plain
from rnn_core.data.text.token_ids import UNKNOWN
from rnn_core.data.text.vocabulary import vocabulary

LIMIT = 500  # tokens: what the starter models were trained on


@dataclass(frozen=True)
class Example:
    """A text worth reading, and what to look at in it (tests/pages/test_sentence.py holds the starters to the words)."""

    name: str
    text: str
    look: str


EXAMPLES = (
    Example(
        "Contrast",
        "Great cast, great music, but the plot drags and the ending is terrible.",
        "Praise lifts the probability well above 80%; “drags” and “terrible” bring it below one half. The last strong words win.",
    ),
    Example(
        "Negation",
        "This film is not bad at all. I loved it.",
        "“not” pulls down and so does “bad”, each for itself: nothing turns “bad” around, and “at all” changes next to nothing. “loved” has to win it back.",
    ),
    Example(
        "Sarcasm",
        "Oh great, another two hours of my life wasted. Brilliant job, really.",
        "“wasted” pulls down, but “Brilliant” pushes up as if it were meant, and all three models end on “positive”: they know words, not the tone.",
    ),
    Example(
        "A long aside",
        "This film is wonderful. We saw it on a rainy evening in a small town, after a long walk by the river, with my brother and his two "
        "children, who had come by train from the coast, and on the way home we talked about the weather, the garden, the dog and the "
        "price of bread.",
        "The verdict is the fourth word, and nothing after it is about the film. All three models still say “positive” fifty words later, but none holds "
        "the number still: words such as “coast” and “talked” move it too.",
    ),
    Example(
        "Double negative",
        "I can't say that I didn't enjoy it.",
        "“can't” pulls down and “enjoy” pushes up: the models add words up. No negation turns the other one around.",
    ),
    Example(
        "Unknown word",
        "A masterpiece of zorgblatt cinema, full of splendid flumpets.",
        "“zorgblatt” and “flumpets” are not among the 10,000 ids the models know: both are read as the same “unknown” token, and say little.",
    ),
)


@dataclass(frozen=True, eq=False)
class Text:
    """A text as the models read it. T ≤ 500 tokens."""

    text: str  # as typed
    words: tuple[str, ...]  # (T,) the words as typed, "<start>" first
    known: np.ndarray  # (T,) bool
    ids: np.ndarray  # (T,) int32
    spans: tuple[tuple[int, int], ...]  # (T,) where each word stands in the text
    tokens: int  # how many there were before the limit

    @property
    def empty(self) -> bool:
        return self.tokens <= 1


def encoded(text: str, part: str, size: int) -> Text:
    """`text` with its first or last 500 tokens, for a vocabulary of `size` ids."""
    whole = vocabulary(size).encode(text)
    kept = slice(0, LIMIT) if part == "first" else slice(max(0, len(whole.ids) - LIMIT), None)
    return Text(text, whole.words[kept], whole.known[kept], whole.ids[kept], whole.spans[kept], len(whole.ids))


@cache
def whole_words(size: int) -> tuple[str, ...]:
    """Known words beyond ASCII that would be taken apart, were they unknown."""
    words = vocabulary(size)
    return tuple(word for word in words.words if word.strip() and not word.isascii() and len(words._tidied(word, 0)) != 1)


def text_box(size: int) -> Text:
    """Examples, the box, and, where the text is too long, the choice of its part. Says what is not read as typed."""
    by_name = {example.name: example for example in EXAMPLES}
    chosen = st.pills("Examples", list(by_name), default=EXAMPLES[0].name, **linked("example"))
    example = by_name.get(chosen or "")
    part = session.value(key("sentence", "part"), "last")
    typed = composer(
        "Your text",
        example.text if example else session.here().text,
        limit=LIMIT,
        part=part,
        whole=whole_words(size),
        key=key("sentence", "text_box"),
    )
    session.here().text = typed
    found = encoded(typed, part, size)
    if found.tokens > LIMIT:
        st.segmented_control(
            f"{found.tokens:,} tokens are more than the {LIMIT} that are read. Read the",
            ["first", "last"],
            default="last",
            key=key("sentence", "part"),
            required=True,
        )
        found = encoded(typed, session.value(key("sentence", "part"), "last"), size)
    if example and typed == example.text:
        st.caption(f":material/visibility: {example.look}")
    unknown_words(found, size)
    return found


def unknown_words(text: Text, size: int) -> None:
    """One line on the words that models with a vocabulary of `size` ids do not know."""
    unknown = [word for word, number in zip(text.words, text.ids, strict=True) if number == UNKNOWN]
    if not unknown:
        return
    shown = ", ".join(plain(word[:30]) for word in list(dict.fromkeys(unknown))[:8])
    more = "" if len(set(unknown)) <= 8 else " …"
    every = (
        "None of the words is"
        if len(unknown) == len(text.words) - 1
        else f"{len(unknown)} of {len(text.words) - 1} words are not"
    )
    st.caption(
        f":material/help: {every} among the {size:,} token ids the models know: read as one and the same “unknown” token: {shown}{more}"
    )


def changed_word(text: Text, size: int) -> Text | None:
    """Let one word be replaced or taken out; None while nothing is."""
    places = [step for step, (start, end) in enumerate(text.spans) if end > start]
    left, right = st.columns([2, 3], vertical_alignment="bottom")
    step = left.selectbox(
        "Change the word",
        places,
        format_func=lambda step: f"{step}: {text.words[step][:40]}",
        key=key("sentence", "changed_step"),
    )
    word = right.text_input(
        "into", key=key("sentence", "changed_word"), max_chars=100, placeholder="another word; “-” takes it out"
    ).strip()
    if step is None or not word:
        return None
    start, end = text.spans[step]
    made = text.text[:start] + ("" if word == "-" else word) + text.text[end:]
    return encoded(made, session.value(key("sentence", "part"), "last"), size)


def second_text(size: int) -> Text | None:
    """Another text to read beside the first; None while it is empty."""
    typed = composer(
        "Second text", EXAMPLES[1].text, limit=LIMIT, part="last", whole=whole_words(size), key=key("sentence", "second_box")
    )
    found = encoded(typed, "last", size)
    unknown_words(found, size)
    return None if found.empty else found
