"""A small grammar of synthetic film reviews, balanced so that counting good and bad words fails.

Over all kinds together, words of praise and of blame are equally frequent in positive and negative reviews: only their
arrangement decides.
"""

from __future__ import annotations

from collections.abc import Callable

KINDS = ("plain", "negation", "contrast", "distance")

# fmt: off
PRAISE = (
    "good", "great", "wonderful", "excellent", "brilliant", "superb", "fantastic", "beautiful",
    "charming", "clever", "funny", "moving", "fresh", "enjoyable", "memorable", "delightful",
)
BLAME = (
    "bad", "terrible", "awful", "horrible", "dull", "boring", "weak", "poor",
    "stupid", "silly", "annoying", "predictable", "pathetic", "lame", "bland", "disappointing",
)
PARTS = (
    "plot", "story", "acting", "cast", "script", "music",
    "dialogue", "direction", "ending", "photography", "soundtrack", "pace",
)
# fmt: on
WHOLES = ("this film", "this movie", "the film", "the movie", "it", "the whole thing", "the picture")
NEGATIONS = ("not", "never", "hardly", "not really", "anything but", "far from", "not at all")
STRENGTHS = ("", "", "", "very", "really", "quite", "truly", "simply")
FILLERS = (
    "it was shown at the local theater on a friday night",
    "the story is set in a small town near the coast",
    "we saw it with my sister and her two children",
    "the director also made a series for television",
    "it runs for about two hours",
    "the main character is a teacher who moves to the city",
    "there were ten people in the room",
    "the first scene takes place on a train",
    "my brother had read the book some years ago",
    "it was made in the seventies and then released again",
    "the second half takes place in the winter",
    "a man and his daughter travel across the country",
    "some of it is in french and some of it is in german",
    "the camera follows a group of students",
    "after that we went home and had dinner",
)


def review(positive: bool, longest: int, draw: Callable[[], float]) -> tuple[str, str]:
    """One review and its kind.

    Args:
        positive: the verdict.
        longest: words at most; filler between the verdict and the end extends up to it.
        draw: returns numbers in [0, 1), such as `numpy.random.Generator.random`.
    """

    def pick(options: tuple[str, ...] | list[str]) -> str:
        return options[int(draw() * len(options))]

    kind = pick(KINDS)
    if kind == "plain":
        sentences = [_simple(positive, pick)]
    elif kind == "negation":
        sentences = [_negated(positive, pick), _simple(positive, pick)][: 1 + int(draw() * 2)]
    elif kind == "contrast":
        sentences = [_contrast(positive, pick)]
    else:
        sentences = [_negated(positive, pick) if draw() < 0.5 else _contrast(positive, pick)]
    free = longest - sum(map(_words, sentences))
    free = int(free * draw()) if kind == "distance" else min(free, int(draw() * 16))
    return " ".join(f"{line[0].upper()}{line[1:]}." for line in sentences + _filler(free, pick)), kind


Pick = Callable[[tuple[str, ...] | list[str]], str]


def _opinion(positive: bool, pick: Pick) -> str:
    """An adjective with or without an adverb: "really dull"."""
    return f"{pick(STRENGTHS)} {pick(PRAISE if positive else BLAME)}".strip()


def _simple(positive: bool, pick: Pick) -> str:
    return f"the {pick(PARTS)} is {_opinion(positive, pick)}"


def _negated(positive: bool, pick: Pick) -> str:
    """The verdict as the negation of its opposite: "the film is far from dull"."""
    return f"{pick(WHOLES)} is {pick(NEGATIONS)} {pick(BLAME if positive else PRAISE)}"


def _contrast(positive: bool, pick: Pick) -> str:
    """Praise and blame in one sentence; the clause about the whole film is the verdict."""
    aside, verdict = _simple(not positive, pick), f"{pick(WHOLES)} is {_opinion(positive, pick)}"
    form = pick(
        ("{aside}, but {verdict}", "although {aside}, {verdict}", "{verdict}, although {aside}", "{verdict} even though {aside}")
    )
    return form.format(aside=aside, verdict=verdict)


def _filler(limit: int, pick: Pick) -> list[str]:
    """Neutral sentences of at most `limit` words together."""
    lines: list[str] = []
    while limit >= 12:  # the longest filler has 12 words
        lines.append(pick(FILLERS))
        limit -= _words(lines[-1])
    return lines


def _words(line: str) -> int:
    return line.count(" ") + 1
