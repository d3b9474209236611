"""Which test proves which words of a preset's claim, and what these tests share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from rnn_core.engine.model import Model
from rnn_core.spec import presets
from rnn_core.spec.experiment import Experiment
from tests.benchmarks.presets import IMDB, ROWS
from tests.conftest import SHARED_IMDB

PROVED: dict[str, set[str]] = {name: set() for name in presets.presets()}  # preset → proved words of its claim
for _row in ROWS + IMDB:
    PROVED[_row.preset].add(_row.proves)
needs_imdb = pytest.mark.skipif(not (SHARED_IMDB / "imdb.npz").exists(), reason="IMDB is not on this machine")


def proves(preset: str, *words: str) -> Callable[[Any], Any]:
    """Decorates a test with the words of a preset's claim that it proves."""
    PROVED[preset].update(words)
    return lambda test: test


def trained(experiment: Experiment) -> tuple[list[float], Model]:
    """Validation metric after each epoch, and the model at the end; the metric stops it early where a target is set."""
    from rnn_core.training.loop import train

    metrics, snapshot = [], None
    for snapshot in train(experiment):
        if np.isfinite(snapshot.validation_metric):
            metrics.append(snapshot.validation_metric)
    assert snapshot is not None
    return metrics, snapshot.run.model
