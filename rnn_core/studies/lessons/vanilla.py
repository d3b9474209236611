"""Test accuracy of the shipped models and of a bag of words on IMDB."""

from __future__ import annotations

from rnn_core.studies import lesson_measurements
from rnn_core.studies.lessons.lesson import Fact, Lesson

VANILLA = Lesson(
    "vanilla",
    "Vanilla RNNs do well on IMDB, and why",
    "A vanilla RNN is only a point or two behind LSTM and GRU on IMDB. Sentiment is mostly additive: many words vote, "
    "so forgetting the early ones costs little, and counting words without any order is right nearly as often.",
    ("textbook", "imdb_rnn"),
    "The accuracy as the networks see more and more of the last words of a review.",
    "A vanilla RNN at chance, or a bag of words far below the recurrent networks.",
    lesson_measurements.vanilla_on_imdb,
    (
        Fact(
            "Right on the 25,000 test reviews: vanilla RNN {simple_rnn:.1%}, LSTM {lstm:.1%}, GRU {gru:.1%}.",
            lambda n: n["simple_rnn"] > 0.84 and max(n["lstm"], n["gru"]) - n["simple_rnn"] < 0.05,
        ),
        Fact(
            "A bag of words (a weight for each word, no order) is right {bag:.1%} of the time.",
            lambda n: n["bag"] > n["simple_rnn"] - 0.03,
        ),
        Fact(
            "The vanilla RNN given only a review's last 100 tokens: {simple_rnn_100:.1%}; the last 25: {simple_rnn_25:.1%}.",
            lambda n: 0.65 < n["simple_rnn_25"] < n["simple_rnn_100"] and n["simple_rnn"] - n["simple_rnn_100"] < 0.06,
        ),
    ),
    (),
    "Maheswaranathan et al. 2019 report 87.1% for vanilla RNN, 86.9% for LSTM and GRU, 88.5% for a bag of words.",
)
