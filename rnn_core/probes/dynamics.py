"""Many sequences as one network reads them: their states, a frozen plane to draw them on, and how hard the units saturate.

Legend: N sequences, T time steps, D inputs per step, H units, S numbers in the state (H, or 2H for an LSTM), K outputs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from rnn_core import data
from rnn_core.data.task import Dataset, Uploads
from rnn_core.experiment import DataSpec, Experiment
from rnn_core.models import Model
from rnn_core.probes import projections, stack
from rnn_core.probes.projections import Basis

if TYPE_CHECKING:
    from rnn_core.data.series import Series
    from rnn_core.probes.traces import Trace

FITTED_ON = 200  # sequences behind the basis and the distributions; none of them is drawn
BINS = 40  # of a distribution of activations
SATURATED = 0.95  # |tanh state| from here on counts as saturated
LONGEST = 1200  # steps of one long reading of a series
GATE_LOW, GATE_HIGH = 0.1, 0.9  # a gate below is shut, above is open (Karpathy, Johnson & Fei-Fei 2015, section 4.2)


@dataclass(frozen=True, eq=False)
class Activations:
    """How the numbers inside the network are distributed over real tokens."""

    edges: np.ndarray  # (BINS + 1,) float64, borders of the bins
    shares: np.ndarray  # (H, BINS) float64, share of each unit's outputs h in each bin; rows sum to 1
    saturated: np.ndarray  # (H,) float64 in 0..1, share of |h| > SATURATED
    spread: np.ndarray  # (H,) float64, standard deviation of h
    correlation: np.ndarray  # (H,) float64 in -1..1, of the last h with the target; NaN where there is no single target
    shut: Mapping[str, np.ndarray]  # gate → (H,) share of real tokens at which it is below GATE_LOW
    open: Mapping[str, np.ndarray]  # gate → (H,) share above GATE_HIGH


@dataclass(frozen=True, eq=False)
class Portrait:
    """Held-out sequences inside one network."""

    inputs: np.ndarray  # (N, T) int32 token ids, or (N, T, D) float32
    mask: np.ndarray  # (N, T) bool, True = real step, also where the network itself does read padding
    states: np.ndarray  # (N, T, S) float32: [h; c] for an LSTM
    units: int  # H: h is states[..., :H]
    targets: np.ndarray  # (N,) float64: class id or first number to forecast; NaN where every step has its own
    predictions: np.ndarray  # (N, T) float32: probability of the second class, most probable class, or forecast, after each step
    basis: Basis  # fitted on other sequences, frozen
    explained: np.ndarray  # (P,) float64 in 0..1, share of this network's own variance along each axis of the basis
    dimension: float  # participation ratio of this network's own cloud: axes that it really uses
    activations: Activations  # of those other sequences
    task: str  # registry key of the sequences: toy reviews stand in where IMDB is not at hand
    step: int  # training steps behind the network; -1 when not known
    kind: str = field(default="portrait", init=False)

    @property
    def coordinates(self) -> np.ndarray:
        """(N, T, P) float32 on the frozen axes."""
        return self.basis.project(self.states)


@dataclass(frozen=True, eq=False)
class Growth:
    """The same sequences at several moments of training, on the axes of the last."""

    steps: tuple[int, ...]  # M training steps
    coordinates: np.ndarray  # (M, N, T, P) float32
    mask: np.ndarray  # (N, T) bool
    targets: np.ndarray  # (N,) float64, as in Portrait
    explained: np.ndarray  # (M, P) float64 in 0..1, share of that moment's own variance along each of these axes
    dimension: np.ndarray  # (M,) float64, participation ratio of that moment's own cloud
    predictions: np.ndarray  # (M, N, T) float32, as in Portrait


def portrait(
    experiment: Experiment,
    model: Model,
    count: int = 60,
    *,
    long: bool = False,
    basis: Basis | None = None,
    uploads: Uploads = None,
    step: int = -1,
    layer: int | None = None,
) -> Portrait:
    """Look at `count` held-out sequences inside `model`.

    Args:
        experiment: whose data to read.
        model: any stage of its training.
        count: N, at most.
        long: series only: instead of windows, one uninterrupted reading of the steps after the training part.
        basis: axes of another stage; by default fitted here, on training sequences.
        uploads: files of the experiment, by SHA-256.
        step: remembered in the result.
        layer: index in `stack.parts`; by default the last. Time runs as that layer reads: for a half that reads backwards, from
            the end of the sequences to their beginning.
    """
    dataset, task = _dataset(experiment, uploads)
    if long and dataset.series is not None:
        known, held_out = _readings(dataset)
    else:
        known, held_out = dataset.train, dataset.validation
    seen = _read(experiment, model, known, FITTED_ON, layer)
    own = projections.fit(seen.states, seen.mask)
    axes = basis or own
    shown = _read(experiment, model, held_out, count, layer)
    return Portrait(
        shown.inputs,
        shown.mask,
        shown.states,
        seen.units,
        shown.targets,
        shown.predictions,
        axes,
        _explained(axes, own, seen.states[seen.mask]),
        own.dimension,
        activations(seen.states[..., : seen.units], seen.gates, seen.mask, seen.targets),
        task,
        step,
    )


def growth(
    experiment: Experiment,
    steps: tuple[int, ...],
    *models: Model,
    count: int = 60,
    uploads: Uploads = None,
    layer: int | None = None,
) -> Growth:
    """The same held-out sequences through training, on the axes of the last moment.

    Args:
        experiment: whose data to read.
        steps: training steps behind each of `models`, ascending.
        models: the network at those moments.
        count: N, sequences at most.
        uploads: files of the experiment, by SHA-256.
        layer: as in `portrait`.
    """
    dataset, _ = _dataset(experiment, uploads)
    clouds = [_read(experiment, model, dataset.train, FITTED_ON, layer) for model in models]
    basis = projections.fit(clouds[-1].states, clouds[-1].mask)
    shown = [_read(experiment, model, dataset.validation, count, layer) for model in models]
    own = [projections.fit(cloud.states, cloud.mask) for cloud in clouds]
    return Growth(
        steps,
        np.stack([basis.project(each.states) for each in shown]),
        shown[-1].mask,
        shown[-1].targets,
        np.stack([_explained(basis, each, cloud.states[cloud.mask]) for each, cloud in zip(own, clouds, strict=True)]),
        np.array([each.dimension for each in own]),
        np.stack([each.predictions for each in shown]),
    )


def _readings(dataset: Dataset) -> tuple[data.Sequences, data.Sequences]:
    """One long sequence from the end of a series's training part, and one from after it."""
    series: Series = dataset.series  # type: ignore[assignment]
    values, border = series.scaled[:, list(series.inputs)], series.ends[0]
    none = np.full((1, 1), np.nan, np.float32)  # there is no single target
    known, held_out = values[max(0, border - LONGEST) : border], values[border : border + LONGEST]
    return data.Sequences.dense(known[None], none), data.Sequences.dense(held_out[None], none)


def _explained(axes: Basis, own: Basis, cloud: np.ndarray) -> np.ndarray:
    """(P,) share of a cloud's variance along axes that may be another cloud's; `own` is its own basis."""
    return axes.project(cloud).var(axis=0, dtype=np.float64) / max(float(own.variances.sum()), 1e-300)


def activations(outputs: np.ndarray, gates: Mapping[str, np.ndarray], mask: np.ndarray, targets: np.ndarray) -> Activations:
    """Distribution, saturation and meaning of every unit over real tokens.

    Args:
        outputs: (N, T, H) h after each step.
        gates: name → (N, T, H); candidates, whose values are not in 0..1, are left out.
        mask: (N, T) bool, True = real.
        targets: (N,) float64, NaN where unknown.
    """
    real = outputs[mask].astype(np.float64)  # (tokens, H)
    widest = max(1.0, float(np.abs(real).max(initial=0.0)))  # tanh and sigmoid fill -1..1; relu and linear may pass it
    edges = np.linspace(-widest, widest, BINS + 1)
    shares = np.stack([np.histogram(unit, edges)[0] for unit in real.T]) / max(len(real), 1)
    last = outputs[np.arange(len(outputs)), mask.shape[1] - 1 - mask[:, ::-1].argmax(axis=1)].astype(np.float64)
    valves = {name: gate[mask] for name, gate in gates.items() if name not in ("cell", "candidate")}
    return Activations(
        edges,
        shares,
        (np.abs(real) > SATURATED).mean(axis=0),
        real.std(axis=0),
        _correlation(last, targets),
        {name: (gate < GATE_LOW).mean(axis=0) for name, gate in valves.items()},
        {name: (gate > GATE_HIGH).mean(axis=0) for name, gate in valves.items()},
    )


def _correlation(values: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """(H,) Pearson correlation of each column with the targets; 0 for a constant column, NaN without targets."""
    if not np.isfinite(targets).all():
        return np.full(values.shape[1], np.nan)
    centred, aims = values - values.mean(axis=0), targets - targets.mean()
    scale = np.sqrt((centred**2).sum(axis=0) * (aims**2).sum())
    return np.divide(aims @ centred, scale, out=np.zeros(values.shape[1]), where=scale > 0)


def _dataset(experiment: Experiment, uploads: Uploads) -> tuple[Dataset, str]:
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


@dataclass(frozen=True, eq=False)
class _Reading:
    """What one network makes of some sequences; fields as in Portrait."""

    inputs: np.ndarray
    mask: np.ndarray
    states: np.ndarray
    units: int
    gates: Mapping[str, np.ndarray]
    targets: np.ndarray
    predictions: np.ndarray


def _read(experiment: Experiment, model: Model, sequences: data.Sequences, count: int, layer: int | None) -> _Reading:
    from rnn_core.probes.traces import trace

    spec, part = experiment.data, stack.default(model.spec) if layer is None else stack.parts(model.spec)[layer]
    chosen = np.arange(min(count, len(sequences)))
    batch = sequences.pad(chosen) if spec.padding == "bucket" else sequences.pad(chosen, spec.length, spec.padding)
    real = np.ones(batch.inputs.shape[:2], bool) if batch.mask is None else batch.mask
    skips = model.mask or model.interface.inputs == "floats"  # the textbook program reads its padding
    mask = batch.mask if skips else None
    seen = trace(model, batch.inputs, mask=mask, layer=part.index)
    above = seen if part == stack.default(model.spec) else trace(model, batch.inputs, mask=mask)  # only the last layer answers
    targets = batch.targets[:, 0] if batch.targets.ndim > 1 and batch.targets.dtype != np.int32 else batch.targets
    if targets.ndim > 1:  # a target at every step
        targets = np.full(len(chosen), np.nan)
    way = slice(None, None, -1 if part.backwards else 1)
    return _Reading(
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
