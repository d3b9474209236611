"""Sample sequences of an experiment as one network reads them: its states, gates and running answers, padding told apart.

Legend: N sequences, T time steps, D inputs per step, H units, S numbers in the state (H, or 2H for an LSTM).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from rnn_core import data
from rnn_core.data.task import Dataset, Uploads
from rnn_core.engine.model import Model
from rnn_core.probes import layers
from rnn_core.spec.experiment import DataSpec, Experiment

if TYPE_CHECKING:
    from rnn_core.data.series.windows import Series
    from rnn_core.probes.states.traces import Trace

LONGEST = 1200  # steps of one long reading of a series


def dataset(experiment: Experiment, uploads: Uploads) -> tuple[Dataset, str]:
    """The experiment's data and the name of its task; toy reviews stand in for IMDB where that is not at hand."""
    return _kept(experiment.data, experiment.seed, tuple(sorted((uploads or {}).items())))


@lru_cache(maxsize=3)
def _kept(spec: DataSpec, seed: int, uploads: tuple[tuple[str, bytes], ...]) -> tuple[Dataset, str]:
    experiment = Experiment(data=spec, seed=seed)
    try:
        return data.build(experiment, dict(uploads)), spec.task
    except OSError:
        if spec.task != "imdb":
            raise
        return data.build(experiment.replace(task="toy_reviews")), "toy_reviews"


def long(dataset: Dataset) -> tuple[data.Sequences, data.Sequences]:
    """One long sequence from the end of a series's training part, and one from after it."""
    series: Series = dataset.series  # type: ignore[assignment]
    values, border = series.scaled[:, list(series.inputs)], series.ends[0]
    none = np.full((1, 1), np.nan, np.float32)  # there is no single target
    known, held_out = values[max(0, border - LONGEST) : border], values[border : border + LONGEST]
    return data.Sequences.dense(known[None], none), data.Sequences.dense(held_out[None], none)


@dataclass(frozen=True, eq=False)
class Sample:
    """What one network makes of some sequences. Fields as in `paths.Portrait`."""

    inputs: np.ndarray
    mask: np.ndarray
    states: np.ndarray
    units: int
    gates: Mapping[str, np.ndarray]
    targets: np.ndarray
    predictions: np.ndarray


def read(experiment: Experiment, model: Model, sequences: data.Sequences, count: int, layer: int | None) -> Sample:
    """The first `count` sequences through `model`, as `layer` (index in `stack.parts`; None: the last) reads them."""
    from rnn_core.probes.states.traces import trace

    spec, part = experiment.data, layers.default(model.spec) if layer is None else layers.parts(model.spec)[layer]
    chosen = np.arange(min(count, len(sequences)))
    batch = sequences.pad(chosen) if spec.padding == "bucket" else sequences.pad(chosen, spec.length, spec.padding)
    real = np.ones(batch.inputs.shape[:2], bool) if batch.mask is None else batch.mask
    skips = model.mask or model.interface.inputs == "floats"  # the textbook program reads its padding
    mask = batch.mask if skips else None
    seen = trace(model, batch.inputs, mask=mask, layer=part.index)
    above = seen if part == layers.default(model.spec) else trace(model, batch.inputs, mask=mask)  # only the last layer answers
    targets = batch.targets[:, 0] if batch.targets.ndim > 1 and batch.targets.dtype != np.int32 else batch.targets
    if targets.ndim > 1:  # a target at every step
        targets = np.full(len(chosen), np.nan)
    way = slice(None, None, -1 if part.backwards else 1)
    return Sample(
        batch.inputs[:, way],
        real[:, way],
        seen.states[:, way],
        seen.units,
        {name: gate[:, way] for name, gate in seen.gates.items()},
        targets.astype(np.float64),
        _predictions(model, above, real.shape)[:, way],
    )


def _predictions(model: Model, seen: Trace, shape: tuple[int, int]) -> np.ndarray:
    """(N, T) one number per step; where the head cannot read every step, the final answer throughout."""
    loss = model.interface.loss
    source = seen.running_probability if loss != "squared" else seen.running
    if source is None:
        source = np.broadcast_to(
            (seen.probability if loss != "squared" else seen.output)[:, None], (*shape, seen.output.shape[-1])
        )
    return (source.argmax(axis=-1) if loss == "categorical" else source[..., 0]).astype(np.float32)
