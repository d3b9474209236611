"""A contest: several cells learn the same memory task from the same fresh sequences, one round each in turn.

A round is a fixed number of training steps followed by a look at the same held-out sequences, so that contestants are
compared at equal steps whatever else the machine is doing. Everything that is said afterwards (`verdict`) is computed
from the laps; nothing is assumed about which cell should win.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count, islice
from typing import TYPE_CHECKING

import numpy as np

from rnn_core import data
from rnn_core.data.seeds import generator
from rnn_core.spec.experiment import Experiment

if TYPE_CHECKING:
    from rnn_core.training.step import TrainingStep

ROUND = 50  # training steps between two looks at the held-out sequences
HELD_OUT = 512  # held-out sequences
SOLVED = {"adding": 0.1, "first_token": 0.995, "delayed_recall": 0.995, "copying": 0.995}  # root mean square error, or accuracy
SOLVED_ACCURACY = 0.98  # where the table above says nothing


@dataclass(frozen=True)
class Goal:
    """What the contestants are asked for."""

    task: str  # registry key
    length: int  # T, time steps
    metric: str  # "accuracy" (higher is better) or "rmse" (lower is better)
    threshold: float  # solved from here on
    baseline: float  # what the best guess without memory gets
    steps: int  # training steps that each contestant may use

    def solved(self, metric: float) -> bool:
        """Whether a held-out metric counts as solved; never for NaN."""
        return metric >= self.threshold if self.metric == "accuracy" else metric <= self.threshold

    def progress(self, metric: float) -> float:
        """Share of the way from guessing (0) to solved (1), clipped to that range; 0 for NaN."""
        share = (metric - self.baseline) / (self.threshold - self.baseline)
        return float(np.clip(share, 0, 1)) if np.isfinite(share) else 0.0


@dataclass(frozen=True, eq=False)
class Lap:
    """Where one contestant stands after a round of training."""

    cell: str  # "simple_rnn", "lstm" or "gru"
    seed: int  # of initial weights and data
    learning_rate: float  # of the optimiser
    step: int  # training steps so far
    seconds: float  # spent on this contestant alone, compiling left out
    loss: float  # mean training loss of the round; NaN before the first
    metric: float  # on the held-out sequences
    best: float  # best held-out metric so far
    norms: np.ndarray  # (T,) float64, mean over sequences of ‖∂L/∂s_t‖ in the round's last batch
    ending: str  # "" while it runs; "solved", "out of steps", "diverged"


def goal(experiment: Experiment, dataset: data.Dataset, steps: int) -> Goal:
    """The goal of a contest on this data.

    Guessing numbers means always giving the mean of the held-out targets, so that curve and line are measured on the same
    sequences; guessing classes is the best of the task's own baselines.
    """
    metric = data.task(experiment.data.task).metric
    threshold = SOLVED.get(experiment.data.task, SOLVED_ACCURACY)
    baseline = (
        np.nanmax(list(dataset.baselines.values())) if metric == "accuracy" else dataset.validation.targets.std(dtype=np.float64)
    )
    return Goal(experiment.data.task, experiment.data.length, metric, threshold, float(baseline), steps)


def entry(
    task: str,
    length: int,
    cell: str,
    *,
    seed: int = 0,
    learning_rate: float = 0.01,
    gate_bias: float | None = None,
    units: int = 32,
) -> Experiment:
    """One contestant's experiment: fresh sequences each round, Adam, gradients clipped at global norm 1."""
    samples = ROUND * 64
    horizon = (
        min(100, max(1, length // 2)) if task == "delayed_recall" else 1
    )  # there the delay, not the length, is what is remembered
    return Experiment(seed=seed).replace(
        task=task, length=length, horizon=horizon, samples=samples, validation=HELD_OUT / samples, cell=cell, units=units,
        gate_bias=gate_bias, optimiser="adam", learning_rate=learning_rate, batch=64, clip=1.0,
    )  # fmt: skip


def race(experiment: Experiment, dataset: data.Dataset, steps: int) -> Iterator[Lap]:
    """One contestant's laps: first the untrained network, then one per round, until solved, diverged or out of steps."""
    from rnn_core.engine import model
    from rnn_core.training.step import TrainingStep

    aim = goal(experiment, dataset, steps)
    stepper = TrainingStep(model.build(experiment, dataset.interface), experiment.training, experiment.seed)
    feed = _feed(experiment, dataset)
    norms = _untrained_norms(stepper, dataset, experiment.training.batch)
    better, best, loss, step, seconds = np.fmax if aim.metric == "accuracy" else np.fmin, np.nan, np.nan, 0, 0.0
    while True:
        metric = float(stepper.evaluate(dataset.validation)[1])
        best = float(better(best, metric))
        ending = _ending(aim, metric, step, loss)
        yield Lap(
            experiment.model.cell,
            experiment.seed,
            experiment.training.learning_rate,
            step,
            seconds,
            loss,
            metric,
            best,
            norms,
            ending,
        )
        if ending:
            return
        start = time.perf_counter()
        results = [stepper.step(batch) for batch in islice(feed, min(ROUND, steps - step))]
        seconds += time.perf_counter() - start
        step += len(results)
        loss, norms = float(np.mean([each.loss for each in results])), np.asarray(results[-1].state_norms, np.float64)


def _feed(experiment: Experiment, dataset: data.Dataset) -> Iterator[data.Batch]:
    """Batches without end, fresh where the task can make them: the same for every cell of one seed."""
    for epoch in count(1):
        sequences = dataset.resample(epoch) if dataset.resample else dataset.train
        yield from data.batches(sequences, experiment.training.batch, generator(experiment.seed, "contest/order", epoch))


def _untrained_norms(stepper: TrainingStep, dataset: data.Dataset, size: int) -> np.ndarray:
    """The gradient's norm per time step before any training: one step is taken (and compiled) and taken back."""
    before = stepper.state()
    norms = stepper.step(dataset.validation.pad(np.arange(min(size, len(dataset.validation))))).state_norms
    stepper.restore(before)
    return np.asarray(norms, np.float64)


def _ending(aim: Goal, metric: float, step: int, loss: float) -> str:
    if step and not (np.isfinite(loss) and np.isfinite(metric)):
        return "diverged"
    if aim.solved(metric):
        return "solved"
    return "out of steps" if step >= aim.steps else ""


def contest(experiments: Sequence[Experiment], steps: int) -> Iterator[Goal | Lap]:
    """The goal, then the laps of all contestants, one round each in turn; whoever has finished leaves the track.

    Contestants of one seed train on the same sequences. Several seeds are run one after the other.
    """
    announced = False
    for seed in dict.fromkeys(each.seed for each in experiments):
        contestants = [each for each in experiments if each.seed == seed]
        dataset = data.build(contestants[0])
        if not announced:
            yield goal(contestants[0], dataset, steps)
            announced = True
        lanes = [race(each, dataset, steps) for each in contestants]
        while lanes:
            for lane in list(lanes):
                lap = next(lane)
                yield lap
                if lap.ending:
                    lanes.remove(lane)
