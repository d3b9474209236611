"""The next experiment after a training that failed: one change, the most promising first."""

from __future__ import annotations

from rnn_core import data
from rnn_core.figures.verdicts.verdict import Suggestion, possible
from rnn_core.spec.experiment import FIELDS, Experiment

OPEN_GATES = 3.0  # gate bias at which most of the state is kept: σ(3) = 0.95 per step
LONG = 20  # steps from which closed gates shut the past out
DROPOUT = 0.3  # share of a layer's inputs
SHRINKING = 0.9  # gain of the recurrent weights below which a state fades within LONG steps


def smaller_steps(experiment: Experiment | None) -> Suggestion | None:
    """For a loss that grows: clip the gradient, or learn ten times more slowly if it is clipped."""
    if experiment is None:
        return None
    if not experiment.training.clip:
        return possible(experiment, "Clip the gradient at 1", clip=1.0)
    rate = max(experiment.training.learning_rate / 10, FIELDS["learning_rate"]["low"])
    return possible(experiment, f"Learning rate {rate:.3g}", learning_rate=rate)


def longer(experiment: Experiment | None) -> Suggestion | None:
    """For a training that had not come to its end: twice as many epochs."""
    if experiment is None:
        return None
    epochs = min(2 * experiment.training.epochs, FIELDS["epochs"]["high"])
    return possible(experiment, f"Train {epochs} epochs", epochs=epochs)


def for_a_failure(experiment: Experiment | None) -> Suggestion | None:
    """For a network that has not learned: padding that hides the text, weights that shrink, a cell without gates, closed gates, time."""
    if experiment is None:
        return None
    spec, model = experiment.data, experiment.model
    if spec.padding == "post" and not spec.mask and data.task(spec.task).group == "text":
        return possible(experiment, "Skip the padding", mask=True)
    if model.gain < SHRINKING:
        return possible(experiment, "Start with gain 1", gain=1.0)
    if model.cell == "simple_rnn":
        return possible(experiment, "Try the LSTM", cell="lstm")
    if spec.length > LONG and (model.gate_bias is None or model.gate_bias < OPEN_GATES):
        return possible(experiment, "Open the gates: bias 3", gate_bias=OPEN_GATES)
    return longer(experiment)


def for_memorising(experiment: Experiment | None) -> Suggestion | None:
    """For a network that learns its sequences by heart and nothing else: more of them; where their number is the task's own, dropout."""
    if experiment is None:
        return None
    if samples := experiment.data.samples:
        more = min(4 * samples, FIELDS["samples"]["high"])
        return possible(experiment, f"Train on {more:,} sequences", samples=more)
    return possible(experiment, f"Dropout {DROPOUT:g}", dropout=DROPOUT)
