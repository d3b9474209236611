"""How far back learning reaches, in sentences computed from strips."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rnn_core.figures.verdicts.verdict import Verdict
from rnn_core.probes.strip import Strip
from rnn_core.studies.contest_words import NAMES, listed

GROWN = 100  # times the last step's gradient from which on it is said to grow


def verdict(strips: Sequence[Strip], *more: str) -> Verdict:
    """How far back the networks learn, and `more` sentences. Bad where a gradient vanishes, grows or overflows; no next experiment."""
    fine = all(_behaviour(one) == "reaches" and one.reach == len(one.norms) for one in strips)
    return Verdict(" ".join([reach(strips), *more]), "good" if fine else "bad")


def reach(strips: Sequence[Strip]) -> str:
    """Who learns from how many steps: "The vanilla RNN learns from the last 3 steps; LSTM and GRU from all 100."

    Networks without a gradient, and those whose gradient grows or overflows, get a sentence of their own.
    """
    steps = len(strips[0].norms)
    groups: dict[str, list[str]] = {}
    for one in strips:
        if _behaviour(one) == "reaches":
            far = f"all {steps}" if one.reach == steps else f"the last {one.reach}" if one.reach > 1 else "the last step alone"
            groups.setdefault(far, []).append(name(one))
    said = []
    for number, (far, names) in enumerate(groups.items()):
        verb = f" learn{'s' * (len(names) == 1)}" if number == 0 else ""
        unit = " steps" if number == 0 and "alone" not in far else ""
        said.append(f"{_the(names)}{verb} from {far}{unit}")
    sentences = ["; ".join(said)] if said else []
    sentences += [_other(one) for one in strips if _behaviour(one) != "reaches"]
    return " ".join(f"{each[0].upper()}{each[1:]}." for each in sentences)


def name(one: Strip) -> str:
    """ "vanilla RNN", "LSTM after 300 steps"."""
    return f"{NAMES.get(one.cell, one.cell)} {one.label}".strip()


def factor(one: Strip) -> str:
    """What each step back multiplies the gradient by: "0.70 at each of 5 steps back: 0.70⁵ = 0.17 of it is left at the first"."""
    left, count = float(one.relative[0]), len(one.norms) - 1
    mean = left ** (1 / count)
    power = "".join("⁰¹²³⁴⁵⁶⁷⁸⁹"[int(digit)] for digit in str(count))
    return f"Each step back multiplies the gradient by {mean:.2f} on average. After {count} steps {mean:.2f}{power} = {left:.2g} of it is left."


def _behaviour(one: Strip) -> str:
    if not np.isfinite(one.norms).all():
        return "overflows"
    if one.reach == 0:
        return "nothing"
    return "grows" if np.nanmax(one.relative) > GROWN else "reaches"


def _other(one: Strip) -> str:
    who, largest = _the([name(one)]), one.relative
    if _behaviour(one) == "overflows":
        return f"the gradient of {who} overflows: it is larger than any number"
    if _behaviour(one) == "nothing":
        return f"the answer of {who} does not depend on its last state at all"
    grown = float(np.nanmax(largest))
    size = f"{grown:,.0f}" if grown < 1e6 else f"{grown:.0e}".replace("e+0", "e").replace("e+", "e")
    return f"going back, the gradient of {who} grows to {size} times its size at the last step"


def _the(names: Sequence[str]) -> str:
    return f"the {listed(list(names))}"
