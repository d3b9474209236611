"""Sequences of an experiment through one network: states, gates and running outputs, with a mask of the real steps.

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

LONGEST = 1200  # steps of one long sequence of a series


def dataset(experiment: Experiment, uploads: Uploads) -> tuple[Dataset, str]:
    """The experiment's data and the name of its task; toy reviews instead of IMDB where that is not on this machine."""
    return _cached(experiment.data, experiment.seed, tuple(sorted((uploads or {}).items())))


@lru_cache(maxsize=3)
def _cached(spec: DataSpec, seed: int, uploads: tuple[tuple[str, bytes], ...]) -> tuple[Dataset, str]:
    experiment = Experiment(data=spec, seed=seed)
    try:
        return data.build(experiment, dict(uploads)), spec.task
    except OSError:
        if spec.task != "imdb":
            raise
        return data.build(experiment.replace(task="toy_reviews")), "toy_reviews"


def long_sequences(dataset: Dataset) -> tuple[data.Sequences, data.Sequences]:
    """One long sequence from the end of a series' training part, and one of the steps after it."""
    series: Series = dataset.series  # type: ignore[assignment]
    values, border = series.scaled[:, list(series.inputs)], series.ends[0]
    none = np.full((1, 1), np.nan, np.float32)  # there is no single target
    known, held_out = values[max(0, border - LONGEST) : border], values[border : border + LONGEST]
    return data.Sequences.dense(known[None], none), data.Sequences.dense(held_out[None], none)


@dataclass(frozen=True, eq=False)
class Sample:
    """Some sequences and their states, gates and outputs in one network. Fields as in `paths.StatePaths`."""

    inputs: np.ndarray
    mask: np.ndarray
    states: np.ndarray
    units: int
    gates: Mapping[str, np.ndarray]
    targets: np.ndarray
    predictions: np.ndarray


def sample(experiment: Experiment, model: Model, sequences: data.Sequences, count: int, layer: int | None) -> Sample:
    """The first `count` sequences through `model`, in the order of processing of `layer` (index in `named_layers`; None: the last)."""
    from rnn_core.probes.states.traces import trace

    spec, chosen_layer = (
        experiment.data,
        layers.default_layer(model.spec) if layer is None else layers.named_layers(model.spec)[layer],
    )
    chosen = np.arange(min(count, len(sequences)))
    batch = sequences.pad(chosen) if spec.padding == "bucket" else sequences.pad(chosen, spec.length, spec.padding)
    real = np.ones(batch.inputs.shape[:2], bool) if batch.mask is None else batch.mask
    masks = model.mask or model.interface.inputs == "floats"  # the textbook program does not mask its padding
    mask = batch.mask if masks else None
    traced = trace(model, batch.inputs, mask=mask, layer=chosen_layer.index)
    is_last = chosen_layer == layers.default_layer(model.spec)
    last = traced if is_last else trace(model, batch.inputs, mask=mask)  # only the last layer has the outputs
    targets = batch.targets[:, 0] if batch.targets.ndim > 1 and batch.targets.dtype != np.int32 else batch.targets
    if targets.ndim > 1:  # a target at every step
        targets = np.full(len(chosen), np.nan)
    order = slice(None, None, -1 if chosen_layer.backwards else 1)
    return Sample(
        batch.inputs[:, order],
        real[:, order],
        traced.states[:, order],
        traced.units,
        {name: gate[:, order] for name, gate in traced.gates.items()},
        targets.astype(np.float64),
        _predictions(model, last, real.shape)[:, order],
    )


def _predictions(model: Model, traced: Trace, shape: tuple[int, int]) -> np.ndarray:
    """(N, T) one number per step; the final output at all steps where there is no running one."""
    loss = model.interface.loss
    source = traced.running_probability if loss != "squared" else traced.running
    if source is None:
        source = np.broadcast_to(
            (traced.probability if loss != "squared" else traced.output)[:, None], (*shape, traced.output.shape[-1])
        )
    return (source.argmax(axis=-1) if loss == "categorical" else source[..., 0]).astype(np.float32)
