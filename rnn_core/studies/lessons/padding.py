"""Padding after the words, with and without a mask."""

from __future__ import annotations

from rnn_core.studies import lesson_measurements
from rnn_core.studies.lessons.lesson import Fact, Lesson

PADDING = Lesson(
    "padding",
    "Padding behind: vanishing on real data",
    "Short reviews are filled up to one length. If the filling comes last and the network reads it, every word lies behind many empty steps, "
    "and a vanilla RNN hardly learns; padded in front, or masked, it learns well.",
    ("post_padding", "textbook"),
    "The last word stands 300 steps before the end. Skipped padding passes the gradient on unchanged: the curve is flat there.",
    "An unmasked, post-padded vanilla RNN that reaches 70% on IMDB within these epochs.",
    lesson_measurements.padding,
    (
        Fact(
            "Behind {words:.0f} words lie {pads:.0f} padding steps. Read, they leave {left_read:.2g} of the gradient for the last word even before training.",
            lambda n: n["left_read"] < 0.5,
        ),
        Fact("Skipped by a mask, they leave {left_skipped:.0%}.", lambda n: abs(n["left_skipped"] - 1) < 1e-9),
    ),
    (
        Fact(
            "On IMDB (500 tokens, best of 5 epochs): padded behind and read, {post_high:.1%} right in the best of the runs; guessing gives 50%.",
            lambda n: n["post_high"] <= 0.62,
        ),
        Fact("Padded in front: {pre_low:.1%} in the worst of the runs.", lambda n: n["pre_low"] >= 0.83),
        Fact(
            "Padded behind but masked: {masked_mid:.1%} in the middle one of the runs, {masked_low:.1%} in the worst.",
            lambda n: n["masked_mid"] >= 0.83 and n["masked_low"] >= 0.7,
        ),
    ),
    "Measured before by Dwarampudi and Reddy 2019 for an LSTM on tweets: about 80% padded in front, about 50% padded behind.",
)
