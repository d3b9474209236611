"""A contest: several cells learn the same memory task from the same fresh sequences, in alternating rounds.

A round is a fixed number of training steps followed by an evaluation on the same held-out sequences, so that contestants are
compared at equal steps, whatever the load of the machine. The verdict (`contest_words.verdict`) is computed from the laps;
nothing is assumed about which cell should win.
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
from rnn_core.probes.strip import Shown, Strip, shown, strip
from rnn_core.spec.experiment import Experiment

if TYPE_CHECKING:
    from rnn_core.training.step import TrainingStep

ROUND = 50  # training steps between two evaluations
HELD_OUT = 512  # held-out sequences
SOLVED = {"adding": 0.1, "first_token": 0.995, "delayed_recall": 0.995, "copying": 0.995}  # root mean square error, or accuracy
SOLVED_ACCURACY = 0.98  # for tasks that are not in the table above


@dataclass(frozen=True)
class Goal:
    """The task of a contest, and when it counts as solved."""

    task: str  # registry key
    length: int  # T, time steps
    metric: str  # "accuracy" (higher is better) or "rmse" (lower is better)
    threshold: float  # metric from which on it is solved
    baseline: float  # metric of the best guess without memory
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
    """The result of one contestant after a round of training."""

    cell: str  # "simple_rnn", "lstm" or "gru"
    seed: int  # of initial weights and data
    learning_rate: float  # of the optimiser
    step: int  # training steps so far
    seconds: float  # of training this contestant, without compilation
    loss: float  # mean training loss of the round; NaN before the first
    metric: float  # on the held-out sequences
    best: float  # best held-out metric so far
    norms: np.ndarray  # (T,) float64, mean over sequences of ‖∂L/∂s_t‖ in the round's last batch
    ending: str  # "" while it runs; then "solved", "out of steps" or "diverged"
    strip: Strip | None = None  # the network over the first held-out sequence; None in recorded contests
    shown: Shown | None = None  # that sequence


def goal(experiment: Experiment, dataset: data.Dataset, steps: int) -> Goal:
    """The goal of a contest on this data.

    The baseline for numbers is the mean of the held-out targets as the only output, measured on the same sequences as the curves;
    for classes it is the best of the task's own baselines.
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
    horizon = min(100, max(1, length // 2)) if task == "delayed_recall" else 1  # its memory span is the delay, not the length
    return Experiment(seed=seed).replace(
        task=task, length=length, horizon=horizon, samples=samples, validation=HELD_OUT / samples, cell=cell, units=units,
        gate_bias=gate_bias, optimiser="adam", learning_rate=learning_rate, batch=64, clip=1.0,
    )  # fmt: skip


def race(experiment: Experiment, dataset: data.Dataset, steps: int) -> Iterator[Lap]:
    """The laps of one contestant: the untrained network, then one per round, until solved, diverged or out of steps."""
    from rnn_core.engine import model
    from rnn_core.training.step import TrainingStep

    aim, cell, rate = goal(experiment, dataset, steps), experiment.model.cell, experiment.training.learning_rate
    training_step = TrainingStep(model.build(experiment, dataset.interface), experiment.training, experiment.seed)
    feed = _feed(experiment, dataset)
    inputs, target = dataset.validation[0], dataset.validation.targets[0]
    written = shown(inputs)
    norms = _untrained_norms(training_step, dataset, experiment.training.batch)
    better, best, loss, step, seconds = np.fmax if aim.metric == "accuracy" else np.fmin, np.nan, np.nan, 0, 0.0
    while True:
        metric = float(training_step.evaluate(dataset.validation)[1])
        best = float(better(best, metric))
        ending = _ending(aim, metric, step, loss)
        seen = strip(training_step.model, inputs, target).light()
        yield Lap(cell, experiment.seed, rate, step, seconds, loss, metric, best, norms, ending, seen, written)
        if ending:
            return
        start = time.perf_counter()
        results = [training_step.step(batch) for batch in islice(feed, min(ROUND, steps - step))]
        seconds += time.perf_counter() - start
        step += len(results)
        loss, norms = float(np.mean([each.loss for each in results])), np.asarray(results[-1].state_norms, np.float64)


def _feed(experiment: Experiment, dataset: data.Dataset) -> Iterator[data.Batch]:
    """Endless batches, freshly generated where the task can: the same for every cell of one seed."""
    for epoch in count(1):
        sequences = dataset.resample(epoch) if dataset.resample else dataset.train
        yield from data.batches(sequences, experiment.training.batch, generator(experiment.seed, "contest/order", epoch))


def _untrained_norms(training_step: TrainingStep, dataset: data.Dataset, size: int) -> np.ndarray:
    """(T,) gradient norm per time step before training: takes one step, which compiles it, and restores the weights."""
    before = training_step.state()
    norms = training_step.step(dataset.validation.pad(np.arange(min(size, len(dataset.validation))))).state_norms
    training_step.restore(before)
    return np.asarray(norms, np.float64)


def _ending(aim: Goal, metric: float, step: int, loss: float) -> str:
    if step and not (np.isfinite(loss) and np.isfinite(metric)):
        return "diverged"
    if aim.solved(metric):
        return "solved"
    return "out of steps" if step >= aim.steps else ""


def contest(experiments: Sequence[Experiment], steps: int) -> Iterator[Goal | Lap]:
    """The goal, then the laps of all contestants in alternating rounds; one that has ended is skipped.

    Contestants of one seed train on the same sequences. Several seeds run one after the other.
    """
    for n, seed in enumerate(dict.fromkeys(each.seed for each in experiments)):
        contestants = [each for each in experiments if each.seed == seed]
        dataset = data.build(contestants[0])
        if n == 0:
            yield goal(contestants[0], dataset, steps)
        races = [race(each, dataset, steps) for each in contestants]
        while races:
            for running in list(races):
                lap = next(running)
                yield lap
                if lap.ending:
                    races.remove(running)
