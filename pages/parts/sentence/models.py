"""Which models read the text on the sentence page, and their readings from the workers, side by side or laid over each other."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

import streamlit as st

from pages.parts.sentence.player import Panel
from pages.parts.sentence.text_box import Text
from pages.shared import guard, session, shell
from pages.shared.session import linked
from rnn_core.figures.theme import CELL_NAMES
from rnn_core.probes.sentence.reading import METHODS, Comparison, Reading
from rnn_core.service import sentence
from rnn_core.service.sentence import Source

THREE = "three"
CELLS = ("simple_rnn", "lstm", "gru")


@dataclass(frozen=True)
class Choice:
    """What the controls above the player say."""

    records: tuple[Any, ...]  # rnn_core.store.store.RunRecord of every model to show
    compare: str  # "nothing", "word", "text" or "training"
    method: str  # key of METHODS

    @property
    def vocabulary(self) -> int:
        return int(self.records[0].experiment.data.vocabulary)


COMPARE = {"nothing": "nothing", "word": "one word changed", "text": "another text", "training": "earlier in training"}


def choose(context: shell.Context, store: Any) -> Choice:
    """The controls: models, comparison, attribution method."""
    options = {THREE: "Three cells"} | {f"starter-{cell}": CELL_NAMES[cell] for cell in CELLS}
    own = context.run if context.run is not None and not context.run.info.builtin else None
    if own is not None and context.use.possible:
        taken = own.name[:40] in options.values()  # the browser sends back the name, not the id
        options = {own.id: own.name[:40] + taken * f" · {own.id[-6:]}"} | options
    asked_for = own.id if own is not None else None
    if session.here().reader != asked_for:  # another run was chosen: it reads, whoever read before
        session.here().reader = asked_for
        session.forget_value("who")
    left, right = st.columns([5, 7])
    who = left.segmented_control(
        "Read by",
        list(options),
        format_func=options.__getitem__,
        default=next(iter(options)),
        required=True,
        wrap=True,
        **linked("who"),
    )
    compare = right.segmented_control(
        "Compare with", list(COMPARE), format_func=COMPARE.__getitem__, default="nothing", required=True, wrap=True,
        **linked("against"),
    )  # fmt: skip
    method = st.selectbox("Attribution method", list(METHODS), format_func=METHODS.__getitem__, width=230, **linked("method"))
    who = who or next(iter(options))  # a link may name nobody
    ids = [f"starter-{cell}" for cell in CELLS] if who == THREE else [who]
    if compare == "training" and who == THREE:
        ids = ["starter-lstm"]
    with guard.refusal():
        records = tuple(store.open(run) for run in ids)
    return Choice(records, compare or "nothing", method or "integrated_gradients")


def source(record: Any, step: int | None = None) -> Source:
    """The weights of a run at one of its kept steps (default: the last)."""
    step = record.snapshots[-1].step if step is None else step
    return Source(record.id, step, None if record.info.builtin else shell.model(record, step))


def panels(context: shell.Context, choice: Choice, text: Text, second: Text | None) -> list[Panel]:
    """The columns of the player, read in the workers."""
    asked: list[tuple[str, Source, list[Future[Reading]]]] = []
    for record in choice.records:
        steps = [kept.step for kept in record.snapshots] if choice.compare == "training" else [record.snapshots[-1].step]
        for step in steps:
            one = source(record, step)
            texts = [text] if second is None else [text, second]
            futures = [ask(context, one, each, choice.method) for each in texts]
            asked.append((title(record, step, choice), one, futures))
    return [
        Panel(name, tuple(shell.wait(future, "The models read your text") for future in futures), one)
        for name, one, futures in asked
    ]


def ask(context: shell.Context, one: Source, text: Text, method: str) -> Future[Reading]:
    """A reading from the workers; from this process while they start, since reading needs no TensorFlow."""
    if context.service.state == "ready" or not one.starter:
        return context.service.call(sentence.read, one, text.ids, method)
    answer: Future[Reading] = Future()
    answer.set_result(sentence.read(one, text.ids, method))
    return answer


def title(record: Any, step: int, choice: Choice) -> str:
    """What a column is called: its cell, and how far trained where that differs."""
    name = CELL_NAMES[record.experiment.model.cell]
    if choice.compare != "training":
        return name
    if step == 0:
        return f"{name}, untrained"
    epoch = next(kept.epoch for kept in record.snapshots if kept.step == step)
    return f"{name}, epoch {epoch}" if epoch else f"{name}, {step} batches"


def sentences(text: Text, second: Text | None, parted: Comparison | None) -> list[dict[str, Any]]:
    """What the player needs to know of the texts."""
    first = {"words": text.words, "known": text.known}
    if second is None or parted is None:
        return [first]
    return [first, {"words": second.words, "known": second.known, "align": parted.alignment, "parting": parted.first}]


def parting_words(panel: Panel, second: Text, parted: Comparison) -> str:
    """Where two readings go apart, in words; Markdown."""
    if parted.first is None:
        return "The two texts are the same to this model, so the readings are too."
    first, other = panel.readings
    step, before, shared = parted.widest, parted.alignment[parted.widest], ""
    if step >= parted.first:  # else no word after the parting stands in both texts
        shared = f", are furthest apart at “{shell.plain(second.words[step])}” ({other.probability[step]:.0%} against {first.probability[before]:.0%} positive),"
    return (
        f"**{panel.title}**: the readings part at “{shell.plain(second.words[parted.first])}” (token {parted.first + 1}){shared} "
        f"and end at {other.probability[-1]:.0%} against {first.probability[-1]:.0%} positive."
    )
