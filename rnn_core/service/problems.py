"""What an exception means: a lost connection, advice on an input, or a fault of the program."""

from __future__ import annotations

import traceback
from concurrent.futures import CancelledError, Future
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).parents[1]  # rnn_core, which may be installed beside the libraries


def message_of(problem: BaseException) -> str:
    """An exception as one line for viewers, 400 characters at most; with its type where a viewer's input cannot be the cause."""
    text = problem.args[0] if isinstance(problem, KeyError) and problem.args else problem  # str(KeyError) adds quotes
    message = " ".join(str(text).split()) or type(problem).__name__
    if not is_expected(problem):
        message = f"{type(problem).__name__}: {message}"
    return message if len(message) <= 400 else message[:399] + "…"


def is_expected(problem: BaseException) -> bool:
    """Whether an exception may be the answer to somebody's input: an error of the system, or one that the project itself raises.

    The project's own ValueError advises. One that a library raises, or Python for a failed operation, is a fault, however it reads.
    """
    if isinstance(problem, OSError):
        return True
    frames = traceback.extract_tb(problem.__traceback__)
    if not isinstance(problem, (ValueError, LookupError)) or not frames:
        return False
    place = Path(frames[-1].filename)
    ours = PACKAGE in place.parents or (PACKAGE.parent in place.parents and "site-packages" not in place.parts)
    return ours and (frames[-1].line or "").startswith("raise")


def exception_of(done: Future[Any]) -> BaseException | None:
    """The exception of a finished future, CancelledError for a cancelled one; None when it succeeded."""
    return CancelledError() if done.cancelled() else done.exception()


def is_connection_error(problem: BaseException | None) -> bool:
    """Whether a future failed because a worker or the cluster was lost, not because of the function it ran."""
    names = ("CancelledError", "FutureCancelledError", "KilledWorker", "CommClosedError", "ClosedClientError")
    return isinstance(problem, (ConnectionError, TimeoutError)) or type(problem).__name__ in names
