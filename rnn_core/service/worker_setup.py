"""Preload of a worker process (`dask worker … --preload rnn_core.service.worker_setup`): priority, threads, TensorFlow.

The worker joins the cluster only after TensorFlow is loaded and has compiled one tiny training step.
"""

from __future__ import annotations

import os
import threading
from typing import Any

from rnn_core.data.text import imdb_files

NICE = {"train": 10, "probe": 5}  # niceness: probes go before trainings, the web process before both; UNROLLED_NICE overrides it


def dask_setup(worker: Any) -> None:
    """Called by Dask in the worker process, before it registers."""
    role = "probe" if str(worker.name).startswith("probe") else "train"
    wanted = int(os.environ.get("UNROLLED_NICE", NICE[role]))
    if hasattr(os, "nice"):
        os.nice(wanted)  # on top of the app's own
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    limit_threads()
    warm_up()
    if role == "train" and os.environ.get("UNROLLED_COPY_AHEAD"):  # only on the embedded cluster
        threading.Thread(target=imdb_files.prepare, name="imdb", daemon=True).start()


def limit_threads() -> None:
    """Give TensorFlow UNROLLED_TF_THREADS threads, or as many as this process may use.

    A step computes two halves of its batch in parallel, as two operations, hence two threads between operations. Measured
    beside a probe worker and an open page on 2 cores, threads within / between operations, steps per second: LSTM 1/1 35,
    1/2 41, 2/1 37, 2/2 46; SimpleRNN 1/1 120, 1/2 113, 2/1 109, 2/2 107. The slower cell decides.
    """
    import tensorflow as tf

    threads = int(os.environ.get("UNROLLED_TF_THREADS", "0"))
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1 if threads == 1 else 2)


def warm_up() -> None:
    """Load the modules that every training needs, and run one step of a tiny network."""
    import numpy as np

    from rnn_core.data.sequences import Batch
    from rnn_core.engine import model as models
    from rnn_core.spec.experiment import Experiment
    from rnn_core.spec.interface import Interface
    from rnn_core.training.step import TrainingStep

    experiment = Experiment().replace(units=2, embedding=2, batch=2)
    model = models.build(experiment, Interface("tokens", 10, 1, "binary"))
    TrainingStep(model, experiment.training).step(Batch(np.ones((2, 3), np.int32), None, np.zeros((2, 1), np.float32)))
