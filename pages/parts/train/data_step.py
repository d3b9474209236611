"""The user's own series in the Train form: the upload, the file as read, the decisions to overrule, the series and its columns.

The file is parsed by the probe worker, within `READ_SECONDS`; this process only shows what the worker found.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.shared import charts, guard, run_picker, session, shell
from pages.shared.drafts import draft, set_draft, uploads
from pages.shared.labels import field_value
from pages.shared.session import key
from pages.shared.words import plain
from rnn_core import data
from rnn_core.data.series import table_task
from rnn_core.data.series.column_names import choose_columns, join_names
from rnn_core.data.series.windows import ends
from rnn_core.figures import series as series_figures
from rnn_core.spec import reading
from rnn_core.spec.experiment import Experiment
from rnn_core.spec.interface import Interface

if TYPE_CHECKING:
    from rnn_core.data.series.look import Look

READ_SECONDS = 25.0  # for the worker to read a file; the reader's own limit is 2 s for 5 MB, the rest is waiting for the worker
MOST_LOOKS = 8  # files kept as read in a session
MOST_LINES = 5  # columns drawn
FIELDS = ("horizon", "length", "difference", "log", "validation")
PICKED = ("source", "reading", "column", "targets")  # fields that have a control here instead of a text box
WORDS = {
    "encoding": "Encoding",
    "sheet": "Sheet",
    "separator": "Between cells",
    "decimal": "Decimal sign",
    "dates": "Dates come from",
    "format": "Dates are written",
    "order": "Order of the rows",
    "missing": "Values far outside the rest",
    "series": "Which series",
}


def looked(experiment: Experiment) -> Look | None:
    """The experiment's file as read by a worker; None if neither this session nor the store has the file."""
    looks, which = session.here().looks, (experiment.data.source, experiment.data.reading)
    if which not in looks:
        content = _content(experiment)
        if content is None:
            return None
        from rnn_core.data.series import look  # imports pandas, which no other task needs

        late = look.Look(
            problem=f"the file could not be read within {READ_SECONDS:.0f} s: save fewer rows, or try again in a moment"
        )
        asked = run_picker.service().call(look.look, content, reading.from_text(experiment.data.reading))
        found = shell.wait(asked, "Reading your file.", READ_SECONDS, late)
        if found is late:
            return found
        while len(looks) >= MOST_LOOKS:
            looks.pop(next(iter(looks)))
        looks[which] = found
    return looks[which]


def _content(experiment: Experiment) -> bytes | None:
    """The file: uploaded in this session, or kept in the store with a run."""
    source = experiment.data.source
    if source and source not in uploads():
        try:
            uploads().update(run_picker.store().uploads(experiment))
        except OSError:
            return None
    return uploads().get(source)


def problem(experiment: Experiment) -> str:
    """Why the experiment cannot start on its file; "" if it can."""
    found, spec = looked(experiment), experiment.data
    if not spec.source:
        return "No file was chosen yet: upload your series below."
    if found is None:
        return "The file of this experiment is not on this machine: upload it again below."
    if found.problem:
        return found.problem
    try:
        used = table_task.chosen(experiment, found.names).used
        ends(found.rows, spec.length, spec.horizon, spec.validation, spec.difference)
    except ValueError as reason:
        return str(reason)
    low = [found.columns[place] for place in used if found.columns[place].low <= 0] if spec.log else []
    if low:
        return f"Only values above 0 have a logarithm, but '{low[0].name[:40]}' goes down to {low[0].low:.6g}: switch the logarithm off."
    return ""


def interface(experiment: Experiment) -> Interface:
    """The shapes of an experiment without a problem."""
    found = looked(experiment)
    return table_task.interface_of(experiment, found.names if found else ())


def draw(field: Callable[[str], None]) -> None:
    """Draw the data step of the draft; `field` draws the widget of one field of the experiment."""
    with st.container(border=True, key=key("train", "data_step")):
        st.markdown("**Your data**")
        _upload()
        found = looked(draft())
        if found is None:
            return
        if session.here().to_suggest and found.suggestion:
            _suggest(found)
        if found.problem:
            st.warning(plain(found.problem, 500), icon=":material/error:")
        else:
            st.caption(f":material/table: {found.rows:,} rows{f', {found.spacing} apart' if found.spacing else ''}")
            _tables(found)
        _decisions(found)
        if not found.problem:
            _columns(found)
            with st.container(horizontal=True, gap="small"):
                for name in FIELDS:
                    with st.container(width=200):
                        field(name)
            _chart(found)


def _upload() -> None:
    """Draw the upload; the experiment refers to the file by the SHA-256 of its content. A new file sets the fields that suit it."""
    help = "A table with one row per step, as text or as a workbook (.xlsx), with or without names; up to 5 MB."
    types = ["csv", "txt", "tsv", "xlsx", "gz"]
    file = st.file_uploader("Your series", types, max_upload_size=5, key=key("train", "upload"), help=help)
    if file is None:
        return
    content = file.getvalue()
    digest = hashlib.sha256(content).hexdigest()
    uploads()[digest] = content
    if draft().data.source == digest:
        return
    set_draft(draft().replace(source=digest, reading="", column="", targets=""))
    session.here().to_suggest = True
    st.rerun()


def _suggest(found: Look) -> None:
    """Set the fields that suit the file, except those that the user has changed."""
    session.here().to_suggest = False
    usual, last = Experiment().replace(**data.task("csv").defaults, task="csv"), session.here().suggested
    changes = {
        name: value
        for name, value in found.suggestion
        if field_value(draft(), name) in (field_value(usual, name), field_value(Experiment(), name), last.get(name))
    }
    session.here().suggested = dict(found.suggestion)
    set_draft(draft().replace(**changes))
    st.rerun()


def _tables(found: Look) -> None:
    """Show the first and last rows, and each column with its type and range."""
    left, right = st.columns([3, 2])
    rows = [*found.first, *([("…",) * len(found.first[0])] if found.last else []), *found.last]
    names = ["date" if found.spacing else "row", *found.names]
    with left:
        st.caption("First and last rows, as read")
        st.dataframe(_as_columns(names, rows), hide_index=True, height=35 * (len(rows) + 1) + 3, placeholder="")
    with right:
        st.caption("Columns")
        about = [(one.name[:60], one.kind, f"{one.low:.6g}", f"{one.high:.6g}") for one in found.columns]
        st.dataframe(
            _as_columns(["column", "type", "lowest", "highest"], about),
            hide_index=True,
            height=min(35 * (len(about) + 1) + 3, 353),
        )


def _as_columns(names: list[str], rows: Any) -> dict[str, list[str]]:
    """Columns for `st.dataframe`; names that occur twice get a number."""
    unique = [name if name not in names[:n] else f"{name} ({n})" for n, name in enumerate(names)]
    return {name: [row[n] for row in rows] for n, name in enumerate(unique)}


def _decisions(found: Look) -> None:
    """List what the reader decided, with a control to overrule each decision."""
    said = [f":material/rule: {plain(note, 400)}" for note in found.notes]
    gaps = found.gaps[:5] if len(found.gaps) > 1 else ()  # the notes name a single one
    said += [f":material/space_bar: gap between {plain(before)} and {plain(after)}" for before, after in gaps]
    if said:
        st.caption("  \n".join(said))
    if not found.decisions:
        return
    is_open = any(not one.value and one.option != "missing" for one in found.decisions)
    with st.expander("Overrule how the file was read", expanded=bool(found.problem or is_open), key=key("train", "overrule")):
        with st.grid(min_column_width=190, gap="small"):
            for one in found.decisions:
                name, words = key("train", "decide", one.option), dict(one.choices)
                decided = one.value if one.value in words else None
                session.set_value(name, decided)
                st.selectbox(
                    WORDS[one.option] + (" (yours)" if one.asked else ""),
                    list(words),
                    index=None if decided is None else 0,
                    format_func=partial(_shown, words),
                    key=name,
                    placeholder="Choose",
                    on_change=guard.callback("The decision", _overrule),
                    args=(one.option, tuple(words)),
                )
        if draft().data.reading:
            again = guard.callback("The reader's decisions", _decide)
            st.button("Let the reader decide again", icon=":material/undo:", key=key("train", "undecide"), on_click=again)


def _shown(words: dict[str, str], value: str) -> str:
    return words.get(value, value)[:60]


def _overrule(option: str, allowed: tuple[str, ...]) -> None:
    """Callback of a control: read the file with this decision."""
    value = session.value(key("train", "decide", option))
    if value not in allowed:
        return
    decisions = reading.from_text(draft().data.reading) | {option: value}
    if option == "dates":
        decisions.pop("format", None)
    _decide(decisions)


def _decide(decisions: dict[str, str] | None = None) -> None:
    set_draft(draft().replace(reading=reading.to_text(decisions or {}), column="", targets=""))
    session.here().to_suggest = True


def _columns(found: Look) -> None:
    """Draw the pickers of the columns that are read and forecast."""
    if len(found.columns) < 2:
        return
    spec = draft().data
    places = dict.fromkeys(PICKED[2:], tuple(range(len(found.names))))
    for field in places:
        try:
            places[field] = choose_columns(found.names, getattr(spec, field) or spec.column)
        except ValueError:
            continue
    for (field, words), column in zip({"column": "Inputs", "targets": "Forecast"}.items(), st.columns(2), strict=True):
        name = key("train", "pick", field)
        session.set_value(name, [found.names[place] for place in places[field]])
        column.multiselect(
            words,
            found.names,
            key=name,
            format_func=lambda text: str(text)[:60],
            on_change=guard.callback("The columns", _pick),
            args=(found.names,),
        )


def _pick(names: tuple[str, ...]) -> None:
    """Callback of the pickers: put the columns into the draft; with all of them, or the inputs as targets, the field stays empty."""
    chosen = {field: [name for name in names if name in session.value(key("train", "pick", field), [])] for field in PICKED[2:]}
    if not all(chosen.values()):
        return  # an emptied picker shows its last choice again
    inputs = "" if chosen["column"] == list(names) else join_names(chosen["column"])
    set_draft(
        draft().replace(column=inputs, targets="" if chosen["targets"] == chosen["column"] else join_names(chosen["targets"]))
    )


def _chart(found: Look) -> None:
    """Draw the series with its dates, its gaps and the parts into which it is split."""
    spec = draft().data
    try:
        used, _, targets = table_task.chosen(draft(), found.names)
        train, test = ends(found.rows, spec.length, spec.horizon, spec.validation, spec.difference)
    except ValueError:
        return
    drawn = [used[place] for place in targets][:MOST_LINES]
    splits = [found.splits[round(100 * place / found.rows)] for place in (train, test)]
    figure = series_figures.series(
        found.places,
        [(found.names[place], found.lines[:, place]) for place in drawn],
        [*splits, found.splits[-1]],
        gaps=found.gaps,
        repeats=found.repeats,
    )
    alt = series_figures.describe([found.names[place] for place in drawn], found.rows, len(found.gaps), len(found.repeats))
    charts.chart(figure, key("train", "own_series"), alt, rev=spec.source)
