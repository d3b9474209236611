"""Which word of a text turns a network's answer, in a sentence computed from its strip."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rnn_core.figures.verdicts.verdict import Verdict
from rnn_core.probes.strip import Strip
from rnn_core.studies.contest_words import NAMES

LEAST = 0.05  # change of probability at one word below which no word is said to turn the answer


def turning(answers: np.ndarray) -> int:
    """The step at which the probability crosses one half for the last time; where it never does, the one with the largest change; 0 of one step."""
    if len(answers) < 2:
        return 0
    crossings = np.flatnonzero(np.diff(answers > 0.5)) + 1
    return int(crossings[-1]) if len(crossings) else int(np.abs(np.diff(answers)).argmax()) + 1


def turn(one: Strip, words: Sequence[str]) -> Verdict:
    """What the turning word does to P(positive): "At “wonderful” the LSTM turns from negative to positive: 40 % → 78 %."

    Args:
        one: a network that answers with a probability at each of T steps.
        words: (T,) the text.
    """
    step, who = turning(one.answers), NAMES.get(one.cell, one.cell)
    before, after, end = one.answers[max(step - 1, 0)], one.answers[step], one.answers[-1]
    sides = ["positive" if value > 0.5 else "negative" for value in (before, after)]
    if sides[0] != sides[1]:
        said = f"At “{words[step]}” the {who} turns from {sides[0]} to {sides[1]}: {before:.0%} → {after:.0%}"
    elif abs(after - before) < LEAST:
        return Verdict(
            f"No word changes the {who}’s answer by much: it ends at {end:.0%} positive.".replace("%", " %"), "undecided"
        )
    else:
        said = f"At “{words[step]}” the {who} becomes {'surer' if abs(after - 0.5) > abs(before - 0.5) else 'less sure'}: {before:.0%} → {after:.0%}"
    ends = "" if step == len(words) - 1 else f", and ends at {end:.0%}"
    return Verdict(f"{said} positive{ends}.".replace("%", " %"), "good")
