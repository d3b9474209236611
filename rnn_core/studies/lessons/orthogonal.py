"""The three cells as Keras initialises them: the orthogonal vanilla RNN keeps its gradient best."""

from __future__ import annotations

from rnn_core.studies import lesson_measurements
from rnn_core.studies.lessons.lesson import Fact, Lesson

ORTHOGONAL = Lesson(
    "orthogonal",
    "A good start already fixes much",
    "“Vanilla RNNs vanish, LSTM and GRU do not” is the wrong way round for untrained networks as Keras starts them: "
    "an orthogonal vanilla RNN on small inputs keeps its gradient better than an LSTM, and that better than a GRU.",
    ("orthogonal", "closed_gates"),
    "The order of the three curves. All are untrained, with the same seed, inputs and units.",
    "A default GRU whose curve lies above the vanilla RNN's at this input scale.",
    lesson_measurements.initialisation,
    (
        Fact(
            "Factor per step back, inputs like fresh word vectors: vanilla RNN {simple_rnn:.3f}, LSTM {lstm:.3f}, GRU {gru:.3f}.",
            lambda n: n["simple_rnn"] > 0.96 and 0.8 < n["lstm"] < 0.9 and 0.58 < n["gru"] < 0.7,
        ),
        Fact(
            "The input's size matters: with inputs of scale 1 the vanilla RNN falls to {simple_rnn_large:.3f} per step, below the LSTM's {lstm_large:.3f}.",
            lambda n: n["simple_rnn_large"] < n["lstm_large"] - 0.05 and n["simple_rnn_large"] < n["simple_rnn"] - 0.2,
        ),
    ),
    (
        Fact(
            "Trained to name the first of 40 symbols, the vanilla RNN is right {orthogonal_low:.0%} of the time in the worst of three runs, the GRU with Keras's defaults {closed_gates_high:.0%} in the best of three.",
            lambda n: n["orthogonal_low"] > 0.98 and n["closed_gates_high"] < 0.6,
        ),
    ),
    "At the origin the Jacobians are known: U for the vanilla RNN, ½ I + ¼ U for the GRU, and an LSTM's are governed by σ(1) I + ¼ U.",
)
