"""The shipped models before and after training on IMDB."""

from __future__ import annotations

from rnn_core.studies import lesson_measurements
from rnn_core.studies.lessons.lesson import Fact, Lesson

TRAINING = Lesson(
    "training",
    "Before and after training on IMDB",
    "Training opens the gates of GRU and LSTM: fifty steps back, their gradient is many orders of magnitude larger than at the start. "
    "The vanilla RNN goes the other way: it starts wide open and closes.",
    ("imdb_rnn", "imdb_lstm", "imdb_gru"),
    "Dashed against solid in one colour: before and after training.",
    "A trained GRU whose gradient 50 steps back is smaller than the untrained one's; or a vanilla RNN whose gradient there grew.",
    lesson_measurements.before_and_after,
    (
        Fact(
            "GRU, 50 steps back: {gru_init:.0e} of the last step's gradient at the start, {gru_trained:.2g} after training.",
            lambda n: n["gru_trained"] > 1e3 * n["gru_init"],
        ),
        Fact(
            "LSTM: {lstm_init:.0e} at the start, {lstm_trained:.2g} after training.",
            lambda n: n["lstm_trained"] > 1e2 * n["lstm_init"],
        ),
        Fact(
            "Vanilla RNN: {simple_rnn_init:.2f} at the start, {simple_rnn_trained:.2f} after training.",
            lambda n: n["simple_rnn_trained"] < n["simple_rnn_init"],
        ),
    ),
    (),
    "Measured on the starter models that ship with Unrolled and real IMDB reviews; they differ in training settings, so compare each cell with itself.",
)
