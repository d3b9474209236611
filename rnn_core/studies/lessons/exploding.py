"""A linear RNN with recurrent gain 1.1: the gradient grows with every step back, and what clipping changes."""

from __future__ import annotations

from rnn_core.studies import lesson_measurements
from rnn_core.studies.lessons.lesson import Fact, Lesson

EXPLODING = Lesson(
    "exploding",
    "Exploding, and clipping",
    "If the recurrent weights stretch, the gradient grows backwards at every step, and one update can destroy the network. "
    "Clipping the gradient's norm keeps the direction and saves the run; it does not give the network a memory.",
    ("runaway", "runaway_clipped"),
    "The curve rises from right to left by the same factor at every step: a straight line on this axis.",
    "An unclipped run of this preset that survives its second step; or a global clip that turns the gradient.",
    lesson_measurements.runaway,
    (
        Fact(
            "A linear RNN with gain {gain:g} multiplies the gradient by {factor:.3f} per step: {growth:.0f} times over {lag:.0f} steps.",
            lambda n: abs(n["factor"] - n["gain"]) < 1e-3 and n["growth"] > 50,
        ),
        Fact(
            "One batch's gradient has the norm {before:,.0f}; the global clip at 1 makes it {after_global:.2f} and turns it by {turn_global:.1f}°.",
            lambda n: n["before"] > 100 and abs(n["after_global"] - 1) < 1e-6 and n["turn_global"] < 0.01,
        ),
        Fact(
            "Clipping each weight by itself leaves a norm of {after_variable:.2f} and turns the step by {turn_variable:.0f}°.",
            lambda n: n["after_variable"] > 1.05 and n["turn_variable"] > 1,
        ),
    ),
    (
        Fact(
            "Not clipped, the run overflows at step {unclipped_steps:.0f}, for every seed.",
            lambda n: n["unclipped_diverged_low"] == 1 and n["unclipped_steps"] == n["unclipped_steps_high"] <= 3,
        ),
        Fact(
            "Clipped, it survives all {clipped_steps:.0f} steps and its error falls from {clipped_first_low:.0f} or more to {clipped_high:.2f} or less.",
            lambda n: n["clipped_diverged_high"] == 0 and n["clipped_high"] < 0.5 and n["clipped_first_low"] > 5,
        ),
        Fact(
            "That is where guessing the mean ends too (0.41): no seed got below {clipped_low:.2f}.",
            lambda n: n["clipped_low"] > 0.35,
        ),
    ),
    "Clipping by the global norm: Pascanu, Mikolov and Bengio 2013. Keras: `global_clipnorm`; its `clipnorm` is the per-weight rule.",
)
