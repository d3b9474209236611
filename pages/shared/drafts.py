"""The draft experiment of the Train form, and the files uploaded in this session."""

from __future__ import annotations

from pages.shared import run_picker, session
from rnn_core.spec.experiment import Experiment


def draft() -> Experiment:
    """The experiment that the form shows."""
    return session.here().draft


def set_draft(experiment: Experiment) -> None:
    """Fill the form with an experiment."""
    session.here().draft = experiment
    session.here().field_errors = {}


def back_to_form() -> None:
    """Close the run and show the form, filled with the draft."""
    run_picker.choose(None, draft().to_query())


def uploads() -> dict[str, bytes]:
    """SHA-256 → content of the files uploaded in this session."""
    return session.here().uploads


def uploads_of(experiment: Experiment) -> dict[str, bytes] | None:
    """The experiment's uploaded file as {SHA-256: content}, or None if this session does not have it."""
    content = uploads().get(experiment.data.source)
    return {experiment.data.source: content} if content is not None else None
