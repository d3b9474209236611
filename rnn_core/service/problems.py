"""What an exception in a worker means to a viewer: advice on an input, or a fault of the program."""

from __future__ import annotations

import traceback
from pathlib import Path

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
