"""The verdict on a training: its newest validation against guessing, and whether it diverged, grows, memorises or forgets.

The rules, in this order; N is the number of validation answers, and validation is measured once per epoch:

- **diverged**: the loss of a batch is not a number.
- **grows**: the median loss of the last 5 batches is above 3 times that of the first 5, from 20 batches on.
- **memorises**: the validation losses of the last two epochs both exceed the lowest by more than 3/√N of it (three standard errors of
  a mean loss whose spread is as large as itself), at least 5 %, and by 5 % of the first epoch's; the training loss has fallen since
  that epoch, and is as far below the validation loss. (Fresh sequences in every epoch cannot be memorised: there it is not.)
- **fell back**: the validation metrics of the last two epochs are both worse than the best by more than 5 points and 4 standard
  errors (accuracy), or by more than a quarter and twice the margin below (error).
- **against guessing**: an accuracy differs from guessing g if it is more than 2 standard errors √(g (1 − g) / N) away. Less than 30 % of
  the way from guessing to all right is "hardly learned". For errors see `rivals.error_margin`.
- **too early**: a result that is not good yet is no verdict before the third epoch, nor while the last three epochs improve it
  by more than √2 times those margins.

Of simulated runs that only guess, with independent noise at every epoch, fewer than one in ten is called anything but "no better".

Sequences of a per-step task count once each in N, because the answers within one depend on each other.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from rnn_core.figures.numbers import counted, percent, percents, score
from rnn_core.figures.verdicts import advice
from rnn_core.figures.verdicts.rivals import EXACT, error_margin, error_words, exact_words, phrase, ranking
from rnn_core.figures.verdicts.verdict import Suggestion, Tone, Verdict, possible
from rnn_core.spec.experiment import Experiment

GROWTH, FIRST, ENOUGH = 3.0, 5, 20  # times the first loss; batches in a median; batches before it is looked at
EARLY = 3  # epochs before "it has not learned" is said
HARDLY, PARTLY = 0.3, 0.6  # shares of the way from guessing to all right
UNKNOWN = 100  # N where it is not known: small, so that little is claimed


@dataclass(frozen=True, eq=False)
class Task:
    """What the metric of a run means."""

    metric: str  # "accuracy" or "rmse"
    rivals: Mapping[str, float]  # naive predictor → its metric on the same data; empty where not known yet
    answers: int = 0  # N, validation sequences; 0 where not known
    per_step: bool = False  # an answer at every time step

    @property
    def rises(self) -> bool:
        """Whether more is better."""
        return self.metric == "accuracy"

    def noise(self, value: float) -> float:
        """Two standard errors of the metric near `value`, in its own unit."""
        if self.rises:
            return 2 * math.sqrt(max(value * (1 - value), 0) / (self.answers or UNKNOWN))
        return value * error_margin(self.answers)


@dataclass(frozen=True, eq=False)
class Epochs:
    """The epochs of a run that have a validation. Shapes: E epochs."""

    number: np.ndarray  # (E,) int, finished epochs
    metric: np.ndarray  # (E,) on the validation part
    loss: np.ndarray  # (E,) on the validation part
    training_loss: np.ndarray  # (E,) mean over the batches since the epoch before


def training(
    history: Mapping[str, np.ndarray], task: Task, experiment: Experiment | None = None, *, ended: bool = False
) -> Verdict:
    """The verdict on a run so far.

    Args:
        history: columns of `rnn_core.training.history.COLUMNS`, each (R,).
        task: what its metric means.
        experiment: of the run, for a suggestion; None for a verdict without one.
        ended: the training does not go on.
    """
    trained = history["step"] > 0
    losses, epochs = history["loss"][trained], _epochs(history)
    if len(broken := np.flatnonzero(~np.isfinite(losses))):
        step = int(history["step"][trained][broken[0]])
        return Verdict(f"Diverged: at step {step:,} the loss stopped being a number.", "bad", advice.smaller_steps(experiment))
    if len(losses) >= ENOUGH and (end := np.median(losses[-FIRST:])) > GROWTH * (start := np.median(losses[:FIRST])):
        words = f"The loss grows: {score(float(start))} at the start, {score(float(end))} now."
        return Verdict(words, "bad", advice.smaller_steps(experiment))
    if not len(epochs.metric):
        when = "It ended before its first validation" if ended else "The first validation comes at the end of the first epoch"
        return Verdict(f"No verdict yet. {when}.", "undecided", advice.longer(experiment) if ended else None)
    if (best := _memorises(epochs, task)) is not None:
        words = f"Memorises: the validation loss rises since epoch {epochs.number[best]}, while the training loss falls."
        then, there = float(epochs.metric[best]), _beside(epochs.metric[best], task)
        learned = not (task.rises and task.rivals) or then > (guess := max(task.rivals.values())) + task.noise(guess)
        following = _stop(experiment, epochs, best) if learned else advice.for_memorising(experiment)
        return Verdict(f"{words} There: {there[0].lower()}{there[1:]}.", "bad", following)
    if (best := _fell_back(epochs, task)) is not None:
        was = _right(percent(epochs.metric[best]), task) if task.rises else f"error {score(epochs.metric[best])}"
        words = f"Fell back: {was} after epoch {epochs.number[best]}, {_value(epochs.metric[-1], task)} now."
        return Verdict(words, "bad", _stop(experiment, epochs, best))
    return (_accuracy if task.rises else _error)(epochs, task, experiment, ended)


def _epochs(history: Mapping[str, np.ndarray]) -> Epochs:
    rows = np.flatnonzero(np.isfinite(history["validation_metric"]) & (history["step"] > 0))
    starts = np.concatenate([[0], rows[:-1] + 1]) if len(rows) else rows
    means = [_mean(history["loss"][start : row + 1]) for start, row in zip(starts, rows, strict=True)]
    loss, metric = history["validation_loss"][rows], history["validation_metric"][rows]
    return Epochs(history["epoch"][rows].astype(int), metric, loss, np.array(means))


def _mean(values: np.ndarray) -> float:
    real = values[np.isfinite(values)]
    return float(real.mean()) if len(real) else math.nan


def _memorises(epochs: Epochs, task: Task) -> int | None:
    """Index of the epoch with the lowest validation loss, if it rises since then while the training loss falls."""
    if len(epochs.loss) < 3 or not np.isfinite(epochs.loss).all():
        return None
    best, share = int(epochs.loss.argmin()), max(0.05, 3 / math.sqrt(task.answers or UNKNOWN))
    margin = max(share * epochs.loss[best], 0.05 * epochs.loss[0])
    rises = len(epochs.loss) - best > 2 and bool((epochs.loss[-2:] > epochs.loss[best] + margin).all())
    fits = epochs.training_loss[-1] < min(epochs.training_loss[best], epochs.loss[-1] - margin)
    return best if rises and fits else None


def _fell_back(epochs: Epochs, task: Task) -> int | None:
    """Index of the best epoch, if the last two are both clearly worse."""
    values = epochs.metric if task.rises else -epochs.metric
    best = int(values.argmax())
    top = epochs.metric[best]
    margin = max(0.05 if task.rises else 0.25 * top, 2 * task.noise(top))
    return best if len(values) - best > 2 and bool((values[best] - values[-2:] > margin).all()) else None


def _stop(experiment: Experiment | None, epochs: Epochs, best: int) -> Suggestion | None:
    number = int(epochs.number[best])
    return possible(experiment, f"Stop there: {counted(number, 'epoch')}", epochs=number)


def _improves(epochs: Epochs, task: Task) -> bool:
    """Whether the newest metric is better than that of three epochs before by more than the noise."""
    change = epochs.metric[-1] - epochs.metric[max(len(epochs.metric) - 1 - EARLY, 0)]
    return bool((change if task.rises else -change) > math.sqrt(2) * task.noise(epochs.metric[-1]))  # of a difference


def _value(value: float, task: Task) -> str:
    return percent(value) if task.rises else score(value)


def _right(share: str, task: Task) -> str:
    return f"right at {share} of the steps" if task.per_step else f"right {share} of the time"


def _beside(value: float, task: Task) -> str:
    """The metric in words, an accuracy beside that of guessing: "Right 64% of the time; guessing gives 51%"."""
    if not task.rises:
        return f"Error {score(value)}"
    if not task.rivals:
        return f"R{_right(percent(value), task)[1:]}"
    name = max(task.rivals, key=task.rivals.__getitem__)
    shown, guessed = percents(value, task.rivals[name])
    return f"R{_right(shown, task)[1:]}; {phrase(name)}{',' * (',' in name)} gives {guessed}"


def _accuracy(epochs: Epochs, task: Task, experiment: Experiment | None, ended: bool) -> Verdict:
    value = float(epochs.metric[-1])
    if not task.rivals:
        return Verdict(f"{_beside(value, task)} after {counted(int(epochs.number[-1]), 'epoch')}.", "undecided")
    guess = max(task.rivals.values())
    noise = task.noise(guess)
    words = _beside(value, task)
    share = (value - guess) / (1 - guess) if guess < 1 else 0.0
    if value > guess + noise and share >= HARDLY:
        return Verdict(f"{words}: it has learned{' a part of it' if share < PARTLY else ''}.", "good")
    beyond = "it has hardly learned" if value > guess else "worse than that"
    failure = beyond if abs(value - guess) > noise else "no better"
    return _unless_early(f"{words}: ", failure, epochs, task, experiment, ended)


def _error(epochs: Epochs, task: Task, experiment: Experiment | None, ended: bool) -> Verdict:
    value, rivals = float(epochs.metric[-1]), task.rivals
    if not rivals:
        return Verdict(f"{_beside(value, task)} after {counted(int(epochs.number[-1]), 'epoch')}.", "undecided")
    found = ranking(value, rivals, error_margin(task.answers))
    words, good = error_words(value, rivals, found)
    if good and len(rivals) == 1 and 1 - value / max(*rivals.values(), EXACT) < HARDLY:
        return _unless_early(f"{words}: ", "it has hardly learned", epochs, task, experiment, ended)
    if good is False:
        return _unless_early(f"{words}. ", "", epochs, task, experiment, ended)
    return Verdict(f"{words}.{exact_words(found)}", "good" if good else "undecided")


def _unless_early(words: str, failure: str, epochs: Epochs, task: Task, experiment: Experiment | None, ended: bool) -> Verdict:
    """The failure and what to try next; or, too early for it, that it is still open."""
    improves, early = _improves(epochs, task), len(epochs.metric) < EARLY
    tone: Tone = "undecided" if improves or early else "bad"
    if tone == "bad":
        return Verdict(f"{words}{failure}.".replace(". .", "."), tone, advice.for_a_failure(experiment))
    if ended:
        still = (
            "it was still improving when it ended"
            if improves
            else f"{counted(len(epochs.metric), 'epoch')} {'is' if len(epochs.metric) == 1 else 'are'} too few to tell"
        )
    else:
        still = "it is still improving" if improves else "too early to tell"
    still = still[0].upper() + still[1:] if words.endswith(". ") else still
    return Verdict(f"{words}{still}.", tone, advice.longer(experiment) if ended else None)
