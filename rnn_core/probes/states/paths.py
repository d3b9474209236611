"""Many sequences as one network reads them: their states, a frozen plane to draw them on, and how hard the units saturate.

Legend: N sequences, T time steps, D inputs per step, H units, S numbers in the state (H, or 2H for an LSTM), K outputs.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from rnn_core.data.task import Uploads
from rnn_core.engine.model import Model
from rnn_core.probes.states import principal_components, samples
from rnn_core.probes.states.activations import Activations, activations
from rnn_core.probes.states.principal_components import Basis
from rnn_core.spec.experiment import Experiment

FITTED_ON = 200  # sequences behind the basis and the distributions; none of them is drawn


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
        layer: index in `layers.parts`; by default the last. Time runs as that layer reads: for a half that reads backwards, from
            the end of the sequences to their beginning.
    """
    dataset, task = samples.dataset(experiment, uploads)
    if long and dataset.series is not None:
        known, held_out = samples.long(dataset)
    else:
        known, held_out = dataset.train, dataset.validation
    seen = samples.read(experiment, model, known, FITTED_ON, layer)
    own = principal_components.fit(seen.states, seen.mask)
    axes = basis or own
    shown = samples.read(experiment, model, held_out, count, layer)
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
    dataset, _ = samples.dataset(experiment, uploads)
    clouds = [samples.read(experiment, model, dataset.train, FITTED_ON, layer) for model in models]
    basis = principal_components.fit(clouds[-1].states, clouds[-1].mask)
    shown = [samples.read(experiment, model, dataset.validation, count, layer) for model in models]
    own = [principal_components.fit(cloud.states, cloud.mask) for cloud in clouds]
    return Growth(
        steps,
        np.stack([basis.project(each.states) for each in shown]),
        shown[-1].mask,
        shown[-1].targets,
        np.stack([_explained(basis, each, cloud.states[cloud.mask]) for each, cloud in zip(own, clouds, strict=True)]),
        np.array([each.dimension for each in own]),
        np.stack([each.predictions for each in shown]),
    )


def _explained(axes: Basis, own: Basis, cloud: np.ndarray) -> np.ndarray:
    """(P,) share of a cloud's variance along axes that may be another cloud's; `own` is its own basis."""
    return axes.project(cloud).var(axis=0, dtype=np.float64) / max(float(own.variances.sum()), 1e-300)
