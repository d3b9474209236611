"""Sharing and downloads of a run: links, Keras program, metrics, model, the whole run; and its name and deletion."""

from __future__ import annotations

import csv
import io
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

import streamlit as st

from pages.shared import drafts, guard, run_picker, usable
from pages.shared.kept_steps import RunView
from pages.shared.session import key
from pages.shared.words import plain, sentence
from rnn_core.export.keras_file import keras_file
from rnn_core.export.keras_program import keras_program
from rnn_core.spec.experiment import Experiment

PROGRAM_SECONDS = 20.0  # for a worker to write a program with the user's own file


def address(query: dict[str, str]) -> str:
    """The URL of this page with another query."""
    here = urlsplit(st.context.url or "")
    return urlunsplit((here.scheme, here.netloc, here.path, urlencode(query), ""))


def panel(run: RunView | None, experiment: Experiment) -> None:
    """Draw the links and downloads of a run; with None, those of the experiment in the form."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=key("train", "share")):
        with st.popover("Share", icon=":material/link:"):
            _links(run, experiment)
        with st.popover("Take away", icon=":material/download:"):
            _files(run, experiment)
        if run is not None:
            with st.popover("This run", icon=":material/edit:"):
                _name(run)
            if not usable.imported(run):
                link = {"run": run.run_id, "compare": "Runs side by side"}
                icon = ":material/compare_arrows:"
                st.page_link("pages/compare.py", label="Compare with another run", icon=icon, query_params=link)


def _links(run: RunView | None, experiment: Experiment) -> None:
    if run is not None:
        st.markdown("**This run**: everyone who opens the link sees it here, live.")
        st.code(address({"run": run.run_id}), language=None, wrap_lines=True)
    if usable.imported(run):
        return  # nothing that could be trained
    st.markdown("**This experiment**: the link fills the form, on any machine.")
    st.code(address(experiment.to_query()), language=None, wrap_lines=True)


def _files(run: RunView | None, experiment: Experiment) -> None:
    try:
        program = _program(run, experiment)
    except (ValueError, OSError, ImportError, TimeoutError) as error:
        st.caption(sentence(error))
    else:
        st.download_button(
            "Keras program", program, "unrolled.py", "text/x-python", key=key("train", "take_program"), on_click="ignore", icon=":material/code:",
            help="One readable file that runs on its own and starts from the same weights.",
        )  # fmt: skip
        with st.expander("Read the program"):
            st.code(program, language="python")
    if run is None:
        st.caption("Train it to download its metrics and weights too.")
        return
    name = f"unrolled-{run.run_id}"
    if not usable.imported(run):
        metrics: Any = (lambda: metrics_csv(run.history)) if run.active else _cached_metrics(run.run_id, run.step, run)
        _download("Metrics as CSV", metrics, f"{name}.csv", "text/csv", ":material/table:")
    if run.has_weights:
        _download("Model as .keras", lambda: _model_file(run), f"{name}.keras", "application/zip", ":material/deployed_code:")
    else:
        st.caption("The model can be downloaded once a kept step has readable weights.")
    _download("Whole run", lambda: _run_file(run), f"{name}.run", "application/octet-stream", ":material/inventory_2:")
    st.caption("Any figure: point at it and choose PNG, SVG or HTML in its corner.")


def _program(run: RunView | None, experiment: Experiment) -> str:
    """The Keras program; one with the user's own file is written by a worker, which parses it."""
    if not experiment.data.source:
        return keras_program(experiment)
    files = drafts.uploads_of(experiment) or (run_picker.store().uploads(experiment) if run else None)
    if files is None:
        raise ValueError("the file of this experiment is not on this machine: upload it again")
    return str(run_picker.service().call(keras_program, experiment, files).result(timeout=PROGRAM_SECONDS))


def _download(label: str, make: Any, name: str, mime: str, icon: str) -> None:
    """Draw a download button. `make` is the content, or a function that returns it; a function fails if the page reruns before the click."""
    st.download_button(label, make, name, mime, key=key("train", f"take_{name.rsplit('.', 1)[-1]}"), on_click="ignore", icon=icon)


@st.cache_data(max_entries=16, show_spinner=False)
def _cached_metrics(run_id: str, step: int, _run: RunView) -> bytes:
    """The metrics of a run that ended at `step` as CSV, cached: 10,000 steps take 0.1 s."""
    return metrics_csv(_run.history)


def metrics_csv(history: dict[str, Any]) -> bytes:
    """The metrics of every step as CSV; empty cells where a value was not measured."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(history)
    for row in zip(*history.values(), strict=True):
        writer.writerow(["" if value != value else value for value in row])
    return text.getvalue().encode()


def _model_file(run: RunView) -> bytes:
    record = run_picker.store().open(run.run_id)
    return bytes(run_picker.service().call(keras_file, record.model()).result(timeout=60))


def _run_file(run: RunView) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        return run_picker.store().export(run.run_id, Path(folder) / "whole.run").read_bytes()


def _name(run: RunView) -> None:
    """Draw the run's name and its deletion; a starter model has neither."""
    with guard.store_errors():
        info = run_picker.store().open(run.run_id).info
    if info.builtin:
        st.caption("A starter model: it came with Unrolled and stays as it is.")
        return
    name = st.text_input("Name", info.name, max_chars=80, key=key("train", "name", run.run_id))
    if name.strip() and name != info.name:
        with guard.store_errors():
            run_picker.store().rename(run.run_id, name)
        st.rerun()
    help = "Stop it first." if run.active else None
    if st.button("Delete this run", icon=":material/delete:", key=key("train", "delete"), disabled=run.active, help=help):
        _confirm(run.run_id, info.name)


@st.dialog("Delete this run?")
@guard.section("The deletion")
def _confirm(run_id: str, name: str) -> None:
    st.markdown(f"{plain(name)}: its metrics and weights will be gone, for everyone who watches it.")
    if st.button("Delete", type="primary", key=key("train", "delete_really")):
        with guard.store_errors():
            run_picker.store().delete(run_id)
        drafts.back_to_form()
        st.rerun()
