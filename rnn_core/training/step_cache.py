"""Compiled training steps outlive the training that compiled them: the next network of the same make starts at once.

TensorFlow does not give back what a compiled step took (some 30 MB), so using it again also keeps a worker from growing.
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
    from rnn_core.training.step import Stepper

KEPT = 6  # steppers that wait to be used again

_idle: OrderedDict[Hashable, Stepper] = OrderedDict()  # the longest unused first
_guard = threading.Lock()


@contextmanager
def borrowed(model: Model, training: TrainingSpec, seed: int) -> Iterator[Stepper]:
    """A stepper at its beginning, for nobody else until it is given back."""
    from rnn_core.training.step import Stepper

    make = _make(model, training, seed)
    with _guard:
        stepper = _idle.pop(make, None)
    if stepper is None:
        stepper = Stepper(model, training, seed)
    else:
        stepper.begin(model, training)
    try:
        yield stepper
    finally:
        with _guard:
            _idle[make] = stepper
            while len(_idle) > KEPT:
                _idle.popitem(last=False)


def _make(model: Model, training: TrainingSpec, seed: int) -> Hashable:
    """All that a compiled step depends on: not where the weights start, nor the learning rate."""
    plain = ModelSpec()
    spec = dataclasses.replace(model.spec, gain=plain.gain, gate_bias=plain.gate_bias, initialiser=plain.initialiser)
    return spec, model.interface, model.mask, training.optimiser, training.clip, training.batch, seed if spec.dropout else 0
