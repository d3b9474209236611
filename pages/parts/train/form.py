"""The form of an experiment: one widget per field, made from the rules in the field's metadata.

The draft in the session is always a valid `Experiment`. A widget's new value is validated by the library; if it is invalid, the
reason is shown under the widget until it is corrected.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.parts.train import data_step
from pages.shared import guard, session
from pages.shared.drafts import draft, set_draft
from pages.shared.labels import LABELS, OPTION_NAMES, field_value
from pages.shared.session import key
from pages.shared.words import plain
from rnn_core import data
from rnn_core.engine import parameters
from rnn_core.figures.theme import CELL_NAMES
from rnn_core.spec import presets
from rnn_core.spec.experiment import FIELDS, Experiment
from rnn_core.spec.fields import checked

MAIN_FIELDS = {
    "What it learns": ("task", "length", "horizon"),
    "The network": ("cell", "units", "layers"),
    "Training": ("learning_rate", "epochs", "batch"),
}
WIDGET_STEPS = {
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


def sync_with_link(experiment: Experiment | None, run_id: str | None) -> tuple[str, ...]:
    """Fill the form from the run on screen or from the link; then update the link.

    Returns one sentence for each value of the link that had to be changed.
    """
    notes: tuple[str, ...] = ()
    asked = {name: text for name, text in st.query_params.items() if name in FIELDS}
    here = session.here()
    from_history, link_pending = here.from_history, here.link_pending
    here.from_history = here.link_pending = False
    if run_id is None and (from_history or (link_pending and asked)):
        linked, notes = Experiment.read_query(asked)
        if linked.data.task not in data.tasks():
            default = Experiment().data.task
            notes += (f"task must be one of {', '.join(data.tasks())}, got {linked.data.task!r}: {default} taken",)
            linked = linked.replace(task=default)
        set_draft(linked)
    elif experiment is not None and here.draft_run != run_id:
        set_draft(experiment)
    here.draft_run = run_id
    link = {"run": run_id} if run_id else draft().to_query()
    if dict(st.query_params) != link:
        st.query_params.from_dict(link)
    return notes


def unused_fields(experiment: Experiment) -> dict[str, str]:
    """Field → why it has no effect in this experiment."""
    task, cell = data.task(experiment.data.task), experiment.model.cell
    reasons = {
        name: f"The task “{task.title}” does not use it."
        for name in experiment.data.__dataclass_fields__
        if name not in (*task.knobs, "task", "kind")
    }
    if task.group != "text":
        reasons["embedding"] = "Only texts use an embedding."
    if cell != "gru":
        reasons["reset_after"] = "Only a GRU has a reset gate."
    if cell == "simple_rnn":
        reasons["gate_bias"] = "A vanilla RNN has no gates."
    return reasons


GROUPS = {"text": "Reviews", "series": "Time series", "memory": "Memory"}


def cards() -> None:
    """Draw the presets by kind of data, each with its claim; choosing one fills the form."""
    by_group: dict[str, list[presets.Preset]] = {title: [] for title in GROUPS.values()}
    for preset in presets.presets().values():
        by_group[GROUPS[data.task(preset.experiment.data.task).group]].append(preset)
    current = GROUPS[data.task(draft().data.task).group]
    for tab, group in zip(st.tabs(list(by_group), default=current), by_group.values(), strict=True):
        with tab, st.grid(min_column_width=240, gap="small"):
            for preset in group:
                _card(preset, draft() == preset.experiment)
            if group is by_group[GROUPS["series"]]:
                _own_series()


def _card(preset: presets.Preset, chosen: bool) -> None:
    with st.container(border=True, height="stretch"):
        st.button(
            plain(preset.title), key=key("train", "preset", preset.name), on_click=guard.callback("The preset", set_draft), args=(preset.experiment,), width="stretch",
            icon=":material/check:" if chosen else None, type="primary" if chosen else "secondary",
        )  # fmt: skip
        st.caption(plain(preset.claim))


def _own_series() -> None:
    """Draw the card that starts with the user's own file."""
    with st.container(border=True, height="stretch"):
        own = draft().data.task == "csv"
        st.button(
            "Your own series", key=key("train", "own_series_card"), on_click=guard.callback("Your own series", _choose_own_series), width="stretch",
            icon=":material/check:" if own else ":material/upload_file:", type="primary" if own else "secondary",
        )  # fmt: skip
        st.caption("Upload a table, see how it is read, and forecast what comes after its last row.")


def _choose_own_series() -> None:
    if draft().data.task != "csv":
        set_draft(Experiment().replace(**data.task("csv").defaults, task="csv"))


def form() -> None:
    """Draw a widget for every field of the experiment; the less used ones in an expander."""
    reasons, own = unused_fields(draft()), draft().data.task == "csv"
    if own:
        data_step.draw(lambda name: _field(name, ""))
    for column, (title, names) in zip(st.columns(3), MAIN_FIELDS.items(), strict=True):
        with column:
            st.markdown(f"**{title}**")
            for name in names:
                if name not in reasons and not (own and name in data_step.FIELDS):
                    _field(name, "")
            if title == "What it learns":
                st.caption(plain(data.task(draft().data.task).description, 600))
    main = {name for names in MAIN_FIELDS.values() for name in names} | set(data_step.FIELDS if own else ())
    with st.expander("All other settings", icon=":material/tune:", key=key("train", "more_settings")):
        columns = st.columns(3)
        for part, column in zip(("data", "model", "training"), columns, strict=True):
            rest = [
                name for name in getattr(draft(), part).__dataclass_fields__ if name in FIELDS and name not in data_step.PICKED
            ]
            rest += ["seed"] if part == "training" else []
            with column:
                for name in rest:
                    if name not in main or name in reasons:
                        _field(name, reasons.get(name, ""))


def _field(name: str, reason: str) -> None:
    """Draw the widget of a field. A value outside the field's rules, which a forged message can hold, is replaced by the draft's."""
    rule, widget = FIELDS[name], key("train", "set", name)
    if name not in session.here().field_errors or not _allowed(name, session.value(widget)):
        session.set_value(widget, field_value(draft(), name))
    common: dict[str, Any] = {
        "key": widget,
        "help": reason or rule["help"],
        "on_change": guard.callback("The setting", _apply_change),
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
        st.selectbox(
            label, rule["options"], format_func=lambda option: OPTION_NAMES.get(option, option.replace("_", " ")), **common
        )
    elif rule["type"] is str:
        st.text_input(label, max_chars=rule["longest"], **common)
    elif rule["type"] is int:
        st.number_input(label, rule["low"], rule["high"], step=1, **common)
    else:
        common |= {"value": None} if rule.get("optional") else {}
        st.number_input(label, rule["low"], rule["high"], step=WIDGET_STEPS[name], format="%g", **common)
    if name in session.here().field_errors:
        st.error(plain(session.here().field_errors[name]), icon=":material/error:")


def _allowed(name: str, proposed: Any) -> bool:
    try:
        checked(name, proposed, FIELDS[name])
    except ValueError:
        return False
    return name != "task" or proposed in data.tasks()


def _apply_change(name: str) -> None:
    """Callback of a widget: put its new value into the draft, or record why it is invalid."""
    proposed = session.value(key("train", "set", name))
    changes = {name: proposed}
    try:
        if name == "task":
            changes = {
                "source": "",
                "reading": "",
                "column": "",
                "targets": "",
                "difference": 0,
                "log": False,
                **data.task(proposed).defaults,
                "task": proposed,
            }
        session.here().draft = draft().replace(**changes)
        session.here().field_errors.pop(name, None)
    except ValueError as reason:
        session.here().field_errors[name] = str(reason)


def problem(experiment: Experiment) -> str:
    """Why this experiment cannot start; "" if it can."""
    if session.here().field_errors:
        return "Correct the settings marked in red first."
    if experiment.data.task == "csv":
        return data_step.problem(experiment)
    try:
        data.interface(experiment)
    except (ValueError, FileNotFoundError) as reason:
        return str(reason)
    return ""


def parameter_count(experiment: Experiment) -> None:
    """Show the number of parameters, next to that of a feedforward network over the same window."""
    if problem(experiment):
        return
    interface = data_step.interface(experiment) if experiment.data.task == "csv" else data.interface(experiment)
    recurrent, feedforward = parameters.recurrent(experiment, interface), parameters.feedforward(experiment, interface)
    steps = experiment.data.length
    st.markdown(
        f":material/functions: **{recurrent:,} parameters**, the same for 1 step or {steps:,}: every step shares them. A feedforward network "
        f"with {experiment.model.units} hidden units over the same {steps:,} steps needs **{feedforward:,}**."
    )
