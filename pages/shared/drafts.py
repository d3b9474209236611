"""The experiment that the form describes now, and the files that this session has uploaded."""

from __future__ import annotations

from pages.shared import run_picker, session
from rnn_core.spec.experiment import Experiment


def draft() -> Experiment:
    """The experiment that the form describes now."""
    return session.here().draft


def take(experiment: Experiment) -> None:
    """Fill the form with an experiment."""
    session.here().draft = experiment
    session.here().complaints = {}


def anew() -> None:
    """Leave the run for the form, filled with its experiment."""
    run_picker.choose(None, draft().to_query())


def uploads() -> dict[str, bytes]:
    return session.here().uploads


def uploads_of(experiment: Experiment) -> dict[str, bytes] | None:
    """The files that the experiment names, where this session has them."""
    content = uploads().get(experiment.data.source)
    return {experiment.data.source: content} if content is not None else None
