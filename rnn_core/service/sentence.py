"""The Sentence page's probes, as they run in a worker: each opens the weights, profile and reviews of a `Source` and calls a probe.

Of a starter model only the name is sent, and the worker reads its own copy; of any other run the model is sent. Equal sources
share the caches here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from rnn_core.probes.sentence import arithmetic, reading
from rnn_core.probes.states import corpus, similar_spans, units
from rnn_core.store import run_file, starters

if TYPE_CHECKING:
    from rnn_core.data.text.own_vocabulary import OwnVocabulary
    from rnn_core.engine.model import Model


@dataclass(frozen=True)
class Source:
    """The weights of one kept step of a run. Kept steps never change, so that run id and step identify the weights."""

    run: str  # run id; "starter-lstm" and the like for the built-in ones
    step: int  # batches trained
    model: Model | None = field(default=None, compare=False, repr=False)  # None for starter models
    words: OwnVocabulary | None = field(default=None, compare=False, repr=False)  # of an imported model

    @property
    def starter(self) -> str:
        """Name of the built-in model, "" for others."""
        return self.run.removeprefix("starter-") if self.run.startswith("starter-") else ""


def model_of(source: Source) -> Model:
    """The model of a source; a starter model is read once per process."""
    return source.model if source.model is not None else _starter(source.run, source.step)


@lru_cache(maxsize=16)
def _starter(run: str, step: int) -> Model:
    return run_file.open_starter(run).model(step)


@lru_cache(maxsize=16)
def profile_of(source: Source) -> units.Profile:
    """The model's profile over labelled reviews: shipped with a starter, measured here for any other model."""
    if source.starter:
        return starters.profile(source.starter, source.step)
    model = model_of(source)
    if source.words is not None:
        return units.profile(model, corpus.reviews_in(source.words, 400, 300))
    task = "imdb" if corpus.imdb_present() and model.interface.input_size > 1000 else "toy_reviews"
    return units.profile(model, corpus.reviews(task, 400, 300, model.interface.input_size))


@lru_cache(maxsize=4)
def corpus_of(source: Source) -> corpus.Corpus:
    """The states of one model over the labelled reviews; computed once per process."""
    return corpus.corpus(model_of(source), words=source.words)


def read(source: Source, ids: np.ndarray, method: str = "integrated_gradients") -> reading.Reading:
    """`reading.read` of one text by the model of `source`; raises what that raises."""
    model = model_of(source)
    reading.check(model, np.asarray(ids), method)  # before the profile, which takes a while
    return reading.read(model, profile_of(source), ids, method)


def step_of(source: Source, ids: np.ndarray, t: int) -> arithmetic.Step:
    """The numbers of step t while the model of `source` reads `ids`."""
    return arithmetic.step_of(model_of(source), ids, t)


def contexts(source: Source, unit: int, count: int = 6) -> units.Contexts:
    """Where one unit is highest and lowest among the tokens of other reviews."""
    return units.contexts(corpus_of(source), unit, count)


def similar(
    source: Source,
    hidden: np.ndarray,
    first: int,
    last: int,
    threshold: float = similar_spans.THRESHOLD,
    off_before: bool = False,
    off_after: bool = False,
) -> similar_spans.Matches:
    """Spans of other reviews in which the units of the chosen span are on."""
    return similar_spans.similar(corpus_of(source), hidden, first, last, threshold, off_before, off_after)
