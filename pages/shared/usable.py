"""What a page can do with the run it looks at, in a sentence: known before anything is asked of the workers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pages.shared.words import plain
from rnn_core import data
from rnn_core.probes.sentence import reading

LOOKS_INSIDE = ("Hidden states", "Gradients")  # pages that need kept weights and the data of the run


@dataclass(frozen=True)
class Use:
    """What a page says of its run."""

    words: str  # Markdown; "" where the page itself says it
    possible: bool  # whether the page has something of the run to show


def use(page: str, run: Any, chosen: bool) -> Use:
    """What `page` (by its title) can do with a run.

    Args:
        page: title of the page.
        run: rnn_core.store.store.RunRecord, or None.
        chosen: whether somebody chose this run; else it is the starter that the page shows by itself.
    """
    if run is None:
        return Use("", False)
    name = f"**{plain(run.name, 60)}**"
    if page in LOOKS_INSIDE:
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
        return Use(f"A lesson measures networks of its own; {name} goes along to the other pages.", False)
    return Use(f"{name} goes along: watch it under Train, look into it under Hidden states and Gradients.", True)


def _sentence(run: Any, name: str) -> Use:
    if run.info.builtin:
        return Use("", False)
    if reason := unreadable(run):
        return Use(f"{name} cannot read a text here: {reason}. The starter models read instead.", False)
    return Use(f":material/visibility: {name} can read your text: it stands first under “Read by”.", True)


def unreadable(run: Any) -> str:
    """Why a run cannot read a text word by word, without a full stop; "" when it can."""
    task = data.task(run.experiment.data.task)
    if task.group != "text":
        return "it reads numbers or symbols, not words"
    if not run.snapshots:
        return "it has kept no weights yet"
    shape = data.interface(run.experiment)
    return reading.unsupported(run.experiment.model.bidirectional, shape.inputs, shape.loss, shape.per_step)


def _inside(run: Any, shown: str) -> Use:
    if reason := no_weights(run) or no_data(run):
        return Use(reason, False)
    count, last = len(run.snapshots), run.snapshots[-1].step
    message = "" if run.info.builtin else plain(run.info.message)
    steps = "untrained" if last == 0 else f"the last after {last:,} training steps"
    return Use(
        f":material/visibility: You see {shown}: {count} kept step{'s' * (count > 1)}, {steps}. {message}".strip(),
        True,
    )


def no_weights(run: Any) -> str:
    """Why nothing of a run can be looked into yet; "" when it kept weights. Markdown."""
    if run.snapshots:
        return ""
    name = f"**{plain(run.name, 60)}**"
    if run.status == "waiting":
        return f"{name} waits for its turn: its first weights are kept when its training starts. Watch it under Train."
    if run.status in ("running", "paused"):
        return f"{name} has kept no weights yet: the first are kept with its first training step. Watch it under Train."
    return f"{name} ended before its first weights were kept, so there is nothing to look into. Start it again under Train. {plain(run.info.message)}".strip()


def no_data(run: Any) -> str:
    """Why a run's sequences cannot be made here; "" when they can. Markdown."""
    source = run.experiment.data.source
    if not source or source in run.uploads:
        return ""
    return (
        f"The file that **{plain(run.name, 60)}** was trained on is not on this server any more, so nothing can be read with it. "
        "Its curves stay under Train; to look inside, upload the file again there and train on it."
    )
