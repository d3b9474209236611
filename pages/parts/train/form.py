"""The form of an experiment: one widget per field, drawn from the rules that the fields themselves carry.

The draft in the session is always a valid `Experiment`: a widget proposes a change, the core accepts or refuses it, and
a refusal stands under the widget until it is mended.
"""

from __future__ import annotations

import hashlib
from typing import Any

import streamlit as st

from pages.shared import guard, run_picker, session
from pages.shared.drafts import draft, take, uploads
from pages.shared.labels import LABELS, WORDS, value
from pages.shared.session import key
from pages.shared.words import plain
from rnn_core import data
from rnn_core.engine import parameters
from rnn_core.figures.theme import CELL_NAMES
from rnn_core.spec import presets
from rnn_core.spec.experiment import FIELDS, Experiment
from rnn_core.spec.fields import checked

FIRST = {
    "What it learns": ("task", "length", "horizon"),
    "The network": ("cell", "units", "layers"),
    "Training": ("learning_rate", "epochs", "batch"),
}
STEPS = {
    "learning_rate": 0.0005,
    "validation": 0.05,
    "noise": 0.05,
    "gain": 0.1,
    "dropout": 0.05,
    "clip": 0.5,
    "target": 0.01,
    "minutes": 1.0,
    "gate_bias": 0.5,
}


def follow(experiment: Experiment | None, run_id: str | None) -> tuple[str, ...]:
    """Fill the form from the run that is looked at, or from the link that led here; keep the link up to date.

    Returns what in the link had to be changed, a sentence each.
    """
    notes: tuple[str, ...] = ()
    asked = {name: text for name, text in st.query_params.items() if name in FIELDS}
    here = session.here()
    returned, arrived, here.arrived = run_picker.returned(), here.arrived, False
    if run_id is None and (returned or (arrived and asked)):
        wanted, notes = Experiment.read_query(asked)
        if wanted.data.task not in data.tasks():
            notes = (
                *notes,
                f"task must be one of {', '.join(data.tasks())}, got {wanted.data.task!r}: {Experiment().data.task} taken",
            )
            wanted = wanted.replace(task=Experiment().data.task)
        take(wanted)
    elif experiment is not None and here.draft_run != run_id:
        take(experiment)
    here.draft_run = run_id
    link = {"run": run_id} if run_id else draft().to_query()
    if dict(st.query_params) != link:
        st.query_params.from_dict(link)
    return notes


def complaints() -> dict[str, str]:
    """Field → why its proposed value was refused."""
    return session.here().complaints


def unread(experiment: Experiment) -> dict[str, str]:
    """Field → why it changes nothing in this experiment."""
    task, cell = data.task(experiment.data.task), experiment.model.cell
    tokens = data.tasks()[task.name].group == "text"
    reasons = {
        name: f"The task “{task.title}” does not use it."
        for name in experiment.data.__dataclass_fields__
        if name not in (*task.knobs, "task", "kind")
    }
    if not tokens:
        reasons["embedding"] = "Only texts go through an embedding."
    if cell != "gru":
        reasons["reset_after"] = "Only a GRU has a reset gate."
    if cell == "simple_rnn":
        reasons["gate_bias"] = "A vanilla RNN has no gates."
    return reasons


GROUPS = {"text": "Reviews", "series": "Time series", "memory": "Memory"}


def cards() -> None:
    """Presets by what they read, each with what it shows; choosing one fills the form."""
    shelves: dict[str, list[presets.Preset]] = {title: [] for title in GROUPS.values()}
    for preset in presets.presets().values():
        shelves[GROUPS[data.task(preset.experiment.data.task).group]].append(preset)
    near = GROUPS[data.task(draft().data.task).group]
    for tab, shelf in zip(st.tabs(list(shelves), default=near), shelves.values(), strict=True):
        with tab, st.grid(min_column_width=240, gap="small"):
            for preset in shelf:
                _card(preset, draft() == preset.experiment)


def _card(preset: presets.Preset, chosen: bool) -> None:
    with st.container(border=True, height="stretch"):
        st.button(
            plain(preset.title), key=key("train", "preset", preset.name), on_click=guard.callback("The preset", take), args=(preset.experiment,), width="stretch",
            icon=":material/check:" if chosen else None, type="primary" if chosen else "secondary",
        )  # fmt: skip
        st.caption(plain(preset.claim))


def form() -> None:
    """Every field of the experiment; the rare ones folded away."""
    reasons = unread(draft())
    for column, (title, names) in zip(st.columns(3), FIRST.items(), strict=True):
        with column:
            st.markdown(f"**{title}**")
            for name in names:
                if name not in reasons:
                    _field(name, "")
            if title == "What it learns":
                _explained(draft())
    first = {name for names in FIRST.values() for name in names}
    with st.expander("All other settings", icon=":material/tune:", key=key("train", "more_settings")):
        columns = st.columns(3)
        for part, column in zip(("data", "model", "training"), columns, strict=True):
            rest = [name for name in getattr(draft(), part).__dataclass_fields__ if name in FIELDS and name != "source"]
            rest += ["seed"] if part == "training" else []
            with column:
                for name in rest:
                    if name not in first or name in reasons:
                        _field(name, reasons.get(name, ""))


def _explained(experiment: Experiment) -> None:
    task = data.task(experiment.data.task)
    st.caption(plain(task.description, 600))
    if task.name == "csv":
        _upload()


def _upload() -> None:
    """A series of the user's own; kept by its content's hash, so that the experiment names exactly this file."""
    file = st.file_uploader(
        "Your series",
        type=["csv", "txt", "tsv"],
        max_upload_size=5,
        key=key("train", "upload"),
        help="Columns of numbers, with or without a header; up to 5 MB.",
    )
    if file is not None:
        content = file.getvalue()
        digest = hashlib.sha256(content).hexdigest()
        uploads()[digest] = content
        if draft().data.source != digest:
            take(draft().replace(source=digest, column=""))
            st.rerun()


def _field(name: str, reason: str) -> None:
    """One widget. A value that no rule allows (a hand-made message can hold anything) never reaches it."""
    rule, widget = FIELDS[name], key("train", "set", name)
    if name not in complaints() or not _allowed(name, session.value(widget)):
        session.set_value(widget, value(draft(), name))
    common: dict[str, Any] = {
        "key": widget,
        "help": reason or rule["help"],
        "on_change": guard.callback("The setting", _proposed),
        "args": (name,),
        "disabled": bool(reason),
    }
    label = LABELS[name]
    if name == "task":
        st.selectbox(label, list(data.tasks()), format_func=lambda task: data.task(task).title, **common)
    elif name == "cell":
        st.segmented_control(label, rule["options"], format_func=lambda cell: CELL_NAMES[cell], required=True, **common)
    elif rule["type"] is bool:
        st.toggle(label, **common)
    elif "options" in rule:
        st.selectbox(label, rule["options"], format_func=lambda option: WORDS.get(option, option.replace("_", " ")), **common)
    elif rule["type"] is str:
        st.text_input(label, max_chars=rule["longest"], **common)
    elif rule["type"] is int:
        st.number_input(label, rule["low"], rule["high"], step=1, **common)
    else:
        st.number_input(
            label,
            rule["low"],
            rule["high"],
            step=STEPS[name],
            format="%g",
            value=None if rule.get("optional") else "min",
            **common,
        )
    if name in complaints():
        st.error(plain(complaints()[name]), icon=":material/error:")


def _allowed(name: str, proposed: Any) -> bool:
    try:
        checked(name, proposed, FIELDS[name])
    except ValueError:
        return False
    return name != "task" or proposed in data.tasks()


def _proposed(name: str) -> None:
    """A widget changed: take its value if the core does."""
    proposed = session.value(key("train", "set", name))
    changes = {name: proposed}
    try:
        if name == "task":
            changes = {"source": "", "column": "", **data.task(proposed).defaults, "task": proposed}
        session.here().draft = draft().replace(**changes)
        complaints().pop(name, None)
    except ValueError as reason:
        complaints()[name] = str(reason)


def problem(experiment: Experiment) -> str:
    """Why this experiment cannot start as it stands, or ""."""
    if complaints():
        return "Mend the settings marked in red first."
    try:
        data.interface(experiment, uploads())
    except (ValueError, FileNotFoundError) as reason:
        return str(reason)
    return ""


def size(experiment: Experiment) -> None:
    """How many parameters, next to a feedforward network's over the same window."""
    if problem(experiment):
        return
    interface = data.interface(experiment, uploads())
    ours, theirs = parameters.recurrent(experiment, interface), parameters.feedforward(experiment, interface)
    steps = experiment.data.length
    st.markdown(
        f":material/functions: **{ours:,} parameters**, the same for 1 step or {steps:,}: every step shares them. A feedforward network "
        f"with {experiment.model.units} hidden units over the same {steps:,} steps needs **{theirs:,}**."
    )
