"""Whether and how a page can use its run, as a sentence; computed from the store, without the workers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pages.shared.words import plain

NEED_WEIGHTS = ("Hidden states", "Gradients")  # pages that need a kept step and the run's data


@dataclass(frozen=True)
class Use:
    """Whether a page can use its run."""

    text: str  # a sentence for the page, Markdown; "" for none
    possible: bool  # whether the page can show the run


def use(page: str, run: Any, chosen: bool) -> Use:
    """What `page` (by its title) can do with a run.

    Args:
        page: title of the page.
        run: rnn_core.store.store.RunRecord, or None.
        chosen: whether the user chose this run; else it is the starter model that the page shows by default.
    """
    if run is None:
        return Use("", False)
    name = f"**{plain(run.name, 60)}**"
    if page != "Sentence" and imported(run) and (found := _imported(page, run, name)):
        return found
    if page in NEED_WEIGHTS:
        return _inside(run, name if chosen else f"the starter model {name}; choose another run in the sidebar")
    if page == "Train":
        return Use(no_data(run), True)
    if not chosen:
        return Use("", True)
    if page == "Compare":
        return Use(f"A contest and the map start networks of their own; “Runs side by side” shows {name}.", True)
    if page == "Sentence":
        return _sentence(run, name)
    if page == "Lessons":
        return Use(f"A lesson measures networks of its own; {name} stays chosen for the other pages.", False)
    return Use(f"{name} is chosen: watch it under Train, look inside it under Hidden states and Gradients.", True)


def imported(run: Any) -> bool:
    """Whether a run (RunRecord, RunView, RunInfo or None) is a model that was trained elsewhere."""
    return run is not None and run.experiment.data.task == "imported"


def _imported(page: str, run: Any, name: str) -> Use | None:
    """What a page can do with a model that was trained elsewhere; None where it needs no words of its own."""
    inside = "look inside it under Hidden states and Gradients" + (
        "" if no_text_reason(run) else ", or let it read under Sentence"
    )
    if page == "Train":
        return Use(f"{plain(run.info.message)} {name} was not trained here, so it has no training history: {inside}.", True)
    if page == "Compare":
        return Use(f"{name} was imported, so it has no training curves to compare: {inside}.", True)
    if page == "Home":
        return Use(f"{name} is chosen: {inside}.", True)
    if page in NEED_WEIGHTS and not (no_weights(run) or no_data(run)):
        from rnn_core.data.imported import description, source_words

        words = source_words(description(run.experiment, run.uploads))
        return Use(f":material/visibility: You see {name} as it was imported. Its input: {words}.", True)
    return None


def _sentence(run: Any, name: str) -> Use:
    if run.info.builtin:
        return Use("", False)
    if reason := no_text_reason(run):
        return Use(f"{name} cannot read a text here: {reason}. The starter models read instead.", False)
    return Use(f":material/visibility: {name} can read your text: it is the first choice under “Read by”.", True)


def no_text_reason(run: Any) -> str:
    """Why a run cannot process a text word by word, without a full stop; "" if it can."""
    from rnn_core import data  # here, because every page loads this file, and Home needs neither
    from rnn_core.probes.sentence import reading

    task = data.task(run.experiment.data.task)
    if task.group not in ("text", "imported"):
        return "it reads numbers or symbols, not words"
    if not run.snapshots:
        return "it has kept no weights yet"
    if run.upload_missing:
        return "what it reads is not known on this server any more"
    shape = data.interface(run.experiment, run.uploads)
    return reading.unsupported(run.experiment.model.bidirectional, shape.inputs, shape.loss, shape.per_step)


def _inside(run: Any, shown: str) -> Use:
    if reason := no_weights(run) or no_data(run):
        return Use(reason, False)
    count, last = len(run.snapshots), run.snapshots[-1].step
    message = "" if run.info.builtin else plain(run.info.message)
    steps = "untrained" if last == 0 else f"the last after {last:,} training steps"
    text = f":material/visibility: You see {shown}: {count} kept step{'s' * (count > 1)}, {steps}. {message}"
    return Use(text.strip(), True)


def no_weights(run: Any) -> str:
    """Why a run has no kept step to show; "" if it has one. Markdown."""
    if run.snapshots:
        return ""
    name = f"**{plain(run.name, 60)}**"
    if run.status == "waiting":
        return f"{name} waits for its turn: its first weights are kept when its training starts. Watch it under Train."
    if run.status in ("running", "paused"):
        return f"{name} has kept no weights yet: the first are kept with its first training step. Watch it under Train."
    return f"{name} ended before its first weights were kept, so there is nothing to show. Start it again under Train. {plain(run.info.message)}".strip()


def no_data(run: Any) -> str:
    """Why the data of a run cannot be made on this server; "" if they can. Markdown."""
    if not run.upload_missing:
        return ""
    if imported(run):
        return f"What **{plain(run.name, 60)}** reads is not known on this server any more: import it again."
    return (
        f"The file that **{plain(run.name, 60)}** was trained on is not on this server any more, so there are no sequences to run it on. "
        "Its curves are still under Train. To look inside a network, upload the file there again and train on it."
    )
