"""States of several sequences in one network on principal axes, at one kept step of training or at several.

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

FITTED_ON = 200  # sequences for the basis and the distributions; none of them is drawn


@dataclass(frozen=True, eq=False)
class StatePaths:
    """The states of held-out sequences in one network, with the axes on which they are drawn."""

    inputs: np.ndarray  # (N, T) int32 token ids, or (N, T, D) float32
    mask: np.ndarray  # (N, T) bool, True = real step, also where the network itself does not mask padding
    states: np.ndarray  # (N, T, S) float32: [h; c] for an LSTM
    units: int  # H: h is states[..., :H]
    targets: np.ndarray  # (N,) float64: class id or first number to forecast; NaN where every step has its own
    predictions: np.ndarray  # (N, T) float32: probability of the second class, most probable class, or forecast, after each step
    basis: Basis  # fitted on other sequences, frozen
    explained: np.ndarray  # (P,) float64 in 0..1, share of the variance of this network's states along each axis of the basis
    dimension: float  # participation ratio of this network's states: how many axes they effectively use
    activations: Activations  # of the sequences behind the basis
    task: str  # registry key of the sequences: toy reviews where IMDB is not on this machine
    step: int  # training steps of the network; -1 when unknown
    kind: str = field(default="state_paths", init=False)

    @property
    def coordinates(self) -> np.ndarray:
        """(N, T, P) float32 on the frozen axes."""
        return self.basis.project(self.states)


@dataclass(frozen=True, eq=False)
class PathsOverTraining:
    """The same sequences at several kept steps of training, on the axes of the last."""

    steps: tuple[int, ...]  # M training steps
    coordinates: np.ndarray  # (M, N, T, P) float32
    mask: np.ndarray  # (N, T) bool
    targets: np.ndarray  # (N,) float64, as in StatePaths
    explained: np.ndarray  # (M, P) float64 in 0..1, share of the variance at that step along each of these axes
    dimension: np.ndarray  # (M,) float64, participation ratio of the states at that step
    predictions: np.ndarray  # (M, N, T) float32, as in StatePaths


def state_paths(
    experiment: Experiment,
    model: Model,
    count: int = 60,
    *,
    long: bool = False,
    basis: Basis | None = None,
    uploads: Uploads = None,
    step: int = -1,
    layer: int | None = None,
) -> StatePaths:
    """The states of `count` held-out sequences in `model`.

    Args:
        experiment: its data are used.
        model: at any step of its training.
        count: N, at most.
        long: series only: instead of windows, one sequence of all steps after the training part.
        basis: axes fitted at another step; by default fitted here, on training sequences.
        uploads: files of the experiment, by SHA-256.
        step: copied to the result.
        layer: index in `layers.named_layers`; by default the last. Time is in that layer's order of processing: for a backward
            half, from the last step of a sequence to the first.
    """
    dataset, task = samples.dataset(experiment, uploads)
    if long and dataset.series is not None:
        known, held_out = samples.long_sequences(dataset)
    else:
        known, held_out = dataset.train, dataset.validation
    fitted = samples.sample(experiment, model, known, FITTED_ON, layer)
    own = principal_components.fit(fitted.states, fitted.mask)
    axes = basis or own
    shown = samples.sample(experiment, model, held_out, count, layer)
    return StatePaths(
        shown.inputs,
        shown.mask,
        shown.states,
        fitted.units,
        shown.targets,
        shown.predictions,
        axes,
        _explained(axes, own, fitted.states[fitted.mask]),
        own.dimension,
        activations(fitted.states[..., : fitted.units], fitted.gates, fitted.mask, fitted.targets),
        task,
        step,
    )


def paths_over_training(
    experiment: Experiment,
    steps: tuple[int, ...],
    *models: Model,
    count: int = 60,
    uploads: Uploads = None,
    layer: int | None = None,
) -> PathsOverTraining:
    """The states of the same held-out sequences at several steps of training, on the axes of the last.

    Args:
        experiment: its data are used.
        steps: training steps of each of `models`, ascending.
        models: the network at those steps.
        count: N, sequences at most.
        uploads: files of the experiment, by SHA-256.
        layer: as in `state_paths`.
    """
    dataset, _ = samples.dataset(experiment, uploads)
    clouds = [samples.sample(experiment, model, dataset.train, FITTED_ON, layer) for model in models]
    basis = principal_components.fit(clouds[-1].states, clouds[-1].mask)
    shown = [samples.sample(experiment, model, dataset.validation, count, layer) for model in models]
    own = [principal_components.fit(cloud.states, cloud.mask) for cloud in clouds]
    return PathsOverTraining(
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
