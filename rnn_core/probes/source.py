"""Which weights a probe reads, small enough to travel to a worker with every question.

A starter model is named, and the worker reads its own copy; another run's model travels along. Equal sources share caches.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rnn_core.models import Model
    from rnn_core.probes.units import Profile


@dataclass(frozen=True)
class Source:
    """A run and one of its kept steps. Kept steps never change, so the two name the weights."""

    run: str  # run id; "starter-lstm" and the like for the built-in ones
    step: int  # batches trained
    sent: Model | None = field(default=None, compare=False, repr=False)  # the weights, for all but starters

    @property
    def starter(self) -> str:
        """Name of the built-in model, "" for others."""
        return self.run.removeprefix("starter-") if self.run.startswith("starter-") else ""


def opened(source: Source) -> Model:
    """The model of a source; opened once per process."""
    return source.sent if source.sent is not None else _starter(source.run, source.step)


@lru_cache(maxsize=16)
def _starter(run: str, step: int) -> Model:
    from rnn_core.exchange import open_starter

    return open_starter(run).model(step)


@lru_cache(maxsize=16)
def profile_of(source: Source) -> Profile:
    """The model's profile over labelled reviews: shipped with a starter, measured here for any other model."""
    from rnn_core import starters
    from rnn_core.probes import corpus, units

    if source.starter:
        return starters.profile(source.starter, source.step)
    model = opened(source)
    task = "imdb" if corpus.imdb_present() and model.interface.input_size > 1000 else "toy_reviews"
    found = corpus.reviews(task, 400, 300, model.interface.input_size)
    assert found is not None  # the toy reviews are always there
    return units.profile(model, found)
