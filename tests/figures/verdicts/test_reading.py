"""The word that turns an answer, on made-up probabilities."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rnn_core.figures.verdicts import reading
from tests.figures.verdicts.test_gradients import FLAT, made


@pytest.mark.parametrize(
    ("answers", "words", "tone"),
    [
        ([0.5, 0.3, 0.2, 0.7, 0.8], "At “w3” the GRU turns from negative to positive: 20 % → 70 % positive, and ends at 80 %.", "good"),
        ([0.5, 0.9, 0.8, 0.7, 0.1], "At “w4” the GRU turns from positive to negative: 70 % → 10 % positive.", "good"),
        ([0.6, 0.7, 0.95, 0.9, 0.9], "At “w2” the GRU becomes surer: 70 % → 95 % positive, and ends at 90 %.", "good"),
        ([0.9, 0.9, 0.6, 0.6, 0.6], "At “w2” the GRU becomes less sure: 90 % → 60 % positive, and ends at 60 %.", "good"),
        ([0.6, 0.61, 0.6, 0.62, 0.6], "No word changes the GRU’s answer by much: it ends at 60 % positive.", "undecided"),
        ([0.7], "No word changes the GRU’s answer by much: it ends at 70 % positive.", "undecided"),
    ],
)  # fmt: skip
def test_the_turning_word_is_named(answers: list[float], words: str, tone: str) -> None:
    one = replace(made("gru", FLAT), answers=np.array(answers))
    found = reading.turn(one, [f"w{step}" for step in range(len(answers))])
    assert (found.words, found.tone) == (words, tone)
