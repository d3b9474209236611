"""A network's error or accuracy beside that of naive predictors, in words."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from rnn_core.figures.numbers import score

# Name of a naive predictor (`Dataset.baselines`) → what it does.
PHRASES = {
    "guessing": "guessing",
    "the more frequent answer": "guessing",
    "always 1": "always answering 1",
    "training mean": "always forecasting the mean",
    "last value": "repeating the last value",
    "last period": "repeating the last period",
    "linear autoregression": "a linear autoregression",
}
FITTED = ("linear autoregression",)  # fitted to the training part: a rival, but no naive one
EXACT = 1e-6  # in training standard deviations: a rival below makes no error, because the series is a formula of that form


def phrase(name: str) -> str:
    """What the rival does, to follow "better than"."""
    return PHRASES.get(name, name)


@dataclass(frozen=True)
class Ranking:
    """A network's error among its rivals', each list from the weakest rival to the strongest."""

    beaten: tuple[str, ...]  # rivals with a larger error, by more than the margin
    level: tuple[str, ...]  # rivals within the margin
    stronger: tuple[str, ...]  # rivals with a smaller error, by more than the margin
    exact: tuple[str, ...]  # rivals without error: not compared


def ranking(error: float, rivals: Mapping[str, float], margin: float) -> Ranking:
    """Compare an error with those of the rivals; one that is not finite is left out.

    Args:
        error: root mean squared error of the network.
        rivals: name → root mean squared error on the same data.
        margin: share by which errors must differ to count as different.
    """
    names = sorted((name for name in rivals if math.isfinite(rivals[name])), key=lambda name: -rivals[name])
    exact = tuple(name for name in names if rivals[name] < EXACT)
    names = [name for name in names if name not in exact]
    stronger = tuple(name for name in names if error > (1 + margin) * rivals[name])
    beaten = tuple(name for name in names if rivals[name] > (1 + margin) * error)
    level = tuple(name for name in names if name not in stronger and name not in beaten)
    return Ranking(beaten, level, stronger, exact)


def error_margin(answers: int, unknown: float = 0.05) -> float:
    """Share of an error that is noise: two standard errors of a root mean square over `answers` normal errors, each 1/√(2N); at least 2 %.

    `unknown` where the number of answers is not known (0).
    """
    return max(0.02, 2 / math.sqrt(2 * answers)) if answers else unknown


def error_words(error: float, rivals: Mapping[str, float], found: Ranking) -> tuple[str, bool | None]:
    """The comparison as a sentence without its full stop, and whether it is good news; None where it is both or neither."""
    naive = [name for name in found.stronger if name not in FITTED]
    if naive:
        return f"Worse than {phrase(naive[0])}: error {score(error)} against {score(rivals[naive[0]])}", False
    level = [name for name in found.level if name not in FITTED]
    if level:
        return f"No better than {phrase(level[-1])}: error {score(error)} against {score(rivals[level[-1]])}", False
    fitted = [*found.stronger, *found.level]
    if found.beaten and fitted:
        best = found.beaten[-1]
        words = (
            f"Better than {phrase(best)} ({score(rivals[best])}), but not than {phrase(fitted[-1])} ({score(rivals[fitted[-1]])})"
        )
        return f"{words}: error {score(error)}", None
    if fitted:
        return f"No better than {phrase(fitted[-1])}: error {score(error)} against {score(rivals[fitted[-1]])}", False
    if not found.beaten:
        return f"Error {score(error)}", None
    best = found.beaten[-1]
    if len(found.beaten) == 1 or found.exact:
        return f"Better than {phrase(best)}: error {score(error)} against {score(rivals[best])}", None if found.exact else True
    return f"Better than every simple rival: error {score(error)}; the best of them, {phrase(best)}, {score(rivals[best])}", True


def exact_words(found: Ranking) -> str:
    """A sentence about rivals without error; "" without any."""
    if not found.exact:
        return ""
    names = " and ".join(phrase(name) for name in found.exact)
    return f" {names[0].upper()}{names[1:]} make{'s' * (len(found.exact) == 1)} no error here: the series follows such a rule exactly."
