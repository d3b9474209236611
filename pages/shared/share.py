"""What a student can take away: the link, the Keras program, the metrics, the model, the whole run; and a second run beside it."""

from __future__ import annotations

import csv
import io
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

import streamlit as st

from pages.shared import drafts, guard, run_picker
from pages.shared.kept_steps import Moment
from pages.shared.session import key
from pages.shared.words import plain, sentence
from rnn_core.export.keras_file import keras_file
from rnn_core.export.keras_program import keras_program
from rnn_core.spec.experiment import Experiment


def address(query: dict[str, str]) -> str:
    """This page's address with another query."""
    here = urlsplit(st.context.url or "")
    return urlunsplit((here.scheme, here.netloc, here.path, urlencode(query), ""))


def panel(now: Moment | None, experiment: Experiment) -> None:
    """Links and files of a run, or (None) of the experiment in the form."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=key("train", "share")):
        with st.popover("Share", icon=":material/link:"):
            _links(now, experiment)
        with st.popover("Take away", icon=":material/download:"):
            _files(now, experiment)
        if now is not None:
            with st.popover("This run", icon=":material/edit:"):
                _name(now)
            st.page_link(
                "pages/compare.py",
                label="Compare with another run",
                icon=":material/compare_arrows:",
                query_params={"run": now.run_id, "compare": "Runs side by side"},
            )


def _links(now: Moment | None, experiment: Experiment) -> None:
    if now is not None:
        st.markdown("**This run**: whoever opens the link watches it here, live.")
        st.code(address({"run": now.run_id}), language=None, wrap_lines=True)
    st.markdown("**This experiment**: the link fills the form, on any machine.")
    st.code(address(experiment.to_query()), language=None, wrap_lines=True)


def _files(now: Moment | None, experiment: Experiment) -> None:
    try:
        program = keras_program(experiment, drafts.uploads_of(experiment))
    except (ValueError, OSError, ImportError) as error:
        st.caption(sentence(error))
    else:
        st.download_button(
            "Keras program", program, "unrolled.py", "text/x-python", key=key("train", "take_program"), on_click="ignore", icon=":material/code:",
            help="One readable file that runs on its own and starts from the same weights.",
        )  # fmt: skip
        with st.expander("Read the program"):
            st.code(program, language="python")
    if now is None:
        st.caption("Train it, and its metrics and weights can be taken away too.")
        return
    name = f"unrolled-{now.run_id}"
    metrics: Any = (lambda: table(now.history)) if now.active else _metrics(now.run_id, now.step, now)
    _download("Metrics as CSV", metrics, f"{name}.csv", "text/csv", ":material/table:")
    if now.readable:
        _download("Model as .keras", lambda: _model_file(now), f"{name}.keras", "application/zip", ":material/deployed_code:")
    else:
        st.caption("The model can be taken away once its weights were kept and can be read.")
    _download("Whole run", lambda: _run_file(now), f"{name}.run", "application/octet-stream", ":material/inventory_2:")
    st.caption("Any figure: point at it and choose PNG, SVG or HTM in its corner.")


def _download(label: str, make: Any, name: str, mime: str, icon: str) -> None:
    """A button for a file, or for a function that makes it: such a one fails when the page is drawn anew under the click."""
    st.download_button(label, make, name, mime, key=key("train", f"take_{name.rsplit('.', 1)[-1]}"), on_click="ignore", icon=icon)


@st.cache_data(max_entries=16, show_spinner=False)
def _metrics(run_id: str, step: int, _now: Moment) -> bytes:
    """The table of a run that ended at that step: 10,000 steps take a tenth of a second, once instead of at every drawing."""
    return table(_now.history)


def table(history: dict[str, Any]) -> bytes:
    """The metrics of every step as CSV; empty where validation was not measured."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(history)
    for row in zip(*history.values(), strict=True):
        writer.writerow(["" if value != value else value for value in row])
    return text.getvalue().encode()


def _model_file(now: Moment) -> bytes:
    record = run_picker.store().open(now.run_id)
    return bytes(run_picker.service().call(keras_file, record.model()).result(timeout=60))


def _run_file(now: Moment) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        return run_picker.store().export(now.run_id, Path(folder) / "whole.run").read_bytes()


def _name(now: Moment) -> None:
    """Rename and delete; starter models keep both their name and their place."""
    with guard.refusal():
        info = run_picker.store().open(now.run_id).info
    if info.builtin:
        st.caption("A starter model: it came with Unrolled and stays as it is.")
        return
    name = st.text_input("Name", info.name, max_chars=80, key=key("train", "name", now.run_id))
    if name.strip() and name != info.name:
        with guard.refusal():
            run_picker.store().rename(now.run_id, name)
        st.rerun()
    if st.button(
        "Delete this run",
        icon=":material/delete:",
        key=key("train", "delete"),
        disabled=now.active,
        help="Stop it first." if now.active else None,
    ):
        _confirm(now.run_id, info.name)


@st.dialog("Delete this run?")
@guard.section("The deletion")
def _confirm(run_id: str, name: str) -> None:
    st.markdown(f"{plain(name)}: its metrics and weights will be gone, for everyone who watches it.")
    if st.button("Delete", type="primary", key=key("train", "delete_really")):
        with guard.refusal():
            run_picker.store().delete(run_id)
        drafts.anew()
        st.rerun()
