"""The registry of tasks: every name that `DataSpec.task` may hold, and where it is built.

Adding a task is one file that offers `TASKS` and its name in `_HOMES`.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module

from rnn_core.data.sequences import Batch, Sequences, batches
from rnn_core.data.task import Dataset, Task, Uploads
from rnn_core.spec.experiment import Experiment
from rnn_core.spec.interface import Interface

_HOMES = ("text.toy_reviews", "text.imdb", "series.formula_tasks", "series.table_task", "memory_tasks")
__all__ = ["Batch", "Dataset", "Interface", "Sequences", "Task", "batches", "build", "interface", "task", "tasks"]


@cache
def tasks() -> dict[str, Task]:
    """Every task by its name, in the order in which a menu shows them."""
    return {task.name: task for home in _HOMES for task in import_module(f"rnn_core.data.{home}").TASKS}


def task(name: str) -> Task:
    """One task of the registry. Raises ValueError for a name it does not hold."""
    if name not in tasks():
        raise ValueError(f"task must be one of {', '.join(tasks())}, got {name!r}")
    return tasks()[name]


def build(experiment: Experiment, uploads: Uploads = None) -> Dataset:
    """The data of an experiment; the same experiment gives the same bits.

    Args:
        experiment: its `data` part and `seed` decide everything.
        uploads: SHA-256 → bytes of files that the user brought (task csv).

    Raises:
        ValueError: the data cannot be made as asked, with the reason.
        FileNotFoundError: the data is neither here nor downloadable, with what to do.
    """
    return task(experiment.data.task).build(experiment, uploads)


def interface(experiment: Experiment, uploads: Uploads = None) -> Interface:
    """The shapes of the experiment's inputs and outputs, without making the data."""
    return task(experiment.data.task).interface(experiment, uploads)
