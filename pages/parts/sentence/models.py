"""The choice of models on the Sentence page, and their readings of the text from the workers."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

import streamlit as st

from pages.parts.sentence.player import Panel
from pages.parts.sentence.text_box import Text
from pages.shared import guard, session, shell, usable
from pages.shared.session import linked
from pages.shared.widgets import choice
from pages.shared.words import plain
from rnn_core.data.imported import vocabulary_of
from rnn_core.data.text.own_vocabulary import OwnVocabulary
from rnn_core.data.text.vocabulary import Vocabulary
from rnn_core.figures.theme import CELL_NAMES
from rnn_core.probes.sentence.attributions import METHODS
from rnn_core.probes.sentence.reading import Comparison, Reading
from rnn_core.service import sentence
from rnn_core.service.sentence import Source
from rnn_core.spec.experiment import CELLS

THREE = "three"


@dataclass(frozen=True)
class Choice:
    """The choices above the player."""

    records: tuple[Any, ...]  # rnn_core.store.store.RunRecord of every model to show
    compare: str  # "nothing", "word", "text" or "training"
    method: str  # key of METHODS

    @property
    def vocabulary(self) -> Vocabulary:
        """The words of the models."""
        return vocabulary_of(self.records[0].experiment, self.records[0].uploads)


COMPARE = {"nothing": "nothing", "word": "one word changed", "text": "another text", "training": "earlier in training"}


def choose(context: shell.Context, store: Any) -> Choice:
    """Draw the choice of models, comparison and attribution method."""
    options = {THREE: "Three cells"} | {f"starter-{cell}": CELL_NAMES[cell] for cell in CELLS}
    own_run = context.run if context.run is not None and not context.run.info.builtin else None
    if own_run is not None and context.use.possible:
        name_taken = own_run.name[:40] in options.values()  # names must differ: the browser sends back the name, not the id
        options = {own_run.id: own_run.name[:40] + name_taken * f" · {own_run.id[-6:]}"} | options
    own_id = own_run.id if own_run is not None else None
    if session.here().sentence_run != own_id:  # another run was chosen: select it
        session.here().sentence_run = own_id
        session.forget_value("who")
    left, right = st.columns([5, 7])
    with left:
        selected = choice("Read by", options, next(iter(options)), wrap=True, **linked("who"))
    with right:
        compare = choice("Compare with", COMPARE, "nothing", wrap=True, **linked("against"))
    method = st.selectbox("Attribution method", list(METHODS), format_func=METHODS.__getitem__, width=230, **linked("method"))
    ids = [f"starter-{cell}" for cell in CELLS] if selected == THREE else [selected]
    if compare == "training" and selected == THREE:
        ids = ["starter-lstm"]
    with guard.store_errors():
        records = tuple(store.open(run) for run in ids)
    return Choice(records, compare, method or "integrated_gradients")


def source(record: Any, step: int | None = None) -> Source:
    """The weights of a run at a kept step; default: the last."""
    step = record.snapshots[-1].step if step is None else step
    if record.info.builtin:
        return Source(record.id, step)
    words = vocabulary_of(record.experiment, record.uploads) if usable.imported(record) else None
    return Source(record.id, step, shell.model(record, step), words if isinstance(words, OwnVocabulary) else None)


def panels(context: shell.Context, choice: Choice, text: Text, second: Text | None) -> list[Panel]:
    """One panel of the player per model or kept step, computed in the workers."""
    requests: list[tuple[str, Source, list[Future[Reading]]]] = []
    for record in choice.records:
        steps = [kept.step for kept in record.snapshots] if choice.compare == "training" else [record.snapshots[-1].step]
        for step in steps:
            weights = source(record, step)
            texts = [text] if second is None else [text, second]
            futures = [request_reading(context, weights, each, choice.method) for each in texts]
            requests.append((title(record, step, choice), weights, futures))
    return [
        Panel(name, tuple(shell.wait(future, "The models read your text") for future in futures), weights)
        for name, weights, futures in requests
    ]


def request_reading(context: shell.Context, weights: Source, text: Text, method: str) -> Future[Reading]:
    """A reading from the workers. While they start, a starter model's is computed here, because it needs no TensorFlow."""
    if context.service.state == "ready" or not weights.starter:
        return context.service.call(sentence.read, weights, text.ids, method)
    answer: Future[Reading] = Future()
    answer.set_result(sentence.read(weights, text.ids, method))
    return answer


def title(record: Any, step: int, choice: Choice) -> str:
    """The title of a panel: its cell, and the epoch if kept steps are compared."""
    name = CELL_NAMES[record.experiment.model.cell]
    if choice.compare != "training":
        return name
    if usable.imported(record):
        return f"{name}, as imported"
    if step == 0:
        return f"{name}, untrained"
    epoch = next(kept.epoch for kept in record.snapshots if kept.step == step)
    return f"{name}, epoch {epoch}" if epoch else f"{name}, {step} batches"


def sentences(text: Text, second: Text | None, difference: Comparison | None) -> list[dict[str, Any]]:
    """The texts for the player, as `player` takes them."""
    first = {"words": text.words, "known": text.known}
    if second is None or difference is None:
        return [first]
    return [first, {"words": second.words, "known": second.known, "align": difference.alignment, "parting": difference.first}]


def difference_words(panel: Panel, second: Text, difference: Comparison) -> str:
    """Where two readings differ, in Markdown."""
    if difference.first is None:
        return "The two texts are the same to this model, so its readings are the same too."
    first, other = panel.readings
    step, before, shared = difference.widest, difference.alignment[difference.widest], ""
    if step >= difference.first:  # else the texts share no word after this one
        shared = f", are furthest apart at “{plain(second.words[step])}” ({other.probability[step]:.0%} against {first.probability[before]:.0%} positive),"
    return (
        f"**{panel.title}**: the readings first differ at “{plain(second.words[difference.first])}” (token {difference.first + 1}){shared} "
        f"and end at {other.probability[-1]:.0%} against {first.probability[-1]:.0%} positive."
    )
