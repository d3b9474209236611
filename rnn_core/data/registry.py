"""The registry of tasks: the values of `DataSpec.task`, and the module that builds each.

To add a task, copy `text/toy_reviews.py`, the shortest file that defines `TASKS`, and add its name to `_MODULES`.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module

from rnn_core.data.task import Dataset, Task, Uploads
from rnn_core.spec.experiment import Experiment
from rnn_core.spec.interface import Interface

_MODULES = ("text.toy_reviews", "text.imdb", "series.formula_tasks", "series.table_task", "memory_tasks")
_NOT_TRAINABLE = ("imported",)  # tasks that cannot be chosen for a training


def tasks() -> dict[str, Task]:
    """Every task that a network can be trained on, by its name, in menu order."""
    return _tasks(_MODULES)


@cache
def _tasks(modules: tuple[str, ...]) -> dict[str, Task]:
    return {task.name: task for module in modules for task in import_module(f"rnn_core.data.{module}").TASKS}


def task(name: str) -> Task:
    """The task of that name. Raises ValueError for an unknown name."""
    if name in _NOT_TRAINABLE:
        return _tasks(_NOT_TRAINABLE)[name]
    if name not in tasks():
        raise ValueError(f"task must be one of {', '.join(tasks())}, got {name!r}")
    return tasks()[name]


def build(experiment: Experiment, uploads: Uploads = None) -> Dataset:
    """The data of an experiment; the same experiment gives the same bits.

    Args:
        experiment: only its `data` part and `seed` matter.
        uploads: SHA-256 → bytes of uploaded files (task csv).

    Raises:
        ValueError: the data cannot be made; the message has the reason.
        FileNotFoundError: the data is not on this machine and cannot be downloaded; the message says what to do.
    """
    return task(experiment.data.task).build(experiment, uploads)


def interface(experiment: Experiment, uploads: Uploads = None) -> Interface:
    """The shapes of the experiment's inputs and outputs, without building the data."""
    return task(experiment.data.task).interface(experiment, uploads)
