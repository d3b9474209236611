"""The initial bias of the forget or update gate sets how fast the gradient falls."""

from __future__ import annotations

from rnn_core.studies import lesson_measurements
from rnn_core.studies.lessons.lesson import Fact, Lesson

GATE_BIAS = Lesson(
    "gate_bias",
    "The forget-gate bias",
    "A gate that starts half closed halves the memory at every step. Raising its bias opens it: the cheapest way to a long memory.",
    ("closed_gates", "open_gates", "gate_bias"),
    "Each curve is an untrained LSTM; only the forget gate's bias differs.",
    "A curve with bias 0 that falls more slowly than that with bias 3; or a GRU with a closed gate that learns the puzzle as fast as one with an open gate.",
    lesson_measurements.gate_bias,
    (
        Fact(
            "Factor per step of the LSTM: bias 0 {lstm_0:.3f}, bias 1 {lstm_1:.3f}, bias 3 {lstm_3:.3f}.",
            lambda n: n["lstm_0"] < 0.7 < n["lstm_1"] < 0.9 < 0.97 < n["lstm_3"] < 1.05,
        ),
        Fact(
            "At bias 0 the gates alone leave {lstm_0_product:.0e} after 50 steps: they halve at every step.",
            lambda n: 0.3 < n["lstm_0_product"] / 0.5**50 < 3,
        ),
        Fact("With bias 5 it is {lstm_5:.3f}: the gradient hardly changes, or even grows.", lambda n: n["lstm_5"] > 0.99),
        Fact(
            "The same for the GRU's update gate: bias 0 {gru_0:.3f}, bias 3 {gru_3:.3f}.",
            lambda n: n["gru_0"] < 0.7 and n["gru_3"] > 0.93,
        ),
        Fact(
            "The gates alone do not tell it all: 50 steps back, at bias 3, their product is {lstm_3_product:.2g}, the total gradient {lstm_3_total:.2g} of the last.",
            lambda n: abs(n["lstm_3_total"] / n["lstm_3_product"] - 1) > 0.1,
        ),
    ),
    (
        Fact(
            "Trained to name the first of 40 symbols: GRU with bias 0 {closed_gates_high:.0%} right in the best of three runs, with bias 2 {open_gates_low:.0%} in the worst.",
            lambda n: n["closed_gates_high"] < 0.6 and n["open_gates_low"] > 0.98,
        ),
        Fact(
            "LSTM with forget bias 0 {lstm_bias_0_high:.0%} right in the best of three runs, with Keras's 1 {lstm_bias_1_low:.0%} in the worst.",
            lambda n: n["lstm_bias_0_high"] < 0.6 and n["lstm_bias_1_low"] > 0.98,
        ),
    ),
    "Forget gates: Gers et al. 2000; a bias of 1 or 2: Jozefowicz et al. 2015; bias from the memory wanted: Tallec and Ollivier 2018.",
)
