"""A cache of compiled training steps, keyed by everything the compiled program depends on.

TensorFlow does not free the memory of a compiled step (about 30 MB), so reuse also bounds the size of a worker.
"""

from __future__ import annotations

import dataclasses
import threading
from collections import OrderedDict
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rnn_core.spec.experiment import ModelSpec, TrainingSpec

if TYPE_CHECKING:
    from rnn_core.engine.model import Model
    from rnn_core.training.step import TrainingStep

CACHE_SIZE = 6  # idle training steps

_idle: OrderedDict[Hashable, TrainingStep] = OrderedDict()  # the longest unused first
_lock = threading.Lock()


@contextmanager
def cached_step(model: Model, training: TrainingSpec, seed: int) -> Iterator[TrainingStep]:
    """A training step with the weights of `model`; it returns to the cache when the context ends, and is not shared before."""
    from rnn_core.training.step import TrainingStep

    key = _cache_key(model, training, seed)
    with _lock:
        training_step = _idle.pop(key, None)
    if training_step is None:
        training_step = TrainingStep(model, training, seed)
    else:
        training_step.restart(model, training)
    try:
        yield training_step
    finally:
        with _lock:
            _idle[key] = training_step
            while len(_idle) > CACHE_SIZE:
                _idle.popitem(last=False)


def _cache_key(model: Model, training: TrainingSpec, seed: int) -> Hashable:
    """Everything that a compiled step depends on; initial weights and learning rate are not part of it."""
    plain = ModelSpec()
    spec = dataclasses.replace(model.spec, gain=plain.gain, gate_bias=plain.gate_bias, initialiser=plain.initialiser)
    return spec, model.interface, model.mask, training.optimiser, training.clip, training.batch, seed if spec.dropout else 0
