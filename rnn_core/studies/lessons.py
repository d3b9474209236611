"""Seven lessons on gradients through time. Each states a claim, what to look at, and what would disprove it.

A sentence that states a fact is a `Fact`: its numbers are filled in from a measurement, and `holds` says whether that
measurement bears it out. The page shows both; tests/studies/test_lessons.py measures and checks every one, and that each can fail.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from rnn_core.studies import lesson_measurements
from rnn_core.studies.lesson_measurements import Evidence

Numbers = Mapping[str, float]


def _power(found: re.Match[str]) -> str:
    """6e-08 → 6·10⁻⁸, 8e+04 → 80,000."""
    digits, exponent = found[1], int(found[2])
    if 0 <= exponent < 7:
        return f"{float(digits) * 10**exponent:,.0f}"
    return f"{digits}·10{str(exponent).translate(_RAISED)}"


_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True)
class Fact:
    """One sentence about numbers."""

    words: str  # with places {name:format} for the numbers
    holds: Callable[[Numbers], bool]  # whether the numbers bear it out

    def sentence(self, numbers: Numbers) -> str:
        """The words with their numbers, powers of ten as a textbook writes them."""
        return re.sub(r"(\d[\d.]*)e([+-]\d+)", _power, self.words.format(**numbers))


@dataclass(frozen=True)
class Lesson:
    """One lesson, bound to presets that anybody can train."""

    name: str  # key in a link
    title: str  # a few words
    claim: str  # what is taught, in one or two sentences
    presets: tuple[str, ...]  # of rnn_core.spec.presets: what to train to see it
    look: str  # where to look in the figure
    disproof: str  # what one would have to see for the claim to be wrong
    measure: Callable[[int], Evidence]  # seed → numbers and curves, in well under a second on a warm worker
    facts: tuple[Fact, ...]  # about `measure`'s numbers
    trained: tuple[Fact, ...] = ()  # about recorded trainings, `evidence.trainings`
    background: str = ""  # where the words come from; cited, not measured here


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

TRAINING = Lesson(
    "training",
    "Before and after training on IMDB",
    "Training opens the gates of GRU and LSTM: their gradient reaches many orders of magnitude further than at the start. "
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

LESSONS: dict[str, Lesson] = {
    lesson.name: lesson for lesson in (VANISHING, EXPLODING, ORTHOGONAL, GATE_BIAS, PADDING, TRAINING, VANILLA)
}


def measure(name: str, seed: int = 0) -> Evidence:
    """What a lesson's measurement finds now. Raises ValueError for an unknown name."""
    return get(name).measure(seed)


def get(name: str) -> Lesson:
    """One lesson. Raises ValueError for an unknown name."""
    if name not in LESSONS:
        raise ValueError(f"lesson must be one of {', '.join(LESSONS)}, got {name!r}")
    return LESSONS[name]
