"""A tanh RNN with recurrent gain 0.7: the gradient has an upper bound that falls with every step back."""

from __future__ import annotations

from rnn_core.studies import lesson_measurements
from rnn_core.studies.lessons.lesson import Fact, Lesson

VANISHING = Lesson(
    "vanishing",
    "Vanishing in a contractive RNN",
    "If the recurrent weights of a tanh RNN shrink everything by 0.7, the gradient shrinks by at least that at every step back. "
    "What lies far enough in the past cannot be learned.",
    ("contractive", "orthogonal"),
    "The two curves differ in one number, the recurrent gain. The dotted line is 0.7 to the power n: the theory's upper bound.",
    "A single point of the gain-0.7 curve above the dotted line; or a gain-0.7 network that learns to name the first of 40 symbols.",
    lesson_measurements.contractive,
    (
        Fact(
            "With gain {gain:g}, what reaches the first symbol, {lag:.0f} steps back, is {ratio:.0e} of the gradient at the end.",
            lambda n: n["ratio"] < 1e-6,
        ),
        Fact(
            "No sequence has a point above the bound: the largest is {excess:.2f} times the bound.",
            lambda n: n["excess"] <= 1 + 1e-9,
        ),
        Fact(
            "With gain 1 (Keras's default) {ratio_orthogonal:.1g} of it arrives: {advantage:.0e} times as much.",
            lambda n: n["advantage"] > 1e3,
        ),
        Fact(
            "Counted back from the last step until it falls below 1% of its size there, the gradient reaches {reach:.0f} of {steps:.0f} steps with gain {gain:g}, "
            "and {reach_orthogonal:.0f} with gain 1 (medians over 32 sequences).",
            lambda n: n["reach"] < 15 and n["reach_orthogonal"] > 28,
        ),
    ),
    (
        Fact(
            "Trained for 800 steps, the gain-0.7 network names the first of 40 symbols right {contractive_high:.0%} of the time in the best of three runs; guessing gives 50%.",
            lambda n: n["contractive_high"] < 0.6,
        ),
        Fact(
            "With gain 1, the same network is right {orthogonal_low:.0%} of the time, in the worst of three runs.",
            lambda n: n["orthogonal_low"] > 0.98,
        ),
    ),
    r"$\|\partial s_T/\partial s_t\| \le \sigma_{\max}(U)^{T-t}$ for tanh: Pascanu, Mikolov and Bengio 2013, whose proof needs the largest *singular* value, not the eigenvalue.",
)
