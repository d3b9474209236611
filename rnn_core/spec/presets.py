"""Named experiments, each with a claim. Every word of a claim is tested: tests/spec/test_presets*.py, tests/benchmarks/presets.py."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rnn_core.spec.experiment import Experiment


@dataclass(frozen=True)
class Preset:
    """A named experiment and its expected result."""

    name: str  # key, as in `python -m rnn_core train NAME`
    title: str  # a few words
    claim: str  # expected result in one or two sentences that can be tested
    experiment: Experiment  # all its fields


# The textbook's other settings are the defaults of Experiment: 10,000 words, 32 units, Adam at 0.001, batches of 64, 10 epochs.
_TEXTBOOK: dict[str, Any] = {"task": "imdb", "length": 500, "padding": "pre", "mask": False}
_BUCKETED = _TEXTBOOK | {"padding": "bucket", "mask": True, "clip": 1.0, "epochs": 5}
_FORECAST: dict[str, Any] = {"length": 50, "learning_rate": 0.005, "clip": 1.0, "epochs": 15}
_FIRST_TOKEN: dict[str, Any] = {"task": "first_token", "length": 40, "learning_rate": 0.003, "clip": 1.0, "epochs": 8}
_LINEAR_SGD = {"activation": "linear", "gain": 1.1, "optimiser": "sgd", "learning_rate": 0.05}
_DIVERGING: dict[str, Any] = {"task": "adding", "length": 50, "epochs": 6} | _LINEAR_SGD
_CONTEST: dict[str, Any] = {"units": 32, "batch": 64, "learning_rate": 0.01, "clip": 1.0, "epochs": 15}


def _preset(name: str, title: str, claim: str, fields: dict[str, Any]) -> Preset:
    return Preset(name, title, claim, Experiment().replace(**fields))


_ALL = (
    _preset(
        "toy",
        "Toy reviews, LSTM",
        "An LSTM reads synthetic reviews right more than nine times in ten within 30 seconds; counting good and bad words guesses.",
        {"task": "toy_reviews", "cell": "lstm", "learning_rate": 0.01, "epochs": 8},
    ),
    _preset(
        "textbook",
        "The textbook program",
        "Embedding(10000, 32), SimpleRNN(32), one sigmoid; 500 tokens padded in front, ten epochs, nothing clipped. Within five "
        "epochs the middle one of three seeds passes 83 % and none stays below 70 %, though unsteadily: an epoch can lose five "
        "points and more.",
        _TEXTBOOK,
    ),
    _preset(
        "textbook_lstm",
        "The textbook program, LSTM",
        "The same program with LSTM(32): four times the recurrent parameters, and the steadier learner. Within five epochs each "
        "of three seeds passes 86 %, the lowest above the vanilla RNN's, and no epoch loses as much.",
        _TEXTBOOK | {"cell": "lstm"},
    ),
    _preset(
        "textbook_gru",
        "The textbook program, GRU",
        "The same program with GRU(32): three times the recurrent weights, and a second bias. Within five epochs each of three "
        "seeds passes 86 %.",
        _TEXTBOOK | {"cell": "gru"},
    ),
    _preset(
        "imdb_rnn",
        "IMDB, vanilla RNN, fast",
        "Similar lengths share a batch and padding is skipped: less than half of the textbook's time steps. The gradient's norm "
        "is clipped at 1: with that each of three seeds passes 80 % within two epochs, which they do not without it.",
        _BUCKETED | {"cell": "simple_rnn"},
    ),
    _preset(
        "imdb_lstm",
        "IMDB, LSTM, fast",
        "The LSTM without padding, clipped like the vanilla RNN: less than half of the textbook's time steps. Each of three "
        "seeds passes 85 % within two epochs.",
        _BUCKETED | {"cell": "lstm"},
    ),
    _preset(
        "imdb_gru",
        "IMDB, GRU, fast",
        "The GRU without padding, clipped like the vanilla RNN: less than half of the textbook's time steps. Each of three "
        "seeds passes 85 % within two epochs.",
        _BUCKETED | {"cell": "gru"},
    ),
    _preset(
        "post_padding",
        "The textbook program, padding behind",
        "The same vanilla RNN, padded behind instead of in front, does not get beyond guessing: most reviews end in more than 200 empty steps.",
        _TEXTBOOK | {"padding": "post", "epochs": 4},
    ),
    _preset(
        "sine",
        "Forecast a sine",
        "A vanilla RNN forecasts a noisy sine better than repeating the last period does, which carries the noise twice.",
        _FORECAST | {"task": "sine", "noise": 0.1},
    ),
    _preset(
        "mackey_glass",
        "Forecast chaos: Mackey-Glass",
        "A GRU forecasts the next twenty steps with less than half the error of a least-squares linear autoregression.",
        _FORECAST | {"task": "mackey_glass", "cell": "gru", "horizon": 20},
    ),
    _preset(
        "lorenz",
        "Forecast Lorenz's wings",
        "A GRU forecasts all three axes with less than a third of the error of a least-squares linear autoregression.",
        _FORECAST | {"task": "lorenz", "cell": "gru"},
    ),
    _preset(
        "anomalies",
        "Find planted faults",
        "The forecast's error finds at least four of five planted spikes, level shifts and changes of frequency, none of which it saw in training.",
        _FORECAST | {"task": "sines", "cell": "gru", "noise": 0.05, "anomalies": "mixed"},
    ),
    _preset(
        "adding_100",
        "Memory contest: adding, 100 steps",
        "GRU and LSTM learn to add two marked numbers across 100 steps; the vanilla RNN stays where always answering 1 is.",
        _CONTEST | {"task": "adding", "length": 100, "cell": "gru", "target": 0.1},
    ),
    _preset(
        "adding_200",
        "Memory contest: adding, 200 steps",
        "Twice as far: the GRU still learns it in a few hundred steps, the LSTM needs one or two thousand, the vanilla RNN stays where always answering 1 is.",
        _CONTEST | {"task": "adding", "length": 200, "cell": "gru", "target": 0.1, "epochs": 25},
    ),
    _preset(
        "temporal_order_100",
        "Memory contest: temporal order, 100 steps",
        "With gates that start open (bias 3), GRU and LSTM tell the order of two symbols across 100 steps; the vanilla RNN does not.",
        _CONTEST | {"task": "temporal_order", "length": 100, "cell": "gru", "gate_bias": 3.0, "target": 0.98},
    ),
    _preset(
        "gate_bias",
        "The gate-bias slider",
        "With forget bias 4 the LSTM remembers the first of 100 symbols almost at once; with Keras's bias 1 it does not.",
        _CONTEST | {"task": "first_token", "length": 100, "cell": "lstm", "gate_bias": 4.0, "target": 0.995},
    ),
    _preset(
        "gain_vanish",
        "The gain slider: vanish",
        "Recurrent gain 0.5: at the start of training the gradient loses at least half at every step back; over 50 steps nothing is left of it.",
        _CONTEST | {"task": "first_token", "length": 50, "gain": 0.5},
    ),
    _preset(
        "gain_explode",
        "The gain slider: explode",
        "A linear RNN with recurrent gain 1.2 multiplies the gradient by 1.2 at every step back: 7,600 times over 50 steps, before training.",
        _CONTEST | {"task": "first_token", "length": 50, "gain": 1.2, "activation": "linear"},
    ),
)

# Pairs that differ in one field, for the page Lessons; tested by tests/studies/test_lessons.py.
_LESSONS = (
    _preset(
        "contractive",
        "Vanishing: a contractive RNN",
        "Recurrent gain 0.7: the gradient keeps at most 0.7 of itself at every step back, and the first of 40 symbols is not learned in 800 steps.",
        _FIRST_TOKEN | {"gain": 0.7},
    ),
    _preset(
        "orthogonal",
        "The same RNN, orthogonal",
        "The same vanilla RNN with Keras's own orthogonal start (gain 1) names the first of 40 symbols more than 98 times in 100.",
        _FIRST_TOKEN,
    ),
    _preset(
        "closed_gates",
        "A GRU that starts half closed",
        "Keras's default GRU starts with its update gate at one half on average, and does not learn the first of 40 symbols in 800 steps.",
        _FIRST_TOKEN | {"cell": "gru"},
    ),
    _preset(
        "open_gates",
        "The same GRU, gates open",
        "With an update-gate bias of 2 the same GRU names the first of 40 symbols more than 98 times in 100.",
        _FIRST_TOKEN | {"cell": "gru", "gate_bias": 2.0},
    ),
    _preset(
        "runaway",
        "Exploding, not clipped",
        "A linear RNN with recurrent gain 1.1: the first update throws the weights so far that the second loss overflows.",
        _DIVERGING,
    ),
    _preset(
        "runaway_clipped",
        "Exploding, clipped",
        "The same run with the gradient's norm clipped at 1 survives, and its error falls to that of guessing the mean.",
        _DIVERGING | {"clip": 1.0},
    ),
)


def presets() -> dict[str, Preset]:
    """Every preset by its name, in menu order."""
    return {preset.name: preset for preset in (*_ALL, *_LESSONS)}


def get(name: str) -> Experiment:
    """The experiment of a preset. Raises ValueError for an unknown name."""
    if name not in presets():
        raise ValueError(f"preset must be one of {', '.join(presets())}, got {name!r}")
    return presets()[name].experiment
