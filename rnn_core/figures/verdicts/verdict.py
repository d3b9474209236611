"""What a verdict is: words, whether they are good news, and the next experiment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from rnn_core.spec.experiment import Experiment

Tone = Literal["good", "bad", "undecided"]


@dataclass(frozen=True)
class Suggestion:
    """The next experiment: the text of its button and what changes."""

    label: str  # of the button, an imperative: "Try the LSTM"
    changes: Mapping[str, Any]  # fields for `Experiment.replace`; of a contest also "seeds", its number of seeds


@dataclass(frozen=True)
class Verdict:
    """A figure in words."""

    words: str  # one or two sentences of plain text
    tone: Tone  # "undecided" where the numbers do not tell yet, or tell both
    next: Suggestion | None = None  # None where nothing is to be suggested


def possible(experiment: Experiment | None, label: str, **changes: Any) -> Suggestion | None:
    """The suggestion, or None if it changes nothing or exceeds a limit of the experiment."""
    if experiment is None:
        return None
    try:
        changed = experiment.replace(**changes)
    except ValueError:
        return None
    return Suggestion(label, changes) if changed != experiment else None
