"""The verdict on a forecast: one step ahead against naive forecasts, and how long it holds on its own outputs.

The rules: errors differ if one exceeds the other by more than two standard errors, 1/√(2 n) each, of a root mean square over n steps
(`rivals.error_margin`); neighbouring errors depend on each other, so fewer than 30 steps decide nothing. A free-running forecast
is compared with the mean, which knows nothing of the past.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rnn_core.figures import forecasts as figure
from rnn_core.figures.numbers import counted, score
from rnn_core.figures.verdicts import advice
from rnn_core.figures.verdicts.rivals import error_margin, error_words, exact_words, ranking
from rnn_core.figures.verdicts.verdict import Tone, Verdict
from rnn_core.spec.experiment import Experiment

if TYPE_CHECKING:
    from rnn_core.probes.forecasts import Anomalies, Forecast

OWN = ("one step", "free-running")  # the network's own forecasts among `Forecast.errors`
MEAN = "training mean"
FEWEST = 30  # steps
MISSED, FOUND = 0.5, 0.8  # shares of the faults that raise an alarm, and (MISSED) of the alarms that are right


def forecast(result: Forecast, experiment: Experiment | None = None) -> Verdict:
    """The verdict on a forecast; `experiment` is for the suggestion after a failure."""
    error, count = result.errors["one step"], len(result.one_step)
    if not math.isfinite(error):
        return Verdict("The forecast is not a number.", "bad", advice.smaller_steps(experiment))
    rivals = {name: value for name, value in result.errors.items() if name not in OWN and math.isfinite(value)}
    margin = error_margin(count)
    found = ranking(error, rivals, margin)
    words, good = error_words(error, rivals, found)
    words = f"One step ahead: {words[0].lower()}{words[1:]}.{exact_words(found)}{_alone(result, margin)}"
    if count < FEWEST:
        return Verdict(f"{words} {counted(count, 'step')} are too few to tell.", "undecided")
    tone: Tone = "undecided" if good is None else "good" if good else "bad"
    return Verdict(words, tone, advice.longer(experiment) if good is False else None)


def _alone(result: Forecast, margin: float) -> str:
    """The free-running forecast against the mean, in a sentence; "" where there is none."""
    error, mean = result.errors.get("free-running"), result.errors.get(MEAN)
    if error is None or mean is None:
        return ""
    if not math.isfinite(error):
        return " On its own forecasts it runs away."
    beside = f"error {score(error)} against {score(mean)}"
    if error * (1 + margin) < mean:
        return f" On its own forecasts it stays better than the mean: {beside}."
    return f" On its own forecasts it is {'worse' if error > mean * (1 + margin) else 'no better'} than the mean: {beside}."


def faults(result: Anomalies) -> Verdict:
    """The verdict on a forecast's error as a detector of planted faults: good where it finds most and most alarms are right, bad
    where it misses half of them or most alarms are wrong."""
    found, words = result.detection, figure.verdict(result)
    if not found.faults:
        return Verdict(words, "undecided")
    precision = 0.0 if math.isnan(found.precision) else found.precision
    if found.recall < MISSED or precision < MISSED:
        return Verdict(words, "bad")
    return Verdict(words, "good" if found.recall >= FOUND else "undecided")
