"""The data of every task: from an Experiment to a Dataset (training, validation and test sequences).

In: an `Experiment`, and the bytes of uploaded files. Out: a `Dataset` with its `Interface`; the same experiment gives the same bits.
`text/` holds reviews, `series/` time series and the user's own file, `memory_tasks.py` synthetic memory tasks.
`imported.py` holds what is known of a model that was trained elsewhere. `disk.py` says where files are kept and writes them.
Open first: `registry.py`, which lists the tasks; then `task.py` and `sequences.py`. For a new task copy
`text/toy_reviews.py` and name the copy in `registry.py`.
"""

from rnn_core.data.registry import build, interface, task, tasks
from rnn_core.data.sequences import Batch, Sequences, batches
from rnn_core.data.task import Dataset, Task
from rnn_core.spec.interface import Interface

__all__ = ["Batch", "Dataset", "Interface", "Sequences", "Task", "batches", "build", "interface", "task", "tasks"]
